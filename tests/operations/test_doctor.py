"""`doctor` and the page Health: every check on its own, whatever the others do."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.core import holding
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.migrations.service import connected
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE, Actor, Origin, Role
from cadenza.identity.service import add_member, audit, create_workspace, log_in
from cadenza.ledger.contracts import Check, CheckStatus, EventKind, NewEvent
from cadenza.ledger.service import record_events
from cadenza.operations import doctor, pulse
from cadenza.operations.checks import Finding, Probe, Scene, as_json, examine, fine, verdict
from cadenza.operations.doctor import note, probes
from cadenza.operations.pulse import beat, processes
from cadenza.web.security import form_token
from tests.support.shell import Shell

PASSWORD = "a long enough password of ours"
KEYS = {"id", "group", "status", "blocking", "affected", "looked_at", "found", "evidence", "fix", "override"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


async def _found(database: Database, settings: Settings, identity: str) -> Check:
    (check,) = await examine(Scene(settings, database), {identity: probes()[identity]})
    return check


def _probe(identity: str, look: object, *, needs_database: bool = False) -> Probe:
    return Probe(
        identity,
        "infrastructure",
        "a test",
        look,
        0.2,
        blocking=False,
        needs_database=needs_database,  # type: ignore[arg-type]
    )


async def test_one_that_hangs_or_breaks_hides_no_other(settings: Settings) -> None:
    async def hangs(_: Scene) -> Finding:
        await asyncio.sleep(60)
        return fine("never")

    async def breaks(_: Scene) -> Finding:
        raise ZeroDivisionError("select secret from inside")

    async def refuses(_: Scene) -> Finding:
        raise CadenzaError("x", "The disk is on fire.", fix="Put it out.")

    async def well(_: Scene) -> Finding:
        return fine("well")

    each = {"hangs": hangs, "breaks": breaks, "refuses": refuses, "well": well}
    known = {name: _probe(name, look) for name, look in each.items()}
    known["asks"] = _probe("asks", well, needs_database=True)
    checks = {c.id: c for c in await asyncio.wait_for(examine(Scene(settings), known), 5)}
    assert {name: c.status.value for name, c in checks.items()} == {
        "hangs": "warn", "breaks": "fail", "refuses": "fail", "well": "pass", "asks": "skipped",
    }  # fmt: skip
    assert "secret" not in checks["breaks"].found
    assert (checks["refuses"].found, checks["refuses"].fix) == ("The disk is on fire.", "Put it out.")
    assert verdict(list(checks.values())) is CheckStatus.FAIL


async def test_every_check_answers_in_the_public_shape_with_a_fix_where_it_is_needed(
    database: Database, settings: Settings
) -> None:
    checks = [as_json(check) for check in await examine(Scene(settings, database), probes())]
    assert len(checks) >= 18
    assert len({check["id"] for check in checks}) == len(checks)
    for check in checks:
        assert set(check) == KEYS
        assert check["group"] in {"infrastructure", "content", "audience", "compliance", "plan"}
        assert check["looked_at"]
        assert check["found"]
        assert bool(check["fix"]) == (check["status"] in ("warn", "fail")), check
        assert "itself broke" not in check["found"], check


@pytest.mark.asvs("16.4.2")
async def test_a_changed_audit_entry_is_named(
    database: Database, workspace: Actor, settings: Settings, database_url: str
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        await audit(unit, workspace, "launch", "spring")
    assert (await _found(database, settings, "audit.chain")).status is CheckStatus.PASS
    with connected(database_url) as owner:
        owner.execute(text("set session_replication_role = replica"))
        owner.execute(text("update audit_entries set subject = 'autumn'"))
        owner.commit()
    broken = await _found(database, settings, "audit.chain")
    assert broken.status is CheckStatus.FAIL
    assert "altered" in broken.found


async def test_a_hold_is_told_and_blocks(database: Database, settings: Settings) -> None:
    assert (await _found(database, settings, "sending.hold")).status is CheckStatus.PASS
    await holding.hold(database)
    check = await _found(database, settings, "sending.hold")
    assert (check.status, check.blocking) == (CheckStatus.FAIL, True)


@pytest.mark.asvs("13.3.1")
async def test_keys_that_others_may_read_are_told(settings: Settings) -> None:
    path = settings.home / "keys.json"
    path.write_text("{}")
    path.chmod(0o644)
    (check,) = await examine(Scene(settings), {"machine.keys": probes()["machine.keys"]})
    assert check.status is CheckStatus.FAIL
    assert str(path) in check.fix
    path.chmod(0o600)
    (check,) = await examine(Scene(settings), {"machine.keys": probes()["machine.keys"]})
    assert check.status is CheckStatus.PASS


async def test_clocks_that_differ_are_told(
    database: Database, settings: Settings, machine: ManualClock
) -> None:
    check = await _found(database, settings, "database.clock")
    assert check.status is CheckStatus.FAIL, "the test's clock stands in another year than the database's"
    async with database.installation() as session:
        machine.set((await session.execute(text("select clock_timestamp()"))).scalar_one())
    assert (await _found(database, settings, "database.clock")).status is CheckStatus.PASS


async def test_work_that_nobody_does_is_told(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await _found(database, settings, "work.processes")).status is CheckStatus.FAIL
    monkeypatch.setattr(pulse, "_EVERY_SECONDS", 0.01)
    beating = [asyncio.create_task(beat(database, kind)) for kind in ("web", "worker")]
    for _ in range(100):
        await asyncio.sleep(0.02)
        if len(await processes(database)) == 2:
            break
    assert (await _found(database, settings, "work.processes")).status is CheckStatus.PASS
    for task in beating:
        task.cancel()
    await asyncio.gather(*beating, return_exceptions=True)
    assert await processes(database) == [], "a process that ends takes its line away"
    async with database.installation() as session:
        await session.execute(text(
            "insert into procrastinate_jobs (queue_name, task_name, priority, lock, args, status) "
            "values ('default', 'x', 0, 'l', '{}', 'todo')"
        ))  # fmt: skip
        await session.execute(text("update procrastinate_events set at = now() - interval '1 hour'"))
    assert (await _found(database, settings, "work.jobs")).status is CheckStatus.FAIL


@pytest.mark.slow
async def test_the_command_tells_also_where_there_is_nothing_or_no_database() -> None:
    with tempfile.TemporaryDirectory(prefix="cadenza-doctor-") as folder:
        Path(folder).chmod(0o755)
        shell = Shell(Path(folder), {"CADENZA_HOME": f"{folder}/home"})
        nothing = await shell("doctor", "--json")
        assert nothing.code == 1
        by_id = {check["id"]: check for check in nothing.only["checks"]}
        assert "There is no installation" in by_id["database.reachable"]["found"]
        assert by_id["machine.disk"]["status"] in ("pass", "warn", "fail")
        assert by_id["work.queue"]["status"] == "skipped"
        assert not (Path(folder) / "home").exists(), "looking makes nothing"
        away = await shell("doctor", "--json", CADENZA_DATABASE_URL="postgresql://u:p@127.0.0.1:9/x")
        by_id = {check["id"]: check for check in away.only["checks"]}
        assert by_id["database.reachable"]["status"] == "fail"
        assert "does not answer" in by_id["database.reachable"]["found"]


async def _visitor(database: Database, settings: Settings, email: str) -> httpx.AsyncClient:
    token = await log_in(database, email, PASSWORD, "127.0.0.1")
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(database, settings)),
        base_url="http://testserver",
        cookies={SESSION_COOKIE: token},
    )
    client.headers.update(
        {"accept": "text/html", "sec-fetch-site": "same-origin", "x-csrf-token": form_token(token)}
    )
    return client


@pytest.fixture
async def halden(database: Database) -> Actor:
    workspace, member = await create_workspace(
        database, "Halden", owner_email="nora@halden.example", owner_name="Nora", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.PAGE, member.id, "Nora")
    async with database.unit(workspace.id) as unit:
        for role in (Role.MANAGER, Role.REP, Role.OPERATOR):
            await add_member(
                unit,
                actor,
                email=f"{role.value}@halden.example",
                name=role.value,
                role=role,
                password=PASSWORD,
            )
    return actor


async def test_the_page_shows_it_and_releases_what_was_compared(
    database: Database, halden: Actor, settings: Settings
) -> None:
    sandbox = settings.model_copy(update={"sandbox": True})
    async with await _visitor(database, sandbox, "operator@halden.example") as client:
        assert "Nobody has looked yet" in (await client.get("/health")).text
        assert (await client.post("/health/look")).status_code == 303
        page = (await client.get("/health")).text
        assert "looked at 0 seconds ago" in page
        assert "Hold on sending" in page
        await holding.hold(database)
        held = (await client.get("/health")).text
        assert "Sending is held" in held
        assert "Let sending go on" not in held
        assert (await client.post("/health/release")).status_code == 409
        await holding.note_compared(database, {"copies": 5, "counted": 2, "unreachable": []})
        assert "Let sending go on" in (await client.get("/health")).text
        assert "Sending is held." in (await client.get("/campaigns")).text, "the banner is on every page"
        assert (await client.post("/health/release")).status_code == 303
        assert "Sending is held" not in (await client.get("/campaigns")).text
    async with database.unit(halden.workspace_id) as unit:
        acts = await unit.session.scalars(
            text("select actor from audit_entries where action = 'release_sending'")
        )
        assert list(acts) == ["operator"]


@pytest.mark.parametrize("role", ["manager", "rep"])
@pytest.mark.asvs("8.1.1", "8.2.1")
@pytest.mark.usefixtures("halden")
async def test_others_do_not_see_it(database: Database, settings: Settings, role: str) -> None:
    sandbox = settings.model_copy(update={"sandbox": True})
    async with await _visitor(database, sandbox, f"{role}@halden.example") as client:
        for method, path in (("GET", "/health"), ("POST", "/health/look"), ("POST", "/health/release")):
            assert (await client.request(method, path)).status_code == 403
        assert 'href="/health"' not in (await client.get("/campaigns")).text


async def test_what_was_found_is_said_in_german_too(
    database: Database, halden: Actor, settings: Settings
) -> None:
    assert halden
    await note(database, await examine(Scene(settings, database), probes()))
    sandbox = settings.model_copy(update={"sandbox": True})
    async with await _visitor(database, sandbox, "nora@halden.example") as client:
        page = (await client.get("/health", headers={"accept-language": "de"})).text
    for words in (
        "Zustand",
        "Nicht angehalten",
        "Nichts ist fällig",
        "Datenbank",
        "In Ordnung",
        "Starten Sie `cadenza up`",
        "GB frei bei",
    ):
        assert words in page, words


async def test_the_worker_looks_at_what_is_costly_now_and_then_only(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = {"cheap": 0, "costly": 0}

    def counted(name: str) -> Probe:
        async def look(_: Scene) -> Finding:
            looked[name] += 1
            return fine(f"{looked[name]}")

        return replace(_probe(name, look), costly=name == "costly")

    monkeypatch.setattr(doctor, "probes", lambda: {name: counted(name) for name in looked})
    watch = doctor.Watch(Scene(settings, database))
    for _ in range(3):
        found = {check.id: check.found for check in await watch.look()}
    assert found == {"cheap": "3", "costly": "1"}
    monkeypatch.setattr(doctor, "COSTLY_EVERY_SECONDS", 0.0)
    assert {check.id: check.found for check in await watch.look()} == {"cheap": "4", "costly": "2"}


async def test_a_figure_that_differs_from_its_events_is_named_with_what_to_do(
    database: Database, settings: Settings, workspace: Actor
) -> None:
    async with database.unit(workspace.workspace_id) as unit:
        sent = NewEvent(kind=EventKind.SENT, origin="test", campaign_id=workspace.workspace_id)
        await record_events(unit, [sent])
    assert (await _found(database, settings, "figures.agree")).status is CheckStatus.PASS
    async with database.unit(workspace.workspace_id) as unit:
        await unit.session.execute(text("update event_counts set things = 2"))
    wrong = await _found(database, settings, "figures.agree")
    assert (wrong.status, wrong.affected, wrong.fix) == (
        CheckStatus.FAIL,
        1,
        "Run `cadenza campaigns recount`.",
    )
