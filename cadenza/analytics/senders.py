"""What happened to each sender's mail, from events and nothing else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from cadenza.analytics.contracts import NO_FIGURES, SenderCounts
from cadenza.channels.contracts import SenderFigures
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import EventKind as E

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
_KINDS = [kind.value for kind in (E.SENT, E.BOUNCED, E.REFUSED, E.COMPLAINED, E.REPLIED)]

# A report may come to another mailbox than the one that wrote: what counts is who sent the touch. Only the few events that are
# no sending ask for that.
_TOLD = """
    select e.kind, e.at, e.id, e.touch_id, e.contact_id, e.data,
      case when e.kind = 'sent' then e.mailbox_id else coalesce(s.mailbox_id, e.mailbox_id) end as mailbox_id,
      s.mailbox_id is not null as was_sent,
      coalesce(e.data->>'enhanced', e.data->>'status', '') as status
    from events e
    left join lateral (
      select x.mailbox_id from events x
      where e.kind <> 'sent' and x.workspace_id = e.workspace_id and x.touch_id = e.touch_id and x.kind = 'sent' limit 1) s on true
    where e.workspace_id = :workspace and e.at >= :since and e.kind = any(:kinds) and not e.machine
"""
_HARD = "kind = 'bounced' and data->>'type' = 'hard'"
_BY_POLICY = """(kind = 'refused' and status like '5.7.%') or (kind = 'bounced' and data->>'type' <> 'hard' and status like '5.7.%')"""
_FIGURES = f"""
    count(*) filter (where kind = 'sent') as sent,
    count(distinct touch_id) filter (where {_HARD}) as bounced,
    count(distinct touch_id) filter (where {_HARD} and was_sent) as returned,
    count(distinct touch_id) filter (where {_BY_POLICY}) as refused,
    count(distinct coalesce(contact_id, touch_id, id)) filter (where kind = 'complained') as complained,
    count(distinct contact_id) filter (where kind = 'replied') as replied
"""
# Each sender is counted over three spans at once: the month, the week, and that part of the week that its health is judged by.
_COUNTS = text(f"""
    with told as ({_TOLD}), spans as (
      select mailbox_id, name, since
      from unnest(cast(:mailboxes as uuid[]), cast(:judged as timestamptz[])) asked(mailbox_id, judged)
      cross join lateral (values ('month', cast(:since as timestamptz)), ('week', cast(:week as timestamptz)),
                                 ('judged', greatest(judged, cast(:week as timestamptz)))) span(name, since)
    )
    select spans.mailbox_id, spans.name, {_FIGURES},
      max(at) filter (where kind = 'complained') as complained_at,
      (array_agg(status order by at desc) filter (where status = any(:grave)))[1] as grave
    from spans join told on told.mailbox_id = spans.mailbox_id and told.at >= spans.since
    group by 1, 2
""")  # noqa: S608 - made of constants
_DAYS = text(f"""
    with told as ({_TOLD})
    select mailbox_id, cast(at at time zone 'UTC' as date) as day, {_FIGURES}
    from told where mailbox_id = any(:mailboxes) and at < :until
    group by 1, 2
""")  # noqa: S608


async def sender_counts(
    unit: Unit, judged_from: Mapping[UUID, datetime | None], grave: Sequence[str]
) -> dict[UUID, SenderCounts]:
    """The last 7 and 30 days of all these senders in one query. ``judged_from``: what came before is settled."""
    now = unit.world.now()
    ids = list(judged_from)
    given = {
        "workspace": unit.workspace_id, "kinds": _KINDS, "mailboxes": ids, "grave": list(grave), "week": now - WEEK,
        "since": now - MONTH, "judged": [judged_from[i] or now - WEEK for i in ids],
    }  # fmt: skip
    rows: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for row in await unit.session.execute(_COUNTS, given):
        rows[row.mailbox_id][row.name] = row
    return {i: _counts(rows.get(i, {})) for i in ids}


def _counts(spans: Mapping[str, Any]) -> SenderCounts:
    figures = {name: _figures(row) for name, row in spans.items()}
    judged = spans.get("judged")
    return SenderCounts(
        week=figures.get("week", NO_FIGURES),
        month=figures.get("month", NO_FIGURES),
        judged=figures.get("judged", NO_FIGURES),
        complained_at=judged.complained_at if judged else None,
        grave=judged.grave if judged else None,
    )


def _figures(row: Any) -> SenderFigures:
    return SenderFigures(
        sent=row.sent,
        delivered=max(row.sent - row.returned, 0),
        bounced=row.bounced,
        refused=row.refused,
        complained=row.complained,
        replied=row.replied,
    )


async def sender_days(
    unit: Unit, mailbox_ids: Sequence[UUID], first: date, end: date
) -> dict[tuple[UUID, date], SenderFigures]:
    """Each day in UTC from ``first`` on and before ``end`` on which anything happened; one query."""
    if not mailbox_ids:
        return {}
    given = {
        "workspace": unit.workspace_id, "kinds": _KINDS, "mailboxes": list(mailbox_ids),
        "since": datetime.combine(first, time(), UTC), "until": datetime.combine(end, time(), UTC),
    }  # fmt: skip
    return {(row.mailbox_id, row.day): _figures(row) for row in await unit.session.execute(_DAYS, given)}
