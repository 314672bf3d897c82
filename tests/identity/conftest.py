"""A workspace with a member of each role, and ways to act as them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text

from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor, Origin, Role, SignedIn
from cadenza.identity.service import add_member, create_workspace, log_in
from cadenza.identity.sessions import signed_in
from tests.conftest import beginning

PASSWORD = "a long and quiet sentence"
SETTINGS = Settings()


@dataclass(frozen=True, slots=True)
class Team:
    """Members by role; each signs in as ``<role>@north.example``."""

    database: Database
    members: dict[Role, Actor]

    @property
    def owner(self) -> Actor:
        return self.members[Role.OWNER]

    async def token(self, role: Role) -> str:
        return await log_in(self.database, f"{role.value}@north.example", PASSWORD, "192.0.2.1", agent="Test")

    async def session(self, role: Role) -> SignedIn:
        """A new session of this member, as the middleware would find it."""
        found = await signed_in(self.database, await self.token(role), SETTINGS)
        assert found is not None
        return found

    async def actor(self, role: Role) -> Actor:
        return (await self.session(role)).actor


async def _members(database: Database) -> dict[Role, Actor]:
    workspace, owner = await create_workspace(
        database, "North", owner_email="owner@north.example", owner_name="Olga", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.PAGE, owner.id, "Olga", user_id=owner.user_id)
    members = {Role.OWNER: actor}
    for role in set(Role) - {Role.OWNER}:
        async with database.unit(workspace.id) as unit:
            made = await add_member(
                unit,
                actor,
                email=f"{role.value}@north.example",
                name=role.value,
                role=role,
                password=PASSWORD,
            )
        members[role] = replace(actor, role=role, member_id=made.id, name=made.name, user_id=made.user_id)
    return members


@pytest.fixture(scope="session")
async def members_once(
    server_url: str, template: str, secrets: SecretBox
) -> AsyncIterator[tuple[str, dict[Role, Actor]]]:
    async with beginning(server_url, template, secrets, _members) as made:
        yield made


@pytest.fixture
def starting_point(request: pytest.FixtureRequest, template: str) -> str:
    """The database with a member of each role, made once, for tests that ask for ``team``."""
    name: str = request.getfixturevalue("members_once")[0] if "team" in request.fixturenames else template
    return name


@pytest.fixture
def team(database: Database, members_once: tuple[str, dict[Role, Actor]]) -> Team:
    return Team(database, dict(members_once[1]))


@pytest.fixture
def trail(database: Database) -> Callable[[Actor], Awaitable[list[tuple[str, str]]]]:
    """What the audit trail of this actor's workspace holds: action and who, in order."""

    async def read(actor: Actor) -> list[tuple[str, str]]:
        async with database.unit(actor.workspace_id) as unit:
            rows = await unit.session.execute(
                text(
                    "select e.action, e.actor from audit_entries e join audit_links l on l.entry_id = e.id order by l.number"
                )
            )
            return [(action, who) for action, who in rows]

    return read
