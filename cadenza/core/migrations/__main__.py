"""Makes the first migration anew from the models. Only until the first release; then migrations are added."""

import subprocess
import sys
from pathlib import Path

from cadenza.core.migrations.making import FOLDER, first_schema

if __name__ == "__main__":
    made = first_schema()
    for path in {*(FOLDER / "first").glob("*.py")} - {*made}:
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    subprocess.run([Path(sys.executable).parent / "ruff", "format", "-q", *made], check=True)
