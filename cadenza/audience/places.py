"""Countries, languages and time zones in the words that people write, as ISO 3166-1, ISO 639-1 and IANA codes."""

import unicodedata
from functools import cache, lru_cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global

_NAMES_IN = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "nl",
    "pt",
    "pl",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "hu",
    "ro",
    "tr",
    "ja",
)
# Codes in the data that name no country, islands that only have a reserved code, and two where nobody lives.
_NO_COUNTRIES = frozenset(
    {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA", "BV", "HM"}
)

_COUNTRY_WORDS = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "grossbritannien": "GB", "gbr": "GB", "usa": "US", "u s": "US", "u s a": "US", "america": "US", "united states of america": "US",
    "amerika": "US", "brd": "DE", "d": "DE", "deu": "DE", "ger": "DE", "federal republic of germany": "DE", "a": "AT", "aut": "AT",
    "ch": "CH", "che": "CH", "suisse": "CH", "f": "FR", "fra": "FR", "holland": "NL", "nld": "NL", "the netherlands": "NL",
    "i": "IT", "ita": "IT", "e": "ES", "esp": "ES", "bel": "BE", "pol": "PL", "prt": "PT", "swe": "SE", "nor": "NO", "dnk": "DK",
    "fin": "FI", "irl": "IE", "republic of ireland": "IE", "lux": "LU", "cze": "CZ", "czech republic": "CZ", "svk": "SK",
    "hun": "HU", "rou": "RO", "grc": "GR", "can": "CA", "aus": "AU", "nzl": "NZ", "jpn": "JP", "chn": "CN", "ind": "IN",
    "bra": "BR", "mex": "MX", "zaf": "ZA", "uae": "AE", "korea": "KR", "south korea": "KR", "russian federation": "RU",
    "hong kong": "HK", "taiwan": "TW", "turkey": "TR", "ivory coast": "CI",
}  # fmt: skip
_LANGUAGE_WORDS = {
    "eng": "en", "ger": "de", "deu": "de", "fre": "fr", "fra": "fr", "spa": "es", "ita": "it", "dut": "nl", "nld": "nl",
    "por": "pt", "pol": "pl", "swe": "sv", "dan": "da", "nor": "no", "fin": "fi", "cze": "cs", "ces": "cs", "hun": "hu",
    "jpn": "ja", "chi": "zh", "zho": "zh", "rus": "ru", "tur": "tr", "mandarin": "zh", "flemish": "nl",
}  # fmt: skip

# Countries with several zones, each with the one in which most of their people live.
_MOST_PEOPLE = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto",
    "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "EC": "America/Guayaquil", "ES": "Europe/Madrid", "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa", "KZ": "Asia/Almaty", "MH": "Pacific/Majuro", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti", "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv", "UM": "Pacific/Wake",
    "US": "America/New_York", "UZ": "Asia/Tashkent", "VN": "Asia/Ho_Chi_Minh",
    "XK": "Europe/Belgrade",
}  # fmt: skip


# Letters that Unicode does not take apart into a plain one and an accent.
_WITHOUT_STROKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"})


def plain_words(text: str) -> str:
    """Small letters without accents; everything but letters and digits is one space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(kept.split())


def spellings(text: str) -> tuple[str, ...]:
    """A text in small letters as it may be typed: as it is, with ``ae`` for ``ä`` and its like, and without accents."""
    small = unicodedata.normalize("NFC", text.casefold())
    plain = unicodedata.normalize("NFKD", small.translate(_WITHOUT_STROKE))
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(dict.fromkeys((small, small.translate(_TWO_LETTERS), bare)))


@lru_cache(maxsize=4096)
def country_of(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a code or of a name in one of seventeen languages; None when unknown."""
    code = text.strip().upper()
    if code in _country_codes():
        return code
    return _countries().get(plain_words(text))


@lru_cache(maxsize=4096)
def language_of(text: str) -> str | None:
    """The ISO 639-1 code of a code (``de``, ``de-AT``) or a name; None when unknown."""
    code = text.strip().lower().replace("_", "-").partition("-")[0]
    if code in _language_codes():
        return code
    words = plain_words(text)
    return _LANGUAGE_WORDS.get(words) or _languages().get(words)


def timezone_of(text: str) -> str | None:
    """The IANA name of a zone written in any case or as Windows names it; None when unknown."""
    return _zone_names().get(text.strip().casefold().replace(" ", "_"))


@lru_cache(maxsize=1024)
def zone_of(country: str | None) -> str | None:
    """The zone in which most people of a country live; None for an unknown country."""
    if country is None:
        return None
    zones = get_global("territory_zones").get(country, ())
    chosen = _MOST_PEOPLE.get(country) or (zones[0] if zones else None)
    return chosen if chosen in available_zones() else None


def clock_of(stored: str | None, country: str | None, company_country: str | None) -> str:
    """A person's time zone: their own, else their country's, else their company's, else UTC.

    Never one that this machine does not know: zone data changes, and one row must not stop the others.
    """
    known = stored if stored in available_zones() else None
    return known or zone_of(country) or zone_of(company_country) or "UTC"


def country_of_zone(zone: str) -> str | None:
    """The country that a zone lies in: what tells holidays when a contact has a zone and no country."""
    names = _zone_countries()
    return names.get(zone) or names.get(get_global("zone_aliases").get(zone, ""))


@cache
def available_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _country_codes() -> frozenset[str]:
    return (
        frozenset(c for c in map(str, Locale("en").territories) if len(c) == 2 and c.isalpha())
        - _NO_COUNTRIES
    )


@cache
def _countries() -> dict[str, str]:
    codes = _country_codes()
    names = {
        plain_words(name): code
        for language in reversed(_NAMES_IN)
        for code, name in Locale(language).territories.items()
        if code in codes
    }
    return names | _COUNTRY_WORDS


@cache
def _language_codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").languages) if len(code) == 2)


@cache
def _languages() -> dict[str, str]:
    codes = _language_codes()
    names = {
        plain_words(name): code
        for language in reversed(_NAMES_IN)
        for code, name in Locale(language).languages.items()
        if code in codes
    }
    own = {plain_words(Locale(code).languages.get(code, code)): code for code in _NAMES_IN}
    return names | own


@cache
def _zone_names() -> dict[str, str]:
    windows = {k.casefold().replace(" ", "_"): v for k, v in get_global("windows_zone_mapping").items()}
    return {**windows, **{name.casefold(): name for name in available_zones()}}


@cache
def _zone_countries() -> dict[str, str]:
    return {zone: country for country, zone in _MOST_PEOPLE.items()} | dict(get_global("zone_territories"))
