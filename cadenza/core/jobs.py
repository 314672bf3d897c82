"""Background jobs on Procrastinate, put on the queue inside the caller's transaction.

A job is an ``async`` function ``(database, **arguments)``; it runs at least once and must be idempotent.
For low-rate work only: dispatch has its own loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import procrastinate
from procrastinate import JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.connecting import APPLICATION_ROLE, connection_arguments
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.logs import logger

Job = Callable[..., Awaitable[None]]

_log = logger("jobs")
_STALLED_AFTER = 60.0
_SWEEP_EVERY = 20.0
_UNOPENED = procrastinate.App(connector=PsycopgConnector())  # writes on the caller's connection only


class _Temporary(Exception):  # noqa: N818 - a signal to the queue, not an error of ours
    """Raised to have a job tried again."""


# What may pass by itself is tried again; a bug or a refusal is not made better by repeating it.
_RETRY = RetryStrategy(
    max_attempts=5,
    exponential_wait=4,
    retry_exceptions={_Temporary, OperationalError, ConnectionError, TimeoutError},
)


def _connector(url: str) -> PsycopgConnector:
    return PsycopgConnector(
        min_size=1,
        max_size=4,
        kwargs=connection_arguments(url, APPLICATION_ROLE),
    )


def _as_task(function: Job) -> Callable[..., Awaitable[None]]:
    async def task(context: JobContext, **arguments: Any) -> None:
        try:
            await function(context.additional_context["database"], **arguments)
        except CadenzaError as wrong:
            if wrong.kind is Kind.TEMPORARY:
                raise _Temporary(wrong.code) from wrong
            raise

    return task


def queue(url: str, jobs: Mapping[str, Job]) -> procrastinate.App:
    """The queue with every job that the rooms registered."""
    app = procrastinate.App(connector=_connector(url))
    for name, function in jobs.items():
        app.task(name=name, pass_context=True, retry=_RETRY)(_as_task(function))
    return app


async def enqueue(session: AsyncSession, name: str, **arguments: str | int) -> None:
    """Put a job on the queue; it exists if and when the session's transaction commits."""
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    await _UNOPENED.configure_task(name, allow_unknown=True, connection=raw).defer_async(**arguments)


async def run_jobs(database: Database, jobs: Mapping[str, Job]) -> None:
    """Work until cancelled; then the running jobs finish. Jobs of killed workers are taken up again."""
    app = queue(database.url, jobs)
    async with app.open_async():
        sweeper = asyncio.create_task(_sweep(app))
        try:
            await app.run_worker_async(
                install_signal_handlers=False,
                concurrency=4,
                additional_context={"database": database},
                shutdown_graceful_timeout=20,
            )
        finally:
            sweeper.cancel()


async def _sweep(app: procrastinate.App) -> None:
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER):
                _log.warning("job_taken_up_again", job=job.task_name, id=job.id)
                await app.job_manager.retry_job(job)
        except ConnectorException as lost:  # the next round looks again
            _log.warning("sweep_lost", why=str(lost.__cause__)[:200])
        await asyncio.sleep(_SWEEP_EVERY)
