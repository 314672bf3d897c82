"""How a mailbox is connected: its settings as a person enters them, checked, and the secret that opens it."""

from dataclasses import dataclass, replace
from uuid import UUID

from cadenza.channels import repository
from cadenza.channels.contracts import Credentials, Mailbox, MailboxState, SenderTest, Server
from cadenza.channels.email.headers import ascii_address
from cadenza.channels.email.wire import require_safe
from cadenza.channels.mailbox_check import test_mailbox
from cadenza.channels.models import MailboxRow
from cadenza.channels.standing import finish_requests
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

USUAL_LIMIT = 60
LARGEST_LIMIT = 2000
LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMailbox:
    """A mailbox as a person enters it. ``aliases`` are other addresses whose mail arrives there too."""

    address: str
    smtp: Server
    imap: Server
    user: str
    display_name: str = ""
    daily_limit: int = USUAL_LIMIT
    aliases: tuple[str, ...] = ()


async def add_mailbox(unit: Unit, actor: Actor, new: NewMailbox, password: str) -> Mailbox:
    """Store a mailbox, or the new settings of one that is known by its address. Test it first: ``test_mailbox``."""
    check_mailbox(actor, new)
    row = await row_for(unit, new.address.lower())
    _fill(row, new)
    await set_password(unit, row, password)
    await finish_requests(unit, row.id)
    await audit(unit, actor, "mailbox_saved", row.address)
    return repository.as_mailbox(row)


async def row_for(unit: Unit, address: str) -> MailboxRow:
    """The mailbox of this address; a new one, not yet written, when there is none."""
    row = await repository.row_by_address(unit, address)
    if row is None:
        row = MailboxRow(
            workspace_id=unit.workspace_id, id=new_id(), address=address, created_at=unit.machine.now(),
            display_name=usual_name(address), daily_limit=USUAL_LIMIT, password_sealed="", aliases=[],
        )  # fmt: skip
        unit.session.add(row)
    return row


def usual_name(address: str) -> str:
    """What recipients read of a mailbox that nobody named."""
    return address.partition("@")[0]


async def add_tested(
    database: Database, actor: Actor, new: NewMailbox, password: str, *, replacing: bool = False
) -> SenderTest:
    """Store a mailbox if both servers let us in; what they said in any case. Call it without an open unit.

    ``replacing`` lets it be one that is known already, which then has the new settings. Raises ``CadenzaError`` for what can be told without asking them: not allowed, ``mailbox_known``, a server that is none.
    """
    check_mailbox(actor, new)
    async with database.unit(actor.workspace_id) as unit:
        if not replacing:
            new = _as_before(new, await require_unknown(unit, new.address))
    tested = await test_mailbox(new.address, new.smtp, new.imap, Credentials(new.user, password))
    if not tested.ok:
        return tested
    async with database.unit(actor.workspace_id) as unit:
        if not replacing:
            await require_unknown(unit, new.address)
        stored = await add_mailbox(unit, actor, new, password)
    return replace(tested, sender=str(stored.id), address=stored.address)


def _as_before(new: NewMailbox, row: MailboxRow | None) -> NewMailbox:
    """A mailbox that was disconnected comes back with what a person had set of it, unless it is given another name."""
    if row is None:
        return new
    name = new.display_name or row.display_name
    return replace(new, display_name=name, daily_limit=row.daily_limit, aliases=tuple(row.aliases))


async def require_unknown(unit: Unit, address: str) -> MailboxRow | None:
    """The row of a mailbox that was disconnected, if there is one.

    Raises ``mailbox_known``: what is connected already is changed on its own page, not by adding it once more.
    """
    row = await repository.row_by_address(unit, address.lower())
    if row is not None and row.state != MailboxState.RETIRED.value:
        raise CadenzaError(
            "mailbox_known",
            f"{row.address} is connected already.",
            Kind.CONFLICT,
            fix="Change it under Senders, Connection.",
            problems=(Problem(f"{row.address} is connected already.", key="address", code="mailbox_known"),),
        )
    return row


async def set_password(unit: Unit, row: MailboxRow, password: str) -> None:
    """From now on this opens the mailbox, and nothing else does."""
    row.password_sealed = unit.secrets.seal(
        password, workspace_id=unit.workspace_id, place=password_place(row.id)
    )
    if grant := await repository.grant_of(unit, row.id):
        await unit.session.delete(grant)
    await unit.session.flush()


def password_place(mailbox_id: UUID) -> str:
    return f"mailboxes/{mailbox_id}/password"


def check_mailbox(actor: Actor, new: NewMailbox) -> None:
    """Whether this may be saved, as far as it can be told without a network. Raises ``CadenzaError`` if not."""
    authorize(actor, Action.MANAGE_SENDERS)
    _check_address(new.address, "address")
    for alias in new.aliases:
        _check_address(alias, "aliases")
    _check_servers(new)
    if not 0 < new.daily_limit <= LARGEST_LIMIT:
        raise CadenzaError(
            "daily_limit_invalid",
            f"A mailbox sends between 1 and {LARGEST_LIMIT} messages a day, not {new.daily_limit}.",
            fix="Most providers take a few dozen a day from a person's mailbox.",
        )


def _check_address(address: str, key: str) -> None:
    try:
        ascii_address(address)
    except CadenzaError as wrong:
        wrong.problems = (Problem(wrong.message, key=key, code=wrong.code),)
        raise


def _check_servers(new: NewMailbox) -> None:
    servers = {"smtp": new.smtp, "imap": new.imap}
    problems = tuple(problem for name, server in servers.items() for problem in _server_faults(name, server))
    if problems:
        raise CadenzaError(
            "server_invalid", "A server cannot be what was entered; nothing was kept.", fix="Give it as HOST:PORT, the port from 1 to 65535.",
            problems=problems,
        )  # fmt: skip
    for server in servers.values():
        require_safe(server)


def _server_faults(name: str, server: Server) -> list[Problem]:
    problems = []
    if not server.host:
        problems.append(Problem("Give the name of the server.", key=f"{name}.host"))
    if not 0 < server.port <= LARGEST_PORT:
        problems.append(Problem(f"Give a port from 1 to {LARGEST_PORT}.", key=f"{name}.port"))
    return problems


def _fill(row: MailboxRow, new: NewMailbox) -> None:
    fill_servers(row, new)
    row.display_name = new.display_name or row.display_name
    row.daily_limit = new.daily_limit
    row.aliases = [alias.lower() for alias in new.aliases]


def fill_servers(row: MailboxRow, new: NewMailbox) -> None:
    """How it is reached and opened; whatever was wrong before is over."""
    row.smtp_host, row.smtp_port, row.smtp_tls = new.smtp.host, new.smtp.port, new.smtp.tls.value
    row.imap_host, row.imap_port, row.imap_tls = new.imap.host, new.imap.port, new.imap.tls.value
    row.user_name = new.user
    row.state, row.state_reason = MailboxState.OK.value, ""
    row.files_copies = None  # perhaps another provider now
