"""A sender's working hours as people write them."""

import re
from collections.abc import Iterable
from datetime import time

from cadenza.core.errors import CadenzaError, Problem
from cadenza.timing.contracts import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WHOLE = re.compile(r"(?P<days>[a-z,-]+) (?P<start>\d\d?:\d\d)-(?P<end>\d\d:\d\d) (?P<zone>\S+)")


def hours_of(days: Iterable[int], start: str, end: str, zone: str) -> Window:
    """ISO weekdays, times as ``09:00`` or ``9:00`` (the end may be ``24:00``) and an IANA zone; what cannot be read is told by its field."""
    opens, closes = _time(start, "hours.from"), _time(end, "hours.to")
    return Window(frozenset(days), opens, closes, zone.strip(), holidays=False)


def _time(words: str, key: str) -> time:
    if words == "24:00" and key == "hours.to":
        return time.max
    found = _TIME.fullmatch(words.strip())
    if found is None:
        raise _refused("Write a time of day as 08:30.", key)
    return time(int(found[1]), int(found[2]))


def read_hours_text(words: str) -> Window:
    """``mon-fri 09:00-17:00 Europe/Berlin``, as the command line takes them. Raises ``CadenzaError``."""
    found = _WHOLE.fullmatch(words.strip())
    if found is None:
        raise _refused("Write hours as: mon-fri 09:00-17:00 Europe/Berlin", "hours")
    days = [day for part in found["days"].split(",") for day in _range(part)]
    return hours_of(days, found["start"], found["end"], found["zone"])


def _range(words: str) -> range:
    first, _, last = words.partition("-")
    if first not in DAYS or (last or first) not in DAYS or DAYS.index(last or first) < DAYS.index(first):
        raise _refused(
            "The days are mon, tue, wed, thu, fri, sat, sun, and ranges such as mon-fri.", "hours.days"
        )
    return range(DAYS.index(first) + 1, DAYS.index(last or first) + 2)


def hours_text(hours: Window) -> str:
    """The other way of ``read_hours_text``."""
    end = "24:00" if hours.end == time.max else f"{hours.end:%H:%M}"
    return f"{','.join(DAYS[d - 1] for d in sorted(hours.days))} {hours.start:%H:%M}-{end} {hours.zone}"


def _refused(message: str, key: str) -> CadenzaError:
    problem = Problem(message, key=key)
    return CadenzaError(
        "hours_invalid", "These are no working hours; nothing was changed.", fix=message, problems=(problem,)
    )
