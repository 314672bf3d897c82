"""The mailboxes of the sandbox: folders of messages on disk, byte for byte as they came.

A folder is a directory with one file a message and ``index.jsonl``, to which every change is appended: so a killed
process loses nothing it has acknowledged, and a half-written last line is simply no change.
"""

import asyncio
import json
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cadenza.core.clock import Clock

FOLDERS = {"INBOX": (), "Sent": ("\\Sent",), "Drafts": ("\\Drafts",), "Junk": ("\\Junk",)}


@dataclass(slots=True)
class Stored:
    uid: int
    size: int
    date: datetime
    flags: set[str] = field(default_factory=set)


class Folder:
    """The messages of one folder by UID, ascending. UIDs are never used twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.messages: dict[int, Stored] = {}
        self.uidnext = 1
        self._keys: set[str] = set()
        self._watchers: set[asyncio.Event] = set()
        path.mkdir(parents=True, exist_ok=True)
        self._index = path / "index.jsonl"
        self.uidvalidity = self._load()

    def _load(self) -> int:
        if not self._index.exists():
            validity = random.SystemRandom().randrange(1, 2**31)
            self._index.write_text(json.dumps({"uidvalidity": validity}) + "\n")
            return validity
        text = self._index.read_text()
        complete, end, rest = text.rpartition("\n")
        if rest:
            self._index.write_text(complete + end)
        lines = [json.loads(line) for line in complete.split("\n")]
        for change in lines[1:]:
            self._replay(change)
        return int(lines[0]["uidvalidity"])

    def _replay(self, change: dict[str, Any]) -> None:
        uid = int(change["uid"])
        self.uidnext = max(self.uidnext, uid + 1)
        if change.get("gone"):
            self.messages.pop(uid, None)
        elif "size" in change:
            date = datetime.fromisoformat(change["date"])
            self.messages[uid] = Stored(uid, change["size"], date, set(change["flags"]))
            self._keys.add(change.get("key", ""))
        elif uid in self.messages:
            self.messages[uid].flags = set(change["flags"])

    def _record(self, **change: Any) -> None:
        with self._index.open("a") as index:
            index.write(json.dumps(change) + "\n")
        for watcher in self._watchers:
            watcher.set()

    def append_once(self, key: str, content: bytes, date: datetime, flags: Iterable[str] = ()) -> bool:
        """False when a message with this key was filed before, in this life or an earlier one."""
        if key in self._keys:
            return False
        self.append(content, date, flags, key=key)
        return True

    def append(self, content: bytes, date: datetime, flags: Iterable[str] = (), key: str = "") -> int:
        """The UID of the new message."""
        uid = self.uidnext
        self.uidnext += 1
        (self.path / f"{uid}.eml").write_bytes(content)
        stored = self.messages[uid] = Stored(uid, len(content), date, set(flags))
        self._keys.add(key)
        self._record(uid=uid, size=stored.size, date=date.isoformat(), flags=sorted(stored.flags), key=key)
        return uid

    def content(self, uid: int) -> bytes:
        return (self.path / f"{uid}.eml").read_bytes()

    def set_flags(self, uid: int, flags: set[str]) -> None:
        if self.messages[uid].flags != flags:
            self.messages[uid].flags = flags
            self._record(uid=uid, flags=sorted(flags))

    def expunge(self) -> None:
        for uid in [m.uid for m in self.messages.values() if "\\Deleted" in m.flags]:
            del self.messages[uid]
            self._record(uid=uid, gone=True)
            (self.path / f"{uid}.eml").unlink(missing_ok=True)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """An event that is set at each change."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            yield event
        finally:
            self._watchers.discard(event)


class Account:
    """The folders of one address."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def folders(self) -> dict[str, Folder]:
        return {name: Folder(self._path / name) for name in FOLDERS}


class MailStore:
    """All accounts under one directory; the world's time dates what is delivered."""

    def __init__(self, path: Path, world: Clock) -> None:
        self._path = path
        self._world = world
        self._accounts: dict[str, Account] = {}

    def account(self, address: str) -> Account:
        address = address.lower()
        if "/" in address or address.startswith("."):
            raise ValueError(f"{address} cannot name an account")
        if address not in self._accounts:
            self._accounts[address] = Account(self._path / address)
        return self._accounts[address]

    def now(self) -> datetime:
        return self._world.now()

    def deliver(self, address: str, content: bytes, folder: str = "INBOX", flags: Iterable[str] = ()) -> int:
        return self.account(address).folders[folder].append(content, self.now(), flags)
