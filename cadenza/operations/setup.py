"""How the first owner comes in: by a link that the operator is shown, once and for a day (ASVS 6.3.2, 6.4.1)."""

from dataclasses import dataclass
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.ids import new_id
from cadenza.identity.contracts import Actor, Origin, Role, Workspace
from cadenza.identity.service import audit, found_workspace, workspaces
from cadenza.operations.models import SetupLinkRow

LASTS = timedelta(hours=24)
_LOCK = 7311984203  # any constant; two people must not found at once


@dataclass(frozen=True, slots=True)
class Founding:
    """What the first owner enters."""

    workspace: str
    name: str
    email: str
    password: str


async def is_founded(database: Database) -> bool:
    return bool(await workspaces(database))


async def new_setup_link(database: Database, public_url: str) -> str:
    """The address to open; an earlier one is dead from now on. Raises ``already_set_up`` once there is a workspace."""
    if await is_founded(database):
        raise CadenzaError(
            "already_set_up",
            "This installation has its owner already.",
            Kind.CONFLICT,
            fix=f"Sign in at {public_url}/login.",
        )
    token = new_token()
    async with database.installation() as session:
        await session.execute(delete(SetupLinkRow))
        session.add(SetupLinkRow(token_hash=token_hash(token), expires_at=database.machine.now() + LASTS))
    return f"{public_url}/setup/{token}"


async def check_link(database: Database, token: str) -> None:
    """Raises ``setup_link_over`` for a token that is unknown, used, replaced or late: all look the same."""
    async with database.installation() as session:
        await _find(session, database, token)


async def _find(session: AsyncSession, database: Database, token: str) -> SetupLinkRow:
    row: SetupLinkRow | None = await session.scalar(
        select(SetupLinkRow).where(SetupLinkRow.token_hash == token_hash(token)).with_for_update()
    )
    if row is None or row.expires_at <= database.machine.now():
        raise CadenzaError(
            "setup_link_over",
            "This link is used up or too old.",
            Kind.NOT_FOUND,
            fix="Ask for a new one by `cadenza setup-link` on the machine that runs Cadenza.",
        )
    return row


async def found(database: Database, token: str, given: Founding) -> Workspace:
    """The workspace and its owner, in the transaction that uses up the link. A refusal leaves the link as it was."""
    email = _check(given)
    async with database.unit(new_id()) as unit:
        await unit.session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        row = await _find(unit.session, database, token)
        workspace, member = await found_workspace(
            unit,
            given.workspace.strip(),
            owner_email=email,
            owner_name=given.name.strip(),
            password=given.password,
        )
        actor = Actor(workspace.id, Role.OWNER, Origin.PAGE, member.id, member.name)
        await audit(unit, actor, "found_workspace", workspace.name)
        await unit.session.delete(row)
    return workspace


def _check(given: Founding) -> str:
    """The e-mail address as it is kept."""
    problems = [
        Problem(f"Enter {what}.", key=key)
        for key, value, what in (
            ("workspace", given.workspace, "a name for the workspace"),
            ("name", given.name, "your name"),
        )
        if not value.strip()
    ]
    try:
        email: str = validate_email(given.email.strip(), check_deliverability=False).normalized
    except EmailNotValidError as wrong:
        email = ""
        problems.append(Problem(str(wrong), key="email"))
    if problems:
        raise CadenzaError(
            "setup_incomplete",
            "Something is missing or wrong.",
            fix="Nothing was made yet.",
            problems=tuple(problems),
        )
    return email
