"""One's own account: sessions that one sees and ends, fresh proof, password and reset links."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity.account import (
    change_password,
    end_other_sessions,
    end_session,
    make_reset_link,
    prove,
    reset_password,
    sessions,
)
from cadenza.identity.browsers import browser_name
from cadenza.identity.contracts import INSTALLATION, Actor, Origin, Role
from cadenza.identity.passwords import check_new_password
from cadenza.identity.service import log_in, session_actor
from tests.identity.conftest import PASSWORD, SETTINGS, Team

Trail = Callable[[Actor], Awaitable[list[tuple[str, str]]]]
NEW = "another long and quiet sentence"


@pytest.mark.asvs("7.4.3", "7.5.2")
async def test_people_see_their_sessions_and_end_the_others(database: Database, team: Team) -> None:
    tokens = [await team.token(Role.REP) for _ in range(3)]
    foreign = await team.token(Role.OWNER)
    found = await session_actor(database, tokens[2], SETTINGS)
    assert found is not None
    async with database.unit(found[0].workspace_id) as unit:
        seen = await sessions(unit, found[0])
        assert [s.current for s in seen].count(True) == 1
        assert {(s.source, s.agent) for s in seen} == {("192.0.2.1", "Test")}
        await end_session(unit, found[0], next(s.id for s in seen if not s.current))
        assert len(await sessions(unit, found[0])) == 2
    async with database.unit(found[0].workspace_id) as unit:
        await end_other_sessions(unit, found[0])
    alive = [await session_actor(database, token, SETTINGS) is not None for token in tokens]
    assert alive == [False, False, True]
    assert await session_actor(database, foreign, SETTINGS) is not None


async def test_nobody_ends_the_session_of_another(database: Database, team: Team) -> None:
    other, mine = await team.actor(Role.OWNER), await team.actor(Role.REP)
    assert other.session_id is not None
    async with database.unit(mine.workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            await end_session(unit, mine, other.session_id)
    assert refused.value.kind is Kind.NOT_FOUND


@pytest.mark.asvs("6.2.3", "7.5.1")
async def test_a_stale_session_must_prove_itself_before_the_password_changes(
    database: Database, team: Team, machine: ManualClock
) -> None:
    token = await team.token(Role.REP)
    other = await team.token(Role.REP)
    machine.move(timedelta(minutes=11))
    found = await team.session(Role.REP)
    stale = await session_actor(database, token, SETTINGS)
    assert stale is not None
    async with database.unit(stale[0].workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            await change_password(unit, stale[0], NEW)
    assert refused.value.code == "proof_needed"
    with pytest.raises(CadenzaError) as wrong:
        await prove(database, found, "not my password", "192.0.2.1")
    assert wrong.value.code == "proof_wrong"
    await prove(database, found, PASSWORD, "192.0.2.1")
    async with database.unit(found.actor.workspace_id) as unit:
        await change_password(unit, found.actor, NEW)
    assert await session_actor(database, other, SETTINGS) is None, "other sessions end with the old password"
    assert await log_in(database, "rep@north.example", NEW, "192.0.2.1")
    with pytest.raises(CadenzaError):
        await log_in(database, "rep@north.example", PASSWORD, "192.0.2.1")


@pytest.mark.asvs("7.5.1")
async def test_a_token_is_never_fresh(database: Database, team: Team) -> None:
    actor = team.owner
    program = Actor(actor.workspace_id, actor.role, Origin.API, actor.member_id, user_id=actor.user_id)
    async with database.unit(actor.workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            await change_password(unit, program, NEW)
    assert refused.value.kind is Kind.NOT_ALLOWED


@pytest.mark.asvs("6.4.1")
async def test_a_reset_link_works_once_and_ends_all_sessions(database: Database, team: Team) -> None:
    before = await team.token(Role.REP)
    rep = team.members[Role.REP]
    assert rep.member_id is not None
    async with database.unit(rep.workspace_id) as unit:
        link = await make_reset_link(unit, team.owner, rep.member_id)
        stored = (
            await unit.session.execute(text("select password_resets::text from password_resets"))
        ).scalar_one()
        assert link not in stored
    with pytest.raises(CadenzaError) as weak:
        await reset_password(database, link, "short")
    assert weak.value.code == "password_length"
    await reset_password(database, link, NEW)
    assert await session_actor(database, before, SETTINGS) is None
    assert await log_in(database, "rep@north.example", NEW, "192.0.2.1")
    with pytest.raises(CadenzaError) as again:
        await reset_password(database, link, PASSWORD)
    assert again.value.code == "link_void"


@pytest.mark.asvs("6.4.1")
async def test_a_reset_link_ends_after_a_day_and_a_newer_one_voids_it(
    database: Database, team: Team, machine: ManualClock
) -> None:
    rep = team.members[Role.REP]
    assert rep.member_id is not None
    links = []
    for _ in range(2):
        async with database.unit(rep.workspace_id) as unit:
            links.append(await make_reset_link(unit, team.owner, rep.member_id))
    with pytest.raises(CadenzaError):
        await reset_password(database, links[0], NEW)
    machine.move(timedelta(hours=24, seconds=1))
    with pytest.raises(CadenzaError):
        await reset_password(database, links[1], NEW)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP, Role.READ_ONLY, Role.OPERATOR])
async def test_an_owner_is_reset_by_owners_only(database: Database, team: Team, role: Role) -> None:
    assert team.owner.member_id is not None
    async with database.unit(team.owner.workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            await make_reset_link(unit, team.members[role], team.owner.member_id)
    assert refused.value.kind is Kind.NOT_ALLOWED


@pytest.mark.asvs("6.2.4", "6.2.12")
def test_common_and_leaked_passwords_are_refused() -> None:
    ranked = list(FREQUENCY_LISTS["passwords"])
    corpus = [p for p in ranked[:3_000] if len(p) >= 8] + [p for p in ranked[3_000::7] if len(p) >= 8]
    corpus += [p.upper() for p in corpus[:200]]
    corpus += [
        "P@ssw0rd1",
        "Passw0rd!",
        "password2026",
        "Sunshine123!",
        "!!dragon99",
        "qwerty12345",
        "Welcome2026",
    ]
    assert len(corpus) > 1_500
    for password in corpus:
        with pytest.raises(CadenzaError) as refused:
            check_new_password(password)
        assert refused.value.code == "password_common", password


@pytest.mark.asvs("6.2.1", "6.2.9")
@pytest.mark.parametrize(
    "password",
    ["vK7 plum", "quiet harbour 42 lanterns", "äöüßéèçñ", " leading and trailing ", "🎻" * 8, "x7" * 60],
)
def test_any_other_password_of_eight_to_two_hundred_characters_is_taken(password: str) -> None:
    check_new_password(password)


@pytest.mark.asvs("16.3.1")
async def test_sign_ins_and_failures_are_each_recorded_once(
    database: Database, team: Team, trail: Trail
) -> None:
    before = await trail(team.owner)
    await team.token(Role.REP)
    with pytest.raises(CadenzaError):
        await log_in(database, "rep@north.example", "wrong wrong wrong", "192.0.2.7")
    with pytest.raises(CadenzaError):
        await log_in(database, "hunter2@nowhere.example", "wrong wrong wrong", "192.0.2.7")
    after = await trail(team.owner)
    assert after[len(before) :] == [("signed_in", "rep"), ("sign_in_failed", "rep")]
    nobody = Actor(INSTALLATION, Role.READ_ONLY, Origin.PAGE)
    assert await trail(nobody) == [("sign_in_failed", "somebody")]
    async with database.unit(INSTALLATION) as unit:
        kept = (
            await unit.session.execute(text("select audit_entries::text from audit_entries"))
        ).scalar_one()
    assert "hunter2" not in kept


@pytest.mark.asvs("16.3.3")
async def test_a_limit_that_bites_is_recorded(database: Database) -> None:
    for _ in range(6):
        with pytest.raises(CadenzaError):
            await log_in(database, "hunter@nowhere.example", "wrong wrong wrong", "192.0.2.7")
    async with database.unit(INSTALLATION) as unit:
        reasons = (
            await unit.session.scalars(text("select data->>'reason' from audit_entries order by id"))
        ).all()
    assert list(reasons) == ["log_in_failed"] * 5 + ["too_many_tries"]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome, Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
            "Firefox, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_browser_is_called_by_its_name(agent: str, name: str) -> None:
    assert browser_name(agent) == name
