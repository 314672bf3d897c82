"""Figures are kept as events are added, and are always what counting the events gives."""

import asyncio
from random import Random
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from cadenza.analytics.folding import fold_counts
from cadenza.analytics.service import counts, recount, wrong_counts
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

_KINDS = tuple(EventKind)
_INTENTS = (None, "meeting_request", "positive_interest", "information_request", "not_interested")


def _some_event(dice: Random) -> NewEvent:
    """Of few campaigns, people and touches, so that the same thing happens again and again."""
    kind = dice.choice(_KINDS)
    return NewEvent(
        kind=kind,
        origin="test",
        campaign_id=dice.choice([None, *(UUID(int=n) for n in range(3))]),
        contact_id=dice.choice([None, *(UUID(int=100 + n) for n in range(4))]),
        touch_id=dice.choice([None, *(UUID(int=200 + n) for n in range(6))]),
        step=dice.choice([None, "intro", "follow"]),
        variant=dice.choice([None, "a", "b"]),
        machine=dice.random() < 0.2,
        data={
            "intent": dice.choice(_INTENTS),
            "type": dice.choice(["hard", "soft", None]),
        },
    )


@pytest.mark.parametrize("seed", range(8))
async def test_kept_counts_are_what_counting_the_events_gives(
    database: Database, workspace: Actor, seed: int
) -> None:
    dice = Random(seed)
    for _ in range(12):
        async with database.unit(workspace.workspace_id) as unit:
            for _ in range(dice.randint(1, 3)):
                await record_events(unit, [_some_event(dice) for _ in range(dice.choice([1, 2, 40]))])
            if dice.random() < 0.2:
                await unit.session.rollback()
        if dice.random() < 0.4:
            await fold_counts(database, at_least=1)
        async with database.unit(workspace.workspace_id) as unit:
            assert await wrong_counts(unit) == 0
    async with database.unit(workspace.workspace_id) as unit:
        loose = await unit.session.scalar(text("select count(*) from event_counts"))
        assert loose, "nothing was counted"


async def _busy(database: Database, workspace: Actor, dice: Random) -> None:
    for _ in range(15):
        async with database.unit(workspace.workspace_id) as unit:
            await record_events(unit, [_some_event(dice) for _ in range(20)])


async def _fold_and_recount(database: Database, workspace: Actor) -> None:
    for turn in range(20):
        await fold_counts(database, at_least=1)
        if turn % 5 == 0:
            async with database.unit(workspace.workspace_id) as unit:
                await recount(unit, workspace)


async def test_many_at_once_count_each_thing_once_while_others_fold(
    database: Database, workspace: Actor
) -> None:
    dice = [Random(seed) for seed in range(4)]
    await asyncio.gather(
        *(_busy(database, workspace, each) for each in dice),
        _fold_and_recount(database, workspace),
        _fold_and_recount(database, workspace),
    )
    async with database.unit(workspace.workspace_id) as unit:
        assert await wrong_counts(unit) == 0
        assert await unit.session.scalar(text("select count(*) from events")) == 4 * 15 * 20


async def test_opened_nine_times_is_opened_once_and_folding_leaves_few_rows(
    database: Database, workspace: Actor
) -> None:
    campaign = UUID(int=1)
    for touch in [UUID(int=7)] * 9 + [UUID(int=8)]:
        async with database.unit(workspace.workspace_id) as unit:
            opened = NewEvent(
                kind=EventKind.OPENED, origin="test", campaign_id=campaign, touch_id=touch, step="intro"
            )
            sent = NewEvent(kind=EventKind.SENT, origin="test", campaign_id=campaign, step="intro")
            await record_events(unit, [opened, sent])
    await fold_counts(database, at_least=1)
    async with database.unit(workspace.workspace_id) as unit:
        found = await counts(unit, campaign)
        assert (found.total, found.steps) == (
            {"opened": 2, "sent": 10},
            {("intro", ""): {"opened": 2, "sent": 10}},
        )
        assert await unit.session.scalar(text("select count(*) from event_counts")) == 2


async def test_a_wrong_count_is_noticed_and_counted_anew(
    database: Database, database_url: str, workspace: Actor
) -> None:
    dice = Random(5)
    async with database.unit(workspace.workspace_id) as unit:
        await record_events(unit, [_some_event(dice) for _ in range(200)])
    with psycopg.connect(database_url) as owner:
        owner.execute("update event_counts set things = things + 1 where measure = 'sent'")
        owner.execute("delete from counted_things")
    async with database.unit(workspace.workspace_id) as unit:
        assert await wrong_counts(unit) > 0
        assert await recount(unit, workspace) > 0
        assert await wrong_counts(unit) == 0
    async with database.unit(workspace.workspace_id) as unit:
        await record_events(unit, [_some_event(dice) for _ in range(200)])
        assert await wrong_counts(unit) == 0, "what had been counted was counted again"


async def test_who_may_not_run_campaigns_may_not_recount(unit: Unit) -> None:
    with pytest.raises(CadenzaError, match="may not"):
        await recount(unit, Actor(unit.workspace_id, Role.READ_ONLY, Origin.PAGE))
