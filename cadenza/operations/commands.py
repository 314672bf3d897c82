"""``cadenza sending``: whether messages leave, and why not. ``cadenza doctor``: how the installation is."""

from typing import Any

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options


@click.group()
def sending() -> None:
    """See, begin and end the hold on sending."""


@sending.command()
@json_option
@run_async
async def status(*, as_json: bool) -> int:
    """Say whether sending is held, and what the Sent folders showed."""
    from cadenza.core.installation import open_installation  # noqa: PLC0415 - `--help` stays quick
    from cadenza.operations.service import hold_of  # noqa: PLC0415

    async with open_installation() as database:
        _show(_plain(await hold_of(database)), as_json=as_json)
    return 0


@sending.command()
@json_option
@workspace_options
@run_async
async def hold(*, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Stop sending in the whole installation until it is released."""
    from cadenza.identity.service import command_line  # noqa: PLC0415
    from cadenza.operations.service import hold_of, hold_sending  # noqa: PLC0415

    async with command_line(workspace, as_email) as (database, actor):
        await hold_sending(database, actor)
        _show(_plain(await hold_of(database)), as_json=as_json)
    return 0


@sending.command()
@json_option
@run_async
async def compare(*, as_json: bool) -> int:
    """Look through the Sent folders now; what they hold and we do not know counts as sent."""
    from cadenza.core.installation import open_installation  # noqa: PLC0415
    from cadenza.operations.service import compare as look  # noqa: PLC0415
    from cadenza.operations.service import hold_of  # noqa: PLC0415

    async with open_installation() as database:
        result = await look(database)
        _show(_plain(await hold_of(database)), as_json=as_json)
    return int(bool(result and result.unreachable))


@sending.command()
@click.option("--without-comparing", is_flag=True, help="Although the Sent folders were not all compared.")
@json_option
@workspace_options
@run_async
async def release(
    *, without_comparing: bool, as_json: bool, workspace: str | None, as_email: str | None
) -> int:
    """Let sending go on; the audit trail says who did it."""
    from cadenza.identity.service import command_line  # noqa: PLC0415
    from cadenza.operations.service import hold_of, release_sending  # noqa: PLC0415

    async with command_line(workspace, as_email) as (database, actor):
        await release_sending(database, actor, without_comparing=without_comparing)
        _show(_plain(await hold_of(database)), as_json=as_json)
    return 0


def _plain(hold: Any) -> dict[str, Any]:
    if hold is None:
        return {"held": False}
    return {
        "held": True,
        "reason": hold.reason,
        "since": hold.since,
        "lost_from": hold.lost_from,
        "compared_at": hold.compared_at,
        "compared": hold.compared,
    }


def _show(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(state)
        return
    if not state["held"]:
        click.echo("Sending is not held.")
        return
    click.echo(f"Sending is held since {state['since']:%Y-%m-%d %H:%M} UTC: {_WHY[state['reason']]}")
    compared = state["compared"]
    if compared is None:
        click.echo("The Sent folders are not compared yet; `cadenza sending compare` does it now.")
        return
    click.echo(
        f"The Sent folders were compared: {compared['copies']} copies, {compared['counted']} of them unknown here."
    )
    for address in compared["unreachable"]:
        click.echo(f"  {address} could not be asked.")
    if not compared["unreachable"]:
        click.echo("`cadenza sending release` lets it go on.")


_WHY = {
    "restored": "the data was restored to another server.",
    "cloned": "the data was copied or moved here.",
    "failover": "another database server took over and may lack the last commits.",
    "by_hand": "somebody said so.",
}


@click.command()
@json_option
@run_async
async def doctor(*, as_json: bool) -> int:
    """Check the whole installation and say what to do. Changes nothing; exit 1 when something fails."""
    from cadenza.core.settings import settings  # noqa: PLC0415
    from cadenza.operations.checks import as_json as plain  # noqa: PLC0415
    from cadenza.operations.checks import verdict  # noqa: PLC0415
    from cadenza.operations.doctor import look  # noqa: PLC0415

    checks = await look(settings())
    worst = verdict(checks)
    if as_json:
        echo_json({"verdict": worst.value, "checks": [plain(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{check.status.value:8}{check.id:20} {check.found}")
            if check.fix:
                click.echo(f"{'':28} {check.fix}")
    return int(worst.value == "fail")
