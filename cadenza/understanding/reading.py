"""Everything that is found in one reply before it is labelled; computed once."""

import re
from dataclasses import dataclass
from datetime import date, tzinfo

from cadenza.understanding import cues
from cadenza.understanding.calendar_tokens import Token, tokenize
from cadenza.understanding.contracts import Reply
from cadenza.understanding.greeting import greeted
from cadenza.understanding.language import detect_language
from cadenza.understanding.people import FoundPerson, find_people
from cadenza.understanding.return_dates import Found, come_back_in
from cadenza.understanding.slots import Slot, find_slots
from cadenza.understanding.text import NewText, extract, plain_text
from cadenza.understanding.zones import named_zone, sender_zone, writes_month_first


@dataclass(frozen=True, slots=True)
class Reading:
    """``today`` is the day of receipt in the sender's zone; None when the time is not known."""

    reply: Reply
    new: NewText
    text: str
    language: str | None
    today: date | None
    zone: tzinfo | None
    marks: dict[str, list[cues.Span]]
    people: tuple[FoundPerson, ...]
    slots: tuple[Slot, ...]
    come_back: Found | None

    def has(self, name: str) -> bool:
        return bool(self.marks[name])


def read(reply: Reply) -> Reading:
    new = extract(reply.raw_body, reply.from_name)
    text = new.text or ""
    thread = [message.text for message in reply.thread]
    context = [plain_text(reply.subject), *thread, new.history[:500]]
    language = detect_language(text, context) if text else None
    spoken = language or "en"
    american = spoken == "en" and writes_month_first(reply.from_email, reply.received_at)
    above = greeted(text)
    tokens = [t for t in tokenize(text, spoken, american=american) if t.start >= above]
    zone = _zone(reply, new, tokens)
    today = reply.received_at.astimezone(zone).date() if reply.received_at and zone else None
    marks = {name: cues.spans(name, text, spoken) for name in cues.NAMES}
    return Reading(
        reply=reply,
        new=new,
        text=text,
        language=language,
        today=today,
        zone=zone,
        marks=marks,
        people=tuple(find_people(text, sender=reply.from_email, region=_region(reply.from_email))),
        slots=_offers(text, find_slots(text, tokens, today), marks) if today else (),
        come_back=come_back_in(text, tokens, today) if today else None,
    )


_BY = re.compile(
    r"\b(?:by|before|until|till|bis(?: zum)?|vor|avant|d['’]ici(?: à)?|para|antes (?:de|del|das?)|entro|prima (?:di|del)|até|voor|до|к)\s*$",
    re.IGNORECASE,
)


def _offers(text: str, slots: list[Slot], marks: dict[str, list[cues.Span]]) -> tuple[Slot, ...]:
    """Without those that say by when something shall be sent: "the brochure by Thursday at 3pm" is no meeting."""
    wanted = cues.inside(text, marks["information"], without=marks["meeting"])
    return tuple(
        slot
        for slot in slots
        if not (_BY.search(text[: slot.start]) and any(start <= slot.start < end for start, end in wanted))
    )


def _zone(reply: Reply, new: NewText, tokens: list[Token]) -> tzinfo | None:
    """The zone named, else that of our last offer, else the sender's, else the offset of receipt."""
    if reply.received_at is None:
        return None
    for token in tokens:
        named = named_zone(token.word) if token.sign == "Z" else None
        if named:
            return named
    return offer_zone(reply) or sender_zone(reply.from_email, new.signature, reply.received_at)


def offer_zone(reply: Reply) -> tzinfo | None:
    """The zone that our last message with a named zone used."""
    for message in reversed(reply.thread):
        if message.by == "us":
            zones = [named_zone(token.word) for token in tokenize(message.text, "en") if token.sign == "Z"]
            known = [zone for zone in zones if zone is not None]
            if known:
                return known[-1]
    return None


def _region(address: str) -> str | None:
    country = address.rpartition(".")[2].upper()
    return {"UK": "GB"}.get(country, country) if len(country) == 2 else None
