"""Who gets a conversation: hard limits first, then fit, then load; always with a reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.identity.assigning import Question, choose
from cadenza.identity.contracts import Actor, Member, Role
from cadenza.identity.people import Skills, set_skills
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import assign, open_work_items
from tests.identity.conftest import Team

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _member(number: int, role: Role = Role.REP, **values: object) -> Member:
    made = Member(UUID(int=number), uuid4(), uuid4(), f"m{number}@x.example", f"M{number}", role, active=True)
    return replace(made, **values)  # type: ignore[arg-type]


ANNA = _member(1, territories=("DE", "AT"), languages=("de", "en"), industries=("Steel",))
BORIS = _member(2, territories=("DE-BY",), languages=("de",))
CLAIRE = _member(3, territories=("FR",), languages=("fr",))
DANA = _member(4)
EVERYBODY = (ANNA, BORIS, CLAIRE, DANA)


@pytest.mark.parametrize(
    ("question", "chosen", "word"),
    [
        (Question(country="FR", language="fr"), CLAIRE, "covers FR"),
        (Question(country="DE", region="BY", language="de"), BORIS, "covers DE-BY"),
        (Question(country="DE", language="de", industry="steel"), ANNA, "knows steel"),
        (Question(country="AT"), ANNA, "covers AT"),
        (Question(country="NO", language="no"), DANA, "has 0 open"),
        (Question(), ANNA, "has 0 open"),
    ],
)
def test_the_best_fit_is_chosen_and_the_reason_says_why(
    question: Question, chosen: Member, word: str
) -> None:
    found = choose(question, EVERYBODY, now=NOW)
    assert found.member == chosen
    assert word in found.reason


def test_who_is_away_or_full_is_passed_over_and_the_least_loaded_is_next() -> None:
    away = replace(ANNA, away_until=NOW + timedelta(hours=1))
    full = replace(_member(5, territories=("DE",), languages=("de",)), most_open=2)
    busy, free = (
        _member(6, territories=("DE",), languages=("de",)),
        _member(7, territories=("DE",), languages=("de",)),
    )
    load = {full.id: 2, busy.id: 9, free.id: 3}
    found = choose(Question(country="DE", language="de"), (away, full, busy, free), now=NOW, load=load)
    assert found.member == free
    assert found.fitting == (free, busy)
    back = choose(
        Question(country="DE", language="de"), (away, busy), now=NOW + timedelta(hours=1), load=load
    )
    assert back.member == away


def test_who_is_there_now_comes_before_who_has_less_to_do() -> None:
    one, two = _member(8), _member(9)
    found = choose(Question(), (one, two), now=NOW, present={two.id}, load={two.id: 5})
    assert found.member == two
    assert "is here now" in found.reason


@pytest.mark.parametrize(
    ("members", "question", "word"),
    [
        ((), Question(), "No member"),
        ((_member(1, Role.READ_ONLY), _member(2, Role.OPERATOR)), Question(), "No member may answer"),
        ((_member(1, active=False),), Question(), "No member may answer"),
        ((CLAIRE,), Question(country="DE"), "Nobody covers DE"),
        ((ANNA,), Question(country="DE", language="fr"), "speaks fr"),
        ((replace(ANNA, away_until=NOW + timedelta(days=1)),), Question(), "away"),
        ((replace(ANNA, most_open=0),), Question(), "as much open"),
        ((ANNA,), Question(team_id=uuid4()), "team"),
    ],
)
def test_when_nobody_fits_it_says_what_is_missing(
    members: tuple[Member, ...], question: Question, word: str
) -> None:
    found = choose(question, members, now=NOW)
    assert found.member is None
    assert word in found.reason


@given(
    order=st.permutations(EVERYBODY),
    load=st.dictionaries(st.sampled_from([m.id for m in EVERYBODY]), st.integers(0, 60)),
    country=st.sampled_from(["", "DE", "FR", "AT", "NO"]),
    language=st.sampled_from(["", "de", "fr", "en"]),
)
def test_the_choice_depends_on_nothing_but_the_question_and_the_people(
    order: list[Member], load: dict[UUID, int], country: str, language: str
) -> None:
    question = Question(country=country, language=language)
    found = choose(question, order, now=NOW, load=load)
    assert found == choose(question, EVERYBODY, now=NOW, load=load)
    if found.member:
        assert (
            not found.member.territories
            or not country
            or country in {t[:2] for t in found.member.territories}
        )
        assert not found.member.languages or not language or language in found.member.languages


async def test_the_door_counts_what_is_open_and_records_its_decision(database: Database, team: Team) -> None:
    rep, manager = team.members[Role.REP], team.members[Role.MANAGER]
    async with database.unit(team.owner.workspace_id) as unit:
        for actor in (rep, manager):
            await set_skills(unit, team.owner, _id(actor), Skills(territories=("DE",)))
        await open_work_items(unit, [_item(unit, n, _id(rep)) for n in range(3)])
        chosen = await assign(unit, Question(country="DE"))
        assert chosen.member is not None
        assert chosen.member.id == manager.member_id
        row = (await unit.session.execute(text("select what, taken, reason, options from decisions"))).one()
    assert (row.what, row.taken, row.reason) == ("assignee", "manager", chosen.reason)
    assert [option["probability"] for option in row.options][:2] == [1.0, 0.0]


def _id(actor: Actor) -> UUID:
    assert actor.member_id is not None
    return actor.member_id


def _item(unit: Unit, number: int, owner: UUID) -> NewWorkItem:
    return NewWorkItem(
        kind=WorkKind.COME_BACK,
        key=f"item {number}",
        title="Call",
        queue="sales",
        due_at=unit.world.now(),
        owner_id=owner,
    )
