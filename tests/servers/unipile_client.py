"""Unipile's own client, which runs on Node: ``python -m tests.servers.unipile_client`` installs it, part of ``make setup-dev``."""

import json
import subprocess
from pathlib import Path
from typing import Any

from cadenza.web import assets

FOLDER = Path(__file__).parent / "unipile"
_FRAME = """
const {{ UnipileClient }} = require("unipile-node-sdk");
const client = new UnipileClient(process.argv[1], process.argv[2],
  {{ validateRequestPayload: true, validateRequestPayloadLevel: "error" }});
(async () => {{ {body} }})().then(
  (told) => console.log(JSON.stringify({{ told }})),
  (wrong) => console.log(JSON.stringify({{ wrong: wrong.body ?? String(wrong) }})));
"""


def install() -> None:
    """As package-lock.json names it; no script of a package is run."""
    if (FOLDER / "node_modules" / "unipile-node-sdk").is_dir():
        return
    command = [*assets._npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=FOLDER, check=True)


def script(address: str, key: str, body: str) -> list[str]:
    """The command that runs ``body`` (an async function's, with ``client``) and prints what it told as JSON."""
    npm = assets._npm()
    node = [npm[0]] if len(npm) > 1 else ["node"]
    return [*node, "-e", _FRAME.format(body=body), address, key]


def read(printed: bytes) -> Any:
    return json.loads(printed.decode().splitlines()[-1])


if __name__ == "__main__":
    install()
