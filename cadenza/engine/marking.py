"""The last look before the wire: each touch is marked as sending, and that is committed, right before it is sent.

So a crash leaves at most one message per connection in doubt. The connections of all lanes ask at one desk, which marks
everybody who waits in one statement: a commit for each message alone would cost more than the sending.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from cadenza.core.database import Database
from cadenza.core.faults import visit
from cadenza.core.resilience import until_known
from cadenza.engine import repository


class MarkingDesk:
    """One per dispatcher. ``mark`` answers after the commit."""

    def __init__(self, database: Database, worker: UUID) -> None:
        self._database = database
        self.worker = worker
        self._closed = False
        self._waiting: dict[UUID, dict[UUID, asyncio.Future[bool]]] = defaultdict(dict)
        self._flushing: asyncio.Task[None] | None = None

    def close(self) -> None:
        """From now on nothing more goes out."""
        self._closed = True

    async def mark(self, workspace_id: UUID, touch_id: UUID) -> bool:
        """False when the touch must not go out: its lease is over, a stop came since the claim, or this worker ends."""
        if self._closed:
            return False
        answer = asyncio.get_running_loop().create_future()
        self._waiting[workspace_id][touch_id] = answer
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        marked: bool = await answer
        return marked

    async def _flush(self) -> None:
        while self._waiting:
            workspace_id, asked = self._waiting.popitem()
            try:
                marked = await until_known(partial(self._mark, workspace_id, list(asked)))
            except Exception as wrong:  # noqa: BLE001 - whoever asked gets it
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(wrong)
                continue
            for touch_id, answer in asked.items():
                if not answer.done():
                    answer.set_result(touch_id in marked)

    async def _mark(self, workspace_id: UUID, asked: Sequence[UUID], again: bool) -> set[UUID]:
        async with self._database.unit(workspace_id) as unit:
            if again:
                await repository.unmark(unit, asked, self.worker)
            marked = await repository.mark_sending(unit, asked, self.worker)
            visit("sending.before_commit")
        visit("sending.after_commit")
        return marked
