"""``cadenza channels``: add, list, test and remove accounts of LinkedIn and phone."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options

if TYPE_CHECKING:
    from cadenza.channels.accounts import AccountTest


@click.group()
def channels() -> None:
    """Add, list, test and remove accounts of LinkedIn and phone."""


@channels.command()
@click.argument("channel", type=click.Choice(["linkedin", "phone"]))
@click.argument("address")
@click.option(
    "--provider", default="assisted", show_default=True, type=click.Choice(["assisted", "unipile", "twilio"]),
    help="Who does it: a person by hand, or a provider with the key on standard input.",
)  # fmt: skip
@click.option("--name", required=True, help="What the account is called here.")
@click.option("--base-url", default="", help="Address of Unipile's API (DSN).")
@click.option("--reference", default="", help="Unipile's id of the account, or Twilio's account SID.")
@click.option("--rings", default="", help="The phone that Twilio rings first, with + and country.")
@json_option
@workspace_options
@run_async
async def add(
    *,
    channel: str,
    address: str,
    provider: str,
    name: str,
    base_url: str,
    reference: str,
    rings: str,
    as_json: bool,
    workspace: str | None,
    as_email: str | None,
) -> int:
    """Connect a profile (linkedin) or a number (phone) once its provider lets us in."""
    from cadenza.channels.accounts import NewAccount  # noqa: PLC0415 - `--help` stays quick
    from cadenza.channels.accounts_work import add_account  # noqa: PLC0415
    from cadenza.channels.contracts import AccountProvider  # noqa: PLC0415

    new = NewAccount(
        channel=channel, provider=AccountProvider(provider), name=name, address=address, base_url=base_url, reference=reference,
        rings=rings,
    )  # fmt: skip
    key = "" if provider == "assisted" else _key()
    return _show(await add_account(new, key, workspace, as_email), as_json=as_json)


def _key() -> str:
    """From standard input, so that no list of processes and no history of a shell shows it."""
    if sys.stdin.isatty():
        return str(click.prompt("Key", hide_input=True, err=True))
    key = sys.stdin.readline().strip()
    if not key:
        raise click.UsageError("The provider's key is read from standard input, and there was none.")
    return key


@channels.command()
@click.argument("account")
@json_option
@workspace_options
@run_async
async def test(*, account: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Ask the provider of an account, named by its address or id; one that was restricted goes on when it is well again."""
    from cadenza.channels.accounts_work import try_account  # noqa: PLC0415

    return _show(await try_account(account, workspace, as_email), as_json=as_json)


def _show(tested: "AccountTest", *, as_json: bool) -> int:
    if as_json:
        echo_json(asdict(tested))
    else:
        click.echo(f"{tested.channel} {tested.address}: {tested.detail}")
    return 0 if tested.ok else 1


@channels.command("list")
@json_option
@workspace_options
@run_async
async def list_(*, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """All accounts with their state."""
    from cadenza.channels.accounts_work import all_accounts  # noqa: PLC0415

    found = await all_accounts(workspace, as_email)
    if as_json:
        echo_json([
            {
                "account": str(each.id), "channel": each.channel, "provider": each.provider.value, "name": each.name,
                "address": each.address, "ok": each.can_send, "state": each.state.value, "detail": each.state_reason,
            }
            for each in found
        ])  # fmt: skip
        return 0
    for each in found:
        line = (
            f"{each.channel}  {each.address}  {each.provider.value}  {each.state.value}  {each.state_reason}"
        )
        click.echo(line.rstrip())
    return 0


@channels.command()
@click.argument("account")
@json_option
@workspace_options
@run_async
async def remove(*, account: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Disconnect an account, named by its address or id: its key is forgotten. What it did stays told."""
    from cadenza.channels.accounts_work import remove_account  # noqa: PLC0415

    address, told = await remove_account(account, workspace, as_email)
    if as_json:
        echo_json({"address": address, "removed": True, "provider_told": told})
    else:
        click.echo(f"{address}: disconnected{'' if told else '; its provider could not be told'}.")
    return 0
