"""Absence notes: the sequence waits until the first working day after the return."""

from datetime import date, timedelta

from cadenza.core.unit import Unit
from cadenza.engine.service import hold_until
from cadenza.inbox.detection import Detection
from cadenza.inbox.matching import Match
from cadenza.timing.contracts import Window
from cadenza.timing.service import first_working_day_after, opening

_UNSAID = timedelta(days=7)  # a note that names no date is taken to be over within a week
_LONGEST = timedelta(days=400)  # beyond it the date was misread


async def take_absence(unit: Unit, detection: Detection, found: Match) -> None:
    """Hold this person's sequences; the day after their first day back, in their zone, they go on."""
    if found.contact_id is None:
        return
    today = unit.world.now().date()
    back = _return_date(detection) or today + _UNSAID
    if not today - timedelta(days=1) <= back <= today + _LONGEST:
        back = today + _UNSAID
    country = found.person.country if found.person else None
    zone = found.person.timezone if found.person else "UTC"
    window = Window()
    day = first_working_day_after(back, window, country)
    why = f"away until {back.isoformat()}" if _return_date(detection) else "away, no date given"
    await hold_until(unit, found.contact_id, opening(day, window, zone, country), why)


def _return_date(detection: Detection) -> date | None:
    said = detection.auto.return_date if detection.auto else None
    return date.fromisoformat(said) if said else None
