"""Opens and clicks, each with the judgement whether a person or a machine made it (M5)."""

from dataclasses import dataclass, replace
from uuid import UUID

from cadenza.channels.service import Fetch, links, machine_reason, read_click_token, read_open_token
from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.engine import repository
from cadenza.engine.content import is_way_out
from cadenza.engine.models import TouchRow
from cadenza.engine.record import event_of
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import record_events, timeline


@dataclass(frozen=True, slots=True)
class Visit:
    """What the request told about itself."""

    method: str
    user_agent: str
    ip: str | None
    prefetch: bool


async def record_open(database: Database, token: str, visit: Visit) -> bool:
    """True when the token is one of ours."""
    found = read_open_token(database.secrets, token)
    if found is None:
        return False
    async with database.unit(found[0]) as unit:
        await _record(unit, found[1], EventKind.OPENED, visit, links_clicked=0)
    return True


async def record_click(database: Database, token: str, visit: Visit) -> str | None:
    """Where the link leads; None for a token that is not ours or whose message is gone."""
    found = read_click_token(database.secrets, token)
    if found is None:
        return None
    workspace_id, touch_id, number = found
    async with database.unit(workspace_id) as unit:
        rows = await repository.touches(unit, TouchRow.id == touch_id)
        targets = links(rows[0].html or "") if rows else ()
        if number >= len(targets):
            return None
        await _record(unit, touch_id, EventKind.CLICKED, visit, links_clicked=number)
        return targets[number]


async def _record(unit: Unit, touch_id: UUID, kind: EventKind, visit: Visit, *, links_clicked: int) -> None:
    rows = await repository.touches(unit, TouchRow.id == touch_id)
    if not rows:
        return
    (touch,) = rows
    earlier = await timeline(unit, touch_id=touch_id, kinds=[EventKind.CLICKED])
    clicked = {e.data.get("link") for e in earlier} | (
        {links_clicked} if kind is EventKind.CLICKED else set()
    )
    since = (unit.world.now() - touch.sent_at).total_seconds() if touch.sent_at else None
    fetch = Fetch(
        kind="open" if kind is EventKind.OPENED else "click",
        method=visit.method,
        user_agent=visit.user_agent,
        ip=visit.ip,
        seconds_after_delivery=since,
        prefetch=visit.prefetch,
        links=len(clicked),
        of_links=max(sum(not is_way_out(url) for url in links(touch.html or "")), 1),
    )
    reason = machine_reason(fetch)
    data = {"link": links_clicked} if kind is EventKind.CLICKED else {}
    event = event_of(touch, kind, data | ({"machine": reason} if reason else {}))
    await record_events(unit, [replace(event, machine=reason is not None)])
