"""What people do because of something on LinkedIn or a call: who decides it is given to the servers from outside."""

import asyncio
import heapq
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cadenza.core.clock import Clock
from cadenza.core.errors import CadenzaError
from cadenza.core.http import Answer, Egress, Purpose
from cadenza.sandbox.loopback_http import is_here

_LOOK_AGAIN_SECONDS = 0.2  # the clock may be made faster while we sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that one of our accounts did to a person. ``person``: public name of a profile, or number (E.164)."""

    number: int  # of all deeds at this server
    kind: str  # visit, connect, message or call
    account: str
    person: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What follows. ``kind``: accept, message, seen, like; of a call: talk, no_answer, machine, voicemail (a call back)."""

    kind: str
    at: datetime
    text: str = ""


Responder = Callable[[Deed], Sequence[Reaction]]


def nobody(_deed: Deed) -> Sequence[Reaction]:
    """Nobody reacts to anything."""
    return ()


class Journal:
    """What a server knows, one JSON object a line: on disk before it answers, and read again after a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Iterator[dict[str, Any]]:
        if self._path.exists():
            for line in self._path.read_text("utf-8").splitlines():
                yield json.loads(line)

    def add(self, entry: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def kept_deed(deed: Deed) -> dict[str, Any]:
    return {**asdict(deed), "at": deed.at.isoformat()}


def read_deed(kept: dict[str, Any]) -> Deed:
    return Deed(**{**kept, "at": datetime.fromisoformat(kept["at"])})


class Agenda:
    """Reactions that are to come, in the order of their times. The same deed leads to the same ones after a restart."""

    def __init__(self, clock: Clock, responder: Responder) -> None:
        self._clock = clock
        self._responder = responder
        self._due: list[tuple[datetime, int, str, Deed, Reaction]] = []
        self._order = itertools.count()
        self.done: set[str] = set()

    def add(self, deed: Deed) -> None:
        for number, reaction in enumerate(self._responder(deed)):
            key = f"{deed.number}/{number}"
            if key not in self.done:
                heapq.heappush(self._due, (reaction.at, next(self._order), key, deed, reaction))

    def take(self) -> tuple[str, Deed, Reaction] | None:
        """The next one whose time has come."""
        if self._due and self._due[0][0] <= self._clock.now():
            _, _, key, deed, reaction = heapq.heappop(self._due)
            return key, deed, reaction
        return None


async def wait_a_moment(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK_AGAIN_SECONDS):
            await stop.wait()
    except TimeoutError:
        return


async def tell(purpose: Purpose, url: str, content: bytes, headers: Mapping[str, str]) -> Answer | None:
    """A webhook of ours to this machine; None when nobody answers. Other machines are never told."""
    if not is_here(url):
        return None
    try:
        return await Egress(this_machine=True).request(purpose, "POST", url, headers=headers, content=content)
    except CadenzaError:
        return None
