"""Filters as data: read strictly, run as one query, saved, counted; never code, never another workspace's people."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from cadenza.audience.contracts import FieldKind, SuppressionKind, SuppressionReason
from cadenza.audience.segment_rules import Group, read, read_address, to_address, to_json
from cadenza.audience.service import (
    contacts,
    import_contacts,
    mark_dead,
    remove_field,
    remove_segment,
    save_segment,
    segment,
    segment_members,
    segment_named,
    segments,
    set_field,
    suppress,
    unsubscribe,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events
from tests.support.statements import heard, questions

CUSTOM = {
    "plan": FieldKind.TEXT,
    "seats": FieldKind.NUMBER,
    "renewal": FieldKind.DATE,
    "partner": FieldKind.YES_NO,
}
CAMPAIGN = UUID(int=77)
FILE = b"""email,first_name,title,company,country,phone,linkedin,industry,plan,seats,renewal,partner
ann@acme.example,Ann,Head of IT,Acme,DE,+49 30 901820,,Steel,pro,120,2026-05-01,yes
bo@acme.example,Bo,Buyer,Acme,AT,,linkedin.com/in/bo,,basic,9,2026-03-10,no
cy@mail.beta.example,Cy,head of sales,Beta 100%_,FR,,,Textile,,,,
,Di,,,,,linkedin.com/in/di,,,,,
ed@gmail.com,Ed,,,,,,,,many,soon,perhaps
"""


@pytest.fixture
async def people(unit: Unit, owner: Actor) -> dict[str, UUID]:
    for name, kind in CUSTOM.items():
        await set_field(unit, owner, name, kind=kind, shown=True)
    report = await import_contacts(unit, owner, FILE, file="people.csv")
    ids = dict(zip(("ann", "bo", "cy", "di", "ed"), report.contact_ids, strict=True))
    now, days = unit.world.now(), timedelta(days=1)
    await record_events(
        unit,
        [
            _event(EventKind.ENROLLED, ids["ann"], now), _event(EventKind.ENROLLED, ids["bo"], now, campaign_id=UUID(int=5)),
            _event(EventKind.REPLIED, ids["ann"], now - 40 * days), _event(EventKind.REPLIED, ids["bo"], now - 3 * days),
            _event(EventKind.OPENED, ids["cy"], now, machine=True), _event(EventKind.OPENED, ids["bo"], now),
        ],
    )  # fmt: skip
    return ids


def _event(kind: EventKind, contact: UUID, at: object, **more: object) -> NewEvent:
    given = {"campaign_id": CAMPAIGN, "machine": False, **more}
    return NewEvent(kind=kind, origin="engine", contact_id=contact, at=at, **given)  # type: ignore[arg-type]


CASES = {
    "first_name|is|ANN": "ann", "title|contains|head of": "ann cy", "title|starts|Head": "ann cy", "title|unknown": "di ed",
    "title|known": "ann bo cy", "title|is_not|buyer": "ann cy di ed", "country|is|de, at": "ann bo", "country|is_not|DE": "bo cy di ed",
    "account.name|contains|100%_": "cy", "account.name|is|acme": "ann bo", "account.domain|known": "ann bo cy",
    "account.industry|is|steel": "ann bo", "email|contains|acme": "ann bo", "email|unknown": "di", "email|is_not|ann@acme.example": "bo cy di ed",
    "has_phone|is|yes": "ann", "has_linkedin|is|no": "ann cy ed", "has_email|is|no": "di", "custom.plan|is|PRO": "ann",
    "custom.plan|unknown": "cy di ed", "custom.seats|above|9": "ann", "custom.seats|below|100": "bo", "custom.seats|is|9": "bo",
    "custom.renewal|before|2026-04-01": "bo", "custom.renewal|after|2026-04-01": "ann", "custom.renewal|known": "ann bo",
    "custom.partner|is|ja": "ann", "custom.partner|is|no": "bo", "created|within|1": "ann bo cy di ed", "created|before|2026-03-02": "",
    "event.replied|ever": "ann bo", "event.replied|never": "cy di ed", "event.replied|within|7": "bo",
    "event.replied|not_within|7": "ann cy di ed", "event.opened|ever": "bo", f"campaign|is|{CAMPAIGN}": "ann",
    f"campaign|is_not|{CAMPAIGN}": "bo cy di ed", "stopped|is|no": "ann bo cy di ed",
}  # fmt: skip


async def test_every_field_and_operator_chooses_whom_it_says(
    unit: Unit, owner: Actor, people: dict[str, UUID]
) -> None:
    names = {identity: name for name, identity in people.items()}
    wrong = {}
    for given, expected in CASES.items():
        found = await contacts(unit, owner, rule=read_address("all", [given], CUSTOM))
        chosen = " ".join(sorted(names[each.id] for each in found.contacts))
        if (chosen, found.total) != (expected, len(expected.split())):
            wrong[given] = chosen
    assert wrong == {}


async def test_groups_join_and_nest(unit: Unit, owner: Actor, people: dict[str, UUID]) -> None:
    nested = {
        "match": "all",
        "rules": [
            {"field": "email", "operator": "known", "value": ""},
            {"match": "any", "rules": [
                {"field": "country", "operator": "is", "value": "FR"}, {"field": "custom.seats", "operator": "above", "value": "100"},
            ]},
        ],
    }  # fmt: skip
    rule = read(nested, CUSTOM)
    assert to_json(rule) == nested
    assert {c.id for c in (await contacts(unit, owner, rule=rule)).contacts} == {people["ann"], people["cy"]}
    both = read_address("any", ["first_name|is|Bo", "country|is|FR"], CUSTOM)
    assert {c.id for c in (await contacts(unit, owner, rule=both)).contacts} == {people["bo"], people["cy"]}
    assert (await contacts(unit, owner, "cy", rule=both)).total == 1
    assert to_address(both) == [("match", "any"), ("f", "first_name|is|Bo"), ("f", "country|is|FR")]
    assert to_address(rule) == []


async def test_stopped_means_the_person_an_address_or_its_domain(
    unit: Unit, owner: Actor, people: dict[str, UUID]
) -> None:
    await unsubscribe(unit, people["di"], "x")
    await suppress(unit, SuppressionKind.DOMAIN, "beta.example", SuppressionReason.MANUAL, "x")
    await mark_dead(unit, "bo@acme.example", "x")
    for value, expected in (("yes", {"di", "cy", "bo"}), ("no", {"ann", "ed"})):
        found = await contacts(unit, owner, rule=read_address("all", [f"stopped|is|{value}"], CUSTOM))
        assert {c.id for c in found.contacts} == {people[name] for name in expected}


@pytest.mark.asvs("1.2.4", "2.2.1")
@pytest.mark.parametrize(
    "given",
    [
        "", "|", "nothing|is|x", "first_name|above|3", "country|is|D3", "country|is|", "created|before|yesterday", "stopped|is|perhaps",
        "campaign|is|x", "event.replied|within|-1", "event.replied|within|99999", "event.replied|within|1; drop table contacts",
        "event.nonsense|ever", "custom.unknown|is|x", "custom.seats|above|many", "search|is|x", "id|known", "__class__|is|x",
        "first_name|is|" + "x" * 501, "first_name|is|a\0b", "first_name); drop table contacts; --|is|x", "account.custom|is|x",
    ],
)  # fmt: skip
def test_what_is_no_filter_is_told(given: str) -> None:
    with pytest.raises(CadenzaError) as wrong:
        read_address("all", [given], CUSTOM)
    assert wrong.value.code == "filter_invalid"
    assert wrong.value.problems[0].key.startswith("rules.0")  # type: ignore[union-attr]


@pytest.mark.asvs("1.2.4", "2.2.1")
@pytest.mark.parametrize(
    "given",
    [
        None, [], "x", 7, {"match": "none", "rules": []}, {"match": "all", "rules": "x"}, {"match": "all", "rules": [7]},
        {"match": "all", "rules": [{"field": ["x"], "operator": {}, "value": 1}]}, {"rules": [{"rules": [{"rules": [{"rules": [{"rules": []}]}]}]}]},
        {"rules": [{"field": "title", "operator": "known"}] * 51}, {"rules": [{"rules": [{"field": "title", "operator": "known"}] * 30}] * 2},
    ],
)  # fmt: skip
def test_data_that_is_no_rule_is_told(given: object) -> None:
    with pytest.raises(CadenzaError) as wrong:
        read(given, CUSTOM)
    assert wrong.value.code == "filter_invalid"


@pytest.mark.asvs("1.2.4")
async def test_values_are_bound_whatever_they_hold(unit: Unit, owner: Actor, people: dict[str, UUID]) -> None:
    for value in ("' or 1=1 --", "%", "_", "\\", "$1", ":x", "'; delete from contacts; --", "{{7*7}}"):
        for field in ("first_name", "account.name", "email", "custom.plan"):
            for operator in ("is", "contains", "starts"):
                found = await contacts(
                    unit, owner, rule=read_address("all", [f"{field}|{operator}|{value}"], CUSTOM)
                )
                expected = (
                    {people["cy"]}
                    if (field, operator) == ("account.name", "contains") and value in "%_"
                    else set()
                )
                assert {c.id for c in found.contacts} == expected, (field, operator, value)
    assert (await contacts(unit, owner)).total == 5


async def test_a_segment_whose_field_is_gone_is_told_and_chooses_nobody(
    unit: Unit, owner: Actor, people: dict[str, UUID]
) -> None:
    identity = await save_segment(unit, owner, "Pro", read_address("all", ["custom.plan|is|pro"], CUSTOM))
    await remove_field(unit, owner, "plan")
    (found,) = await segments(unit, owner)
    assert (found.people, found.wrong) == (0, "There is no field 'custom.plan'.")
    for ask in (segment(unit, owner, identity), segment_members(unit, identity)):
        with pytest.raises(CadenzaError, match="no field"):
            await ask
    assert len(people) == 5


async def test_segments_are_saved_counted_listed_and_removed(database: Database, workspace: Actor) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        await import_contacts(unit, workspace, FILE, file="people.csv")
        rules = {
            f"Segment {n}": read_address("all", [f"title|contains|{word}"], {})
            for n, word in enumerate(("head", "buyer", "x"))
        }
        saved = {name: await save_segment(unit, workspace, name, rule) for name, rule in rules.items()}
        with heard(database) as sent:
            found = await segments(unit, workspace)
        assert len(questions(sent)) == 3
        assert [(each.name, each.people, each.rule) for each in found] == [
            ("Segment 0", 2, rules["Segment 0"]), ("Segment 1", 1, rules["Segment 1"]), ("Segment 2", 0, rules["Segment 2"]),
        ]  # fmt: skip
        assert len(await segment_members(unit, saved["Segment 0"])) == 2
        assert await segment_named(unit, "Segment 0") == saved["Segment 0"]
        with pytest.raises(CadenzaError, match="There is a segment 'Segment 0' already"):
            await save_segment(unit, workspace, " Segment  0 ", Group("all"))
        assert (await segment(unit, workspace, saved["Segment 0"])).rule == rules["Segment 0"]
        again = await save_segment(unit, workspace, " Segment  0 ", Group("all"), replace=True)
        assert again == saved["Segment 0"]
        assert len(await segment_members(unit, again)) == 5
        await remove_segment(unit, workspace, again)
        for gone in (again, uuid4()):
            with pytest.raises(CadenzaError, match="There is no segment"):
                await segment(unit, workspace, gone)
            with pytest.raises(CadenzaError, match="There is no segment"):
                await remove_segment(unit, workspace, gone)
        for name in ("", "x" * 101, "\n"):
            with pytest.raises(CadenzaError, match="has a name"):
                await save_segment(unit, workspace, name, Group("all"))
        reader = Actor(workspace.workspace_id, Role.READ_ONLY, Origin.PAGE)
        with pytest.raises(CadenzaError, match="may not"):
            await save_segment(unit, reader, "Mine", Group("all"))
