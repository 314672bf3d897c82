"""The answer to COMMIT is lost, 500 times at random, for everything that a worker does: nothing twice, nothing lost."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from cadenza.app.benchmarks.commands import Baseline, Result
from cadenza.app.benchmarks.crashes import Scene, people_lost, scene
from cadenza.app.benchmarks.ways import CommitCuts, cutting_way
from cadenza.channels.contracts import FolderCursor
from cadenza.channels.service import mailboxes, save_cursor
from cadenza.core.connecting import connection_arguments
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.smtp_server import Accepted

_CUTS = 500
_PEOPLE_A_CUT = 4
_ANSWERS_EVERY = 5  # of those who are written to, each fifth answers at once
_CHANCE = 0.2
_LONGEST = 900.0


async def run(size: int = _CUTS) -> Result:
    """``lost-commits``: messages sent twice or lost, in or out, after ``size`` COMMITs of which the answer was cut off."""
    people, began = max(size * _PEOPLE_A_CUT, 50), time.perf_counter()
    deaths = 0
    cuts = CommitCuts(size, _CHANCE, random.Random(20261123))
    async with scene(people, slowly=0.02, delivered=answer) as stage, through(stage, cuts):
        await read_from_here(stage)
        await stage.start_worker(CADENZA_LEASE_SECONDS="30")
        while time.perf_counter() - began < _LONGEST and await _unfinished(stage, cuts):
            deaths += await _start_again(stage)
            await asyncio.sleep(0.5)
        await asyncio.sleep(5)  # what is in doubt is looked up every five seconds
        await stage.kill_worker()
        figures, broken = await stage.verdict(people)
        incoming = await answers(stage)
    wrong = figures["twice"] + people_lost(figures) + abs(incoming["expected"] - incoming["stored"])
    return Result(
        name="lost-commits",
        value=float(wrong),
        unit="messages sent twice, lost, or not taken in once",
        baselines=(Baseline("answers to COMMIT that were cut off", float(cuts.count), round(wrong / max(cuts.count, 1), 4)),),
        detail={**figures, "answers": incoming, "worker_started_again": deaths, "seconds": round(time.perf_counter() - began, 1)},
        failed=(*broken, *_wrong_answers(incoming), *(() if cuts.count == size else (f"only {cuts.count} cuts",))),
    )  # fmt: skip


async def _start_again(stage: Scene) -> bool:
    """As `cadenza up` does; a worker may give up while it begins, before it has any work."""
    if stage.worker is None or stage.worker.returncode is None:
        return False
    await stage.start_worker(CADENZA_LEASE_SECONDS="30")
    return True


async def _unfinished(stage: Scene, cuts: CommitCuts) -> bool:
    """People who wait, or answers; the worker goes on with its own affairs until the last cut was made."""
    incoming = await answers(stage)
    return (
        bool(await stage.unsettled()) or incoming["stored"] < incoming["expected"] or cuts.count < cuts.most
    )


@asynccontextmanager
async def through(stage: Scene, cuts: CommitCuts) -> AsyncIterator[None]:
    """The worker's way to the database leads past the scissors."""
    given = stage.server.application_url
    sockets = Path(connection_arguments(given)["host"])
    with tempfile.TemporaryDirectory(prefix="cadenza-way-") as folder:
        async with cutting_way(sockets, Path(folder), cuts):
            stage.way_in = given.partition("?")[0] + f"?host={quote(folder, safe='/')}"
            yield


async def read_from_here(stage: Scene) -> None:
    """A mailbox is read from where it was when it was first seen; so that is now."""
    async with stage.database.unit(stage.workspace) as unit:
        for box in await mailboxes(unit):
            folder = stage.store.account(box.address).folders["INBOX"]
            first = folder.append(b"Subject: start\r\n\r\n", unit.world.now())
            await save_cursor(unit, box.id, FolderCursor("INBOX", folder.uidvalidity, first))


def answer(entry: Accepted, store: MailStore) -> None:
    """Each fifth recipient writes back in the same moment."""
    if entry.number % _ANSWERS_EVERY:
        return
    head = entry.content.decode("latin-1").split("\r\n\r\n")[0]
    message_id = next(line for line in head.splitlines() if line.startswith("Message-ID:")).split()[1]
    letter = (
        f"From: {entry.recipient}\r\nTo: {entry.sender}\r\nSubject: Re: your question\r\nIn-Reply-To: {message_id}\r\n"
        f"Message-ID: <answer{entry.number}@theirs.example>\r\n\r\nThank you, please call me. Number {entry.number}.\r\n"
    )
    store.deliver(entry.sender, letter.encode())


async def answers(stage: Scene) -> dict[str, int]:
    return {
        "expected": len(stage.ledger.entries) // _ANSWERS_EVERY,
        "stored": await stage.count("select count(*) from messages"),
        "counted": await stage.count("select count(*) from events where kind = 'replied'"),
    }


def _wrong_answers(found: dict[str, int]) -> tuple[str, ...]:
    if found["stored"] == found["counted"] == found["expected"]:
        return ()
    return (f"of {found['expected']} answers {found['stored']} are stored and {found['counted']} counted",)
