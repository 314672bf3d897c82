"""Campaigns for tests, made through the same doors that users have."""

from textwrap import indent
from uuid import UUID

from cadenza.audience.service import import_contacts
from cadenza.campaigns.service import apply
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.database import Database
from cadenza.engine.service import launch
from cadenza.identity.contracts import Actor
from tests.support.post import PASSWORD, Post

SENDERS = ["anna@north.example", "ben@south.example"]
ONE_STEP = """
- id: intro
  channel: email
  action: send
  after: {days: 0}
  variants: [{id: a, subject: "Hello {{ contact.first_name | default: 'there' }}", text: "One line."}]
"""
TWO_STEPS = (
    ONE_STEP
    + """
- id: follow
  channel: email
  action: send
  after: {days: 1}
  thread: {reply_to: intro}
  variants: [{id: a, text: "Another line."}]
"""
)
ALWAYS = '{days: mon-sun, from: "00:00", to: "23:59", zone: recipient, holidays: none}'
OFFICE = '{days: mon-fri, from: "08:30", to: "17:30", zone: recipient, holidays: recipient}'


def document(
    steps: str = ONE_STEP,
    *,
    name: str = "spring",
    window: str = ALWAYS,
    caps: str = "{per_person_per_week: 9, per_account_per_day: 999, per_sender_per_day: 999}",
    senders: list[str] = SENDERS,
    extra: str = "",
) -> str:
    return (
        f"version: 1\nname: {name}\naudience: {{contacts: people.csv}}\nsenders: {{mailboxes: [{', '.join(senders)}]}}\n"
        f"window: {window}\ncaps: {caps}\n{extra}\nsteps:\n{indent(steps.strip(), '  ')}\n"
    )


def people(
    count: int, *, zone: str = "Europe/Berlin", country: str = "DE", accounts: int | None = None
) -> bytes:
    rows = [
        f"p{n}@firm{n % (accounts or count)}.example,First{n},Last{n},Firm {n % (accounts or count)},{country},{zone}"
        for n in range(count)
    ]
    return "\n".join(["email,first_name,last_name,company,country,timezone", *rows]).encode()


async def add_senders(
    database: Database, actor: Actor, post: Post, addresses: list[str] = SENDERS, limit: int = 999
) -> None:
    async with database.unit(actor.workspace_id) as unit:
        for address in addresses:
            new = NewMailbox(address=address, smtp=post.smtp, imap=post.imap, user=address, daily_limit=limit)
            await add_mailbox(unit, actor, new, PASSWORD)


async def running(
    database: Database, actor: Actor, post: Post, source: str, contacts: bytes, *, name: str = "spring"
) -> tuple[UUID, ...]:
    """Senders, people and a launched campaign; the people's ids in the file's order."""
    await add_senders(database, actor, post)
    async with database.unit(actor.workspace_id) as unit:
        report = await import_contacts(unit, actor, contacts, file="people.csv")
        applied = await apply(unit, actor, source)
        assert applied.errors == (), applied.errors
        await launch(unit, actor, name)
    return report.contact_ids
