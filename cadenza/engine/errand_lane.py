"""From claimed errands to LinkedIn or the phone: one lane an account, one errand at a time."""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.channels.contracts import Channel, Errand, WireReply
from cadenza.channels.service import open_channel
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.faults import visit
from cadenza.core.http import Egress
from cadenza.core.logs import logger
from cadenza.core.resilience import until_known
from cadenza.core.settings import Settings
from cadenza.engine import repository
from cadenza.engine.marking import MarkingDesk
from cadenza.engine.models import TouchRow
from cadenza.engine.record import record

_log = logger("errands")


class ErrandLane:
    """The way out through one account, for one batch. Its limits were taken when the errands were claimed."""

    def __init__(
        self,
        database: Database,
        workspace_id: UUID,
        account_id: UUID,
        desk: MarkingDesk,
        settings: Settings,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._account_id = account_id
        self._desk = desk
        self._settings = settings

    async def send(self, touch_ids: Sequence[UUID]) -> None:
        """Do all of them and record each answer; a touch whose lease was lost meanwhile is left alone."""
        try:
            channel = await until_known(lambda _: channel_of(self._database, self._settings, self._workspace_id, self._account_id))  # fmt: skip
        except CadenzaError as wrong:  # never near the provider: the claims go back when their lease is over
            _log.warning("account_closed", account=str(self._account_id), code=wrong.code)
            return
        for touch, errand in await until_known(partial(self._errands, touch_ids)):
            if await self._desk.mark(self._workspace_id, touch.id):
                reply = await channel.send(errand)
                await until_known(partial(self._record, reply, touch))

    def hang_up(self) -> None:
        """Nothing to hang up on: a provider's answer is waited for no longer than a request may take."""

    async def _errands(self, touch_ids: Sequence[UUID], _: bool) -> list[tuple[TouchRow, Errand]]:
        async with self._database.unit(self._workspace_id) as unit:
            touches = await repository.touches(unit, TouchRow.id.in_(touch_ids), limit=len(touch_ids))
            people = await load_recipients(unit, [touch.contact_id for touch in touches])
        return [(touch, errand_of(touch, people)) for touch in touches]

    async def _record(self, reply: WireReply, touch: TouchRow, again: bool) -> None:
        async with self._database.unit(self._workspace_id) as unit:
            known = (
                await repository.still_sending(unit, [touch.id], self._desk.worker) if again else {touch.id}
            )
            await record(unit, [reply], [touch] if touch.id in known else [])
            visit("record.before_commit")
        visit("record.after_commit")


async def channel_of(database: Database, settings: Settings, workspace_id: UUID, account_id: UUID) -> Channel:
    """The account's channel, told where it may tell us what happens. Raises ``CadenzaError``."""
    egress = Egress(this_machine=settings.sandbox)
    return await open_channel(database, egress, workspace_id, account_id, site=settings.public_url)


def errand_of(touch: TouchRow, people: Mapping[UUID, Recipient]) -> Errand:
    """What the row says, for whoever does it; made anew for every try, always the same."""
    person = people.get(touch.contact_id)
    names = (person.first_name, person.last_name) if person else ()
    call = touch.action == "call"
    return Errand(
        touch_id=touch.id, action=touch.action, recipient=touch.recipient, at=touch.claimed_at,
        name=" ".join(name for name in names if name), text="" if call else touch.text, script=touch.text if call else "",
        zone=person.timezone if person else None, contact_id=touch.contact_id,
    )  # fmt: skip
