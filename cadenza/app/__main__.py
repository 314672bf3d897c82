from cadenza.app.cli import main

main()
