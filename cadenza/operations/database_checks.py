"""Checks on the database, and on whether sending may go on upon it."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from cadenza.analytics.service import wrong_counts
from cadenza.core.admission import check_login
from cadenza.core.clock import monotonic
from cadenza.core.errors import CadenzaError
from cadenza.core.holding import installation
from cadenza.core.migrations.service import is_current
from cadenza.identity.contracts import INSTALLATION
from cadenza.identity.service import verify_chain, workspaces
from cadenza.operations.backup_records import known_backups
from cadenza.operations.checks import Finding, Scene, fail, fine, register, skipped, warn

_OLDEST_SERVER = 150_000
_BACKUP_EVERY, _VERIFY_EVERY = timedelta(hours=26), timedelta(days=32)
_FEW_CONNECTIONS = 0.9


@register("database.reachable", "the database server and its version", needs_database=False, blocking=True)
async def reachable(scene: Scene) -> Finding:
    began = monotonic()
    async with scene.opened.installation() as session:
        number, name = (
            await session.execute(
                text("select current_setting('server_version_num')::int, current_setting('server_version')")
            )
        ).one()
    words = f"PostgreSQL {name}, answers in {(monotonic() - began) * 1000:.0f} ms"
    return fine(words) if number >= _OLDEST_SERVER else fail(words, "Use PostgreSQL 15 or newer.")


@register("database.schema", "the schema's version", blocking=True)
async def schema(scene: Scene) -> Finding:
    if await asyncio.to_thread(is_current, scene.opened.url):
        return fine("that of this version")
    return fail("that of another version", "Run `cadenza migrate` with the version that is installed here.")


@register("database.login", "what the application's log-in may do")
async def login(scene: Scene) -> Finding:
    try:
        await check_login(scene.opened)
    except CadenzaError as wrong:
        return warn(wrong.message, wrong.fix) if scene.settings.sandbox else fail(wrong.message, wrong.fix)
    return fine("owns nothing, and cannot become who does")


@register("database.clock", "this machine's clock against the database's")
async def clock(scene: Scene) -> Finding:
    database = scene.opened
    before = database.machine.now()
    async with database.installation() as session:
        theirs = (await session.execute(text("select clock_timestamp()"))).scalar_one()
    after = database.machine.now()
    apart = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    words = f"{apart:.1f} seconds apart"
    if apart < 2:
        return fine(words)
    fix = "Let both machines take their time from NTP."
    return fail(words, fix) if apart > 30 else warn(words, fix)


@register("database.standby", "whether commits wait for a standby, and free connections")
async def standby(scene: Scene) -> Finding:
    async with scene.opened.installation() as session:
        waits, used, allowed = (await session.execute(text("select * from server_strain()"))).one()
    if waits > 30:
        return fail(
            f"a commit waits for its standby since {waits:.0f} seconds",
            "Bring the standby back, or take it out.",
        )
    words = f"no commit waits; {used} of {allowed} connections in use"
    few = used > allowed * _FEW_CONNECTIONS
    return warn(words, "Raise max_connections, or lower CADENZA_DATABASE_POOL.") if few else fine(words)


@register("sending.hold", "whether sending is held after a restore, a copy or a failover", blocking=True)
async def hold(scene: Scene) -> Finding:
    async with scene.opened.installation() as session:
        held = (await installation(session)).hold
    if held is None:
        return fine("not held")
    return fail(
        f"held since {held.since:%Y-%m-%d %H:%M} UTC",
        "Nothing is lost. See the Sent folders compared on the page Health or by `cadenza sending status`, then release it.",
    )


@register("world.clock", "world time")
async def world(scene: Scene) -> Finding:
    speed = getattr(scene.opened.world, "anchor", None)
    async with scene.opened.installation() as session:
        mode = (await installation(session)).mode
    if mode == "production":
        return (
            fail("it is simulated", "Use another database: this one was a sandbox's.")
            if speed
            else fine("the machine's")
        )
    return fine(f"simulated, {speed.speed:g} seconds a second") if speed else skipped("has not begun")


@register("backup.fresh", "the newest backup, and when one was last verified")
async def backup(scene: Scene) -> Finding:
    database, known = scene.opened, await known_backups(scene.opened)
    if scene.settings.sandbox:
        return skipped("a sandbox can be made again")
    if not known:
        return warn(
            "there is none", "Run `cadenza backup create` every day, such as by cadenza-backup.timer."
        )
    now = database.machine.now()
    if now - known[0].created_at > _BACKUP_EVERY:
        return warn(
            f"the newest is of {known[0].created_at:%Y-%m-%d %H:%M} UTC", "Look why no later one was made."
        )
    proved = max((b.verified_at for b in known if b.verified_at), default=None)
    if proved is None or now - proved > _VERIFY_EVERY:
        return warn("none was verified for a month", "Run `cadenza backup verify`.")
    return fine(f"made {known[0].created_at:%Y-%m-%d %H:%M} UTC, one verified {proved:%Y-%m-%d}")


@register(
    "audit.chain",
    "every entry of the audit trail against the chain",
    group="compliance",
    seconds=20,
    costly=True,
)
async def audit_chain(scene: Scene) -> Finding:
    database = scene.opened
    chains = [INSTALLATION, *(workspace.id for workspace in await workspaces(database))]
    for workspace_id in chains:
        async with database.unit(workspace_id) as unit:
            broken = await verify_chain(unit)
        if broken:
            return fail(
                f"entry {broken.number} ({broken.entry_id}) was {broken.problem}",
                "Somebody changed the trail past the application: keep the database as it is, and look who could.",
            )
    return fine("every entry is as it was written")


@register("figures.agree", "the kept figures of campaigns against all events", seconds=60, costly=True)
async def figures(scene: Scene) -> Finding:
    wrong = 0
    for workspace in await workspaces(scene.opened):
        async with scene.opened.unit(workspace.id) as unit:
            wrong += await wrong_counts(unit)
    if wrong:
        return fail(f"{wrong} figures differ from their events", "Run `cadenza campaigns recount`.", wrong)
    return fine("every figure is the count of its events")
