"""From claimed touches to the relay: one lane a mailbox, so that a slow server holds up nobody else (M11)."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from uuid import UUID

from cadenza.channels.contracts import Credentials, Envelope, Mailbox, Outcome, WireReply
from cadenza.channels.service import Skeleton, Slots, SmtpSession, compile_message, credentials
from cadenza.core.clock import monotonic
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.faults import visit
from cadenza.core.logs import logger
from cadenza.core.resilience import until_known
from cadenza.core.unit import Unit
from cadenza.engine import content, repository
from cadenza.engine.marking import MarkingDesk
from cadenza.engine.models import TouchRow
from cadenza.engine.record import record

_log = logger("wire")
_CHUNK = (
    25  # answers recorded at once; of a provider without Sent copies, the most that a crash leaves in doubt
)
_LONGEST_UNRECORDED_SECONDS = (
    2.0  # with a slow server less than a chunk, so that pages and restarts see what was said
)

Letter = tuple[TouchRow, Envelope | WireReply]


class Lane:
    """The way out through one mailbox, for one batch: several connections, each taking chunk after chunk."""

    def __init__(
        self, database: Database, workspace_id: UUID, mailbox: Mailbox, desk: MarkingDesk, connections: int
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._mailbox = mailbox
        self._desk = desk
        self._connections = connections
        self._sessions: set[SmtpSession] = set()

    async def send(self, touch_ids: Sequence[UUID]) -> None:
        """Send all of them and record each answer; a touch whose lease was lost meanwhile is left alone."""
        try:
            secret = await until_known(
                lambda _: credentials(self._database, self._workspace_id, self._mailbox.id)
            )
        except (
            CadenzaError
        ) as wrong:  # the claims were never near the wire: they go back when their lease is over
            _log.warning("mailbox_closed", mailbox=str(self._mailbox.id), code=wrong.code)
            return
        letters = await until_known(partial(self._letters, touch_ids))
        chunks: asyncio.Queue[Sequence[Letter]] = asyncio.Queue()
        for start in range(0, len(letters), _CHUNK):
            chunks.put_nowait(letters[start : start + _CHUNK])
        width = min(self._connections, chunks.qsize())
        ends = await asyncio.gather(
            *(self._connection(secret, chunks) for _ in range(width)), return_exceptions=True
        )
        if broken := [end for end in ends if isinstance(end, Exception)]:  # none cuts off what another sends
            raise ExceptionGroup("connections that ended early", broken)

    async def _letters(self, touch_ids: Sequence[UUID], _: bool) -> list[Letter]:
        async with self._database.unit(self._workspace_id) as unit:
            touches = await repository.touches(unit, TouchRow.id.in_(touch_ids), limit=len(touch_ids))
            return [(touch, composed(unit, touch, self._mailbox)) for touch in touches]

    def hang_up(self) -> None:
        """No more patience with this server: what it has not heard whole may be tried again, the rest is in doubt."""
        for session in self._sessions:
            session.hang_up()

    async def _connection(self, secret: Credentials, chunks: asyncio.Queue[Sequence[Letter]]) -> None:
        login = secret if self._mailbox.user else None  # a relay of the own network may ask for none
        async with SmtpSession(self._mailbox.smtp, login, helo=self._mailbox.domain) as session:
            self._sessions.add(session)
            try:
                while not chunks.empty():
                    await self._chunk(session, chunks.get_nowait())
            finally:
                self._sessions.discard(session)

    async def _chunk(self, session: SmtpSession, letters: Sequence[Letter]) -> None:
        replies: list[WireReply] = []
        began = monotonic()
        try:
            for touch, letter in letters:
                if await self._desk.mark(self._workspace_id, touch.id):
                    replies.append(letter if isinstance(letter, WireReply) else await session.send(letter))
                if monotonic() - began > _LONGEST_UNRECORDED_SECONDS:
                    await self._write_down(replies, letters)
                    began = monotonic()
        finally:  # also when the database was lost in between: what was said is written down when it is back
            await self._write_down(replies, letters)

    async def _write_down(self, replies: list[WireReply], letters: Sequence[Letter]) -> None:
        if replies:
            await until_known(partial(self._record, tuple(replies), [touch for touch, _ in letters]))
            replies.clear()

    async def _record(self, replies: Sequence[WireReply], touches: Sequence[TouchRow], again: bool) -> None:
        async with self._database.unit(self._workspace_id) as unit:
            if again:
                open_ones = await repository.still_sending(unit, [t.id for t in touches], self._desk.worker)
                touches = [touch for touch in touches if touch.id in open_ones]
            await record(unit, replies, touches)
            visit("record.before_commit")
        visit("record.after_commit")


def composed(unit: Unit, touch: TouchRow, mailbox: Mailbox) -> Envelope | WireReply:
    """The message, or a refusal when it cannot be written: one poisoned touch holds up no other (M11)."""
    try:
        return envelope(unit, touch, mailbox)
    except CadenzaError as wrong:
        return WireReply(touch.id, Outcome.REFUSED, "compose", text=str(wrong))


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


async def by_sender(unit: Unit, touch_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The touches of each lane, by its mailbox or account."""
    lanes: dict[UUID, list[UUID]] = defaultdict(list)
    for touch, mailbox, account in await repository.senders_of(unit, touch_ids):
        lanes[_one(mailbox, account)].append(touch)
    return lanes


def _one(mailbox: UUID | None, account: UUID | None) -> UUID:
    found = mailbox or account
    assert found is not None  # noqa: S101 - a rule of the table
    return found
