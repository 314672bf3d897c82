"""``cadenza senders set | show | pause | resume | go-on`` and ``cadenza pools``."""

from pathlib import Path
from typing import Any

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options


@click.command("set")
@click.argument("address")
@click.option("--name", help="Name that recipients see.")
@click.option("--daily-limit", type=int, help="Messages a day at most.")
@click.option(
    "--alias", "aliases", multiple=True, help="Another address whose mail arrives there; 'none' for no alias."
)
@click.option("--signature", type=click.Path(path_type=Path, dir_okay=False), help="A text file.")
@click.option(
    "--signature-html", type=click.Path(path_type=Path, dir_okay=False), help="A file with simple HTML."
)
@click.option("--hours", help="'mon-fri 09:00-17:00 Europe/Berlin', or 'any'.")
@click.option("--owner", help="A member's e-mail address, or 'none'.")
@click.option("--warm-up", help="START,GROWTH,TARGET in messages a day, such as 10,5,60; or 'off'.")
@json_option
@workspace_options
@run_async
async def set_sender(
    *, address: str, as_json: bool, workspace: str | None, as_email: str | None, **given: Any
) -> int:
    """Change a sender's settings; what is not given stays."""
    from cadenza.channels import setting_work  # noqa: PLC0415 - `--help` stays quick

    box = await setting_work.change(address, given, workspace, as_email)
    _show(box, as_json=as_json)
    return 0


def _show(box: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(box)
        return
    for key, value in box.items():
        click.echo(f"{key.replace('_', ' ')}: {'-' if value in (None, '', []) else value}")


@click.command("show")
@click.argument("address")
@json_option
@workspace_options
@run_async
async def show_sender(*, address: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """One sender with its settings, its day, its warm-up and its health."""
    from cadenza.channels import setting_work  # noqa: PLC0415

    _show(await setting_work.whole(address, workspace, as_email), as_json=as_json)
    return 0


def _act(name: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @click.argument("address")
    @json_option
    @workspace_options
    @run_async
    async def command(*, address: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
        from cadenza.channels import setting_work  # noqa: PLC0415

        _show(await setting_work.act(name, address, workspace, as_email), as_json=as_json)
        return 0

    return command


pause_sender = _act("pause", "Nothing leaves by it until it is resumed; its people wait.")
resume_sender = _act("resume", "End a pause.")


@click.command("go-on")
@click.argument("address")
@click.option("--seen", required=True, help="The rule of the stop, as `cadenza senders show` tells it.")
@json_option
@workspace_options
@run_async
async def go_on(
    *, address: str, seen: str, as_json: bool, workspace: str | None, as_email: str | None
) -> int:
    """Let a sender go on that its health stopped; for complaints not before seven days without one."""
    from cadenza.channels import setting_work  # noqa: PLC0415

    _show(await setting_work.act("go-on", address, workspace, as_email, seen), as_json=as_json)
    return 0


@click.group()
def pools() -> None:
    """Named sets of mailboxes that campaigns send from."""


async def _pools(as_json: bool, *given: Any) -> int:
    from cadenza.channels.setting_work import pool_work  # noqa: PLC0415

    found = await pool_work(*given)
    if as_json:
        echo_json(found)
    else:
        for pool in found:
            click.echo(
                f"{pool['name']}  {len(pool['mailboxes'])} mailboxes  {', '.join(pool['mailboxes'][:10])}".rstrip()
            )
    return 0


@pools.command("list")
@json_option
@workspace_options
@run_async
async def list_pools(*, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """All pools with who is in them."""
    return await _pools(as_json, workspace, as_email, "list")


@pools.command()
@click.argument("name")
@json_option
@workspace_options
@run_async
async def make(*, name: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Make an empty pool."""
    return await _pools(as_json, workspace, as_email, "make", name)


@pools.command()
@click.argument("name")
@click.argument("new_name")
@json_option
@workspace_options
@run_async
async def rename(
    *, name: str, new_name: str, as_json: bool, workspace: str | None, as_email: str | None
) -> int:
    """Give a pool another name; it answers to its former names too."""
    return await _pools(as_json, workspace, as_email, "rename", name, new_name)


@pools.command()
@click.argument("name")
@click.argument("addresses", nargs=-1)
@json_option
@workspace_options
@run_async
async def fill(
    *, name: str, addresses: tuple[str, ...], as_json: bool, workspace: str | None, as_email: str | None
) -> int:
    """Exactly these mailboxes are in it from now on; none empties it."""
    return await _pools(as_json, workspace, as_email, "fill", name, addresses)


@pools.command()
@click.argument("name")
@json_option
@workspace_options
@run_async
async def remove(*, name: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Forget a pool that no campaign needs any more."""
    return await _pools(as_json, workspace, as_email, "remove", name)
