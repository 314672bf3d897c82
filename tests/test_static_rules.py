"""What the linter refuses in the product's own code: ways by which data becomes code."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "a shell": ("import subprocess\n\nsubprocess.run('ls', shell=True, check=True)\n", "S602"),
    "the system's shell": ("import os\n\nos.system('ls')\n", "S605"),
    "eval": ("print(eval('1'))\n", "S307"),
    "exec": ("exec('x = 1')\n", "S102"),
    "pickle": ("import pickle\n\npickle.loads(b'')\n", "S301"),
    "marshal": ("import marshal\n\nmarshal.loads(b'')\n", "S302"),
    "YAML that makes objects": ("import yaml\n\nyaml.load('a')\n", "S506"),
    "SQL put together from text": ("def find(name: str) -> str:\n    return f\"select * from users where name = '{name}'\"\n", "S608"),
    "XML that resolves entities": ("import xml.etree.ElementTree as tree\n\ntree.parse('x')\n", "S314"),
    "another way out over HTTP": ("import httpx\n\nhttpx.get('https://x.example')\n", "TID251"),
    "TLS that believes anybody": ("import ssl\n\nssl._create_unverified_context()\n", "S323"),
}  # fmt: skip


def found(source: str, name: str) -> str:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format",
        "concise",
        "--stdin-filename",
        name,
        "-",
    ]
    return subprocess.run(command, input=source, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.asvs("1.2.5", "1.3.2", "13.2.4")
@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_check_refuses(what: str) -> None:
    """By the project's own configuration, wherever in the product it stands; `make check` runs the same."""
    source, rule = FORBIDDEN[what]
    assert rule in found(source, "cadenza/engine/anywhere.py")
