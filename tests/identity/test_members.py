"""Members, invitations, tokens: who may do what to whom, and what bites at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity.contracts import Action, Actor, Origin, Role, Scope
from cadenza.identity.invitations import accept_invitation, invite, join_with_account, open_invitation
from cadenza.identity.members import change_role, set_active
from cadenza.identity.people import Skills, add_team, present, remove_team, set_away, set_skills
from cadenza.identity.service import (
    authorize,
    create_api_token,
    create_workspace,
    log_in,
    members,
    session_actor,
    token_actor,
)
from cadenza.identity.tokens import api_tokens, revoke_api_token
from tests.identity.conftest import PASSWORD, SETTINGS, Team

NEW = "another long and quiet sentence"


async def _invited(team: Team, role: Role = Role.REP, email: str = "ines@new.example") -> str:
    async with team.database.unit(team.owner.workspace_id) as unit:
        return await invite(unit, team.owner, email=email, name="Ines", role=role)


@pytest.mark.asvs("6.4.1")
async def test_an_invitation_works_once_and_at_most_a_day(
    database: Database, team: Team, machine: ManualClock
) -> None:
    token = await _invited(team)
    async with database.unit(team.owner.workspace_id) as unit:
        stored = (await unit.session.execute(text("select invitations::text from invitations"))).scalar_one()
    assert token not in stored
    member = await accept_invitation(database, token, name="", password=NEW)
    assert (member.name, member.role, member.email) == ("Ines", Role.REP, "ines@new.example")
    with pytest.raises(CadenzaError) as used:
        await accept_invitation(database, token, name="", password=NEW)
    assert used.value.code == "link_void"
    late = await _invited(team, email="late@new.example")
    machine.move(timedelta(hours=24, seconds=1))
    with pytest.raises(CadenzaError) as over:
        await accept_invitation(database, late, name="", password=NEW)
    assert over.value.code == "link_void"
    assert await open_invitation(database, "made up") is None


@pytest.mark.asvs("6.4.1")
async def test_of_many_who_use_one_link_at_once_one_gets_in(database: Database, team: Team) -> None:
    token = await _invited(team)
    results = await asyncio.gather(
        *(accept_invitation(database, token, name=f"N{n}", password=NEW) for n in range(6)),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert all(isinstance(r, CadenzaError) for r in results if isinstance(r, BaseException))


async def test_who_has_an_account_joins_with_it_and_nobody_else_does(database: Database, team: Team) -> None:
    _, other = await create_workspace(
        database, "South", owner_email="ines@new.example", owner_name="Ines", password=PASSWORD
    )
    token = await _invited(team)
    with pytest.raises(CadenzaError) as known:
        await accept_invitation(database, token, name="", password=NEW)
    assert known.value.code == "account_exists"
    with pytest.raises(CadenzaError) as wrong:
        await join_with_account(database, token, await team.actor(Role.REP))
    assert wrong.value.kind is Kind.NOT_ALLOWED
    ines = Actor(other.workspace_id, Role.OWNER, Origin.PAGE, other.id, "Ines", user_id=other.user_id)
    joined = await join_with_account(database, token, ines)
    assert joined.workspace_id == team.owner.workspace_id
    assert await log_in(database, "ines@new.example", PASSWORD, "192.0.2.1"), "the password stayed"


@pytest.mark.asvs("7.4.2", "8.3.2")
async def test_disabling_somebody_ends_sessions_and_tokens_at_once(database: Database, team: Team) -> None:
    rep = team.members[Role.REP]
    assert rep.member_id is not None
    session = await team.token(Role.REP)
    async with database.unit(rep.workspace_id) as unit:
        token = await create_api_token(unit, rep, member_id=rep.member_id, name="script")
        await set_active(unit, team.owner, rep.member_id, active=False)
    assert await session_actor(database, session, SETTINGS) is None
    assert await token_actor(database, token) is None
    with pytest.raises(CadenzaError) as out:
        await log_in(database, "rep@north.example", PASSWORD, "192.0.2.1")
    assert out.value.code == "no_workspace"
    async with database.unit(rep.workspace_id) as unit:
        await set_active(unit, team.owner, rep.member_id, active=True)
    assert await session_actor(database, session, SETTINGS) is None, "the old session stays ended"
    assert await token_actor(database, token) is not None


async def test_the_last_owner_stays(database: Database, team: Team) -> None:
    first, rep = team.owner, team.members[Role.REP]
    assert first.member_id is not None
    assert rep.member_id is not None
    async with database.unit(first.workspace_id) as unit:
        with pytest.raises(CadenzaError) as last:
            await change_role(unit, first, first.member_id, Role.REP)
        assert last.value.code == "last_owner"
        with pytest.raises(CadenzaError) as last:
            await set_active(unit, first, first.member_id, active=False)
        assert last.value.code == "last_owner"
        await change_role(unit, first, rep.member_id, Role.OWNER)

    async def leave(member: Actor) -> None:
        assert member.member_id is not None
        async with database.unit(first.workspace_id) as unit:
            await change_role(unit, first, member.member_id, Role.READ_ONLY)

    left = await asyncio.gather(leave(first), leave(rep), return_exceptions=True)
    assert sum(isinstance(each, CadenzaError) for each in left) == 1, "of two who leave at once, one stays"
    async with database.unit(first.workspace_id) as unit:
        assert sum(m.role is Role.OWNER and m.active for m in await members(unit, first)) == 1


@pytest.mark.asvs("8.2.1")
async def test_an_operator_makes_and_changes_no_owner(database: Database, team: Team) -> None:
    operator, owner, rep = team.members[Role.OPERATOR], team.owner, team.members[Role.REP]
    assert owner.member_id is not None
    assert rep.member_id is not None
    async with database.unit(owner.workspace_id) as unit:
        for forbidden in (
            invite(unit, operator, email="x@new.example", name="X", role=Role.OWNER),
            change_role(unit, operator, rep.member_id, Role.OWNER),
            change_role(unit, operator, owner.member_id, Role.REP),
            set_active(unit, operator, owner.member_id, active=False),
            create_api_token(unit, operator, member_id=owner.member_id, name="theft"),
        ):
            with pytest.raises(CadenzaError) as refused:
                await forbidden
            assert refused.value.kind is Kind.NOT_ALLOWED
        await change_role(unit, operator, rep.member_id, Role.MANAGER)


@pytest.mark.asvs("8.2.1", "7.2.3")
@pytest.mark.parametrize("scope", Scope)
async def test_a_token_does_what_its_scope_and_its_members_role_both_allow(
    database: Database, team: Team, scope: Scope
) -> None:
    manager = team.members[Role.MANAGER]
    assert manager.member_id is not None
    async with database.unit(manager.workspace_id) as unit:
        token = await create_api_token(unit, manager, member_id=manager.member_id, name="x", scopes={scope})
    actor = await token_actor(database, token)
    assert actor is not None
    allowed = {action for action in Action if _may(actor, action)}
    by_role = {action for action in Action if _may(manager, action)}
    assert allowed == by_role & scope.actions
    if scope is Scope.READ:
        assert allowed == {Action.READ}


def _may(actor: Actor, action: Action) -> bool:
    try:
        authorize(actor, action)
    except CadenzaError:
        return False
    return True


async def test_every_action_belongs_to_a_scope() -> None:
    assert Scope.WRITE.actions | Scope.ADMIN.actions == frozenset(Action)
    assert not Scope.WRITE.actions & Scope.ADMIN.actions


async def test_a_tokens_last_use_is_seen_and_a_revoked_one_is_dead(
    database: Database, team: Team, machine: ManualClock
) -> None:
    rep = team.members[Role.REP]
    assert rep.member_id is not None
    async with database.unit(rep.workspace_id) as unit:
        token = await create_api_token(unit, rep, member_id=rep.member_id, name="nightly", days=5)
        await create_api_token(
            unit, team.owner, member_id=team.owner.member_id or rep.member_id, name="other"
        )
        assert [each.used_at for each in await api_tokens(unit, rep)] == [None]
    assert await token_actor(database, token) is not None
    async with database.unit(rep.workspace_id) as unit:
        (seen,) = await api_tokens(unit, rep)
        assert seen.used_at == machine.now()
        assert len(await api_tokens(unit, team.owner)) == 2
        await revoke_api_token(unit, rep, seen.id)
    assert await token_actor(database, token) is None


async def test_nobody_revokes_the_token_of_another_or_makes_tokens_by_token(
    database: Database, team: Team
) -> None:
    rep, owner = team.members[Role.REP], team.owner
    assert owner.member_id is not None
    async with database.unit(rep.workspace_id) as unit:
        await create_api_token(unit, owner, member_id=owner.member_id, name="mine")
        (token,) = await api_tokens(unit, owner)
        with pytest.raises(CadenzaError) as refused:
            await revoke_api_token(unit, rep, token.id)
        assert refused.value.kind is Kind.NOT_ALLOWED
        program = Actor(owner.workspace_id, Role.OWNER, Origin.API, owner.member_id)
        with pytest.raises(CadenzaError) as refused:
            await create_api_token(unit, program, member_id=owner.member_id, name="child")
        assert refused.value.kind is Kind.NOT_ALLOWED


async def test_skills_teams_and_absence_are_kept(
    database: Database, team: Team, machine: ManualClock
) -> None:
    rep, owner = team.members[Role.REP], team.owner
    assert rep.member_id is not None
    async with database.unit(owner.workspace_id) as unit:
        dach = await add_team(unit, owner, " DACH ")
        with pytest.raises(CadenzaError):
            await add_team(unit, owner, "DACH")
        skills = Skills(team_id=dach.id, territories=("DE", "CH-ZH"), languages=("de",), most_open=3)
        await set_skills(unit, owner, rep.member_id, skills)
        with pytest.raises(CadenzaError) as wrong:
            await set_skills(unit, owner, rep.member_id, Skills(territories=("Germany",), languages=("deu",)))
        assert {problem.key for problem in wrong.value.problems} == {"territories", "languages"}
        await set_away(unit, rep, machine.now() + timedelta(days=1))
        kept = next(m for m in await members(unit, owner) if m.id == rep.member_id)
        assert (kept.team_id, kept.territories, kept.most_open) == (dach.id, ("DE", "CH-ZH"), 3)
        assert kept.away_until == machine.now() + timedelta(days=1)
        await remove_team(unit, owner, dach.id)
        unit.session.expire_all()
        kept = next(m for m in await members(unit, owner) if m.id == rep.member_id)
        assert kept.team_id is None


async def test_who_clicked_within_minutes_is_present(
    database: Database, team: Team, machine: ManualClock
) -> None:
    token = await team.token(Role.REP)
    for minutes, here in ((4, True), (2, False)):
        machine.move(timedelta(minutes=minutes))
        async with database.unit(team.owner.workspace_id) as unit:
            assert (team.members[Role.REP].member_id in await present(unit)) is here
    assert await session_actor(database, token, SETTINGS)
    async with database.unit(team.owner.workspace_id) as unit:
        assert team.members[Role.REP].member_id in await present(unit)
