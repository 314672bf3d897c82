"""``cadenza senders``: add, test, try and list mailboxes."""

import sys
from dataclasses import asdict

import click

from cadenza.channels.contracts import Mailbox, SenderTest, Server, Tls
from cadenza.core.command import echo_json, json_option, run_async, workspace_options


class _HostPort(click.ParamType[tuple[str, int]]):
    name = "host:port"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            self.fail(f"{value!r} is not HOST:PORT.", param, ctx)
        return host.strip("[]"), int(port)


@click.group()
def senders() -> None:
    """Add, test, try and list mailboxes."""


@senders.command()
@click.argument("address")
@click.option(
    "--preset",
    default=None,
    help="A provider whose servers are known, such as gmx; instead of the next three.",
)
@click.option("--smtp", default=None, type=_HostPort(), help="Server that takes mail, as HOST:PORT.")
@click.option("--imap", default=None, type=_HostPort(), help="Server that holds mail, as HOST:PORT.")
@click.option(
    "--tls", default=None, type=click.Choice([t.value for t in Tls]), help="none: this machine only."
)
@click.option("--user", default=None, help="User name at both servers; with --preset, left out, the address.")
@click.option("--name", default="", help="Name that recipients see.")
@click.option("--daily-limit", default=60, show_default=True, help="Messages a day at most.")
@json_option
@workspace_options
@run_async
async def add(
    *,
    address: str,
    preset: str | None,
    smtp: tuple[str, int] | None,
    imap: tuple[str, int] | None,
    tls: str | None,
    user: str | None,
    name: str,
    daily_limit: int,
    as_json: bool,
    workspace: str | None,
    as_email: str | None,
) -> int:
    """Store a mailbox once its log-ins work. The password is read from standard input."""
    from cadenza.channels.command_work import store_tested  # noqa: PLC0415 - `--help` stays quick
    from cadenza.channels.service import NewMailbox  # noqa: PLC0415

    sending, reading = _servers(preset, smtp, imap, tls)
    if user is None and preset is None:
        raise click.UsageError("Missing option '--user'.")
    new = NewMailbox(
        address=address,
        smtp=sending,
        imap=reading,
        user=address if user is None else user,
        display_name=name,
        daily_limit=daily_limit,
    )
    return _show(await store_tested(new, _password(), workspace, as_email), as_json=as_json)


def _servers(
    preset: str | None, smtp: tuple[str, int] | None, imap: tuple[str, int] | None, tls: str | None
) -> tuple[Server, Server]:
    """From the provider's entry, or as they are named."""
    named = {"--smtp": smtp, "--imap": imap, "--tls": tls}
    if preset is not None:
        from cadenza.channels.providers import preset as known  # noqa: PLC0415

        if given := [name for name, value in named.items() if value is not None]:
            raise click.UsageError(f"--preset brings the servers along: leave out {', '.join(given)}.")
        return known(preset).smtp, known(preset).imap
    if smtp is None or imap is None or tls is None:
        missing = ", ".join(name for name, value in named.items() if value is None)
        raise click.UsageError(f"Missing option: {missing}. Name the servers, or a provider by --preset.")
    return Server(*smtp, Tls(tls)), Server(*imap, Tls(tls))


def _password() -> str:
    """From standard input, so that no list of processes and no history of a shell shows it."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, err=True))
    try:
        password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError as wrong:
        raise click.UsageError("The password on standard input is not UTF-8 text.") from wrong
    if not password:
        raise click.UsageError("The password is read from standard input, and there was none.")
    return password


@senders.command()
@click.argument("address")
@json_option
@workspace_options
@run_async
async def test(*, address: str, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Log in at both servers of a stored mailbox."""
    from cadenza.channels.command_work import try_stored  # noqa: PLC0415

    return _show(await try_stored(address, workspace, as_email), as_json=as_json)


def _show(tested: SenderTest, *, as_json: bool) -> int:
    if as_json:
        echo_json(asdict(tested))
    else:
        click.echo(f"{tested.address}: {tested.detail}")
    return 0 if tested.ok else 1


@senders.command("try")
@click.argument("address")
@click.option(
    "--to", default=None, help="A mailbox of the workspace, or your own address; else the mailbox itself."
)
@json_option
@workspace_options
@run_async
async def try_(
    *, address: str, to: str | None, as_json: bool, workspace: str | None, as_email: str | None
) -> int:
    """Send a message to yourself: counted in no figure, and nobody else is written to."""
    from cadenza.channels.command_work import send_trial  # noqa: PLC0415

    trial = await send_trial(address, to, workspace, as_email)
    if as_json:
        echo_json(asdict(trial))
    else:
        click.echo(f"{trial.sender} to {trial.recipient}: {trial.detail}")
    return 0 if trial.ok else 1


@senders.command("list")
@json_option
@workspace_options
@run_async
async def list_(*, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """All mailboxes with their state."""
    from cadenza.channels.command_work import all_mailboxes  # noqa: PLC0415

    found = await all_mailboxes(workspace, as_email)
    if as_json:
        echo_json([_entry(box) for box in found])
    else:
        for box in found:
            click.echo(
                f"{box.address}  {box.state.value}  {box.daily_limit} a day  {box.state_reason}".rstrip()
            )
    return 0


def _entry(box: Mailbox) -> dict[str, object]:
    """The keys of ``add``, then what else there is to know."""
    detail = box.state_reason or box.state.value
    return {
        "sender": str(box.id),
        "address": box.address,
        "ok": box.state.value == "ok",
        "detail": detail,
        "display_name": box.display_name,
        "daily_limit": box.daily_limit,
        "smtp": asdict(box.smtp),
        "imap": asdict(box.imap),
        "aliases": list(box.aliases),
    }
