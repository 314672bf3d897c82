"""A stop holds for the person on every address, for ever, and only a POST or a person makes one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from cadenza.audience.contracts import Channel, SuppressionKind, SuppressionReason
from cadenza.audience.service import (
    contact,
    find_by_address,
    find_by_addresses,
    import_contacts,
    load_recipients,
    mark_dead,
    read_unsubscribe_token,
    suppress,
    suppress_contact,
    suppressions_of,
    unsubscribe,
    unsubscribe_token,
)
from cadenza.core.clock import ManualClock
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events, timeline

ROWS = b"""email,first name,language,country,timezone,phone,linkedin
ann@mail.acme.example,Ann,de,DE,,+4930901820,linkedin.com/in/ann
ann@second.example,,,,,,linkedin.com/in/ann
bo@acme.example,Bo,,,Europe/Paris,,
"""


@pytest.fixture
async def people(unit: Unit, owner: Actor) -> tuple[UUID, UUID]:
    """Ann with two addresses, a telephone and a profile; Bo with one address."""
    ann, bo = (await import_contacts(unit, owner, ROWS, file="people.csv")).contact_ids
    return ann, bo


async def stopped(unit: Unit, contact_id: UUID) -> str | None:
    stop = (await load_recipients(unit, [contact_id]))[contact_id].suppression
    return stop.reason.value if stop else None


async def test_what_the_engine_needs_comes_in_two_queries(unit: Unit, people: tuple[UUID, UUID]) -> None:
    found = await load_recipients(unit, [*people, new_id()])
    ann, bo = found[people[0]], found[people[1]]
    assert (ann.email, ann.country, ann.timezone, ann.language, ann.suppression) == (
        "ann@mail.acme.example", "DE", "Europe/Berlin", "de", None,
    )  # fmt: skip
    assert ann.facts["contact"]["first_name"] == "Ann"
    assert ann.facts["account"]["name"] == "mail.acme.example"
    assert (bo.timezone, bo.country, bo.facts["contact"]["country"]) == (
        "Europe/Paris",
        "FR",
        None,
    )  # for its holidays
    assert await load_recipients(unit, []) == {}


@pytest.mark.must_not("M3")
@pytest.mark.story("3.1.1.3", 2, 6)
@pytest.mark.parametrize(
    ("kind", "value", "ann", "bo"),
    [
        (SuppressionKind.ADDRESS, "ANN@Mail.Acme.example", True, False),
        (SuppressionKind.ADDRESS, "ann@second.example", True, False),  # an alias stops the person
        (SuppressionKind.ADDRESS, "+49 30 901820", True, False),
        (SuppressionKind.ADDRESS, "http://linkedin.com/in/Ann/", True, False),
        (SuppressionKind.DOMAIN, "mail.acme.example", True, False),
        (SuppressionKind.DOMAIN, "@Acme.Example.", True, True),  # and what lies below it
        (SuppressionKind.DOMAIN, "second.example", True, False),
        (SuppressionKind.DOMAIN, "cme.example", False, False),
        (SuppressionKind.ADDRESS, "else@acme.example", False, False),
    ],
)
async def test_a_stop_holds_in_every_spelling(
    kind: SuppressionKind, value: str, ann: bool, bo: bool, unit: Unit, people: tuple[UUID, UUID]
) -> None:
    assert await suppress(unit, kind, value, SuppressionReason.OPT_OUT, "test")
    assert not await suppress(unit, kind, value, SuppressionReason.OPT_OUT, "again")
    assert [await stopped(unit, p) for p in people] == ["opt_out" if ann else None, "opt_out" if bo else None]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (SuppressionKind.ADDRESS, "nonsense"),
        (SuppressionKind.DOMAIN, "a b"),
        (SuppressionKind.CONTACT, "1"),
        (SuppressionKind.DOMAIN, ""),
    ],
)
async def test_nonsense_is_no_stop(kind: SuppressionKind, value: str, unit: Unit) -> None:
    with pytest.raises(CadenzaError) as error:
        await suppress(unit, kind, value, SuppressionReason.MANUAL, "test")
    assert error.value.code == "suppression_invalid"


@pytest.mark.must_not("M3")
async def test_unsubscribing_stops_every_address_at_once_and_once(
    unit: Unit, people: tuple[UUID, UUID], world: ManualClock
) -> None:
    ann, bo = people
    campaign, touch = new_id(), new_id()
    await record_events(
        unit,
        [
            NewEvent(
                kind=EventKind.SENT,
                origin="engine",
                contact_id=ann,
                campaign_id=campaign,
                step="intro",
                touch_id=touch,
            )
        ],
    )
    assert await unsubscribe(unit, ann, source="List-Unsubscribe link")
    assert not await unsubscribe(unit, ann, source="List-Unsubscribe link")
    assert (await stopped(unit, ann), await stopped(unit, bo)) == ("opt_out", None)
    values = {stop.value for stop in await suppressions_of(unit, ann)}
    assert values == {
        "ann@mail.acme.example", "ann@second.example", "+4930901820", "https://www.linkedin.com/in/ann", str(ann),
    }  # fmt: skip
    events = [e for e in await timeline(unit, contact_id=ann) if e.kind is EventKind.UNSUBSCRIBED]
    assert [(e.campaign_id, e.step, e.touch_id, e.at) for e in events] == [
        (campaign, "intro", touch, world.now())
    ]


async def test_a_complaint_is_a_stop_with_its_own_reason(unit: Unit, people: tuple[UUID, UUID]) -> None:
    await unsubscribe(unit, people[0], source="complaint report", complaint=True)
    assert await stopped(unit, people[0]) == "complaint"
    assert EventKind.UNSUBSCRIBED not in {e.kind for e in await timeline(unit, contact_id=people[0])}


async def test_a_member_may_stop_a_person(unit: Unit, owner: Actor, people: tuple[UUID, UUID]) -> None:
    assert await suppress_contact(unit, owner, people[1])
    assert not await suppress_contact(unit, owner, people[1])
    assert [s.source for s in (await contact(unit, owner, people[1])).suppressions] == ["page", "page"]
    with pytest.raises(CadenzaError, match="no contact"):
        await suppress_contact(unit, owner, new_id())
    with pytest.raises(CadenzaError, match="may not stop people from being written to"):
        await suppress_contact(unit, Actor(unit.workspace_id, Role.READ_ONLY, Origin.API), people[0])


@pytest.mark.story("3.1.1.3", 5)
async def test_a_dead_address_is_not_used_again_and_the_next_one_is(
    unit: Unit, owner: Actor, people: tuple[UUID, UUID]
) -> None:
    assert await mark_dead(unit, "Ann@mail.acme.example", source="550 5.1.1")
    assert not await mark_dead(unit, "ann@mail.acme.example", source="550 5.1.1")
    person = (await load_recipients(unit, people))[people[0]]
    assert (person.email, person.suppression) == ("ann@second.example", None)
    await mark_dead(unit, "ann@second.example", source="550 5.1.1")
    person = (await load_recipients(unit, people))[people[0]]
    assert person.email is None
    assert person.suppression is not None
    assert person.suppression.reason is SuppressionReason.BOUNCE
    assert (await contact(unit, owner, people[0])).email is None


async def test_a_dead_address_stays_dead_when_it_is_imported_again(
    unit: Unit, owner: Actor, people: tuple[UUID, UUID]
) -> None:
    await mark_dead(unit, "bo@acme.example", source="550")
    await import_contacts(unit, owner, ROWS, file="people.csv")
    assert (await load_recipients(unit, people))[people[1]].email is None


async def test_a_bounce_notice_for_a_stranger_is_kept_for_later_imports(unit: Unit, owner: Actor) -> None:
    await mark_dead(unit, "new@x.example", source="550")
    assert not await mark_dead(unit, "no address", source="550")
    ids = (await import_contacts(unit, owner, b"email\nnew@x.example\n", file="p.csv")).contact_ids
    assert (await load_recipients(unit, ids))[ids[0]].email is None


@pytest.mark.must_not("M3")
async def test_the_database_lets_nobody_change_or_lift_a_stop(database: Database, workspace: Actor) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        await suppress(unit, SuppressionKind.DOMAIN, "x.example", SuppressionReason.OPT_OUT, "test")
    for statement in (
        "delete from suppressions",
        "update suppressions set value = 'y'",
        "truncate suppressions",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.unit(workspace.workspace_id) as unit:
                await unit.session.execute(text(statement))


@pytest.mark.must_not("M3")
async def test_a_stop_counts_as_soon_as_it_is_committed_elsewhere(
    database: Database, workspace: Actor
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        (ann, *_) = (await import_contacts(unit, workspace, ROWS, file="p.csv")).contact_ids
    async with database.unit(workspace.workspace_id) as claiming:
        assert await stopped(claiming, ann) is None
        async with database.unit(workspace.workspace_id) as other:
            await unsubscribe(other, ann, source="link")
        assert await stopped(claiming, ann) == "opt_out"


async def test_people_are_found_by_address_in_any_spelling(unit: Unit, people: tuple[UUID, UUID]) -> None:
    ann, bo = people
    assert await find_by_address(unit, Channel.EMAIL, " Ann <ANN@second.example>") == ann
    assert await find_by_address(unit, Channel.PHONE, "0049 30 901820") == ann
    assert await find_by_address(unit, Channel.LINKEDIN, "linkedin.com/in/ANN?x=1") == ann
    assert await find_by_address(unit, Channel.EMAIL, "nobody@x.example") is None
    assert await find_by_address(unit, Channel.EMAIL, "rubbish") is None
    found = await find_by_addresses(
        unit, Channel.EMAIL, ["BO@acme.example", "ann@second.example", "?", "z@z.example"]
    )
    assert found == {"BO@acme.example": bo, "ann@second.example": ann}


def test_unsubscribe_links_are_opaque_and_last(secrets: SecretBox) -> None:
    workspace, person = new_id(), new_id()
    token = unsubscribe_token(secrets, workspace, person)
    assert token == unsubscribe_token(secrets, workspace, person)
    assert read_unsubscribe_token(secrets, token) == (workspace, person)
    assert person.hex not in token
    assert read_unsubscribe_token(SecretBox({"k": bytes(32)}), token) is None
    assert read_unsubscribe_token(secrets, secrets.opaque("open", workspace, person)) is None


@given(st.text(max_size=300))
def test_made_up_links_name_nobody(token: str) -> None:
    assert read_unsubscribe_token(SecretBox({"k": bytes(32)}), token) is None
