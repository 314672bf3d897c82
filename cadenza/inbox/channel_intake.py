"""Messages on LinkedIn and voicemails: into the person's one conversation, and through the same rules as their mail."""

import asyncio
import hashlib
from uuid import UUID

from sqlalchemy.exc import OperationalError

from cadenza.audience.service import load_recipients
from cadenza.channels.contracts import ChannelAccount, Incoming, IncomingKind
from cadenza.channels.service import handled, incoming_waiting
from cadenza.core.database import Database
from cadenza.core.ids import new_id
from cadenza.core.jobs import enqueue
from cadenza.core.logs import logger
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.engine.contracts import News
from cadenza.engine.service import end_sequences, mailbox_before, reply_event, take_news
from cadenza.identity.service import workspaces
from cadenza.inbox import repository
from cadenza.inbox.intake import ANALYSE
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import open_work_items, record_events
from cadenza.understanding.contracts import MailKind

_log = logger("channel_intake")
_EVERY_SECONDS = 1.0
_WRITTEN = frozenset({IncomingKind.REPLIED, IncomingKind.VOICEMAIL, IncomingKind.MENTIONED})
_NOT_HEARD = "They left a voicemail that could not be transcribed. Listen to it at the provider."
_SAID_BY_HAND = "They answered on LinkedIn. The words were not noted: read them there."


async def take_channel_news(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The worker's loop: what the providers told becomes events, messages and work."""
    while True:
        for workspace in await workspaces(database):
            await take_all(database, workspace.id)
        await asyncio.sleep(_EVERY_SECONDS)


async def take_all(database: Database, workspace_id: UUID) -> int:
    """Everything that waits; how much that was. In the order in which it came, each on its own: one that breaks holds up no other."""
    taken = 0
    while True:
        async with database.unit(workspace_id) as unit:
            waiting = await incoming_waiting(unit)
            for identity, account, told in waiting:
                await _take_or_set_aside(unit, identity, account, told)
            await handled(unit, [identity for identity, _, _ in waiting])
        taken += len(waiting)
        if not waiting:
            return taken


async def _take_or_set_aside(unit: Unit, identity: UUID, account: ChannelAccount, told: Incoming) -> None:
    try:
        async with unit.session.begin_nested():
            await _take(unit, account, told)
    except OperationalError:
        raise  # the database's trouble is not the message's
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is shown and the others are read
        _log.exception("news_set_aside", account=str(account.id), incoming=str(identity))
        item = NewWorkItem(
            kind=WorkKind.UNREADABLE_MESSAGE,
            key=f"unreadable/{identity}",
            title=f"Something that came by {account.name} could not be read",
            detail="Look at it there; the log tells what went wrong.",
            queue="operator",
            due_at=unit.world.now(),
        )
        await open_work_items(unit, [item])


async def _take(unit: Unit, account: ChannelAccount, told: Incoming) -> None:
    news = await take_news(unit, account, told)
    if told.kind is IncomingKind.MISSED:
        await _call_back(unit, account, told, news)
    elif told.kind in _WRITTEN and news.contact_id is not None:
        await _converse(unit, account, told, news, news.contact_id)


async def _call_back(unit: Unit, account: ChannelAccount, told: Incoming, news: News) -> None:
    item = NewWorkItem(
        kind=WorkKind.CALL, key=f"missed/{account.id}/{told.key}", title=f"Call {told.person or 'them'} back",
        detail=f"They called {account.name} and nobody answered.", queue="calls", due_at=unit.world.now(),
        contact_id=news.contact_id, owner_id=account.owner_id,
    )  # fmt: skip
    await open_work_items(unit, [item])


async def _converse(
    unit: Unit, account: ChannelAccount, told: Incoming, news: News, contact_id: UUID
) -> None:
    """As with mail: the row first, then the conversation, the event, the stop, and a job that reads it."""
    people = await load_recipients(unit, [contact_id])
    person = people.get(contact_id)
    name = " ".join(n for n in (person.first_name, person.last_name) if n) if person else ""
    address = (person.reached_at(account.channel) if person else None) or told.person or ""
    text = told.text.strip() or (_NOT_HEARD if told.kind is IncomingKind.VOICEMAIL else _SAID_BY_HAND)
    campaign_id = news.touch.campaign_id if news.touch else None
    message_id = await repository.insert_message(
        unit,
        {
            "workspace_id": unit.workspace_id, "id": new_id(), "channel": account.channel, "channel_account_id": account.id,
            "mailbox_id": None, "contact_id": contact_id, "touch_id": news.touch.id if news.touch else None,
            "campaign_id": campaign_id, "fingerprint": hashlib.sha256(f"{account.id}\0{told.key}".encode()).digest(),
            "message_id": None, "reference_ids": [], "kind": MailKind.PERSON.value, "from_address": address,
            "from_name": name, "subject": "", "text": text, "html": "", "headers": {}, "attachments": [],
            "sent_at": told.at, "received_at": unit.world.now(),
        },
    )  # fmt: skip
    if message_id is None:
        return
    conversation_id = await repository.upsert_conversation(
        unit,
        {
            "contact_id": contact_id, "address": str(contact_id), "name": (name or address)[:300],
            "mailbox_id": await mailbox_before(unit, contact_id),
            "channel": account.channel, "channel_account_id": account.id, "campaign_id": campaign_id, "subject": "",
            "snippet": " ".join(text.split())[:300], "kind": MailKind.PERSON.value, "last_at": unit.world.now(),
        },
        reopen=True,
    )  # fmt: skip
    await repository.set_conversation(unit, message_id, conversation_id)
    await record_events(unit, [reply_event(news, message_id)])
    await end_sequences(unit, contact_id, "reply")
    await enqueue(unit.session, ANALYSE, workspace_id=str(unit.workspace_id), message_id=str(message_id))
