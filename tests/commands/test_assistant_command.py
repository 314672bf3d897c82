"""``cadenza mcp``: an assistant's program on this machine, by the protocol's own client."""

import os
import sys

import pytest
from mcp import Client, StdioServerParameters

from tests.commands.conftest import OWNER
from tests.support.shell import Shell


async def _token(cadenza: Shell, scope: str) -> str:
    made = await cadenza("tokens", "create", f"for {scope}", "--member", OWNER, "--scope", scope, "--json")
    return str(made.only["token"])


def _program(cadenza: Shell, token: str) -> StdioServerParameters:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CADENZA_")}
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "cadenza.app", "mcp"],
        env=plain | cadenza.settings | {"CADENZA_TOKEN": token},
        cwd=cadenza.folder,
    )


@pytest.mark.slow
async def test_an_assistant_on_this_machine_uses_tools_within_its_token(cadenza: Shell) -> None:
    async with Client(_program(cadenza, await _token(cadenza, "read"))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "find_contacts" in names
        assert "propose_campaign" not in names
        found = await client.call_tool("find_contacts", {})
        assert found.structured_content["total"] == 0
        refused = await client.call_tool("propose_campaign", {"document": "name: x"})
        assert refused.is_error
        assert refused.structured_content["code"] == "not_allowed"
        listed = (await cadenza("tokens", "list", "--json")).lines
        assert (await cadenza("tokens", "revoke", listed[0]["id"])).code == 0
        late = await client.call_tool("find_contacts", {})
        assert late.structured_content["code"] == "token_invalid"


async def test_without_a_token_it_says_where_one_is_made(cadenza: Shell) -> None:
    for settings, words in (
        ({}, "CADENZA_TOKEN is not set"),
        ({"CADENZA_TOKEN": "nonsense"}, "unknown, revoked or over"),
    ):
        ran = await cadenza("mcp", **settings)
        assert (ran.code, ran.out) == (1, "")
        assert words in ran.err
        assert "Settings, Tokens" in ran.err


async def test_the_protocols_package_is_loaded_for_assistants_only(bare: Shell) -> None:
    loaded = "import sys, cadenza.app.composition, cadenza.app.cli; print('mcp' in sys.modules)"
    assert (await bare.python("-c", loaded)).out.strip() == "False"
