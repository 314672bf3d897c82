"""From claimed touches to the relay: one lane a mailbox, so that a slow server holds up nobody else (M11)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from cadenza.channels.contracts import Credentials, Envelope, Mailbox, Outcome, WireReply
from cadenza.channels.service import Skeleton, Slots, SmtpSession, compile_message, credentials
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.faults import visit
from cadenza.core.unit import Unit
from cadenza.engine import content, repository
from cadenza.engine.models import TouchRow
from cadenza.engine.record import record

_CHUNK = (
    25  # answers recorded at once; of a provider without Sent copies, the most that a crash leaves in doubt
)

Mark = Callable[[UUID], Awaitable[bool]]


class Lane:
    """The way out through one mailbox, for one batch: several connections, each taking chunk after chunk."""

    def __init__(
        self,
        database: Database,
        workspace_id: UUID,
        mailbox: Mailbox,
        worker: UUID,
        lease: timedelta,
        connections: int,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._mailbox = mailbox
        self._worker = worker
        self._lease = lease
        self._connections = connections

    async def send(self, touch_ids: Sequence[UUID]) -> None:
        """Send all of them and record each answer; a touch whose lease was lost meanwhile is left alone."""
        async with self._database.unit(self._workspace_id) as unit:
            secret = await credentials(unit, self._mailbox.id)
        chunks: asyncio.Queue[Sequence[UUID]] = asyncio.Queue()
        for start in range(0, len(touch_ids), _CHUNK):
            chunks.put_nowait(touch_ids[start : start + _CHUNK])
        width = min(self._connections, chunks.qsize())
        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                group.create_task(self._connection(secret, chunks))

    async def _connection(self, secret: Credentials, chunks: asyncio.Queue[Sequence[UUID]]) -> None:
        login = secret if self._mailbox.user else None  # a relay of the own network may ask for none
        async with (
            repository.marker(self._database, self._workspace_id, self._worker) as mark,
            SmtpSession(self._mailbox.smtp, login, helo=self._mailbox.domain) as session,
        ):
            while not chunks.empty():
                await self._chunk(session, mark, chunks.get_nowait())

    async def _chunk(self, session: SmtpSession, mark: Mark, ids: Sequence[UUID]) -> None:
        async with self._database.unit(self._workspace_id) as unit:
            touches = await repository.touches(unit, TouchRow.id.in_(ids))
            envelopes, refused = composed(unit, touches, self._mailbox)
        replies = []
        letters: dict[UUID, Envelope | WireReply] = {**envelopes, **refused}
        for touch_id, letter in letters.items():
            visit("sending.before_commit")
            if not await mark(touch_id):
                continue  # somebody else has it by now, or a stop came since the claim
            visit("sending.after_commit")
            replies.append(letter if isinstance(letter, WireReply) else await session.send(letter))
        async with self._database.unit(self._workspace_id) as unit:
            await record(unit, replies, touches)
            visit("record.before_commit")
        visit("record.after_commit")


def composed(
    unit: Unit, touches: Sequence[TouchRow], mailbox: Mailbox
) -> tuple[dict[UUID, Envelope], dict[UUID, WireReply]]:
    """The messages, and a refusal for each that cannot be written: one poisoned touch holds up no other (M11)."""
    envelopes, refused = {}, {}
    for touch in touches:
        try:
            envelopes[touch.id] = envelope(unit, touch, mailbox)
        except CadenzaError as wrong:
            refused[touch.id] = WireReply(touch.id, Outcome.REFUSED, "compose", text=str(wrong))
    return envelopes, refused


def envelope(unit: Unit, touch: TouchRow, mailbox: Mailbox) -> Envelope:
    """The message exactly as its row says; made anew for every try, always the same."""
    by_mail, link = content.ways_out(unit, touch.contact_id, touch.sender)
    slots = Slots(
        touch_id=touch.id,
        recipient=touch.recipient,
        recipient_name=None,
        subject=touch.subject,
        text=touch.text,
        html=content.tracked_html(unit, touch),
        at=touch.claimed_at,
        unsubscribe_mail=by_mail,
        unsubscribe_url=link,
        in_reply_to=touch.references[-1] if touch.references else None,
        references=tuple(touch.references),
    )
    body = _skeleton(touch.sender, mailbox.display_name, touch.html is not None).compose(slots)
    return Envelope(touch.id, touch.sender, touch.recipient, body)


@lru_cache(maxsize=512)
def _skeleton(sender: str, name: str, html: bool) -> Skeleton:
    return compile_message(sender, name, html=html)


async def by_mailbox(unit: Unit, touch_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The touches of each lane."""
    lanes: dict[UUID, list[UUID]] = defaultdict(list)
    for touch, mailbox in await repository.mailboxes_of(unit, touch_ids):
        lanes[mailbox].append(touch)
    return lanes
