"""Reading a mailbox so that nothing is lost or seen twice, over connections that break anywhere.

The place in a folder is a cursor (folder, UIDVALIDITY, last UID). Messages are fetched without marking them seen;
whoever stored them marks them later. A cut costs only what was on its way: finished messages are kept, and large
ones go on at the byte where they stopped.
"""

import asyncio
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

from cadenza.channels.contracts import Batch, Credentials, Fetched, FolderCursor, Server
from cadenza.channels.email.fetching import (
    LARGEST_MESSAGE,
    Pending,
    fetched,
    read_pending,
    take,
    take_piece,
)
from cadenza.channels.email.folders import Folders, read_folders
from cadenza.channels.email.imap_wire import Answer, ImapConnection, quoted
from cadenza.channels.email.wire import WireLostError, WireRefusedError
from cadenza.channels.errors import folder_refused, login_refused, unreachable

_LARGEST_REQUEST = 1024 * 1024
_SMALLEST_REQUEST = 256
_POLL_SECONDS = 60.0
_CODE = re.compile(rb"\[(UIDVALIDITY|UIDNEXT) (\d+)\]", re.IGNORECASE)
_APPENDED = re.compile(rb"\[APPENDUID (\d+) (\d+)\]", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Selected:
    folder: str
    uidvalidity: int
    uidnext: int


class ImapReader:
    """One mailbox, opened by ``async with``. Raises ``mail_server_unreachable`` (worth another try later),
    ``mail_login_refused`` and ``mail_folder_refused`` (not worth one).

    ``seconds`` is the deadline of one command, ``pause`` the first pause before connecting again, doubled each time;
    after ``patience`` losses in a row without any progress it gives up.
    """

    def __init__(
        self,
        server: Server,
        credentials: Credentials,
        *,
        seconds: float = 60,
        pause: float = 0.2,
        patience: int = 8,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.server = server
        self._credentials = credentials
        self._connection = ImapConnection(server, seconds=seconds, context=context)
        self._selected: _Selected | None = None
        self._pause = pause
        self._patience = patience
        self._losses = 0
        self._request = _LARGEST_REQUEST

    async def __aenter__(self) -> Self:
        await self._persist(self._ready)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection.live and error is None:
            with suppress(WireLostError, WireRefusedError):  # the server is free to leave without a word
                await self._connection.run(b"LOGOUT")
        self._connection.close()

    # Connection.

    async def _ready(self) -> None:
        if self._connection.live:
            return
        self._connection.close()
        self._selected = None
        try:
            await self._log_in()
        except WireRefusedError as refused:
            self._connection.close()
            raise login_refused(self.server, str(refused)) from refused

    async def _log_in(self) -> None:
        """A token may have ended before its time, and does while a connection lasts: with another one, once more."""
        try:
            await self._connection.open(self._credentials)
        except WireRefusedError:
            if self._credentials.renew is None:
                raise
            self._connection.close()
            self._credentials = await self._credentials.renew()
            await self._connection.open(self._credentials)

    async def _persist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it, connecting again after each loss, until there was no progress for too long."""
        while True:
            try:
                await self._ready()
                done = await act()
            except WireLostError as lost:
                self._connection.close()
                await self._back_off(lost)
            else:
                self._losses = 0
                return done

    async def _back_off(self, lost: WireLostError) -> None:
        self._losses += 1
        if self._losses >= self._patience:
            self._losses = 0
            raise unreachable(self.server, str(lost)) from lost
        self._request = max(_SMALLEST_REQUEST, self._request // 4)
        await asyncio.sleep(self._pause * 2 ** (self._losses - 1) * random.uniform(0.5, 1))

    async def _select(self, folder: str) -> _Selected:
        if self._selected is not None and self._selected.folder == folder:
            return self._selected
        self._selected = None
        try:
            answers = await self._connection.run(b"SELECT " + quoted(folder))
        except WireRefusedError as refused:
            raise folder_refused(self.server, folder, str(refused)) from refused
        codes = {
            found.group(1).upper(): int(found.group(2))
            for answer in answers
            for found in _CODE.finditer(answer.line)
        }
        self._selected = _Selected(folder, codes.get(b"UIDVALIDITY", 0), codes.get(b"UIDNEXT", 0))
        return self._selected

    async def _in_folder(self, folder: str, command: bytes) -> list[Answer]:
        async def act() -> list[Answer]:
            await self._select(folder)
            return await self._connection.run(command)

        try:
            return await self._persist(act)
        except WireRefusedError as refused:
            raise folder_refused(self.server, folder, str(refused)) from refused

    # Finding one's way.

    async def folders(self) -> Folders:
        """Which folders hold sent mail, drafts and junk."""
        try:
            return read_folders(await self._persist(lambda: self._connection.run(b'LIST "" "*"')))
        except WireRefusedError as refused:
            raise folder_refused(self.server, "*", str(refused)) from refused

    async def end(self, folder: str) -> FolderCursor:
        """The cursor behind the newest message: where reading starts in a mailbox that was just added."""

        async def act() -> _Selected:
            self._selected = None  # UIDNEXT of an earlier SELECT may be old
            return await self._select(folder)

        now = await self._persist(act)
        return FolderCursor(folder, now.uidvalidity, max(now.uidnext - 1, 0))

    async def search(self, folder: str, header: str, value: str) -> tuple[int, ...]:
        """UIDs of the messages whose header holds the value: a Message-ID, a touch id."""
        try:
            wanted = quoted(header) + b" " + quoted(value)
        except WireRefusedError:
            return ()  # no header line holds such a text
        answers = await self._in_folder(folder, b"UID SEARCH HEADER " + wanted)
        found = [a.line.split()[2:] for a in answers if a.line.upper().startswith(b"* SEARCH")]
        return tuple(int(uid) for uids in found for uid in uids)

    # Reading.

    async def fetch_new(self, cursor: FolderCursor, *, batch: int = 50) -> AsyncIterator[Batch]:
        """Everything behind the cursor, oldest first; each batch brings the cursor to store with it.

        ``resync`` on a batch says that the folder was numbered anew (UIDVALIDITY): it is read from its start, and
        the caller tells known messages by their content.
        """
        resync = False
        while True:
            listed, now = await self._listed(cursor)
            if now != cursor.uidvalidity:
                resync = resync or cursor.uidvalidity != 0
                cursor = FolderCursor(cursor.folder, now, 0)
                listed, _ = await self._listed(cursor)
            if not listed:
                return
            part = listed[:batch]
            if not await self._complete(cursor, part):
                continue  # numbered anew in the middle
            messages = tuple(fetched(cursor, pending) for pending in part if pending.complete)
            cursor = replace(cursor, last_uid=part[-1].uid)
            yield Batch(cursor, messages, resync)

    async def fetch(self, folder: str, uids: Sequence[int]) -> tuple[Fetched, ...]:
        """These messages, as far as they are still there."""
        cursor = FolderCursor(folder, (await self.end(folder)).uidvalidity, 0)
        wanted = set(uids)
        listed, _ = await self._listed(cursor, ",".join(map(str, sorted(wanted)))) if wanted else ([], 0)
        await self._complete(cursor, listed)
        return tuple(fetched(cursor, pending) for pending in listed if pending.complete)

    async def newer(
        self, folder: str, since: datetime | None, *, batch: int = 50
    ) -> AsyncIterator[tuple[Fetched, ...]]:
        """Everything that the server took in since then (None: ever), oldest first. Raises as ``fetch_new`` does, and
        ``mail_server_unreachable`` when the folder is numbered anew meanwhile.
        """
        cursor = FolderCursor(folder, (await self.end(folder)).uidvalidity, 0)
        listed, _ = await self._listed(cursor)
        wanted = [p for p in listed if since is None or p.internal_date is None or p.internal_date >= since]
        for start in range(0, len(wanted), batch):
            part = wanted[start : start + batch]
            if not await self._complete(cursor, part):
                raise unreachable(self.server, f"{folder} was numbered anew")
            yield tuple(fetched(cursor, pending) for pending in part if pending.complete)

    async def _listed(self, cursor: FolderCursor, uids: str | None = None) -> tuple[list[Pending], int]:
        """Flags and sizes behind the cursor. ``n:*`` always names the last message too, hence the filter."""
        wanted = uids or f"{cursor.last_uid + 1}:*"

        async def act() -> tuple[list[Pending], int]:
            if self._selected is not None and self._selected.folder == cursor.folder:
                await self._connection.run(b"NOOP")  # only now must a server tell of newer messages
            selected = await self._select(cursor.folder)
            answers = await self._connection.run(
                f"UID FETCH {wanted} (UID FLAGS INTERNALDATE RFC822.SIZE)".encode()
            )
            found = [p for p in map(read_pending, answers) if p is not None and p.uid > cursor.last_uid]
            return sorted({p.uid: p for p in found}.values(), key=lambda p: p.uid), selected.uidvalidity

        try:
            return await self._persist(act)
        except WireRefusedError as refused:
            raise folder_refused(self.server, cursor.folder, str(refused)) from refused

    async def _complete(self, cursor: FolderCursor, part: list[Pending]) -> bool:
        """Fetch the content of each. False when the folder was numbered anew meanwhile."""
        while waiting := [p for p in part if not p.settled]:
            before = _kept(part)
            try:
                await self._ready()
                if (await self._select(cursor.folder)).uidvalidity != cursor.uidvalidity:
                    return False
                await self._request_some(waiting)
            except WireLostError as lost:
                self._connection.close()
                if _kept(part) > before:  # something was kept from a cut attempt, so it is worth going on
                    self._losses = 0
                await self._back_off(lost)
            except WireRefusedError as refused:
                raise folder_refused(self.server, cursor.folder, str(refused)) from refused
            else:
                self._losses = 0
                self._request = min(_LARGEST_REQUEST, self._request * 2)
        return True

    async def _request_some(self, waiting: list[Pending]) -> None:
        """One command for as much as the line seems to bear: several messages, or a piece of one."""
        first, size = waiting[0], 0
        if first.content or first.size > self._request:
            await self._request_piece(first)
            return
        some: list[Pending] = []
        for pending in waiting:
            size += pending.size
            if some and size > self._request:
                break
            some.append(pending)
        by_uid = {pending.uid: pending for pending in some}
        uids = ",".join(str(uid) for uid in by_uid)
        await self._connection.run(
            f"UID FETCH {uids} (UID BODY.PEEK[])".encode(), sink=lambda answer: take(answer, by_uid)
        )
        for pending in some:
            pending.gone = not pending.complete  # deleted since it was listed

    async def _request_piece(self, pending: Pending) -> None:
        asked = min(self._request, LARGEST_MESSAGE - len(pending.content))
        before = len(pending.content)
        await self._connection.run(
            f"UID FETCH {pending.uid} (UID BODY.PEEK[]<{before}.{asked}>)".encode(),
            sink=lambda answer: take_piece(answer, pending, before),
        )
        got = len(pending.content) - before
        pending.gone = got == 0 and before < pending.size
        pending.complete = not pending.gone and (got < asked or len(pending.content) >= LARGEST_MESSAGE)

    # Changing.

    async def mark_seen(self, folder: str, uids: Sequence[int]) -> None:
        """Only after the messages are stored."""
        if uids:
            await self._in_folder(
                folder, f"UID STORE {','.join(map(str, uids))} +FLAGS.SILENT (\\Seen)".encode()
            )

    async def create(self, folder: str) -> None:
        """Make a folder and have mail programs show it."""

        async def act() -> None:
            for command in (b"CREATE ", b"SUBSCRIBE "):
                await self._connection.run(command + quoted(folder))

        try:
            await self._persist(act)
        except WireRefusedError as refused:
            raise folder_refused(self.server, folder, str(refused)) from refused

    async def append(self, folder: str, content: bytes, *, seen: bool = True) -> int | None:
        """File a message; its UID where the server tells it. Not repeated after a loss, as it may have arrived."""
        flags = b" (\\Seen)" if seen else b""
        command = b"APPEND " + quoted(folder) + flags + b" {%d}" % len(content)
        await self._persist(self._ready)
        try:
            answers = await self._connection.run(command, sent=(content + b"\r\n",))
        except WireLostError as lost:
            raise unreachable(self.server, str(lost)) from lost
        except WireRefusedError as refused:
            raise folder_refused(self.server, folder, str(refused)) from refused
        found = _APPENDED.search(answers[-1].line)
        return int(found.group(2)) if found else None

    async def wait(self, folder: str, seconds: float) -> bool:
        """Until the folder has news or the time is over. By IDLE where offered, else by asking each minute."""

        async def act() -> bool:
            await self._select(folder)
            if "IDLE" in self._connection.capabilities:
                return await self._connection.idle(seconds)
            await asyncio.sleep(min(seconds, _POLL_SECONDS))
            answers = await self._connection.run(b"NOOP")
            return any(answer.line.upper().endswith(b" EXISTS") for answer in answers)

        try:
            return await self._persist(act)
        except WireRefusedError as refused:  # a refused IDLE or NOOP says nothing about the mailbox
            raise unreachable(self.server, str(refused)) from refused


def _kept(part: list[Pending]) -> int:
    return sum(len(p.content) + p.settled for p in part)
