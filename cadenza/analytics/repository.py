"""The one query behind every figure."""

from uuid import UUID

from sqlalchemy import text

from cadenza.core.unit import Unit

# People and touches are counted, not repetitions: a mail opened nine times is opened once.
_COUNTS = text("""
    select coalesce(step, '') as step, coalesce(variant, '') as variant, kind, machine,
           count(distinct coalesce(touch_id, contact_id, id)) as things,
           count(distinct contact_id) filter (
               where data->>'intent' in ('meeting_request', 'positive_interest', 'information_request')) as positive,
           count(distinct touch_id) filter (where data->>'type' = 'hard') as hard
    from events
    where workspace_id = :workspace and campaign_id = :campaign
    group by 1, 2, 3, 4
""")


async def counts(unit: Unit, campaign_id: UUID) -> list[tuple[str, str, str, bool, int, int, int]]:
    """(step, variant, kind, machine, touches or people, positive replies, hard bounces)."""
    rows = await unit.session.execute(_COUNTS, {"workspace": unit.workspace_id, "campaign": campaign_id})
    return [tuple(row) for row in rows]
