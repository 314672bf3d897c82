"""The one query behind every figure."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from cadenza.core.unit import Unit

# People and touches are counted, not repetitions: a mail opened nine times is opened once. What happens to a touch or a
# person once by its nature is most of all events, and is counted as it stands: telling them apart would need a sort.
_COUNTS = text("""
    select campaign_id, coalesce(step, '') as step, coalesce(variant, '') as variant, kind, machine,
           count(*) as things, cast(0 as bigint) as positive, cast(0 as bigint) as hard
    from events
    where workspace_id = :workspace and campaign_id = any(:campaigns) and kind = any(:once)
    group by 1, 2, 3, 4, 5
    union all
    select campaign_id, coalesce(step, ''), coalesce(variant, ''), kind, machine,
           count(distinct coalesce(touch_id, contact_id, id)),
           count(distinct contact_id) filter (
               where data->>'intent' in ('meeting_request', 'positive_interest', 'information_request')),
           count(distinct touch_id) filter (where data->>'type' = 'hard')
    from events
    where workspace_id = :workspace and campaign_id = any(:campaigns) and kind = any(:repeated)
    group by 1, 2, 3, 4, 5
""")


Counted = tuple[UUID, str, str, str, bool, int, int, int]
"""Campaign, step, variant, kind, by a machine, touches or people, positive replies, hard bounces."""


async def counts(
    unit: Unit, campaign_ids: Sequence[UUID], once: Sequence[str], repeated: Sequence[str]
) -> list[Counted]:
    """``once`` are kinds that happen to a touch or person once by their nature, ``repeated`` those that may come again."""
    given = {
        "workspace": unit.workspace_id,
        "campaigns": list(campaign_ids),
        "once": list(once),
        "repeated": list(repeated),
    }
    return [tuple(row) for row in await unit.session.execute(_COUNTS, given)]
