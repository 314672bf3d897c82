"""How a mailbox is connected: its settings as a person enters them, checked, and the secret that opens it."""

from dataclasses import dataclass
from uuid import UUID

from cadenza.channels import repository
from cadenza.channels.contracts import Credentials, Mailbox, MailboxState, Server
from cadenza.channels.email.headers import ascii_address
from cadenza.channels.email.wire import require_safe
from cadenza.channels.models import MailboxRow
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

_PLACE = "mailboxes/{}/password"
LARGEST_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMailbox:
    """A mailbox as a person enters it. ``aliases`` are other addresses whose mail arrives there too."""

    address: str
    smtp: Server
    imap: Server
    user: str
    display_name: str = ""
    daily_limit: int = 60
    aliases: tuple[str, ...] = ()


async def add_mailbox(unit: Unit, actor: Actor, new: NewMailbox, password: str) -> Mailbox:
    """Store a mailbox, or the new settings of one that is known by its address. Test it first: ``test_mailbox``."""
    check_mailbox(actor, new)
    address = new.address.lower()
    row = await repository.row_by_address(unit, address)
    if row is None:
        row = MailboxRow(
            workspace_id=unit.workspace_id, id=new_id(), address=address, created_at=unit.machine.now()
        )
        unit.session.add(row)
    _fill(row, new)
    row.password_sealed = unit.secrets.seal(
        password, workspace_id=unit.workspace_id, place=_PLACE.format(row.id)
    )
    await unit.session.flush()
    await audit(unit, actor, "mailbox_saved", address)
    return repository.as_mailbox(row)


def check_mailbox(actor: Actor, new: NewMailbox) -> None:
    """Whether this may be saved, as far as it can be told without a network. Raises ``CadenzaError`` if not."""
    authorize(actor, Action.MANAGE_SENDERS)
    for address in (new.address, *new.aliases):
        ascii_address(address)
    for server in (new.smtp, new.imap):
        require_safe(server)
        if not 0 < server.port < 65536 or not server.host:
            raise CadenzaError(
                "server_invalid", f"{server.host}:{server.port} is no server.", fix="Give it as HOST:PORT."
            )
    if not 0 < new.daily_limit <= LARGEST_LIMIT:
        raise CadenzaError(
            "daily_limit_invalid",
            f"A mailbox sends between 1 and {LARGEST_LIMIT} messages a day, not {new.daily_limit}.",
            fix="Most providers take a few dozen a day from a person's mailbox.",
        )


def _fill(row: MailboxRow, new: NewMailbox) -> None:
    row.display_name = new.display_name or new.address.partition("@")[0]
    row.smtp_host, row.smtp_port, row.smtp_tls = new.smtp.host, new.smtp.port, new.smtp.tls.value
    row.imap_host, row.imap_port, row.imap_tls = new.imap.host, new.imap.port, new.imap.tls.value
    row.user_name = new.user
    row.state, row.state_reason = MailboxState.OK.value, ""
    row.files_copies = None  # perhaps another provider now
    row.daily_limit = new.daily_limit
    row.aliases = [alias.lower() for alias in new.aliases]


async def credentials(unit: Unit, mailbox_id: UUID) -> Credentials:
    """How to log in, for one connection. Raises when the row is gone or its secret was moved."""
    row = await repository.mailbox_row(unit, mailbox_id)
    if row is None:
        raise not_found("mailbox", mailbox_id)
    password = unit.secrets.open(
        row.password_sealed, workspace_id=unit.workspace_id, place=_PLACE.format(row.id)
    )
    return Credentials(row.user_name, password)
