"""An installation that the tests of a module share, and a place without one."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import _admin, _named
from tests.support.shell import Shell

OWNER = "owner@north.example"
_SETUP = f"""
import asyncio
from cadenza.core.installation import open_installation
from cadenza.identity.service import create_workspace

async def main():
    async with open_installation() as database:
        await create_workspace(database, "North", owner_email="{OWNER}", owner_name="Olga", password="{uuid4().hex}")

asyncio.run(main())
"""


@pytest.fixture
def bare(tmp_path: Path) -> Shell:
    """Without an installation: an empty home."""
    return Shell(tmp_path, {"CADENZA_HOME": str(tmp_path / "home")})


@pytest.fixture(scope="module")
async def cadenza(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shell]:
    """An installation with one workspace in a database of its own."""
    folder, name = tmp_path_factory.mktemp("user"), f"commands_{uuid4().hex}"
    _admin(server_url, f"create database {name} template {template} strategy file_copy")
    shell = Shell(
        folder, {"CADENZA_HOME": str(folder / "home"), "CADENZA_DATABASE_URL": _named(server_url, name)}
    )
    made = await shell.python("-c", _SETUP)
    assert made.code == 0, made.err
    yield shell
    _admin(server_url, f"drop database {name} with (force)")
