"""``cadenza senders hand-over``."""

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options


@click.command("hand-over")
@click.argument("address")
@click.argument("to")
@json_option
@workspace_options
@run_async
async def hand_over(
    *, address: str, to: str, as_json: bool, workspace: str | None, as_email: str | None
) -> int:
    """Let another sender go on writing to everybody whom this one wrote to first."""
    from cadenza.channels.service import mailboxes  # noqa: PLC0415 - `--help` stays quick
    from cadenza.core.errors import not_found  # noqa: PLC0415
    from cadenza.engine.service import hand_over as door  # noqa: PLC0415
    from cadenza.identity.service import command_line  # noqa: PLC0415

    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        found = {box.address: box.id for box in await mailboxes(unit, [address, to])}
        for named in (address, to):
            if named.lower() not in found:
                raise not_found("mailbox", named)
        count = await door(unit, actor, found[address.lower()], found[to.lower()])
    if as_json:
        echo_json({"from": address.lower(), "to": to.lower(), "sequences": count})
    else:
        click.echo(f"{to.lower()} goes on in {count} sequences.")
    return 0
