"""``cadenza members``, ``tokens`` and ``audit``: what owners do in Settings, for whoever holds the machine."""

from dataclasses import asdict

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options
from cadenza.identity.contracts import INSTALLATION, Role, Scope

_ROLES = click.Choice([role.value for role in Role])
_SCOPES = click.Choice([scope.value for scope in Scope])


@click.group()
def members() -> None:
    """Add, list and disable members."""


@members.command("add")
@click.argument("email")
@click.option("--role", type=_ROLES, default="rep", show_default=True)
@click.option("--name", default="", help="What colleagues call them.")
@json_option
@workspace_options
@run_async
async def add_one(
    *, email: str, role: str, name: str, as_json: bool, workspace: str | None, as_email: str | None
) -> None:
    """Print a link by which EMAIL becomes a member: once, within a day."""
    from cadenza.identity.command_work import invitation_link  # noqa: PLC0415 - `--help` stays quick

    link = await invitation_link(email, name, Role(role), workspace, as_email)
    _tell({"email": email, "role": role, "link": link}, link, as_json=as_json)


@members.command("list")
@json_option
@workspace_options
@run_async
async def list_all(*, as_json: bool, workspace: str | None, as_email: str | None) -> None:
    """Everybody, with role, team and what is open."""
    from cadenza.identity.command_work import member_lines  # noqa: PLC0415

    for line in await member_lines(workspace, as_email):
        words = f"{line['email']}  {line['role']}{'' if line['active'] else '  disabled'}"
        _tell(line, words, as_json=as_json)


@members.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let them in again.")
@workspace_options
@run_async
async def disable_one(*, email: str, undo: bool, workspace: str | None, as_email: str | None) -> None:
    """Sign EMAIL out at once and keep them out. What they did stays."""
    from cadenza.identity.command_work import switch_member  # noqa: PLC0415

    await switch_member(email, workspace, as_email, active=undo)
    click.echo(f"{email} is {'let in again' if undo else 'disabled'}.", err=True)


@members.command("reset")
@click.argument("email")
@click.option("--factor", is_flag=True, help="Remove a lost second factor instead.")
@workspace_options
@run_async
async def reset_one(*, email: str, factor: bool, workspace: str | None, as_email: str | None) -> None:
    """Print a link by which EMAIL chooses a new password: once, within a day."""
    from cadenza.identity.command_work import drop_factor, reset_link  # noqa: PLC0415

    if factor:
        await drop_factor(email, workspace, as_email)
        click.echo(f"The second factor of {email} is removed.", err=True)
    else:
        click.echo(await reset_link(email, workspace, as_email))


@click.group()
def tokens() -> None:
    """Make, list and revoke API tokens."""


@tokens.command("create")
@click.argument("name")
@click.option("--member", required=True, metavar="EMAIL", help="In whose name it acts.")
@click.option("--scope", "scopes", type=_SCOPES, multiple=True, default=("read",), show_default=True)
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True)
@json_option
@workspace_options
@run_async
async def create_one(
    *,
    name: str,
    member: str,
    scopes: tuple[str, ...],
    days: int,
    as_json: bool,
    workspace: str | None,
    as_email: str | None,
) -> None:
    """Print a new token. It is shown only now."""
    from cadenza.identity.command_work import new_token  # noqa: PLC0415

    token = await new_token(name, member, {Scope(each) for each in scopes}, days, workspace, as_email)
    _tell({"name": name, "token": token}, token, as_json=as_json)


@tokens.command("list")
@json_option
@workspace_options
@run_async
async def list_tokens(*, as_json: bool, workspace: str | None, as_email: str | None) -> None:
    """Every token, with its last use."""
    from cadenza.identity.command_work import token_lines  # noqa: PLC0415

    for line in await token_lines(workspace, as_email):
        words = f"{line['id']}  {line['name']}  {line['member']}  {', '.join(line['scopes'])}"
        _tell(line, words, as_json=as_json)


@tokens.command("revoke")
@click.argument("token_id", type=click.UUID)
@workspace_options
@run_async
async def revoke_one(*, token_id: object, workspace: str | None, as_email: str | None) -> None:
    """End the token with this id (see `tokens list`) at once."""
    from cadenza.identity.command_work import revoke_token  # noqa: PLC0415

    await revoke_token(str(token_id), workspace, as_email)
    click.echo("Revoked.", err=True)


@click.group()
def keys() -> None:
    """The keys that seal stored secrets."""


@keys.command("rotate")
@click.option(
    "--grace",
    type=click.FloatRange(0, 3600),
    default=30.0,
    show_default=True,
    help="Seconds before the last look.",
)
@json_option
@run_async
async def rotate(*, grace: float, as_json: bool) -> None:
    """Add a key, seal everything anew with it while everything runs, and drop the keys that nothing names."""
    from cadenza.identity.command_work import rotate_keys  # noqa: PLC0415

    done = await rotate_keys(grace)
    words = f"{done.sealed_anew} secrets are sealed with the new key {done.key}; {len(done.retired)} old keys are gone."
    _tell(asdict(done), words, as_json=as_json)


@click.group()
def audit() -> None:
    """Check and export the audit trail."""


_installation = click.option(
    "--installation", is_flag=True, help="The trail of what belongs to no workspace, such as failed sign-ins."
)


@audit.command("verify")
@_installation
@json_option
@workspace_options
@run_async
async def verify(*, installation: bool, as_json: bool, workspace: str | None, as_email: str | None) -> int:
    """Follow the chain; exit 1 and name the first entry that was changed."""
    from cadenza.identity.command_work import verified  # noqa: PLC0415

    broken = await verified(workspace, as_email, INSTALLATION if installation else None)
    line = (
        {"number": broken.number, "entry_id": broken.entry_id, "problem": broken.problem} if broken else None
    )
    words = f"Entry {broken.number} was {broken.problem}." if broken else "The chain is whole."
    _tell({"whole": broken is None, "broken": line}, words, as_json=as_json)
    return int(broken is not None)


@audit.command("export")
@_installation
@workspace_options
@run_async
async def export(*, installation: bool, workspace: str | None, as_email: str | None) -> None:
    """Print the trail as lines of JSON with its chain, the oldest first."""
    from cadenza.identity.command_work import print_trail  # noqa: PLC0415

    await print_trail(workspace, as_email, INSTALLATION if installation else None)


def _tell(line: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        echo_json(line)
    else:
        click.echo(words)
