"""A small IMAP4rev1 server (RFC 3501) with IDLE, UIDPLUS' APPENDUID, LITERAL+ and SPECIAL-USE.

Our own because the library at hand rewrites the line ends of stored messages, reads whole folders once a second
for each idle client, and stamps with the machine's time; a provider keeps bytes and is told of changes.
"""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from typing import ClassVar

from cadenza.core.logs import logger
from cadenza.sandbox.imap_grammar import (
    Argument,
    BadCommandError,
    arguments,
    header_values,
    internal_date,
    numbers,
    read_date,
    section,
    word,
)
from cadenza.sandbox.mail_store import FOLDERS, Account, Folder, MailStore, Stored

log = logger(__name__)

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n$")
_LARGEST = 64 * 1024 * 1024
_CAPABILITIES = b"IMAP4rev1 IDLE UIDPLUS LITERAL+ SPECIAL-USE AUTH=PLAIN"


class NoError(Exception):
    """The command is understood and refused; the text is the answer behind NO."""


class ImapServer:
    """Serves the accounts of a store to who knows the password of theirs."""

    def __init__(self, store: MailStore, passwords: dict[str, str]) -> None:
        self._store = store
        self._passwords = passwords
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """The port it listens on."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=1024 * 1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await _Connection(self._store, self._passwords, reader, writer).run()
        except (
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            asyncio.CancelledError,
        ) as gone:  # clients come and go, and stop() cancels those that stay: nobody is left to whom it could be told
            log.debug("client_gone", why=type(gone).__name__)
        finally:
            writer.close()


class _Connection:
    def __init__(
        self,
        store: MailStore,
        passwords: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._reader = reader
        self._writer = writer
        self._account: Account | None = None
        self._folder: Folder | None = None
        self._read_only = False
        self._shown: list[int] = []  # UIDs by sequence number, as this client knows them
        self._leaving = False

    async def run(self) -> None:
        self._say(b"* OK Cadenza sandbox")
        while not self._leaving and (command := await self._command()) is not None:
            tag, name, rest = command
            try:
                done = await self._act(name, rest)
            except BadCommandError as wrong:
                self._say(tag + b" BAD " + str(wrong).encode())
            except NoError as refused:
                self._say(tag + b" NO " + str(refused).encode())
            else:
                if not name.startswith(("FETCH", "STORE", "SEARCH")):
                    self._announce()
                self._say(tag + b" OK " + (done or b"done"))
            await self._writer.drain()

    def _say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")

    async def _command(self) -> tuple[bytes, str, list[Argument]] | None:
        """Tag, name (``UID FETCH`` is one) and arguments of the next command; None at the end."""
        parts, literals = [await self._reader.readline()], []
        while found := _LITERAL.search(parts[-1]):
            size = int(found[1])
            if size > _LARGEST:
                return None
            if not found[2]:
                self._say(b"+ go on")
            parts[-1] = parts[-1][: found.start()]
            literals.append(await self._reader.readexactly(size))
            parts.append(await self._reader.readline())
        if not parts[0].strip():
            return None
        try:
            tag, name, *rest = arguments(parts, literals)
            named = word(name).upper()
            if named == "UID" and rest:
                named, rest = f"UID {word(rest[0]).upper()}", rest[1:]
        except (BadCommandError, ValueError):
            return b"*", "UNREADABLE", []
        return (tag if isinstance(tag, bytes) else b"*"), named, rest

    async def _act(self, name: str, rest: list[Argument]) -> bytes | None:
        by_uid = name.startswith("UID ")
        plain = name.removeprefix("UID ")
        if plain in {"FETCH", "STORE", "SEARCH"}:
            folder = self._selected()
            act = {"FETCH": self._fetch, "STORE": self._store_flags, "SEARCH": self._search}[plain]
            try:
                return act(folder, rest, by_uid)
            except IndexError as missing:
                raise BadCommandError("arguments are missing") from missing
        command = self._COMMANDS.get(name)
        if command is None:
            raise BadCommandError(f"no command {name}")
        try:
            return await command(self, rest)
        except IndexError as missing:
            raise BadCommandError("arguments are missing") from missing

    def _announce(self) -> None:
        """Tell what changed in the selected folder since the client last heard of it."""
        if self._folder is None:
            return
        now = self._folder.messages
        for number in range(len(self._shown), 0, -1):
            if self._shown[number - 1] not in now:
                self._say(b"* %d EXPUNGE" % number)
                del self._shown[number - 1]
        if len(now) > len(self._shown):
            self._shown = list(now)
            self._say(b"* %d EXISTS" % len(self._shown))

    def _selected(self) -> Folder:
        if self._folder is None:
            raise BadCommandError("no folder is selected")
        return self._folder

    def _own(self) -> Account:
        if self._account is None:
            raise NoError("[AUTHENTICATIONFAILED] log in first")
        return self._account

    # Commands.

    async def _capability(self, _: list[Argument]) -> None:
        self._say(b"* CAPABILITY " + _CAPABILITIES)

    async def _nothing(self, _: list[Argument]) -> None:
        return

    async def _logout(self, _: list[Argument]) -> None:
        self._say(b"* BYE")
        self._leaving = True

    async def _login(self, rest: list[Argument]) -> None:
        self._enter(word(rest[0]), word(rest[1]))

    async def _authenticate(self, rest: list[Argument]) -> None:
        if word(rest[0]).upper() != "PLAIN":
            raise NoError("only PLAIN")
        if len(rest) > 1:
            secret = word(rest[1]).encode()
        else:
            self._say(b"+ ")
            secret = await self._reader.readline()
        try:
            _, user, password = base64.b64decode(secret).decode().split("\0")
        except ValueError as wrong:
            raise BadCommandError("no PLAIN answer") from wrong
        self._enter(user, password)

    def _enter(self, user: str, password: str) -> None:
        if self._passwords.get(user.lower()) != password:
            raise NoError("[AUTHENTICATIONFAILED] wrong user or password")
        self._account = self._store.account(user)

    async def _list(self, rest: list[Argument]) -> None:
        pattern = re.escape(word(rest[0]) + word(rest[1])).replace("\\*", ".*").replace("%", "[^/]*")
        for name in self._own().folders:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                flags = " ".join(("\\HasNoChildren", *FOLDERS[name]))
                self._say(f'* LIST ({flags}) "/" "{name}"'.encode())

    def _named(self, argument: Argument) -> Folder:
        name = word(argument)
        folder = self._own().folders.get("INBOX" if name.upper() == "INBOX" else name)
        if folder is None:
            raise NoError(f"[TRYCREATE] no folder {name}")
        return folder

    async def _select(self, rest: list[Argument], *, read_only: bool = False) -> bytes:
        self._folder = None
        folder = self._folder = self._named(rest[0])
        self._read_only = read_only
        self._shown = list(folder.messages)
        self._say(b"* %d EXISTS" % len(self._shown))
        self._say(b"* 0 RECENT")
        self._say(rb"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)")
        self._say(b"* OK [UIDVALIDITY %d] valid" % folder.uidvalidity)
        self._say(b"* OK [UIDNEXT %d] next" % folder.uidnext)
        return b"[READ-ONLY] selected" if read_only else b"[READ-WRITE] selected"

    async def _examine(self, rest: list[Argument]) -> bytes:
        return await self._select(rest, read_only=True)

    async def _status(self, rest: list[Argument]) -> None:
        folder = self._named(rest[0])
        unseen = sum("\\Seen" not in m.flags for m in folder.messages.values())
        known = {
            "MESSAGES": len(folder.messages), "RECENT": 0, "UIDNEXT": folder.uidnext,
            "UIDVALIDITY": folder.uidvalidity, "UNSEEN": unseen,
        }  # fmt: skip
        asked = [word(item).upper() for item in rest[1]] if isinstance(rest[1], list) else []
        if not set(asked) <= set(known):
            raise BadCommandError("no such status item")
        shown = " ".join(f"{item} {known[item]}" for item in asked)
        self._say(f'* STATUS "{word(rest[0])}" ({shown})'.encode())

    async def _append(self, rest: list[Argument]) -> bytes:
        folder, content = self._named(rest[0]), rest[-1]
        if len(rest) < 2 or isinstance(content, list):
            raise BadCommandError("no message")
        flags = next(([word(f) for f in item] for item in rest[1:-1] if isinstance(item, list)), [])
        dates = [read_date(word(item)) for item in rest[1:-1] if not isinstance(item, list)]
        uid = folder.append(content, dates[0] if dates else self._store.now(), flags)
        return b"[APPENDUID %d %d] filed" % (folder.uidvalidity, uid)

    async def _expunge(self, _: list[Argument]) -> None:
        if self._read_only:
            raise NoError("the folder is open for reading")
        self._selected().expunge()

    async def _close(self, _: list[Argument]) -> None:
        if not self._read_only:
            self._selected().expunge()
        self._folder = None

    async def _idle(self, _: list[Argument]) -> None:
        folder = self._selected()
        self._say(b"+ idling")
        await self._writer.drain()
        done = asyncio.ensure_future(self._reader.readline())
        try:
            with folder.watched() as changed:
                await self._tell_changes(done, changed)
        finally:
            done.cancel()
        if done.result().strip().upper() != b"DONE":
            raise BadCommandError("DONE was expected")

    async def _tell_changes(self, done: "asyncio.Future[bytes]", changed: asyncio.Event) -> None:
        self._announce()
        while not done.done():
            changing = asyncio.ensure_future(changed.wait())
            try:
                await asyncio.wait((done, changing), return_when=asyncio.FIRST_COMPLETED)
            finally:
                changing.cancel()
            changed.clear()
            self._announce()
            await self._writer.drain()

    # Messages.

    def _found(self, folder: Folder, text: str, by_uid: bool) -> list[tuple[int, Stored]]:
        """``(sequence number, message)`` of those that a set names and that are still there."""
        known = self._shown if by_uid else list(range(1, len(self._shown) + 1))
        wanted = set(numbers(text, known))
        pairs = ((number, uid) for number, uid in enumerate(self._shown, 1) if uid in folder.messages)
        return [(n, folder.messages[uid]) for n, uid in pairs if (uid if by_uid else n) in wanted]

    def _fetch(self, folder: Folder, rest: list[Argument], by_uid: bool) -> None:
        items = [word(item) for item in rest[1]] if isinstance(rest[1], list) else [word(rest[1])]
        if by_uid and "UID" not in (item.upper() for item in items):
            items.insert(0, "UID")
        for number, message in self._found(folder, word(rest[0]), by_uid):
            pieces = [self._item(folder, message, item) for item in items]
            self._say(b"* %d FETCH (" % number + b" ".join(pieces) + b")")

    def _item(self, folder: Folder, message: Stored, item: str) -> bytes:
        simple = {
            "UID": str(message.uid),
            "FLAGS": f"({' '.join(sorted(message.flags))})",
            "INTERNALDATE": f'"{internal_date(message.date)}"',
            "RFC822.SIZE": str(message.size),
        }
        if (value := simple.get(item.upper())) is not None:
            return f"{item.upper()} {value}".encode()
        found = section(item, folder.content(message.uid))
        if found is None:
            raise BadCommandError(f"no item {item}")
        name, content, marks = found
        if marks and not self._read_only:
            folder.set_flags(message.uid, message.flags | {"\\Seen"})
        return name.encode() + b" {%d}\r\n" % len(content) + content

    def _store_flags(self, folder: Folder, rest: list[Argument], by_uid: bool) -> None:
        if self._read_only:
            raise NoError("the folder is open for reading")
        how = word(rest[1]).upper()
        flags = {word(flag) for flag in rest[2]} if isinstance(rest[2], list) else {word(rest[2])}
        for number, message in self._found(folder, word(rest[0]), by_uid):
            changed = {"+": message.flags | flags, "-": message.flags - flags}.get(how[0], flags)
            folder.set_flags(message.uid, changed)
            if not how.endswith(".SILENT"):
                self._say(b"* %d FETCH (" % number + self._item(folder, message, "FLAGS") + b")")

    def _search(self, folder: Folder, rest: list[Argument], by_uid: bool) -> None:
        words = [word(item) for item in rest]
        tests: list[Callable[[Stored], bool]] = []
        while words:
            tests.append(self._criterion(folder, words))
        everything = self._found(folder, "1:*", by_uid=False)
        hits = [message.uid if by_uid else n for n, message in everything if all(t(message) for t in tests)]
        self._say(b" ".join([b"* SEARCH", *(b"%d" % hit for hit in hits)]))

    def _criterion(self, folder: Folder, words: list[str]) -> Callable[[Stored], bool]:
        """Take one search key off the front."""
        key = words.pop(0).upper()
        if key == "CHARSET":
            words.pop(0)
            key = "ALL"
        if key in {"HEADER", "FROM", "TO", "SUBJECT"}:
            header = words.pop(0) if key == "HEADER" else key
            value = words.pop(0).lower()
            return lambda m: any(value in v.lower() for v in header_values(folder.content(m.uid), header))
        if key == "UID":
            uids = set(numbers(words.pop(0), self._shown))
            return lambda m: m.uid in uids
        seen = {"ALL": None, "SEEN": True, "UNSEEN": False}
        if key not in seen:
            raise BadCommandError(f"no search key {key}")
        return lambda m: seen[key] is None or ("\\Seen" in m.flags) is seen[key]

    _COMMANDS: ClassVar[dict[str, Callable[["_Connection", list[Argument]], Awaitable[bytes | None]]]] = {
        "CAPABILITY": _capability, "NOOP": _nothing, "CHECK": _nothing, "LOGOUT": _logout, "LOGIN": _login,
        "AUTHENTICATE": _authenticate, "LIST": _list, "SELECT": _select, "EXAMINE": _examine, "STATUS": _status,
        "APPEND": _append, "EXPUNGE": _expunge, "CLOSE": _close, "IDLE": _idle,
    }  # fmt: skip
