"""A workspace in which something has happened: people, a launched campaign, mail out and in, doubts, stops.

Every text that a stranger or a colleague can bring in goes through ``say``, so that a test can make all of it hostile.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from cadenza.audience.contracts import SuppressionKind, SuppressionReason
from cadenza.audience.service import import_contacts, suppress
from cadenza.campaigns.service import apply, campaign
from cadenza.channels.contracts import AccountProvider, AccountState, Errand, MailboxState, Server, Tls
from cadenza.channels.service import (
    NewAccount,
    NewMailbox,
    Ramp,
    add_mailbox,
    change_sender,
    connect_account,
    fill_pool,
    mailboxes,
    make_pool,
    open_channel,
    set_state,
    settings_of,
    stop_account,
)
from cadenza.core.database import Database
from cadenza.core.http import Egress
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.engine.ids import enrolment_id, touch_id
from cadenza.engine.models import EnrolmentRow, TouchRow
from cadenza.engine.service import launch, look_at_senders
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace
from cadenza.inbox.models import ConversationRow, MessageRow
from cadenza.ledger.contracts import Decision, EventKind, NewEvent, NewWorkItem, Option, WorkKind
from cadenza.ledger.service import open_work_items, record_decisions, record_events
from cadenza.timing.contracts import Window

PASSWORD = "a long enough password of ours"
CAMPAIGN = "Spring stoppages"
_LETTER = (  # what somebody might hide in the HTML of a mail
    '<script>alert(1)</script><img src="https://tracker.example/p.gif" onerror="alert(1)"><style>@import "https://x.example";</style>'
    '<iframe src="https://x.example"></iframe><a href="javascript:alert(1)">x</a><svg onload=alert(1)><base href="https://x.example">'
)
_SERVER = Server("127.0.0.1", 9, Tls.NONE)
_NAMES = (
    (
        "Katrin",
        "Oberländer",
        "Leiterin Instandhaltungsplanung und Ersatzteilbewirtschaftung",
        "Vahlbrück Fördertechnik GmbH",
        "DE",
    ),
    ("Wouter", "van Steenbergen", "Plant manager", "Zeewolde Koeltechniek", "NL"),
    ("Luc", "Hautecœur", "Directeur technique", "Forges de l’Ourthe", "BE"),
    ("Giulia", "Bertolani", "Acquisti", "Fonderie Valdastra", "IT"),
    ("Marit", "Haugland", "Driftsleder", "Nordfjell Prosess", "NO"),
    ("Beat", "Zurbriggen", "Werkleiter", "Rhonewerk AG", "CH"),
)
_REPLY = (
    "Guten Tag Frau Lindqvist,\n\ndanke für Ihre Nachricht. Zwei Dinge halten mich im Moment ab.\n\n"
    "Erstens hat uns die letzte Anbindung elf Monate gekostet. Zweitens ist unser Budget bis auf etwa 15.000 Euro verplant.\n\n"
    "Wie lange dauert die Anbindung bei Ihnen erfahrungsgemäß?"
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the pages are asked for."""

    actor: Actor
    email: str
    contacts: tuple[UUID, ...]
    sent: UUID
    in_doubt: UUID
    conversation: UUID
    robot: UUID
    mailbox: UUID
    pool: UUID
    account: UUID
    job: UUID

    @property
    def pages(self) -> tuple[str, ...]:
        """Every page that a member can open."""
        name = CAMPAIGN.replace(" ", "%20")
        return (
            "/", "/inbox", "/inbox?view=all", f"/inbox/{self.conversation}", f"/inbox/{self.conversation}/assign", f"/inbox/{self.robot}?view=all",
            "/campaigns", f"/campaigns/{name}", f"/campaigns/{name}?step=follow",
            f"/campaigns/{name}/live", f"/campaigns/{name}/edit", f"/campaigns/{name}/versions", "/campaigns/+new", f"/campaigns/{name}/events", f"/campaigns/{name}/events?kind=bounced",
            "/campaigns/Second%20draft", "/campaigns/Second%20draft/live", "/campaigns/Second%20draft/launch", "/contacts", "/contacts?q=Katrin", "/contacts/imports", "/contacts/accounts", "/contacts/duplicates", "/contacts/segments", "/contacts/fields", "/contacts?f=country%7Cis%7CDE",
            f"/contacts/{self.contacts[0]}", f"/contacts/{self.contacts[1]}", f"/touches/{self.sent}",
            f"/touches/{self.in_doubt}", "/senders", "/senders/+connect", "/senders/+connect/gmx", "/senders/+connect/google", "/senders/+connect/other", f"/senders/{self.mailbox}/connection", f"/senders/{self.mailbox}/connection/change", f"/senders/{self.mailbox}/connection/end",
            "/senders?state=broken", f"/senders/{self.mailbox}",
            "/senders/accounts", f"/senders/accounts/{self.account}", "/senders/accounts/+connect/linkedin", "/senders/accounts/+connect/phone", f"/work/{self.job}",
            "/senders/pools", f"/senders/pools/{self.pool}", "/settings/webhooks", "/outbox", "/outbox?state=kept_back", "/sandbox", "/nowhere",
        )  # fmt: skip


async def seed(database: Database, say: Callable[[str], str] = str) -> Seeded:
    """Fill a workspace; ``database`` has clocks that stand still."""
    email = f"nora-{new_id().hex}@halden.example"
    workspace, member = await create_workspace(
        database,
        f"Halden {new_id().hex}",
        owner_email=email,
        owner_name=say("Nora Lindqvist"),
        password=PASSWORD,
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.PAGE, member.id, member.name)
    async with database.unit(workspace.id) as unit:
        contacts = await _people(unit, actor, say)
        await _campaigns(unit, actor, say)
    async with database.unit(workspace.id) as unit:
        sent, in_doubt = await _touches(unit, actor, contacts, say)
        conversation, robot = await _conversations(unit, actor, contacts, sent, say)
        await _work(unit, contacts, in_doubt, conversation, say)
        box, pool = await _senders(unit, actor, say)
    account, job = await _accounts(database, actor, contacts[0], say)
    return Seeded(actor, email, contacts, sent, in_doubt, conversation, robot, box, pool, account, job)


async def _accounts(
    database: Database, actor: Actor, contact: UUID, say: Callable[[str], str]
) -> tuple[UUID, UUID]:
    """LinkedIn and a phone by hand, the phone restricted, and a call that waits for somebody."""
    here = Egress(this_machine=True)
    profile = NewAccount(
        channel="linkedin", provider=AccountProvider.ASSISTED, name=say("Nora Lindqvist")[:150], address="linkedin.com/in/nora-lindqvist"
    )  # fmt: skip
    phone = NewAccount(
        channel="phone", provider=AccountProvider.ASSISTED, name=say("Nora’s phone")[:150], address="+493023125001"
    )  # fmt: skip
    linkedin = await connect_account(database, here, actor, profile, "")
    calling = await connect_account(database, here, actor, phone, "")
    errand = Errand(
        touch_id=new_id(), action="call", recipient="+493023125003", at=database.world.now(), name=say("Katrin Seewald")[:300], zone="Europe/Berlin",
        script=say("Ask about the plant in Passau."), contact_id=contact,
    )  # fmt: skip
    channel = await open_channel(database, here, actor.workspace_id, UUID(calling.account))
    made = await channel.send(errand)
    async with database.unit(actor.workspace_id) as unit:
        state, why = AccountState.RESTRICTED, say("LinkedIn asks to confirm the identity")
        await stop_account(unit, UUID(linkedin.account), state, say("Nora Lindqvist cannot be used"), why)
    return UUID(linkedin.account), UUID(made.reference or "")


async def _senders(unit: Unit, actor: Actor, say: Callable[[str], str]) -> tuple[UUID, UUID]:
    """A mailbox in the middle of its warm-up, with everything that can be set of it, looked at, and in a pool."""
    nora = next(box for box in await mailboxes(unit) if box.address.startswith("nora"))
    hours = Window(zone="Europe/Berlin", holidays=False)
    wanted = replace(
        settings_of(nora), signature=say("Nora Lindqvist\nHalden"), signature_html="<p><b>Nora</b></p>", hours=hours,
        owner_id=actor.member_id, ramp=Ramp(10, 5, 60),
    )  # fmt: skip
    await change_sender(unit, actor, nora.id, wanted)
    pool = await make_pool(unit, actor, say("North team")[:100])
    await fill_pool(unit, actor, pool.id, [nora.id])
    await look_at_senders(unit)
    return nora.id, pool.id


async def _people(unit: Unit, actor: Actor, say: Callable[[str], str]) -> tuple[UUID, ...]:
    for address in ("nora@halden.example", "arno@halden.example"):
        new = NewMailbox(
            address=address,
            smtp=_SERVER,
            imap=_SERVER,
            user="u",
            display_name=say(address.partition("@")[0].title()),
        )
        box = await add_mailbox(unit, actor, new, "secret")
    await set_state(unit, box.id, MailboxState.BROKEN, say("SMTP server refuses the log-in: 535 5.7.8 no"))
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["email", "first_name", "last_name", "title", "company", "country", "plant"])
    for first, last, title, company, country in _NAMES:
        table.writerow(
            [
                f"{first.lower()}@{country.lower()}.example",
                say(first),
                say(last),
                say(title),
                say(company),
                country,
                say("two lines"),
            ]
        )
    report = await import_contacts(unit, actor, file.getvalue().encode(), file="people.csv")
    assert len(report.contact_ids) == len(_NAMES), report.rejected
    await suppress(
        unit,
        SuppressionKind.CONTACT,
        str(report.contact_ids[1]),
        SuppressionReason.OPT_OUT,
        source=say("reply of 2 March"),
    )
    return report.contact_ids


async def _campaigns(unit: Unit, actor: Actor, say: Callable[[str], str]) -> None:
    for name in (CAMPAIGN, "Second draft"):
        applied = await apply(unit, actor, _document(name, say))
        assert applied.errors == (), applied.errors
    await launch(unit, actor, CAMPAIGN)


def _document(name: str, say: Callable[[str], str]) -> str:
    def quoted(words: str) -> str:
        return "'" + say(words).replace("{{", "").replace("{%", "").replace("'", "''") + "'"

    return f"""
version: 1
name: {name}
audience: {{contacts: people.csv}}
senders: {{mailboxes: [nora@halden.example]}}
tracking: {{opens: true, clicks: true}}
steps:
  - id: intro
    channel: email
    action: send
    after: {{days: 0}}
    variants:
      - {{id: a, subject: {quoted("Ungeplante Stillstände")}, text: "Hi {{{{ contact.first_name | default: 'there' }}}}, how does {{{{ account.name }}}} plan?"}}
      - {{id: b, subject: {quoted("One idea")}, text: {quoted("A second text.")}}}
  - id: follow
    channel: email
    action: send
    after: {{days: 3}}
    thread: {{reply_to: intro}}
    variants: [{{id: a, text: {quoted("Just asking once more.")}}}]
"""


async def _touches(
    unit: Unit, actor: Actor, contacts: tuple[UUID, ...], say: Callable[[str], str]
) -> tuple[UUID, UUID]:
    from cadenza.channels.service import mailboxes  # noqa: PLC0415

    box = (await mailboxes(unit, ["nora@halden.example"]))[0]
    found = await campaign(unit, actor, CAMPAIGN)
    now, made, events = unit.world.now(), [], []
    for number, (contact, state) in enumerate(
        zip(contacts, ("sent", "sent", "in_doubt", "sent", "deferred"), strict=False)
    ):
        enrolment = enrolment_id(found.id, contact)
        identity = touch_id(enrolment, "intro")
        at = now - timedelta(minutes=20 * number + 5)
        made.append(_touch(unit, identity, contact, enrolment, found.id, box.id, state, at, say))
        common: dict[str, Any] = {
            "contact_id": contact,
            "campaign_id": found.id,
            "step": "intro",
            "variant": "a",
            "touch_id": identity,
        }
        kinds = {"sent": ("sent", "delivered"), "in_doubt": ("in_doubt",), "deferred": ("deferred",)}[state]
        events += [
            NewEvent(kind=EventKind(kind), origin="engine", at=at, data={"text": say("250 ok")}, **common)
            for kind in kinds
        ]
    unit.session.add_all(made)
    await unit.session.execute(
        update(EnrolmentRow)
        .where(EnrolmentRow.workspace_id == unit.workspace_id, EnrolmentRow.contact_id.in_(contacts[:3]))
        .values(
            step="follow",
            next_due_at=now + timedelta(hours=2),
            waiting_for=say("three working days after intro"),
        )
    )
    common = {
        "contact_id": contacts[0],
        "campaign_id": found.id,
        "step": "intro",
        "variant": "a",
        "touch_id": made[0].id,
    }
    for kind, machine in (
        (EventKind.OPENED, True),
        (EventKind.CLICKED, False),
        (EventKind.REPLIED, False),
        (EventKind.BOUNCED, False),
    ):
        events.append(
            NewEvent(
                kind=kind,
                origin="inbox",
                machine=machine,
                data={"reason": say("550 5.1.1 user unknown")},
                **common,
            )
        )
    await record_events(unit, events)
    await record_decisions(
        unit,
        [
            Decision(
                what="variant", options=(Option("a", 0.5), Option("b", 0.5)), taken="a", reason=say("drawn evenly"),
                policy="even_split", version=1, touch_id=made[0].id, contact_id=contacts[0],
            )
        ],
    )  # fmt: skip
    return made[0].id, made[2].id


def _touch(
    unit: Unit,
    identity: UUID,
    contact: UUID,
    enrolment: UUID,
    campaign_id: UUID,
    mailbox: UUID,
    state: str,
    at: Any,
    say: Callable[[str], str],
) -> TouchRow:
    return TouchRow(
        workspace_id=unit.workspace_id, id=identity, contact_id=contact, enrolment_id=enrolment, campaign_id=campaign_id,
        step="intro", variant="a", channel="email", mailbox_id=mailbox, sender="nora@halden.example",
        recipient="someone@firm.example", subject=say("Ungeplante Stillstände"), text=say("Guten Tag,\n\nkurz gefragt."),
        message_id=f"<{identity.hex}@halden.example>", references=[], state=state, due_at=at, claimed_at=at,
        sent_at=at if state == "sent" else None, attempts=1, looked_up=0,
        wire={"stage": "dot", "code": 250, "text": say("2.0.0 queued")},
        gates=[{"gate": "stops", "answer": "pass", "why": say("no stop")}, {"gate": "sender", "answer": "wait", "why": say("full")}],
    )  # fmt: skip


async def _conversations(
    unit: Unit, actor: Actor, contacts: tuple[UUID, ...], touch: UUID, say: Callable[[str], str]
) -> tuple[UUID, UUID]:
    from cadenza.channels.service import mailboxes  # noqa: PLC0415

    box = (await mailboxes(unit, ["nora@halden.example"]))[0]
    found = await campaign(unit, actor, CAMPAIGN)
    text = say(_REPLY)
    made = []
    for number, (contact, name, intent) in enumerate(
        (
            (contacts[0], "Katrin Oberländer", "objection"),
            (contacts[2], "Luc Hautecœur", "information_request"),
            (None, "A stranger", "other"),
        )
    ):
        row = ConversationRow(
            workspace_id=unit.workspace_id, id=new_id(), contact_id=contact, address=str(contact or "stranger@else.example"),
            name=say(name), mailbox_id=box.id, campaign_id=found.id if contact else None, subject=say("Re: Ungeplante Stillstände"),
            snippet=say("Zwei Dinge halten mich im Moment ab."), kind="person", intent=intent, interest="medium", urgency="medium",
            queue="objections", needs_person=number == 0, last_at=unit.world.now() - timedelta(minutes=number),
        )  # fmt: skip
        made.append(row)
        unit.session.add(row)
        unit.session.add(
            MessageRow(
                workspace_id=unit.workspace_id, id=new_id(), mailbox_id=box.id, conversation_id=row.id, contact_id=contact,
                touch_id=touch, campaign_id=found.id, fingerprint=new_id().bytes * 2, message_id=f"<{new_id().hex}@firm.example>",
                kind="person", from_address="katrin@de.example", from_name=say(name), subject=say("Re: Ungeplante Stillstände"),
                text=text + "\n\n> " + say("Guten Tag"), html=_LETTER, attachments=[say("plan.pdf")],
                received_at=unit.world.now() - timedelta(minutes=number), analysis=_analysis(text, intent, say),
            )
        )  # fmt: skip
    unit.session.add_all(_thanks(unit, box.id, number, say) for number in range(30))
    return made[0].id, made[2].id


def _thanks(unit: Unit, mailbox_id: UUID, number: int, say: Callable[[str], str]) -> ConversationRow:
    """One of many conversations that fill the list."""
    return ConversationRow(
        workspace_id=unit.workspace_id, id=new_id(), address=f"stranger{number}@else.example", name=say(f"Person {number}"),
        mailbox_id=mailbox_id, subject=say("Re: Ungeplante Stillstände"), snippet=say("Danke."), kind="person",
        intent="acknowledgment", last_at=unit.world.now() - timedelta(hours=number + 1),
    )  # fmt: skip


def _analysis(text: str, intent: str, say: Callable[[str], str]) -> dict[str, Any]:
    def span(words: str) -> list[list[int]]:
        start = text.find(words)
        return [[start, start + len(words)]] if start >= 0 else []

    return {
        "language": "de", "text": text, "intent": intent, "confidence": 0.82, "interest": "medium", "sentiment": 0.0,
        "urgency": "medium", "objections": ["technical", "budget"], "authority": "influencer", "queue": "objections",
        "competitors": [say("SAP PM")], "budget": {"amount": 15000, "currency": "EUR"}, "questions": [say("Wie lange?")],
        "referrals": [{"name": say("Herr Brandstätter"), "email": None}], "proposed_times": ["2026-03-12T10:00:00+01:00/2026-03-12T11:00:00+01:00"], "return_date": "2026-03-16",
        "needs_person": True,
        "evidence": {
            "intent": span("Zwei Dinge halten mich im Moment ab."), "objections": span("elf Monate gekostet"),
            "budget": span("etwa 15.000 Euro"), "questions": span("Wie lange dauert die Anbindung"),
        },
    }  # fmt: skip


async def _work(
    unit: Unit, contacts: tuple[UUID, ...], in_doubt: UUID, conversation: UUID, say: Callable[[str], str]
) -> None:
    due = unit.world.now()
    await open_work_items(
        unit,
        [
            NewWorkItem(
                kind=WorkKind.IN_DOUBT, key="doubt", title=say("Was “Ungeplante Stillstände” sent?"), queue="sales",
                due_at=due + timedelta(hours=4), detail=say("The relay's answer was lost."), touch_id=in_doubt, contact_id=contacts[2],
            ),
            NewWorkItem(
                kind=WorkKind.REVIEW_REPLY, key="review", title=say("Katrin Oberländer objects"), queue="objections",
                due_at=due - timedelta(hours=1), detail=say("Not sure enough."), conversation_id=conversation, contact_id=contacts[0],
            ),
        ],
    )  # fmt: skip
