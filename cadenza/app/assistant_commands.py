"""``cadenza mcp``: the assistants' protocol on standard input and output, for a program on this machine."""

import os

import click

from cadenza.core.command import run_async
from cadenza.core.errors import CadenzaError

_VARIABLE = "CADENZA_TOKEN"


@click.command()
@run_async
async def mcp() -> None:
    """Speak the Model Context Protocol on standard input and output.

    The API token whose rights it has is read from the variable CADENZA_TOKEN: arguments can be read by other users.
    """
    token = os.environ.get(_VARIABLE, "").strip()
    if not token:
        raise CadenzaError(
            "token_missing", f"{_VARIABLE} is not set.", fix="Make a token in Settings, Tokens."
        )
    from cadenza.app.assistants import answer_on_standard_input  # noqa: PLC0415 - `--help` stays quick

    await answer_on_standard_input(token)
