"""The people of a world, drawn one by one: the same seed gives the same people."""

import csv
import io
import itertools
import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import get_global
from ruamel.yaml import YAML

from cadenza.sandbox.contracts import Person, Segment, World

_ACCOUNT_SIZE = 3  # people
# Blocks that the Federal Network Agency keeps for films (Rufnummern für Medienproduktionen); the first hundred are our own.
_NOBODYS = ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998")
_OURS = 100
_NAME_TRIES = 5
_CULTURES = {"DE": "de", "AT": "de", "CH": "de", "FR": "fr", "BE": "fr", "US": "us", "CA": "us"}
_FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "å": "a"})
_SHAPES = ("{first}.{last}", "{first}.{last}", "{initial}.{last}", "{first}", "{last}", "{first}-{last}")


@cache
def _words() -> Mapping[str, Any]:
    path = Path(__file__).parent / "data" / "names.yaml"
    words: Mapping[str, Any] = YAML(typ="safe", pure=True).load(path)
    return words


def people(world: World) -> tuple[Person, ...]:
    """Everybody, segment by segment. Nobody shares an address."""
    found: list[Person] = []
    taken: set[str] = set()
    domains: set[str] = set()
    for segment in world.segments:
        account: Mapping[str, Any] = {}
        for number in range(segment.size):
            if number % _ACCOUNT_SIZE == 0:
                place = random.Random(f"{world.seed}|account|{segment.name}|{number // _ACCOUNT_SIZE}")
                account = _account(place, segment, domains)
            luck = random.Random(f"{world.seed}|person|{segment.name}|{number}")
            found.append(_person(luck, segment, account, len(found), taken))
    return tuple(found)


def newcomer(world: World, email: str) -> Person:
    """Somebody whom a user brought along: at a domain that no company of the world has, alive, and like the first segment.

    The same address is the same person after a restart.
    """
    luck = random.Random(f"{world.seed}|newcomer|{email}")
    local, _, domain = email.partition("@")
    segment = world.segments[0]
    zone = pick(luck, segment.timezones)
    names = [part.title() for part in re.split(r"[^a-z]+", folded(local.partition("+")[0])) if part] or [
        "Sam"
    ]
    return Person(
        number=luck.getrandbits(40),  # above everybody of the world
        first_name=names[0],
        last_name=names[-1] if len(names) > 1 else "",
        title="",
        email=email,
        company=domain.partition(".")[0].title(),
        domain=domain,
        country=country_of(zone),
        timezone=zone,
        language=pick(luck, segment.languages),
        industry="",
        company_size=0,
        segment=segment.name,
        warmth=luck.gauss(segment.warmth_mean, segment.warmth_sigma),
        personal_hour=None,
        dead=False,
    )


def pick(luck: random.Random, shares: Mapping[str, float]) -> str:
    return luck.choices(list(shares), weights=list(shares.values()))[0]


def _account(luck: random.Random, segment: Segment, domains: set[str]) -> Mapping[str, Any]:
    """What colleagues have in common."""
    words = _words()
    zone = pick(luck, segment.timezones)
    attributes = {key: pick(luck, shares) for key, shares in segment.attributes.items()}
    country = attributes.get("country") or country_of(zone)
    culture = _CULTURES.get(country, "en")
    trade = words["trade"].get(attributes.get("industry", ""), words["trade"]["other"])[culture]
    name = luck.choice(words["company"][culture])
    domain = f"{folded(name)}-{folded(trade)}.example"
    for number in itertools.count():
        if domain not in domains:
            break
        name = f"{luck.choice(words['company'][culture])} {luck.choice(words['last'][culture])}"
        if number >= _NAME_TRIES:  # a world may have more companies than there are names
            name += f" {len(domains)}"
        domain = f"{folded(name)}-{folded(trade)}.example"
    domains.add(domain)
    suffix = luck.choice(words["suffix"].get(country, words["suffix"]["other"]))
    return {
        "company": f"{name} {trade} {suffix}",
        "domain": domain,
        "country": country,
        "timezone": zone,
        "industry": attributes.get("industry", ""),
        "company_size": _size(attributes.get("company_size", "0")),
        "shape": luck.choice(_SHAPES),
    }


def _size(told: str) -> int:
    """People in the company; a world may also say it in words, which make no number."""
    return int(told) if told.isdecimal() else 0


def _person(
    luck: random.Random, segment: Segment, account: Mapping[str, Any], number: int, taken: set[str]
) -> Person:
    culture = _CULTURES.get(account["country"], "en")
    words = _words()
    first, last = luck.choice(words["first"][culture]), luck.choice(words["last"][culture])
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        title=luck.choice(words["title"][culture]),
        email=_address(first, last, account, taken),
        language=pick(luck, segment.languages),
        segment=segment.name,
        warmth=luck.gauss(segment.warmth_mean, segment.warmth_sigma),
        personal_hour=luck.randrange(7, 20) if luck.random() < segment.personal_hours else None,
        dead=luck.random() < segment.channels.get("email", {}).get("hard_bounce", 0.0),
        **{key: value for key, value in account.items() if key != "shape"},
    )


def _address(first: str, last: str, account: Mapping[str, Any], taken: set[str]) -> str:
    """In the shape of the company; namesakes get another one."""
    parts = {"first": folded(first), "last": folded(last), "initial": folded(first)[0]}
    shapes: Sequence[str] = (
        account["shape"],
        "{first}.{last}",
        *(f"{{first}}.{{last}}{n}" for n in range(2, 99)),
    )
    addresses = (f"{shape.format(**parts)}@{account['domain']}" for shape in shapes)
    email = next(address for address in addresses if address not in taken)
    taken.add(email)
    return email


def country_of(zone: str) -> str:
    return str(get_global("zone_territories").get(zone, "GB"))


def folded(text: str) -> str:
    """Letters and digits for an address."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_FOLDED))
    return re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode()).strip("-")


def profile_of(person: Person) -> str:
    """The public name of their profile; namesakes have one each."""
    return f"{folded(person.name)}-{person.number}"


def number_of(person: Person) -> str:
    """A number that belongs to nobody (E.164); none for those of a large world for whom there is none left."""
    block, place = divmod(person.number + _OURS, 1000)
    return f"{_NOBODYS[block]}{place:03}" if block < len(_NOBODYS) else ""


def contacts_csv(everybody: Sequence[Person]) -> str:
    """What a list provider would sell about these people: nothing of how they behave."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["Email", "First name", "Last name", "Job title", "Company", "Website", "Country", "Language", "Time zone", "Industry", "Employees", "LinkedIn", "Phone"]
    )  # fmt: skip
    for p in everybody:
        website = f"https://www.{p.domain}"
        writer.writerow(
            [p.email, p.first_name, p.last_name, p.title, p.company, website, p.country, p.language, p.timezone, p.industry, p.company_size or "", f"https://www.linkedin.com/in/{profile_of(p)}", number_of(p)]
        )  # fmt: skip
    return out.getvalue()
