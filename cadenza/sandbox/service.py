"""Doors of the sandbox: a local world to send into, on loopback, with files of its own under ``sandbox``."""

import asyncio
import json
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cadenza.core.clock import Anchor, WorldClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.installation import read_anchor, set_world
from cadenza.core.logs import logger
from cadenza.core.settings import Settings
from cadenza.sandbox.channel_behaviour import responder
from cadenza.sandbox.contracts import World
from cadenza.sandbox.demo import MAILBOXES, OWNER, demo_login, seed_demo
from cadenza.sandbox.demo_accounts import (
    LINKEDIN_ACCOUNT,
    NUMBER,
    PHONE_ACCOUNT,
    DemoAccounts,
    connect_demo_accounts,
)
from cadenza.sandbox.imap_server import ImapServer
from cadenza.sandbox.linkedin_server import LinkedinServer
from cadenza.sandbox.local_time import Local, day_of, local, moment
from cadenza.sandbox.luck import draws, normal
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.people import people
from cadenza.sandbox.phone_server import PhoneServer
from cadenza.sandbox.prospects import Prospects
from cadenza.sandbox.responding import Arrival, Chances, Nature, Reaction, with_odds
from cadenza.sandbox.smtp_server import Ledger, Provider
from cadenza.sandbox.world import DEMO, load_world, read_world

__all__ = [
    "Arrival", "Chances", "Local", "Nature", "Reaction", "Sandbox", "State", "check_world", "day_of",
    "demo_login", "draws", "load_world", "local", "moment", "normal", "open_state", "people",
    "read_world", "serve", "with_odds",
]  # fmt: skip

HOST = "127.0.0.1"
USUAL_SPEED = 1440.0  # world seconds a second: a day a minute

log = logger(__name__)


@dataclass(slots=True)
class State:
    """What must stay the same from one start to the next. Ports are 0 until the first start has chosen them."""

    path: Path
    passwords: dict[str, str] = field(default_factory=dict)
    smtp_port: int = 0
    imap_port: int = 0
    linkedin_port: int = 0
    phone_port: int = 0
    linkedin_key: str = ""
    phone_token: str = ""

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def world_file(self) -> Path:
        return self.folder / "world.yaml"

    def save(self) -> None:
        content = {key: value for key, value in asdict(self).items() if key != "path"}
        scratch = self.path.with_suffix(".new")
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(content, indent=2))
        scratch.rename(self.path)


def check_world(home: Path, world_file: Path | None = None) -> State | None:
    """The lasting state of an earlier start; None before the first. Changes nothing.

    Raises ``world_invalid`` and ``world_unreadable``; ``world_differs`` when people of another world live here already;
    ``sandbox_damaged`` when the state is no longer what was written.
    """
    given = load_world(world_file) if world_file else None
    path = home / "sandbox" / "state.json"
    if not path.exists():
        return None
    state = _read_state(path)
    if given != load_world(state.world_file) and world_file is not None:
        raise CadenzaError(
            "world_differs",
            f"This sandbox was started with another world than {world_file}.",
            Kind.CONFLICT,
            fix=f"Set CADENZA_HOME to an empty folder for it, or go on without --world ({state.world_file}).",
        )
    return state


def _read_state(path: Path) -> State:
    try:
        return State(path, **json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as wrong:
        raise CadenzaError(
            "sandbox_damaged",
            f"{path} is not what the sandbox wrote there.",
            fix=f"Bring it back from a copy, or remove {path.parent} and its database to begin anew.",
        ) from wrong


def open_state(home: Path, world_file: Path | None = None, mailboxes: Iterable[str] = MAILBOXES) -> State:
    """The sandbox's lasting state; made on the first start with the given world, else the demo's. Raises as
    ``check_world``.
    """
    state = check_world(home, world_file)
    if state is not None:
        return state
    world_file = world_file or DEMO
    folder = home / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    state = State(folder / "state.json", {address: secrets.token_urlsafe(18) for address in mailboxes})
    shutil.copyfile(world_file, state.world_file)
    state.save()
    return state


class Sandbox:
    """The provider's servers and the people of the world. ``start``, then ``run`` until told to stop."""

    def __init__(self, state: State, clock: WorldClock) -> None:
        self.state = state
        self.world: World = load_world(state.world_file)
        self.store = MailStore(state.folder / "mail", clock)
        self.ledger = Ledger(state.folder / "ledger.jsonl")
        self.prospects = Prospects(self.world, self.store, clock, state.folder / "done.jsonl")
        # The demo's owner too: a message to oneself arrives.
        self.prospects.serve([*state.passwords, OWNER[0]])
        self._provider = Provider(
            self.store,
            self.ledger,
            state.passwords,
            clock,
            refuse=self.prospects.refuse,
            deliver=self.prospects.take,
        )
        self._imap = ImapServer(self.store, state.passwords)
        state.linkedin_key = state.linkedin_key or secrets.token_urlsafe(18)
        state.phone_token = state.phone_token or secrets.token_urlsafe(18)
        reacting = responder(self.world)
        self.linkedin = LinkedinServer(state.folder, clock, state.linkedin_key, [LINKEDIN_ACCOUNT], reacting)
        self.phone = PhoneServer(state.folder, clock, PHONE_ACCOUNT, state.phone_token, NUMBER, reacting)

    async def start(self) -> None:
        """Recover what the last life left unfinished, then listen. Raises ``sandbox_port_taken``."""
        self._provider.recover()
        for entry in self.ledger.entries:
            self.prospects.take(entry)
        try:
            self.state.smtp_port = await self._provider.start(HOST, self.state.smtp_port)
            self.state.imap_port = await self._imap.start(HOST, self.state.imap_port)
            self.state.linkedin_port = await self.linkedin.start(HOST, self.state.linkedin_port)
            self.state.phone_port = await self.phone.start(HOST, self.state.phone_port)
        except OSError as taken:
            raise CadenzaError(
                "sandbox_port_taken",
                f"The sandbox cannot listen: {taken}.",
                Kind.CONFLICT,
                fix=f"Stop what uses the ports in {self.state.path}, perhaps another sandbox of this home folder.",
            ) from taken
        self.state.save()
        log.info(
            "sandbox",
            smtp=self.state.smtp_port,
            imap=self.state.imap_port,
            linkedin=self.state.linkedin_port,
            phone=self.state.phone_port,
            people=len(self.prospects.everybody),
        )

    async def run(self, stop: asyncio.Event) -> None:
        await asyncio.gather(self.prospects.run(stop), self.linkedin.run(stop), self.phone.run(stop))

    async def stop(self) -> None:
        for server in (self._provider, self._imap, self.linkedin, self.phone):
            await server.stop()


async def serve(
    database: Database, settings: Settings, world_file: Path | None = None, speed: float | None = None
) -> None:
    """The sandbox's whole process: world time, servers, demo workspace, people. Runs until it is cancelled."""
    state = open_state(settings.home, world_file)
    await _start_time(database, load_world(state.world_file), speed)
    if not isinstance(database.world, WorldClock):
        raise TypeError("the sandbox follows a world clock")
    sandbox = Sandbox(state, database.world)
    try:
        await sandbox.start()
        await seed_demo(
            database, state.folder, state.passwords, (state.smtp_port, state.imap_port), sandbox.world
        )
        sandbox.phone.voice_url = await connect_demo_accounts(
            database, _demo_accounts(state), settings.public_url
        )
        await sandbox.run(asyncio.Event())
    finally:
        with suppress(OSError):
            await sandbox.stop()


def _demo_accounts(state: State) -> DemoAccounts:
    """Where the demo's accounts are, and what opens them."""
    return DemoAccounts(state.linkedin_port, state.linkedin_key, state.phone_port, state.phone_token)


async def _start_time(database: Database, world: World, speed: float | None) -> None:
    """World time begins once, at the world's start; later starts may only change its speed."""
    if await read_anchor(database) is None:
        anchor = Anchor(database.machine.now(), world.start, speed or USUAL_SPEED)
        await set_world(database, start=anchor)
    elif speed is not None:
        await set_world(database, speed=speed)
