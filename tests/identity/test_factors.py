"""The second factor: enrolled with a code, asked at each sign-in, good once, not skipped by any way in."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.identity.account import make_reset_link, prove, reset_password
from cadenza.identity.contracts import Role, SignedIn, Stage
from cadenza.identity.factors import (
    begin_enrolment,
    confirm_enrolment,
    open_with_code,
    remove_factor,
    renew_recovery_codes,
    require_factor,
)
from cadenza.identity.service import log_in, session_actor
from cadenza.identity.sessions import signed_in
from tests.identity.conftest import SETTINGS, Team


async def _enrol(
    database: Database, found: SignedIn, machine: ManualClock
) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    async with database.unit(found.actor.workspace_id) as unit:
        begun = begin_enrolment(unit, found.actor, found.member)
        totp = pyotp.TOTP(begun.secret)
        codes = await confirm_enrolment(unit, found.actor, found.member, begun.sealed, totp.at(machine.now()))
    machine.move(timedelta(seconds=30))
    return totp, codes


async def _give(database: Database, found: SignedIn, code: str) -> str | None:
    async with database.unit(found.actor.workspace_id) as unit:
        return await open_with_code(unit, found.actor, found.member, code)


async def test_a_session_opens_only_after_the_code_and_under_a_new_token(
    database: Database, team: Team, machine: ManualClock
) -> None:
    totp, _ = await _enrol(database, await team.session(Role.REP), machine)
    token = await team.token(Role.REP)
    assert await session_actor(database, token, SETTINGS) is None
    found = await signed_in(database, token, SETTINGS)
    assert found is not None
    assert found.stage is Stage.CODE
    opened = await _give(database, found, totp.at(machine.now()))
    assert opened is not None
    assert await session_actor(database, opened, SETTINGS) is not None
    assert await signed_in(database, token, SETTINGS) is None


@pytest.mark.asvs("6.5.1", "6.5.5")
async def test_a_code_works_once_and_only_in_its_step(
    database: Database, team: Team, machine: ManualClock
) -> None:
    totp, _ = await _enrol(database, await team.session(Role.REP), machine)
    code = totp.at(machine.now())
    first, second = await team.session(Role.REP), await team.session(Role.REP)
    assert await _give(database, first, code)
    assert await _give(database, second, code) is None, "replayed within its step"
    old = totp.at(machine.now())
    machine.move(timedelta(seconds=30))
    assert await _give(database, second, old) is None, "of the step before"
    assert await _give(database, second, totp.at(machine.now() + timedelta(seconds=30))) is None, (
        "of the next step"
    )
    assert await _give(database, second, totp.at(machine.now()))


async def test_the_code_of_the_enrolment_does_not_sign_in_again(
    database: Database, team: Team, machine: ManualClock
) -> None:
    found = await team.session(Role.REP)
    async with database.unit(found.actor.workspace_id) as unit:
        begun = begin_enrolment(unit, found.actor, found.member)
        code = pyotp.TOTP(begun.secret).at(machine.now())
        wrong = "000000" if code != "000000" else "111111"
        with pytest.raises(CadenzaError):
            await confirm_enrolment(unit, found.actor, found.member, begun.sealed, wrong)
        await confirm_enrolment(unit, found.actor, found.member, begun.sealed, code)
    assert await _give(database, await team.session(Role.REP), code) is None


@pytest.mark.asvs("6.5.1")
async def test_recovery_codes_are_stored_hashed_and_work_once(
    database: Database, team: Team, machine: ManualClock
) -> None:
    totp, codes = await _enrol(database, await team.session(Role.REP), machine)
    assert len(set(codes)) == 10
    async with database.unit(team.owner.workspace_id) as unit:
        rows = (await unit.session.scalars(text("select recovery_codes::text from recovery_codes"))).all()
        sealed = (await unit.session.execute(text("select factors::text from factors"))).scalar_one()
    assert not any(code.replace("-", "") in row for row in rows for code in codes)
    assert totp.secret not in sealed
    assert await _give(database, await team.session(Role.REP), codes[0].upper().replace("-", " "))
    assert await _give(database, await team.session(Role.REP), codes[0]) is None
    assert await _give(database, await team.session(Role.REP), codes[1])
    found = await team.session(Role.REP)
    async with database.unit(found.actor.workspace_id) as unit:
        new = await renew_recovery_codes(unit, found.actor, found.member)
    assert await _give(database, await team.session(Role.REP), codes[2]) is None
    assert await _give(database, await team.session(Role.REP), new[0])


@pytest.mark.asvs("6.4.3")
async def test_a_reset_does_not_skip_the_factor(database: Database, team: Team, machine: ManualClock) -> None:
    await _enrol(database, await team.session(Role.REP), machine)
    rep = team.members[Role.REP]
    assert rep.member_id is not None
    async with database.unit(rep.workspace_id) as unit:
        link = await make_reset_link(unit, team.owner, rep.member_id)
    await reset_password(database, link, "another long and quiet sentence")
    token = await log_in(database, "rep@north.example", "another long and quiet sentence", "192.0.2.1")
    found = await signed_in(database, token, SETTINGS)
    assert found is not None
    assert found.stage is Stage.CODE


@pytest.mark.asvs("6.3.3")
async def test_where_a_factor_is_required_nothing_opens_without_one(
    database: Database, team: Team, machine: ManualClock
) -> None:
    token = await team.token(Role.REP)
    async with database.unit(team.owner.workspace_id) as unit:
        await require_factor(unit, team.owner, required=True)
    assert await session_actor(database, token, SETTINGS) is None, "also a session that was open before"
    found = await signed_in(database, token, SETTINGS)
    assert found is not None
    assert found.stage is Stage.ENROL
    await _enrol(database, found, machine)
    opened = await signed_in(database, token, SETTINGS)
    assert opened is not None
    assert opened.stage is Stage.OPEN
    async with database.unit(team.owner.workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            await remove_factor(unit, opened.actor, opened.member)
    assert refused.value.code == "factor_required"


@pytest.mark.asvs("6.2.3", "7.5.1")
async def test_factors_change_only_after_a_fresh_proof(
    database: Database, team: Team, machine: ManualClock
) -> None:
    token = await team.token(Role.REP)
    machine.move(timedelta(minutes=11))
    stale = await signed_in(database, token, SETTINGS)
    assert stale is not None
    for change in (remove_factor, renew_recovery_codes):
        async with database.unit(team.owner.workspace_id) as unit:
            with pytest.raises(CadenzaError) as refused:
                await change(unit, stale.actor, stale.member)
        assert refused.value.code == "proof_needed"
    async with database.unit(team.owner.workspace_id) as unit:
        with pytest.raises(CadenzaError) as refused:
            begin_enrolment(unit, stale.actor, stale.member)
        assert refused.value.code == "proof_needed"
        with pytest.raises(CadenzaError) as refused:
            await confirm_enrolment(unit, stale.actor, stale.member, "x", "000000")
        assert refused.value.code == "proof_needed"


async def test_a_code_is_a_fresh_proof_too(database: Database, team: Team, machine: ManualClock) -> None:
    found = await team.session(Role.REP)
    totp, _ = await _enrol(database, found, machine)
    machine.move(timedelta(minutes=11))
    await prove(database, found, totp.at(machine.now()), "192.0.2.1")
    with pytest.raises(CadenzaError):
        await prove(database, found, totp.at(machine.now()), "192.0.2.1")
