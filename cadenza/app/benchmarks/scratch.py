"""A scratch installation for a benchmark: a database of its own, a workspace, people, senders and a running campaign."""

import base64
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from cadenza.audience.service import import_contacts
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import Server, Tls
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.clock import Clock, MachineClock
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.installation import Access, bring_up
from cadenza.core.postgres.server import EmbeddedServer
from cadenza.engine.service import launch
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace

_KEY = bytes(range(32))
KEYS = SecretBox({"env": _KEY})  # the name that a worker process gives to the key of its environment
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)  # a Tuesday; the campaign's window is open
CAMPAIGN = "bench"
PASSWORD = "only on loopback"  # noqa: S105 - of servers that live as long as the benchmark

_PER_MAILBOX = 300
_HEADER = "email,first_name,last_name,company,country,timezone\n"
_DOCUMENT = """
version: 1
name: bench
audience: {{contacts: people.csv}}
senders: {{mailboxes: [{mailboxes}]}}
window: {{days: mon-sun, from: "00:00", to: "23:59", zone: recipient, holidays: none}}
caps: {{per_person_per_week: 7, per_account_per_day: 1000, per_sender_per_day: 2000}}
steps:
  - id: intro
    channel: email
    action: send
    after: {{days: 0}}
    variants:
      - id: a
        subject: "A question about {{{{ account.name | default: 'your plant' }}}}"
        text: &text |
          Hello {{{{ contact.first_name | default: "there" }}}},

          we help teams such as yours to plan their shifts in minutes instead of days. Most of them had
          a spreadsheet before, one person who understood it, and a night of work when that person was ill.

          Would a short call next week be worth your time? If somebody else plans the shifts at
          {{{{ account.name | default: "your company" }}}}, I would be glad to know whom to ask.

          {{{{ sender.name }}}}
      - id: b
        subject: "Shift plans at {{{{ account.name | default: 'your plant' }}}}"
        text: *text
"""


@asynccontextmanager
async def scratch_database(world: Clock) -> AsyncIterator[Database]:
    """A migrated embedded database in a temporary folder, with the settings of production."""
    async with scratch_server() as server:
        database = Database(
            server.application_url, secrets=KEYS, machine=MachineClock(), world=world, pool=20
        )
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def scratch_server() -> AsyncIterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="cadenza-bench-") as folder:
        Path(folder).chmod(0o755)  # the server's user must enter it
        with EmbeddedServer(Path(folder) / "database") as server:
            bring_up(Access(server.url, server.application_url))
            yield server


def worker_environment(url: str, home: Path, **more: str) -> dict[str, str]:
    """What a worker process needs to work on a scratch installation."""
    return {
        "CADENZA_DATABASE_URL": url,
        "CADENZA_HOME": str(home),
        "CADENZA_SECRET_KEY": base64.urlsafe_b64encode(_KEY).decode(),
        "CADENZA_LOG_LEVEL": "error",
        **more,
    }


async def running_campaign(
    database: Database, people: int, smtp: Server, imap: Server, *, user: str = ""
) -> Actor:
    """A launched one-step campaign to that many people, everybody due within the day before ``NOON`` is over."""
    workspace, _ = await create_workspace(
        database, "Bench", owner_email="bench@bench.example", owner_name="Bench", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="bench")
    addresses = sender_addresses(people)
    rows = "".join(
        f"p{n}@company{n // 3}.example,First{n},Last{n},Company {n // 3},DE,Europe/Berlin\n"
        for n in range(people)
    )
    async with database.unit(workspace.id) as unit:
        for address in addresses:
            new = NewMailbox(
                address=address, smtp=smtp, imap=imap, user=user and address, daily_limit=_PER_MAILBOX
            )
            await add_mailbox(unit, actor, new, PASSWORD)
        await import_contacts(unit, actor, (_HEADER + rows).encode(), file="people.csv")
        applied = await apply(unit, actor, _DOCUMENT.format(mailboxes=", ".join(addresses)))
        if applied.errors:
            raise CadenzaError("bench_campaign", f"The benchmark's campaign is refused: {applied.errors}")
        await launch(unit, actor, CAMPAIGN)
    return actor


def sender_addresses(people: int) -> list[str]:
    """As many as the daily limits need, each on a domain of its own."""
    return [f"sender@out{n}.example" for n in range(people // _PER_MAILBOX + 1)]


def loopback(port: int) -> Server:
    return Server("127.0.0.1", port, Tls.NONE)
