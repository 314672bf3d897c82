"""The dispatch loop of one worker: claim what is due, hand it to the lanes, take back what the dead left."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from cadenza.channels.contracts import Mailbox
from cadenza.channels.service import mailboxes
from cadenza.core.database import Database
from cadenza.core.faults import visit
from cadenza.core.ids import new_id
from cadenza.core.logs import logger
from cadenza.core.resilience import LOSSES, is_loss, until_known
from cadenza.core.settings import Settings
from cadenza.engine import repository
from cadenza.engine.claim import claim
from cadenza.engine.doubts import give_back, rescue, settle
from cadenza.engine.errand_lane import ErrandLane
from cadenza.engine.fleet import Fleet
from cadenza.engine.lifecycle import finish_done
from cadenza.engine.marking import MarkingDesk
from cadenza.engine.responses import end_holds
from cadenza.engine.retries import claim_retries
from cadenza.engine.wire import Lane, by_sender
from cadenza.ledger.service import make_event_partitions

_log = logger("dispatch")
_IDLE_SECONDS = 0.25
_HOUSEKEEPING_SECONDS = 5.0
_LAST_MESSAGE_SECONDS = 18.0  # with the next one less than the 30 after which a supervisor kills
_LAST_LOOK_SECONDS = 5.0


class Dispatcher:
    """One per worker process; any number of workers may run at once."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._worker = new_id()
        self._desk = MarkingDesk(database, self._worker)
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._lanes: dict[UUID, asyncio.Task[None]] = {}
        self._ways: dict[UUID, Lane | ErrandLane] = {}
        self._left_over = False  # a lane broke: what it had not begun is still claimed

    async def run(self) -> None:
        """Until cancelled; then the messages on the wire are finished first, and the other claims given back."""
        try:
            while True:
                if not await self._turn_or_look_back():
                    await asyncio.sleep(_IDLE_SECONDS)
        finally:
            await asyncio.shield(self._leave())

    async def _turn_or_look_back(self) -> int:
        """The lanes go on while the database is away; of a claim whose COMMIT was not answered nothing is sent."""
        self._forget_done()
        try:
            if self._left_over:
                await until_known(self._give_back)
                self._left_over = False
            return await self.turn()
        except LOSSES as lost:
            if not is_loss(lost):
                raise
            _log.warning("turn_lost", why=str(lost)[:200])
            await until_known(self._give_back)
            return 0

    async def _leave(self) -> None:
        """No next message; a server that takes too long over this one is hung up on, so that its outcome is recorded."""
        self._desk.close()
        if self._lanes:
            await asyncio.wait(self._lanes.values(), timeout=_LAST_MESSAGE_SECONDS)
        for mailbox_id, task in self._lanes.items():
            if not task.done():
                self._ways[mailbox_id].hang_up()
        await self.drain()
        try:
            await until_known(self._give_back, _LAST_LOOK_SECONDS)
        except DBAPIError as lost:
            _log.warning("claims_kept", until="their lease is over", why=str(lost.orig)[:200])

    async def _give_back(self, _: bool) -> None:
        """What this worker claimed and has on no lane: no lane takes a second batch, so these were never near the wire."""
        self._forget_done()
        async with self._database.installation() as session:
            ids = await repository.all_workspaces(session)
        for workspace_id in ids:
            async with self._database.unit(workspace_id) as unit:
                await give_back(unit, self._worker, list(self._lanes))

    async def turn(self) -> int:
        """One look at every workspace that has work; returns how many touches were put on a lane."""
        self._forget_done()
        if self._database.full:
            return 0
        async with self._database.installation() as session:
            ids = await repository.workspaces_with_work(
                session, self._database.world.now(), self._database.machine.now()
            )
        return sum([await self._workspace(workspace_id) for workspace_id in ids])

    async def drain(self) -> None:
        """Wait for every lane."""
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)
        self._forget_done()

    def _forget_done(self) -> None:
        for mailbox_id, task in list(self._lanes.items()):
            if task.done():
                del self._lanes[mailbox_id], self._ways[mailbox_id]
                self._left_over |= task.cancelled() or task.exception() is not None
                if not task.cancelled() and (wrong := task.exception()):
                    _log.error("lane_failed", mailbox=str(mailbox_id), exc_info=wrong)

    async def _workspace(self, workspace_id: UUID) -> int:
        busy = list(self._lanes)
        async with self._database.unit(workspace_id) as unit:
            await end_holds(unit)
            fleet, batch = Fleet(await mailboxes(unit), busy), self._settings.dispatch_batch
            retried = await claim_retries(
                unit, worker=self._worker, limit=batch, lease=self._lease, fleet=fleet
            )
            fresh = await claim(unit, worker=self._worker, limit=batch, lease=self._lease, fleet=fleet)
            lanes = await by_sender(unit, [*retried, *fresh])
            visit("claim.before_commit")
        visit("claim.after_commit")
        for sender_id, touch_ids in lanes.items():
            self._open(workspace_id, sender_id, touch_ids, fleet.by_id.get(sender_id))
        return len(retried) + len(fresh)

    def _open(
        self, workspace_id: UUID, sender_id: UUID, touch_ids: Sequence[UUID], box: Mailbox | None
    ) -> None:
        """``box`` is None where an account of another channel does it."""
        lane: Lane | ErrandLane
        if box is None:
            lane = ErrandLane(self._database, workspace_id, sender_id, self._desk, self._settings)
        else:
            lane = Lane(self._database, workspace_id, box, self._desk, self._settings.dispatch_connections)
        self._ways[sender_id] = lane
        self._lanes[sender_id] = asyncio.create_task(lane.send(touch_ids))


async def dispatch(database: Database, settings: Settings) -> None:
    """The worker's loop."""
    await Dispatcher(database, settings).run()


async def keep_house(database: Database, settings: Settings) -> None:  # noqa: ARG001 - every loop is given both
    """The slow rounds: dead workers' claims, doubts, finished campaigns, partitions of the coming months."""
    while True:
        await housekeeping(database)
        await asyncio.sleep(_HOUSEKEEPING_SECONDS)


async def housekeeping(database: Database) -> None:
    """One round over all workspaces."""
    async with database.installation() as session:
        ids = await repository.all_workspaces(session)
    for workspace_id in ids:
        async with database.unit(workspace_id) as unit:
            await rescue(unit)
            await end_holds(unit)
            await finish_done(unit)
            await make_event_partitions(unit, unit.world.now())
        await settle(database, workspace_id)
