"""What the sandbox's Twilio knows: calls, recordings of messages that were left, and their transcriptions."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cadenza.core.clock import Clock
from cadenza.sandbox.channel_people import Agenda, Deed, Journal, Responder, kept_deed, read_deed


@dataclass(slots=True)
class Call:
    sid: str
    parent: str
    sender: str
    to: str
    direction: str  # outbound-api, outbound-dial or inbound
    at: str  # ISO
    status: str = "queued"
    seconds: int = 0
    answered_by: str = ""
    hook: str = ""  # where the end of it is told


@dataclass(slots=True)
class Left:
    """A message that somebody left, and what was heard of it."""

    recording: str
    transcription: str
    call: str
    text: str
    at: str
    seconds: int


class PhoneStore:
    """Every change is on disk before it is told."""

    def __init__(self, path: Path, clock: Clock, responder: Responder) -> None:
        self._journal = Journal(path)
        self.clock = clock
        self.agenda = Agenda(clock, responder)
        self.calls: dict[str, Call] = {}
        self.left: list[Left] = []
        self._deeds = 0
        for entry in self._journal.read():
            self._apply(entry)

    def _record(self, entry: dict[str, Any]) -> None:
        self._journal.add(entry)
        self._apply(entry)

    def _apply(self, entry: dict[str, Any]) -> None:
        if entry["kind"] == "call":
            self.calls[entry["call"]["sid"]] = Call(**entry["call"])
        elif entry["kind"] == "left":
            self.left.append(Left(**entry["left"]))
        elif entry["kind"] == "reacted":
            self.agenda.done.add(entry["key"])
        else:
            deed = read_deed(entry["deed"])
            self._deeds = deed.number + 1
            self.agenda.add(deed)

    def sid(self, letters: str) -> str:
        made = f"{letters}{len(self.calls)}|{len(self.left)}"
        return letters + hashlib.sha256(made.encode()).hexdigest()[:32]

    def call(self, direction: str, sender: str, to: str, *, parent: str = "", hook: str = "") -> Call:
        call = Call(self.sid("CA"), parent, sender, to, direction, self.clock.now().isoformat(), hook=hook)
        self.keep(call)
        return call

    def keep(self, call: Call) -> None:
        """The call as it is now."""
        self._record({"kind": "call", "call": asdict(call)})

    def ring(self, call: Call, account: str) -> None:
        """Somebody is called; what they do comes in its time."""
        deed = Deed(
            number=self._deeds, kind="call", account=account, person=call.to, text=call.sid, at=self.clock.now()
        )  # fmt: skip
        self._record({"kind": "deed", "deed": kept_deed(deed)})

    def leave(self, call: Call, text: str, seconds: int) -> Left:
        left = Left(self.sid("RE"), self.sid("TR"), call.sid, text, self.clock.now().isoformat(), seconds)
        self._record({"kind": "left", "left": asdict(left)})
        return left

    def reacted(self, key: str) -> None:
        self._record({"kind": "reacted", "key": key})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
