"""A mailbox that is taken away while a campaign runs: nobody is skipped, nobody is written to twice, and it is told."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from cadenza.audience.service import import_contacts
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import Mailbox, MailboxState
from cadenza.channels.disconnecting import disconnect, people_waiting
from cadenza.channels.service import NewMailbox, add_mailbox, credentials, mailbox
from cadenza.core.clock import ManualClock
from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings
from cadenza.engine.service import Dispatcher, housekeeping, launch
from cadenza.inbox.reader import _report_broken
from cadenza.ledger.contracts import WorkKind
from cadenza.ledger.service import work_items
from tests.channels.conftest import ANNA, HERE, Scene, post, provider, scene
from tests.support.campaigns import TWO_STEPS, document, people
from tests.support.post import PASSWORD

__all__ = ["post", "provider", "scene"]

HOUR = timedelta(hours=1)


async def started(scene: Scene, count: int = 3) -> None:
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        await import_contacts(unit, scene.actor, people(count), file="people.csv")
        assert (await apply(unit, scene.actor, document(TWO_STEPS, senders=[ANNA]))).errors == ()
        await launch(unit, scene.actor, "spring")
    assert isinstance(scene.database.world, ManualClock)
    scene.database.world.move(24 * HOUR)


async def dispatched(scene: Scene) -> None:
    dispatcher = Dispatcher(scene.database, Settings())
    while await dispatcher.turn():
        await dispatcher.drain()


async def states(scene: Scene) -> list[str]:
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        return list(await unit.session.scalars(text("select state from touches")))


async def now(scene: Scene, box: Mailbox) -> Mailbox:
    async with scene.database.unit(box.workspace_id) as unit:
        return await mailbox(unit, box.id)


async def test_access_is_taken_back_while_a_campaign_runs_and_given_again(scene: Scene) -> None:
    box = await scene.connect()
    await started(scene)
    scene.provider.take_back()
    await dispatched(scene)
    assert scene.post.letters() == []
    assert await states(scene) == ["deferred"] * 3, "nothing was handed over, so it may be tried again"
    broken = await now(scene, box)
    assert broken.state is MailboxState.BROKEN
    assert "taken back" in broken.state_reason
    with pytest.raises(CadenzaError) as closed:
        await credentials(scene.database, box.workspace_id, box.id)
    await _report_broken(scene.database, box, closed.value)  # the reader finds out too
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        items = await work_items(unit, scene.actor, kinds=[WorkKind.SENDER_BROKEN])
    assert len(items) == 1, "it is told once, however many notice"

    scene.machine.move(2 * HOUR)
    scene.fresh()
    await scene.connect(address=ANNA)
    await dispatched(scene)
    assert await states(scene) == ["sent"] * 3
    assert sorted(scene.post.touches().values()) == [1, 1, 1]
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        assert await work_items(unit, scene.actor, kinds=[WorkKind.SENDER_BROKEN]) == []


async def test_a_provider_that_is_away_holds_sending_up_and_loses_nothing(scene: Scene) -> None:
    box = await scene.connect()
    await started(scene)
    scene.machine.move(2 * HOUR)
    scene.provider.failing = (503, {"error": "temporarily_unavailable"})
    dispatcher = Dispatcher(scene.database, Settings())
    assert await dispatcher.turn() == 3
    await dispatcher.drain()
    assert set(await states(scene)) == {"claimed"}, "never near the wire: their lease gives them back"
    assert (await now(scene, box)).state is MailboxState.OK
    scene.provider.failing = None
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        await unit.session.execute(text("update touches set lease_until = now() - interval '1 minute'"))
    await housekeeping(scene.database)
    await dispatched(scene)
    assert await states(scene) == ["sent"] * 3
    assert sorted(scene.post.touches().values()) == [1, 1, 1]


async def test_a_mailbox_that_has_sent_is_retired_and_its_people_wait(scene: Scene) -> None:
    new = NewMailbox(address=ANNA, smtp=scene.post.smtp, imap=scene.post.imap, user=ANNA)
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        box = await add_mailbox(unit, scene.actor, new, PASSWORD)
    await started(scene)
    await dispatched(scene)
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        assert await people_waiting(unit, box.id) == 3
    gone = await disconnect(scene.database, HERE, scene.actor, box.id)
    assert (gone.kept, gone.told) == (True, None)
    retired = await now(scene, box)
    assert (retired.state, retired.state_reason) == (MailboxState.RETIRED, "disconnected")
    assert await states(scene) == ["sent"] * 3, "what it sent stays told"
    with pytest.raises(CadenzaError) as over:
        await credentials(scene.database, box.workspace_id, box.id)
    assert over.value.code == "mailbox_retired"
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        assert await unit.session.scalar(text("select string_agg(password_sealed, '') from mailboxes")) == ""
        await apply(unit, scene.actor, document(name="summer", senders=[ANNA]))
        with pytest.raises(CadenzaError) as unready:
            await launch(unit, scene.actor, "summer")
    assert unready.value.code == "campaign_not_ready"
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        again = await add_mailbox(unit, scene.actor, new, PASSWORD)
    assert (again.id, again.state) == (box.id, MailboxState.OK)
