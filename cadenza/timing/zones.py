"""Which zone a person lives in, guessed from what a list says about them; the ground of the guess comes with it.

The clues are asked in the order of how near they are to the person: their own address, the area of their number, the
company's address, the country of the mail domain. Within one, an exact zone beats the main zone of a wide country.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from cadenza.timing.contracts import ZoneClues, ZoneGuess

_DATA = Path(__file__).parent / "data" / "zones.yaml"
_UNKNOWN = ZoneGuess("UTC", "nothing says where this person is", 0.0)
_WORLDWIDE = frozenset({"ai", "am", "bz", "cc", "cd", "co", "fm", "gg", "io", "la", "ly", "me", "sh", "so", "to", "tv", "vc", "ws", "eu"})  # fmt: skip
"""Country codes that companies everywhere take for their sound, and the union's, which names no country."""
_CODES = {"uk": "GB"}
_WIDE = 0.5  # how much a guess loses when the country has several zones and its main one is taken


def guess_zone(clues: ZoneClues) -> ZoneGuess:
    """The best guess; UTC with certainty 0 when nothing is known. Unknown countries and unreadable numbers are no clues."""
    guesses = [guess for ask in _CLUES if (guess := ask(clues))]
    return max(guesses, key=lambda guess: guess.certainty, default=_UNKNOWN)


def _address(clues: ZoneClues) -> ZoneGuess | None:
    return _place(clues.country, clues.region, "the address", 0.95)


def _company(clues: ZoneClues) -> ZoneGuess | None:
    return _place(clues.company_country, clues.company_region, "the company's address", 0.8)


def _mail(clues: ZoneClues) -> ZoneGuess | None:
    ending = (clues.email or "").rpartition(".")[2].lower()
    if len(ending) != 2 or ending in _WORLDWIDE:
        return None
    return _place(_CODES.get(ending, ending), None, f"the mail domain .{ending}", 0.6)


def _phone(clues: ZoneClues) -> ZoneGuess | None:
    """A number's area, where its plan has areas. Mobile numbers of a country with one zone are as good."""
    if not clues.phone:
        return None
    import phonenumbers  # noqa: PLC0415 - the areas of all numbers are read at the first question
    from phonenumbers import timezone  # noqa: PLC0415

    try:
        number = phonenumbers.parse(clues.phone)
    except phonenumbers.NumberParseException:
        return None
    country = phonenumbers.region_code_for_number(number)
    zones = timezone.time_zones_for_number(number)
    if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE:
        return ZoneGuess(zones[0], f"the telephone number (+{number.country_code})", 0.9, country)
    return _place(country, None, "the telephone number", 0.85)


_CLUES: tuple[Callable[[ZoneClues], ZoneGuess | None], ...] = (_address, _phone, _company, _mail)


def _place(country: str | None, region: str | None, ground: str, certainty: float) -> ZoneGuess | None:
    code = (country or "").upper()
    wide = _wide_countries().get(code)
    if wide is None:
        zone = _single_zones().get(code)
        return ZoneGuess(zone, f"{ground}: {code}", certainty, code) if zone else None
    if region and (zone := wide.get("regions", {}).get(region.upper())):
        return ZoneGuess(zone, f"{ground}: {code}-{region.upper()}", certainty, code)
    return ZoneGuess(
        wide["main"], f"{ground}: {code}, where most people have this zone", certainty * _WIDE, code
    )


@cache
def _wide_countries() -> Mapping[str, Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only guessing reads it

    found: Mapping[str, Any] = YAML(typ="safe", pure=True).load(_DATA)
    return found


@cache
def _single_zones() -> Mapping[str, str]:
    """The first zone of each country in the IANA database's own table, where the most people live."""
    found: dict[str, str] = {}
    for line in (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, zone)
    return found
