"""M12: campaigns running across a change of the clock, in either direction, keep wall-clock hours and lose no day."""

from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.identity.contracts import Actor
from tests.support.campaigns import document, people, running
from tests.support.post import Post

pytestmark = pytest.mark.must_not("M12")

Send = Callable[[], Coroutine[Any, Any, None]]
DAY = timedelta(days=1)
DAYS = 6
ZONES = [
    "Europe/Berlin",
    "Europe/Dublin",  # winter is its exception, not summer
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",  # changes at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Auckland",
    "Africa/Cairo",
]
WINDOWS = {
    "office": '{days: mon-sun, from: "08:30", to: "17:30", zone: recipient, holidays: none}',
    "night": '{days: mon-sun, from: "01:00", to: "03:15", zone: recipient, holidays: none}',
    "whole day": '{days: mon-sun, from: "00:00", to: "23:59", zone: recipient, holidays: none}',
}
HOURS = {
    "office": (time(8, 30), time(17, 30)),
    "night": (time(1), time(3, 15)),
    "whole day": (time(0), time(23, 59)),
}
INSIDE = [
    ("Europe/Berlin", "night"),
    ("America/Santiago", "whole day"),
    ("Australia/Lord_Howe", "night"),
]  # the change is in it


def change(zone: str, *, forward: bool) -> date:
    """The local day of 2026 on which the clock goes forward, or back."""
    info = ZoneInfo(zone)
    for hour in range(365 * 24):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        before, after = (x.astimezone(info).utcoffset() for x in (at, at + timedelta(hours=1)))
        assert before is not None
        assert after is not None
        if before != after and (after > before) is forward:
            return (at + timedelta(hours=1)).astimezone(info).date()
    raise AssertionError(f"{zone} has no change")


def daily(count: int) -> str:
    """A step for every day."""
    return "\n".join(
        f'- {{id: day{n}, after: {{days: {min(n, 1)}}}, variants: [{{id: a, subject: "Day {n}", text: "x"}}]}}'
        for n in range(count)
    )


async def jump(database: Database, actor: Actor, world: ManualClock) -> None:
    """To the moment at which the next step is due, and not a second further."""
    async with database.unit(actor.workspace_id) as unit:
        due = (await unit.session.execute(text("select min(next_due_at) from enrolments"))).scalar_one()
    if due is not None and due > world.now():
        world.set(due)


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "back"])
@pytest.mark.parametrize(("zone", "window"), [*((zone, "office") for zone in ZONES), *INSIDE])
async def test_a_daily_sequence_crosses_the_change(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    send: Send,
    zone: str,
    window: str,
    forward: bool,
) -> None:
    turning = change(zone, forward=forward)
    world.set(datetime.combine(turning - 3 * DAY, time(0, 5), ZoneInfo(zone)).astimezone(UTC))
    await running(
        database, workspace, post, document(daily(DAYS), window=WINDOWS[window]), people(2, zone=zone)
    )
    for _ in range(4 * DAYS):
        await jump(database, workspace, world)
        await send()
    first, last = HOURS[window]
    local = [datetime.fromisoformat(letter.at).astimezone(ZoneInfo(zone)) for letter in post.letters()]
    assert all(first <= at.time() < last for at in local), local
    for person in ("p0@", "p1@"):
        days = [
            at.date()
            for at, letter in zip(local, post.letters(), strict=True)
            if letter.recipient.startswith(person)
        ]
        assert days == [turning + n * DAY for n in range(-3, DAYS - 3)]
