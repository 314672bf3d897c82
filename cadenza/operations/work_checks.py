"""Checks on the work: is it done, by whom, and how late."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from cadenza.core.clock import machine_span
from cadenza.operations.checks import Finding, Scene, fail, fine, register, skipped, warn
from cadenza.operations.pulse import SILENT, processes

_LATE, _TOO_LATE = timedelta(minutes=10), timedelta(hours=1)


@register("work.processes", "processes that serve pages and send", blocking=True)
async def running(scene: Scene) -> Finding:
    now = scene.opened.machine.now()
    alive = [p for p in await processes(scene.opened) if now - p.seen_at < SILENT]
    web, workers = (sum(p.kind == kind for p in alive) for kind in ("web", "worker"))
    words = f"{web} web, {workers} worker"
    missing = [kind for kind, count in (("web", web), ("worker", workers)) if not count]
    if missing:
        return fail(words, f"Start `cadenza up`, or `cadenza {missing[0]}`.", len(missing))
    versions = {p.version for p in alive}
    return (
        fine(words)
        if len(versions) == 1
        else warn(f"{words}, of several versions", "Restart the older ones.")
    )


@register("work.queue", "how late the oldest due step is, and claims that nobody finishes")
async def queue(scene: Scene) -> Finding:
    waiting = await _waiting(scene)
    if waiting.expired:
        return fail(
            f"{waiting.expired} touches are claimed by workers that are gone",
            "Start a worker.",
            waiting.expired,
        )
    if waiting.oldest_due is None:
        return fine("nothing is due")
    world = scene.opened.world
    late = machine_span(world, world.now() - waiting.oldest_due)
    words = f"{waiting.due} due, the oldest since {late.total_seconds() / 60:.0f} minutes"
    if late < _LATE:
        return fine(words)
    fix = "See which senders are full or broken on the page Senders, and whether a worker runs."
    return fail(words, fix, waiting.due) if late > _TOO_LATE else warn(words, fix, waiting.due)


@register("work.doubts", "messages of which nobody knows whether they left")
async def doubts(scene: Scene) -> Finding:
    found = (await _waiting(scene)).doubts
    return (
        warn(f"{found} in doubt", "Say on the page Today what became of each.", found)
        if found
        else fine("none")
    )


@register("mail.mailboxes", "mailboxes that cannot send or be read")
async def mailboxes(scene: Scene) -> Finding:
    waiting = await _waiting(scene)
    if not waiting.mailboxes:
        return skipped("there is none yet")
    if waiting.broken:
        words = f"{waiting.broken} of {waiting.mailboxes} are broken"
        return fail(words, "The page Senders says why, and tests them again.", waiting.broken)
    return fine(f"{waiting.mailboxes}, none broken")


@register("work.jobs", "background jobs that failed or wait too long")
async def jobs(scene: Scene) -> Finding:
    async with scene.opened.installation() as session:
        late, failed = (await session.execute(_JOBS)).one()
    if late:
        return fail(
            f"{late} wait for over ten minutes", "Start a worker; if one runs, look at its log.", late
        )
    if failed:
        return warn(
            f"{failed} failed since yesterday", "Look at the worker's log for what they were.", failed
        )
    return fine("none waits, none failed")


_JOBS = text("""
    select count(*) filter (where j.status = 'todo' and coalesce(j.scheduled_at, e.at) < now() - interval '10 minutes'),
           count(*) filter (where j.status = 'failed' and e.at > now() - interval '1 day')
    from procrastinate_jobs j
    join lateral (select max(at) as at from procrastinate_events e where e.job_id = j.id) e on true
    where j.status in ('todo', 'failed')
""")


async def _waiting(scene: Scene) -> Any:
    values = {"world": scene.opened.world.now(), "machine": scene.opened.machine.now()}
    async with scene.opened.installation() as session:
        return (await session.execute(text("select * from work_waiting(:world, :machine)"), values)).one()
