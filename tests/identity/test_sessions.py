from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.crypto import token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor, Origin, Role
from cadenza.identity.rights import RIGHTS
from cadenza.identity.service import (
    add_member,
    authorize,
    create_api_token,
    create_workspace,
    log_in,
    log_out,
    members,
    session_actor,
    token_actor,
)
from tests.identity.conftest import PASSWORD, Team
from tests.support.statements import heard

GOOD = "a long and quiet sentence"
SETTINGS = Settings()


@pytest.fixture
async def ada(database: Database) -> Actor:
    workspace, member = await create_workspace(
        database, "North", owner_email="Ada@North.example", owner_name="Ada", password=GOOD
    )
    return Actor(workspace.id, Role.OWNER, Origin.PAGE, member.id, "Ada")


def _pause() -> tuple[Callable[[float], Awaitable[None]], list[float]]:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    return pause, waited


@pytest.mark.usefixtures("ada")
@pytest.mark.asvs("7.2.3", "11.5.1")
async def test_signing_in_gives_a_session_whose_token_is_not_stored(database: Database) -> None:
    token = await log_in(database, "ada@north.example", GOOD, "192.0.2.1")
    found = await session_actor(database, token, SETTINGS)
    assert found is not None
    assert found[0].role is Role.OWNER
    async with database.installation() as session:
        stored = (await session.execute(text("select sessions::text from sessions"))).scalar_one()
    assert token not in stored
    assert token_hash(token).hex() in stored


@pytest.mark.usefixtures("ada")
@pytest.mark.asvs("7.2.4", "7.4.1")
async def test_each_log_in_is_a_new_session_and_log_out_ends_one(database: Database) -> None:
    first = await log_in(database, "ada@north.example", GOOD, "192.0.2.1")
    second = await log_in(database, "ada@north.example", GOOD, "192.0.2.1")
    assert first != second
    await log_out(database, first)
    assert await session_actor(database, first, SETTINGS) is None
    assert await session_actor(database, second, SETTINGS) is not None


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("steps", "span"),
    [(1, timedelta(minutes=SETTINGS.session_idle_minutes + 1)), (30, timedelta(hours=11.5))],
    ids=["idle", "absolute"],
)
@pytest.mark.asvs("7.3.1", "7.3.2")
async def test_a_session_ends_by_itself(
    database: Database, machine: ManualClock, steps: int, span: timedelta
) -> None:
    token = await log_in(database, "ada@north.example", GOOD, "192.0.2.1")
    answers = []
    for _ in range(steps):
        machine.move(span)
        answers.append(await session_actor(database, token, SETTINGS))
    assert answers[-1] is None
    assert steps == 1 or answers[0] is not None


@pytest.mark.usefixtures("ada")
@pytest.mark.asvs("6.3.1")
async def test_guessing_slows_down_but_the_owner_still_enters(
    database: Database, machine: ManualClock
) -> None:
    pause, waited = _pause()
    refused = 0
    for _ in range(100):
        with pytest.raises(CadenzaError) as wrong:
            await log_in(database, "ada@north.example", "wrong password", "203.0.113.9", pause=pause)
        refused += wrong.value.kind is Kind.TOO_MANY
        machine.move(timedelta(seconds=1))
    assert refused > 80
    assert max(waited) > 0
    assert await log_in(database, "ada@north.example", GOOD, "192.0.2.1", pause=pause)
    assert waited[-1] <= 2.0


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("email", ["ada@north.example", "nobody@north.example"])
async def test_a_wrong_log_in_does_not_say_what_was_wrong(database: Database, email: str) -> None:
    with pytest.raises(CadenzaError) as wrong:
        await log_in(database, email, "not the password", "192.0.2.1")
    assert wrong.value.code == "log_in_failed"


@pytest.mark.asvs("6.2.1", "6.2.8")
@pytest.mark.parametrize(
    "password", ["8 chars!", "x" * 64 + " and more", "mit Leerzeichen und 🎻", "é" * 40 + "b"]
)
async def test_any_password_of_a_fair_length_is_taken_and_compared_exactly(
    database: Database, password: str
) -> None:
    await create_workspace(
        database, "South", owner_email="b@south.example", owner_name="B", password=password
    )
    assert await log_in(database, "b@south.example", password, "192.0.2.1")
    with pytest.raises(CadenzaError):
        await log_in(database, "b@south.example", password[:-1] + "Z", "192.0.2.1")


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "password_length"), ("x" * 201, "password_length"), ("Password123", "password_common")],
)
@pytest.mark.asvs("6.2.4")
async def test_weak_passwords_are_refused_and_nothing_is_made(
    unit: Unit, owner: Actor, password: str, code: str
) -> None:
    with pytest.raises(CadenzaError) as wrong:
        await add_member(unit, owner, email="c@x.example", name="C", role=Role.REP, password=password)
    assert wrong.value.code == code
    assert await members(unit, owner) == []


@pytest.mark.asvs("8.1.1", "8.2.1")
def test_the_table_of_rights_is_whole_and_denies_by_default() -> None:
    assert set(RIGHTS) == set(Role)
    assert RIGHTS[Role.OWNER] == frozenset(Action)
    assert RIGHTS[Role.READ_ONLY] == {Action.READ}
    for role in set(Role) - {Role.OWNER, Role.OPERATOR}:
        assert Action.MANAGE_MEMBERS not in RIGHTS[role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_a_door_asks_the_table(unit: Unit, role: Role, action: Action) -> None:
    actor = Actor(unit.workspace_id, role, Origin.PAGE)
    if action in RIGHTS[role]:
        authorize(actor, action)
    else:
        with pytest.raises(CadenzaError) as refused:
            authorize(actor, action)
        assert refused.value.kind is Kind.NOT_ALLOWED


@pytest.mark.asvs("7.4.2")
async def test_demoting_a_member_bites_at_once(database: Database, ada: Actor) -> None:
    token = await log_in(database, "ada@north.example", GOOD, "192.0.2.1")
    async with database.unit(ada.workspace_id) as unit:
        api = await create_api_token(unit, ada, member_id=ada.member_id or unit.workspace_id, name="script")
        await unit.session.execute(text("update members set role = 'read_only'"))
    found, by_api = await session_actor(database, token, SETTINGS), await token_actor(database, api)
    assert found is not None
    assert by_api is not None
    assert found[0].role is by_api.role is Role.READ_ONLY
    async with database.unit(ada.workspace_id) as unit:
        await unit.session.execute(text("update members set active = false"))
    assert await session_actor(database, token, SETTINGS) is None
    assert await token_actor(database, api) is None


async def test_an_api_token_ends(database: Database, ada: Actor, machine: ManualClock) -> None:
    async with database.unit(ada.workspace_id) as unit:
        api = await create_api_token(
            unit, ada, member_id=ada.member_id or unit.workspace_id, name="script", days=1
        )
    machine.move(timedelta(days=2))
    assert await token_actor(database, api) is None
    assert await token_actor(database, "made up") is None


@pytest.mark.usefixtures("ada")
async def test_whose_session_it_is_takes_one_question_and_follows_each_change(
    database: Database, machine: ManualClock
) -> None:
    token = await log_in(database, "ada@north.example", GOOD, "192.0.2.1")
    with heard(database) as sent:
        found = await session_actor(database, token, SETTINGS)
        assert await session_actor(database, "another", SETTINGS) is None
    assert len(sent) == 2, "one for each look"
    assert found is not None
    assert (found[1].email, found[1].role) == ("ada@north.example", Role.OWNER)
    for change, expected in (("role = 'rep'", Role.REP), ("active = false", None)):
        with psycopg.connect(database.url, autocommit=True) as owner:
            owner.execute(f"update members set {change}")
        found = await session_actor(database, token, SETTINGS)
        assert (found[0].role if found else None) == expected, "nothing of before is kept"
    machine.move(timedelta(minutes=2))
    with psycopg.connect(database.url, autocommit=True) as owner:
        owner.execute("update members set active = true")
        assert await session_actor(database, token, SETTINGS)
        used = owner.execute("select used_at from sessions").fetchone()
    assert used == (machine.now(),)


@pytest.mark.asvs("11.4.2")
@pytest.mark.usefixtures("real_passwords")
async def test_an_old_hash_is_replaced_when_its_owner_signs_in(database: Database, team: Team) -> None:
    """Argon2id with parameters of today; a hash of weaker ones works once more and is then gone."""
    user_id = team.owner.user_id
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    async with database.installation() as session:
        await session.execute(
            text("update users set password_hash = :weak where id = :id"), {"weak": weak, "id": user_id}
        )
    await team.token(Role.OWNER)
    async with database.installation() as session:
        stored = await session.scalar(text("select password_hash from users where id = :id"), {"id": user_id})
    found = extract_parameters(stored)
    assert (found.type, found.memory_cost >= 19_456, found.time_cost >= 2) == (Type.ID, True, True)
    assert await team.token(Role.OWNER)
