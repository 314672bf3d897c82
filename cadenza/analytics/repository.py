"""Every query behind the figures."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.analytics.models import CountedRow, CountRow
from cadenza.core.database import bulk
from cadenza.core.unit import Unit

# What was counted when the events were added (schema.sql): a few rows a campaign, however many events there are.
_KEPT = text("""
    select campaign_id, step, variant, measure, machine, sum(things)::bigint
    from event_counts
    where workspace_id = :workspace and campaign_id = any(:campaigns)
    group by 1, 2, 3, 4, 5
""")
_KEPT_TOTALS = text("""
    select campaign_id, '', '', measure, machine, sum(things)::bigint
    from event_counts
    where workspace_id = :workspace and campaign_id = any(:campaigns)
    group by campaign_id, measure, machine
""")
# The same from the events themselves, the only truth: people and touches are counted, not repetitions.
_FROM_EVENTS = text("""
    with mine as (
      select campaign_id, coalesce(step, '') as step, coalesce(variant, '') as variant, kind, machine,
             count(*) as events, count(distinct coalesce(touch_id, contact_id, id)) as things,
             count(distinct contact_id) filter (
               where data->>'intent' in ('meeting_request', 'positive_interest', 'information_request')) as positive,
             count(distinct touch_id) filter (where data->>'type' = 'hard') as hard
      from events where workspace_id = :workspace and campaign_id is not null and kind = any(:kinds)
      group by 1, 2, 3, 4, 5)
    select campaign_id, step, variant, kind, machine, case when kind = any(:once) then events else things end
    from mine where kind <> 'analysed'
    union all
    select campaign_id, step, variant, 'positive_replies', machine, positive
    from mine where kind = 'analysed' and positive > 0
    union all
    select campaign_id, step, variant, 'hard_bounces', machine, hard from mine where kind = 'bounced' and hard > 0
""")
_ALL_KEPT = text("""
    select campaign_id, step, variant, measure, machine, sum(things)::bigint
    from event_counts where workspace_id = :workspace
    group by 1, 2, 3, 4, 5 having sum(things) <> 0
""")
# Deleted and put back in one statement: whoever reads meanwhile sees all of the old or all of the new. A second folder
# waits for the first, and finds nothing left to take.
_FOLD = text("""
    with parts as (
      delete from event_counts where workspace_id = :workspace
      returning campaign_id, step, variant, measure, machine, things)
    insert into event_counts (workspace_id, id, campaign_id, step, variant, measure, machine, things, folded)
    select cast(:workspace as uuid), gen_random_uuid(), campaign_id, step, variant, measure, machine, sum(things), true
    from parts group by campaign_id, step, variant, measure, machine
""")
# Who adds events adds counts before it commits, and waits for this; what it adds is then counted by itself.
_ALONE = text("lock table event_counts in share row exclusive mode")
_THINGS = text("""
    insert into counted_things (workspace_id, campaign_id, thing_id, measure, machine, step, variant)
    select distinct e.workspace_id, e.campaign_id, m.thing_id, m.measure, e.machine, coalesce(e.step, ''), coalesce(e.variant, '')
    from events e cross join lateral measures_of(e.kind, e.id, e.touch_id, e.contact_id, e.data) m
    where e.workspace_id = :workspace and e.campaign_id is not null
""")
_COUNTS = text("""
    insert into event_counts (workspace_id, id, campaign_id, step, variant, measure, machine, things, folded)
    select cast(:workspace as uuid), gen_random_uuid(), r.*, true from jsonb_to_recordset(cast(:rows as jsonb))
      as r (campaign_id uuid, step text, variant text, measure text, machine boolean, things bigint)
""")

Counted = tuple[UUID, str, str, str, bool, int]
"""Campaign, step, variant, measure, by a machine, how many touches or people."""


async def counts(unit: Unit, campaign_ids: Sequence[UUID], *, by_step: bool) -> list[Counted]:
    given = {"workspace": unit.workspace_id, "campaigns": list(campaign_ids)}
    return [tuple(row) for row in await unit.session.execute(_KEPT if by_step else _KEPT_TOTALS, given)]


async def all_counts(unit: Unit) -> set[Counted]:
    found = await unit.session.execute(_ALL_KEPT, {"workspace": unit.workspace_id})
    return {tuple(row) for row in found}


async def counted_from_events(unit: Unit, kinds: Sequence[str], once: Sequence[str]) -> set[Counted]:
    """Reads every event of these kinds. ``once`` are those that happen to a touch or person once by their nature."""
    given = {"workspace": unit.workspace_id, "kinds": list(kinds), "once": list(once)}
    return {tuple(row) for row in await unit.session.execute(_FROM_EVENTS, given)}


async def with_many_parts(session: AsyncSession, at_least: int) -> list[UUID]:
    found = await session.scalars(text("select workspaces_with_loose_counts(:n)"), {"n": at_least})
    return list(found)


async def fold(unit: Unit) -> None:
    await unit.session.execute(_FOLD, {"workspace": unit.workspace_id})


async def shut_out_others(unit: Unit) -> None:
    """Until this unit ends nobody adds an event in any workspace."""
    await unit.session.execute(_ALONE)


async def replace(unit: Unit, counted: set[Counted]) -> None:
    """These counts instead of those that are kept, and what was counted from the events."""
    for table in (CountRow, CountedRow):
        await unit.session.execute(delete(table).where(table.workspace_id == unit.workspace_id))
    await unit.session.execute(_THINGS, {"workspace": unit.workspace_id})
    names = ("campaign_id", "step", "variant", "measure", "machine", "things")
    rows = [dict(zip(names, each, strict=True)) for each in counted]
    await bulk(unit.session, _COUNTS, rows, workspace=unit.workspace_id)
