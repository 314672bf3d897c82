"""What one person would get, laid out as weeks of a calendar in that person's own zone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from cadenza.audience.contracts import Recipient
from cadenza.campaigns.contracts import Definition
from cadenza.engine.contracts import PlannedTouch
from cadenza.timing.service import is_working_day

_MOST_WEEKS = 12  # a plan that reaches further is told by its list


@dataclass(frozen=True, slots=True)
class PlanDay:
    """``free``: nothing leaves on it, because it is a holiday there or no day of the campaign's window."""

    on: date
    free: bool
    planned: tuple[PlannedTouch, ...]


@dataclass(frozen=True, slots=True)
class PlanCalendar:
    """Whole weeks from Monday to Sunday; ``cut`` when the plan goes on after the last one."""

    weeks: tuple[tuple[PlanDay, ...], ...]
    zone: str
    cut: bool


def plan_calendar(
    plan: Sequence[PlannedTouch], person: Recipient, definition: Definition
) -> PlanCalendar | None:
    """The weeks in which something is planned and those between them; None where nothing is."""
    if not plan:
        return None
    zone = definition.window.zone or person.timezone
    by_day: dict[date, list[PlannedTouch]] = defaultdict(list)
    for each in plan:
        by_day[each.at.astimezone(ZoneInfo(zone)).date()].append(each)
    monday = min(by_day) - timedelta(days=min(by_day).weekday())
    wanted = (max(by_day) - monday).days // 7 + 1
    weeks = [
        tuple(_day(monday + timedelta(days=7 * week + day), by_day, person, definition) for day in range(7))
        for week in range(min(wanted, _MOST_WEEKS))
    ]
    return PlanCalendar(tuple(weeks), zone, cut=wanted > _MOST_WEEKS)


def _day(
    on: date, by_day: dict[date, list[PlannedTouch]], person: Recipient, definition: Definition
) -> PlanDay:
    free = not is_working_day(on, definition.window, person.country)
    return PlanDay(on, free, tuple(by_day.get(on, ())))
