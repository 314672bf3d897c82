"""The one query behind every figure."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from cadenza.core.unit import Unit

# People and touches are counted, not repetitions: a mail opened nine times is opened once.
_COUNTS = text("""
    select campaign_id, coalesce(step, '') as step, coalesce(variant, '') as variant, kind, machine,
           count(distinct coalesce(touch_id, contact_id, id)) as things,
           count(distinct contact_id) filter (
               where data->>'intent' in ('meeting_request', 'positive_interest', 'information_request')) as positive,
           count(distinct touch_id) filter (where data->>'type' = 'hard') as hard
    from events
    where workspace_id = :workspace and campaign_id = any(:campaigns)
    group by 1, 2, 3, 4, 5
""")


Counted = tuple[UUID, str, str, str, bool, int, int, int]
"""Campaign, step, variant, kind, by a machine, touches or people, positive replies, hard bounces."""


async def counts(unit: Unit, campaign_ids: Sequence[UUID]) -> list[Counted]:
    given = {"workspace": unit.workspace_id, "campaigns": list(campaign_ids)}
    return [tuple(row) for row in await unit.session.execute(_COUNTS, given)]
