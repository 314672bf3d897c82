"""Times of the year that move how people respond, by country and industry, from the data files of this room.

Each entry names its source. The files are checked when they are first read: an entry that lacks something is refused by
its name, so that a mistake in them is found by the first test and not by a recipient.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from cadenza.core.errors import CadenzaError
from cadenza.timing.contracts import DatedEvent, Quiet

_DATA = Path(__file__).parent / "data"
_UNION = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
_LEAD = 28  # days before a deadline on which people think of it
_YEAR_END = 10  # days
_BUDGET = (120, 30)  # days before the end of the fiscal year
_KEYS = frozenset({"kind", "name", "countries", "regions", "industries", "from", "to", "on", "yearly", "ends", "lead", "source"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A span of days of a kind; ``begin`` and ``end`` are dates, or (month, day) for every year."""

    kind: str
    name: str
    begin: date | tuple[int, int]
    end: date | tuple[int, int]
    source: str
    countries: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    industries: frozenset[str] | None = None

    def concerns(self, country: str | None, region: str | None, industry: str | None) -> bool:
        return all(
            wanted is None or found in wanted
            for wanted, found in (
                (self.countries, country),
                (self.regions, region),
                (self.industries, industry),
            )
        )

    def in_year(self, year: int) -> tuple[date, date]:
        """Where it lies in that year; a span over New Year belongs to the year in which it begins."""
        if isinstance(self.begin, date) and isinstance(self.end, date):
            return self.begin, self.end
        (month, day), (last_month, last_day) = _pair(self.begin), _pair(self.end)
        over = (last_month, last_day) < (month, day)
        return date(year, month, day), date(year + over, last_month, last_day)


def calendar_events(
    country: str | None, region: str | None, industry: str | None, first: date, last: date
) -> tuple[DatedEvent, ...]:
    """What the calendars say for a person from ``first`` to ``last``, in order. Names of industries are compared in lower case.

    The factor is None: what a kind does is assumed by ``assumed_factor`` and then learned.
    """
    found = _events(_code(country), _code(region), _word(industry), first.year, last.year)
    return tuple(event for event in found if event.start <= last and event.end >= first)


def assumed_factor(kind: str) -> float:
    """What a kind is assumed to do to the odds of a response; 1 for one that is not known."""
    return float(_kinds().get(kind, {}).get("factor", 1.0))


@cache
def quiet_rules() -> tuple[Quiet, ...]:
    """The kinds around which nobody is written to."""
    return tuple(
        Quiet(kind, **said["quiet"]) for kind, said in _kinds().items() if said.get("quiet") is not None
    )


@lru_cache(maxsize=4096)
def _events(
    country: str | None, region: str | None, industry: str | None, first: int, last: int
) -> tuple[DatedEvent, ...]:
    found = {
        DatedEvent(entry.kind, *entry.in_year(year), source=f"{entry.name} ({entry.source})")
        for entry in entries()
        if entry.concerns(country, region, industry)
        for year in range(first - 1, last + 2)
    }
    return tuple(sorted(found, key=lambda event: (event.start, event.end, event.kind, event.source)))


@cache
def entries() -> tuple[Entry, ...]:
    """All entries of all files, checked."""
    found = [*map(_vacation, _read("vacations")), *map(_industry, _read("industries"))]
    found += [entry for said in _read("fiscal") for entry in _fiscal(said)]
    found += [_deadline(said) for said in _read("deadlines")]
    return tuple(found)


def _vacation(said: Mapping[str, Any]) -> Entry:
    return _entry(said, "vacation_season", _day(said["from"]), _day(said["to"]))


def _industry(said: Mapping[str, Any]) -> Entry:
    return _entry(said, said["kind"], _day(said["from"]), _day(said["to"]))


def _fiscal(said: Mapping[str, Any]) -> Iterator[Entry]:
    yield _entry(said, "fiscal_year_end", _before(said["ends"], _YEAR_END), _day(said["ends"]))
    yield _entry(said, "budget_season", *(_before(said["ends"], days) for days in _BUDGET))


def _deadline(said: Mapping[str, Any]) -> Entry:
    lead = said.get("lead", _LEAD)
    if (on := said.get("on")) is not None:
        return _entry(said, "regulatory_deadline", on - timedelta(days=lead), on)
    return _entry(said, "regulatory_deadline", _before(said["yearly"], lead), _day(said["yearly"]))


def _entry(
    said: Mapping[str, Any], kind: str, begin: date | tuple[int, int], end: date | tuple[int, int]
) -> Entry:
    countries = _names(said, "countries")
    if countries is not None and "EU" in countries:
        countries = countries - {"EU"} | _UNION
    return Entry(
        kind,
        said["name"],
        begin,
        end,
        said["source"],
        countries,
        _names(said, "regions"),
        _names(said, "industries"),
    )


def _names(said: Mapping[str, Any], key: str) -> frozenset[str] | None:
    return frozenset(said[key]) if key in said else None


def _day(said: date | str) -> date | tuple[int, int]:
    if isinstance(said, date):
        return said
    month, day = said.split("-")
    return int(month), int(day)


def _before(said: str, days: int) -> tuple[int, int]:
    """Month and day so many days earlier; counted in a year without 29 February."""
    day = date(2025, *_pair(_day(said))) - timedelta(days=days)
    return day.month, day.day


def _pair(day: date | tuple[int, int]) -> tuple[int, int]:
    return (day.month, day.day) if isinstance(day, date) else day


def _read(name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = _load(name)
    for said in found:
        if wrong := _wrong(said):
            raise CadenzaError(
                "calendar_invalid",
                f"{name}.yaml, entry {said.get('name', '?')!r}: {wrong}.",
                fix="Each entry has a name, a source, countries or industries, and from and to, on, yearly or ends.",
            )
    return found


def _wrong(said: Mapping[str, Any]) -> str:
    if unknown := said.keys() - _KEYS:
        return f"unknown key {min(unknown)}"
    if not said.get("name") or not said.get("source"):
        return "name or source is missing"
    if "countries" not in said and "industries" not in said:
        return "it concerns nobody"
    if {"from", "to"} <= said.keys() or {"on", "yearly", "ends"} & said.keys():
        return ""
    return "it has no days"


@cache
def _kinds() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = _load("kinds")
    return found


def _load(name: str) -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only deciding reads it

    return YAML(typ="safe", pure=True).load(_DATA / f"{name}.yaml")


def _code(said: str | None) -> str | None:
    return said.upper() if said else None


def _word(said: str | None) -> str | None:
    return said.strip().lower().replace(" ", "_") if said else None
