"""What an assistant may ask about people, and what it may do: stop writing to one, propose a change to many."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cadenza.audience.bulk import NEEDS, UNDO_FOR, Whom, change_many
from cadenza.audience.contracts import BulkKind, SuppressionKind, SuppressionReason
from cadenza.audience.endpoints import meant
from cadenza.audience.filter_pages import Asked
from cadenza.audience.segment_rules import EVERYBODY
from cadenza.audience.service import contact, contacts, known_as, segments
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Action
from cadenza.identity.service import authorize
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import propose, timeline
from cadenza.web.tools import (
    Call,
    Does,
    Given,
    Limit,
    Outside,
    PageNumber,
    Part,
    Proposed,
    Reason,
    Told,
    Toolbox,
    listed,
)

TOOLS = Toolbox()

Condition = Annotated[str, Field(max_length=600)]


class People(Given):
    """Conditions are FIELD|OPERATOR|VALUE, such as country|is|DE, AT; a segment stands in place of conditions."""

    q: Annotated[str, Field(max_length=200, description="Beginnings of words of name, company, address")] = ""
    match: Annotated[str, Field(pattern="^(all|any)$", description="Whether all conditions hold, or any")] = (
        "all"
    )
    f: list[Condition] = Field(default_factory=list, max_length=20, description="Conditions")
    segment_id: UUID | None = None

    @property
    def asked(self) -> Asked:
        return Asked(self.q, self.match, tuple(self.f), self.segment_id)


class PeopleAsked(People):
    page: PageNumber = 1
    limit: Limit = 20


class OnePerson(Given):
    contact_id: UUID


class TimelineAsked(OnePerson):
    limit: Limit = 30


class NothingAsked(Given):
    """No arguments."""


class StopAsked(OnePerson):
    reason: Reason


class ChangeAsked(People):
    kind: BulkKind
    field: Annotated[
        str, Field(max_length=100, description="Of the workspace's own fields, for set_field")
    ] = ""
    value: Annotated[str, Field(max_length=500)] = ""
    reason: Reason


class StopTold(Told):
    kind: SuppressionKind
    reason: SuppressionReason
    source: Outside
    at: datetime


class CompanyTold(Told):
    id: UUID
    name: Outside
    domain: Outside | None
    industry: Outside | None


class PersonTold(Told):
    id: UUID
    name: Outside
    title: Outside | None
    language: str | None
    country: str | None
    timezone: str
    email: Outside | None
    account: CompanyTold | None
    suppressions: list[StopTold]


class PersonWhole(PersonTold):
    phone_e164: str | None
    linkedin_url: Outside | None
    website: Outside | None
    custom: Outside
    created_at: datetime


class PeopleTold(Told):
    """``at_least`` says that ``total`` is where counting stopped; ``more`` that there is another page."""

    contacts: list[PersonTold]
    page: int
    more: bool
    total: int
    at_least: bool


class EventTold(Told):
    id: UUID
    kind: EventKind
    at: datetime
    campaign_id: UUID | None
    step: str | None
    variant: str | None
    touch_id: UUID | None
    machine: bool
    data: Outside


class SegmentTold(Told):
    id: UUID
    name: Outside
    people: int | None
    wrong: Outside


class StoppedTold(Told):
    """``take_back_until``: whoever may lift stops can take it back on that page until then, with a reason."""

    contact_id: UUID
    stopped: bool
    take_back_until: datetime
    take_back_at: str


@TOOLS.add(Does.READS, Action.READ, "Find contacts")
async def find_contacts(call: Call, given: PeopleAsked) -> PeopleTold:
    """People who fit a search, conditions or a segment, newest first, in pages."""
    chosen = await meant(call.unit, call.actor, given.asked)
    found = await contacts(
        call.unit,
        call.actor,
        given.q,
        rule=chosen.rule,
        page=given.page,
        size=given.limit,
        custom=chosen.custom,
    )
    return PeopleTold.model_validate(found)


@TOOLS.add(Does.READS, Action.READ, "One contact")
async def read_contact(call: Call, given: OnePerson) -> PersonWhole:
    """One person with company, own fields, and every stop that holds for them."""
    return PersonWhole.model_validate(await contact(call.unit, call.actor, given.contact_id))


@TOOLS.add(Does.READS, Action.READ, "A contact's timeline")
async def read_timeline(call: Call, given: TimelineAsked) -> Part[EventTold]:
    """What happened to one person over all campaigns, newest first; at most 50 events."""
    person = await contact(call.unit, call.actor, given.contact_id)
    also = await known_as(call.unit, [person.id])
    found = await timeline(call.unit, contact_id=person.id, also=also, limit=given.limit)
    return listed(found, EventTold)


@TOOLS.add(Does.READS, Action.READ, "Segments")
async def list_segments(call: Call, given: NothingAsked) -> Part[SegmentTold]:  # noqa: ARG001 - of every tool
    """Saved filters by name, each with how many people are in it now."""
    return listed(await segments(call.unit, call.actor), SegmentTold)


@TOOLS.add(Does.ACTS, Action.SUPPRESS, "Stop writing to a contact")
async def stop_contact(call: Call, given: StopAsked) -> StoppedTold:
    """Nobody here writes to this person again, on any channel; at once. Use it when they ask for it. Who may lift stops can take it back within a day."""
    authorize(call.actor, Action.SUPPRESS)
    person = await contact(call.unit, call.actor, given.contact_id)
    made = await change_many(call.unit, call.actor, BulkKind.STOP, Whom(EVERYBODY, ids=(person.id,)))
    return StoppedTold(
        contact_id=person.id,
        stopped=True,
        take_back_until=made.at + UNDO_FOR,
        take_back_at=call.address("/contacts"),
    )


@TOOLS.add(Does.PROPOSES, Action.EDIT_CONTACTS, "Propose a change to many contacts")
async def propose_bulk_change(call: Call, given: ChangeAsked) -> Proposed:
    """Propose to stop, set a field of, or remove everybody who fits. Nobody is changed: a person opens the list of these people and does it, or not."""
    authorize(call.actor, NEEDS[given.kind])
    if not (given.q or given.f or given.segment_id):
        raise CadenzaError(
            "nobody_chosen", "It is not clear who is meant.", fix="Give a search, conditions or a segment."
        )
    chosen = await meant(call.unit, call.actor, given.asked)
    found = await contacts(call.unit, call.actor, given.q, rule=chosen.rule, size=1, custom=chosen.custom)
    people = f"{'more than ' if found.at_least else ''}{found.total} people"
    address = given.asked.address()
    await propose(
        call.unit, call.actor, title=f"{_words(given)} {people}", detail=given.reason, address=address
    )
    return Proposed(
        done=f"Proposed to the team; {people} fit now. Nobody was changed.",
        approve_at=call.address(address),
    )


def _words(given: ChangeAsked) -> str:
    return {
        BulkKind.STOP: "Stop writing to",
        BulkKind.SET_FIELD: f"Set {given.field} to {given.value[:60]!r} for",
        BulkKind.REMOVE: "Remove",
    }[given.kind]
