"""The demo workspace: an owner, three mailboxes at the sandbox's provider, its people as contacts, a campaign."""

import asyncio
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from cadenza.campaigns.service import apply
from cadenza.channels.contracts import Server, Tls
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.identity.contracts import Actor, Origin, Role, Workspace
from cadenza.identity.service import create_workspace, workspaces
from cadenza.sandbox.contracts import World
from cadenza.sandbox.people import contacts_csv, people

MAILBOXES = {
    "anna.berger@nordwerk.example": "Anna Berger",
    "ben.carter@nordwerk.example": "Ben Carter",
    "clara.morel@nordwerk.example": "Clara Morel",
}
_WORKSPACE = "Nordwerk (demo)"
OWNER = ("demo@nordwerk.example", "Dana Demo")
_CAMPAIGN = Path(__file__).parent / "data" / "demo-campaign.yaml"
_WAIT_SECONDS = 120


async def seed_demo(
    database: Database, folder: Path, passwords: Mapping[str, str], ports: tuple[int, int], world: World
) -> None:
    """Make the demo workspace once; a start that was cut off in the middle is finished by the next."""
    note = folder / "demo.json"
    login = json.loads(note.read_text()) if note.exists() else _new_login(note)
    if login["ready"]:
        return
    actor = await _owner(database, str(login["password"]))
    files = folder / "demo"
    files.mkdir(exist_ok=True)
    (files / "demo-contacts.csv").write_text(contacts_csv(people(world)), "utf-8")
    shutil.copyfile(_CAMPAIGN, files / _CAMPAIGN.name)
    await _fill(database, actor, passwords, ports, files)
    _save(note, {**login, "ready": True})


def _new_login(note: Path) -> dict[str, str | bool]:
    login: dict[str, str | bool] = {"email": OWNER[0], "password": secrets.token_urlsafe(9), "ready": False}
    _save(note, login)
    return login


def _save(note: Path, login: dict[str, str | bool]) -> None:
    scratch = note.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(json.dumps(login))
    scratch.rename(note)


async def demo_login(home: Path) -> tuple[str, str]:
    """Address and password of the demo's owner, as soon as the workspace is ready."""
    note = home / "sandbox" / "demo.json"
    for _ in range(_WAIT_SECONDS * 10):
        if note.exists() and (login := json.loads(note.read_text()))["ready"]:
            return login["email"], login["password"]
        await asyncio.sleep(0.1)
    raise CadenzaError(
        "demo_missing",
        "The demo workspace was not made in time.",
        Kind.TEMPORARY,
        fix="Look at the log above.",
    )


async def _owner(database: Database, password: str) -> Actor:
    known = await _workspaces(database)
    if not known:
        email, name = OWNER
        workspace, _ = await create_workspace(
            database, _WORKSPACE, owner_email=email, owner_name=name, password=password
        )
        known = [workspace]
    return _acting(known[0])


async def demo_actor(database: Database) -> Actor | None:
    """Who acts for the demo workspace; None where it is gone."""
    known = await _workspaces(database)
    return _acting(known[0]) if known else None


async def _workspaces(database: Database) -> list[Workspace]:
    return [workspace for workspace in await workspaces(database) if workspace.name == _WORKSPACE]


def _acting(workspace: Workspace) -> Actor:
    return Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="sandbox")


async def _fill(
    database: Database, actor: Actor, passwords: Mapping[str, str], ports: tuple[int, int], files: Path
) -> None:
    """All in one transaction; the campaign stays a draft and brings its contacts along."""
    smtp, imap = (Server("127.0.0.1", port, Tls.NONE) for port in ports)
    async with database.unit(actor.workspace_id) as unit:
        for address, name in MAILBOXES.items():
            new = NewMailbox(
                address=address, smtp=smtp, imap=imap, user=address, display_name=name, daily_limit=60
            )
            await add_mailbox(unit, actor, new, passwords[address])
        applied = await apply(unit, actor, (files / _CAMPAIGN.name).read_text("utf-8"), files)
        if applied.errors:
            wrong = tuple(Problem(e["message"], line=e["line"], key=e["key"]) for e in applied.errors)
            raise CadenzaError(
                "demo_campaign_refused", "The demo's campaign file is refused.", problems=wrong
            )
