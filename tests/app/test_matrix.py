"""Every route as every role, as a stranger, and with what belongs to another workspace."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import text

from cadenza.app.composition import web_app
from cadenza.core.database import Database, Row
from cadenza.core.settings import Settings
from cadenza.identity.contracts import SESSION_COOKIE, Action, Member, Role
from cadenza.identity.rights import RIGHTS
from cadenza.identity.service import add_member, all_members, create_api_token
from cadenza.identity.sessions import begin_session
from cadenza.web.security import form_token
from tests.app.matrix import ACTS, BODIES, FORMS, OPEN, OWN, QUERIES, TABLE, WAYS_IN
from tests.support.routes import routes_of
from tests.web.seed import CAMPAIGN, PASSWORD, Seeded, seed

_DOCUMENTED = Path(__file__).parents[2] / "docs" / "signing-in.md"


def _names(route: APIRoute) -> list[str]:
    return [f"{method} {route.path}" for method in sorted(route.methods) if method != "HEAD"]


@dataclass(frozen=True, slots=True)
class House:
    """An application with a seeded workspace and a member of each role."""

    app: FastAPI
    database: Database
    seeded: Seeded
    members: dict[Role, Member]

    async def ask(self, role: Role | None, name: str, address: str) -> httpx.Response:
        """One request with a session (pages) or token (API) of its own, so that none disturbs the next."""
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://testserver")
        async with client:
            form = dict(FORMS.get(name, {}))
            if "/api/" in address:
                if role:
                    client.headers["authorization"] = f"Bearer {await self._token(role)}"
                return await client.request(name.split(maxsplit=1)[0], address, json=BODIES.get(name))
            client.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin"})
            if role:
                session = await self._session(role)
                client.cookies.set(SESSION_COOKIE, session)
                form["csrf_token"] = form_token(session)
            data = form if name.startswith("POST") else None
            return await client.request(name.split(maxsplit=1)[0], address, data=data)

    async def _session(self, role: Role) -> str:
        user_id = self.members[role].user_id
        return await begin_session(self.database, user_id, source="", agent="", way="password")

    async def _token(self, role: Role) -> str:
        member = self.members[role]
        async with self.database.unit(member.workspace_id) as unit:
            return await create_api_token(unit, self.seeded.actor, member_id=member.id, name="matrix")


@pytest.fixture
async def house(database: Database, tmp_path: Path, seeded: Seeded) -> House:
    async with database.unit(seeded.actor.workspace_id) as unit:
        for role in set(Role) - {Role.OWNER}:
            email = f"{role.value}@matrix.example"
            await add_member(unit, seeded.actor, email=email, name=role.value, role=role, password=PASSWORD)
        members = {member.role: member for member in await all_members(unit)}
    app = web_app(database, Settings(home=tmp_path, sandbox=True, api_requests_per_minute=10_000))
    return House(app, database, seeded, members)


async def _ids(database: Database, seeded: Seeded) -> dict[str, UUID]:
    """What the workspace has, by the names that paths use."""
    async with database.unit(seeded.actor.workspace_id) as unit:
        campaign = await unit.session.scalar(
            text("select id from campaigns where name = :name"), {"name": CAMPAIGN}
        )
        mailbox = await unit.session.scalar(text("select id from mailboxes limit 1"))
    return {
        "contact_id": seeded.contacts[3], "touch_id": seeded.in_doubt, "conversation_id": seeded.conversation,
        "campaign_id": campaign, "mailbox_id": mailbox, "account_id": seeded.account, "job_id": seeded.job, "member_id": seeded.actor.member_id or uuid4(),
    }  # fmt: skip


def _address(route: APIRoute, ids: dict[str, UUID], name: str) -> str:
    campaign = (
        "Nowhere" if name.endswith("/stream") else quote(CAMPAIGN)
    )  # a live part of one that is there has no end
    values = {"name": campaign, "token": "a-made-up-token", "act": ACTS.get(name, "")} | ids
    return re.sub(
        r"\{(\w+)[^}]*\}", lambda part: str(values.get(part[1], uuid4())), route.path
    ) + QUERIES.get(name, "")


def test_every_route_stands_in_the_table_and_no_other(shared_database: Database, tmp_path: Path) -> None:
    app = web_app(shared_database, Settings(home=tmp_path, sandbox=True))
    served = {name for route in routes_of(app) for name in _names(route)}
    assert served - set(TABLE) == set(), "a new route says in tests/app/matrix.py whom it is for"
    assert set(TABLE) - served == set(), "in the table, but not served"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.asvs("8.1.1", "8.2.1")
async def test_every_route_answers_every_role_as_the_table_says(house: House) -> None:
    ids, wrong = await _ids(house.database, house.seeded), []
    ids["member_id"] = house.members[Role.READ_ONLY].id  # an owner is for owners only, which other tests hold
    for route in routes_of(house.app):
        for name in _names(route):
            for role in Role:
                answer = await house.ask(role, name, _address(route, ids, name))
                if not _is_right(TABLE[name], role, name, answer.status_code):
                    wrong.append(f"{role.value}: {name} {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def _is_right(needs: str, role: Role, name: str, status: int) -> bool:
    if needs in (OPEN, OWN):
        return status < 500 and (status != 403 or needs == OPEN)
    if Action(needs) in RIGHTS[role]:
        return status < 500 and status not in (401, 403)
    unknown = set(re.findall(r"\{(\w+)", name)) & {
        "import_id",
        "segment_id",
        "change_id",
    }  # nothing of these was seeded
    return status == 403 or (bool(unknown) and status == 404)


@pytest.mark.slow
@pytest.mark.asvs("8.1.1", "7.4.1")
async def test_a_stranger_gets_nothing_but_what_is_open(house: House) -> None:
    ids, wrong = await _ids(house.database, house.seeded), []
    before = await _everything(house.database, house.seeded)
    for route in routes_of(house.app):
        for name in _names(route):
            answer = await house.ask(None, name, _address(route, ids, name))
            to_sign_in = answer.headers.get("location", "").startswith("/login")
            refused = answer.status_code == 401 or (answer.status_code in (303, 307) and to_sign_in)
            if answer.status_code >= 500 or (TABLE[name] != OPEN and not refused):
                wrong.append(f"{name} {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert await _everything(house.database, house.seeded) == before


async def _everything(database: Database, seeded: Seeded) -> dict[str, int]:
    """A number for the content of each table of the workspace."""
    query = "select coalesce(sum(hashtext(t::text)::bigint), 0) + count(*) from {} t"
    async with database.unit(seeded.actor.workspace_id) as unit:
        return {
            name: (await unit.session.execute(text(query.format(name)))).scalar_one()
            for name, table in Row.metadata.tables.items()
            if "workspace_id" in table.columns
        }


@pytest.mark.slow
@pytest.mark.asvs("8.2.2", "8.4.1")
async def test_what_another_workspace_has_looks_as_if_it_were_not_there(house: House) -> None:
    """The owner of one workspace asks for everything by the ids of another: the same answer as for ids that nobody has."""
    other = await seed(house.database)
    theirs, before, wrong = await _ids(house.database, other), await _everything(house.database, other), []
    asked = 0
    for route in routes_of(house.app):
        known = theirs.keys() & set(re.findall(r"\{(\w+)", route.path))
        if not known:
            continue
        for name in _names(route):
            nobodys = {key: uuid4() for key in theirs}
            foreign = await house.ask(Role.OWNER, name, _address(route, theirs, name))
            missing = await house.ask(Role.OWNER, name, _address(route, nobodys, name))
            asked += 1
            if foreign.status_code != missing.status_code or _plain(foreign) != _plain(missing):
                wrong.append(
                    f"{name}: {foreign.status_code}, but {missing.status_code} for what is not there"
                )
    assert not wrong, "\n".join(wrong)
    assert asked > 30
    assert await _everything(house.database, other) == before, "and nothing of it changed"


def _plain(answer: httpx.Response) -> str:
    """The answer without what differs from request to request."""
    return re.sub(r"[0-9a-f]{32,64}|[0-9a-f-]{36}|nonce=\"[^\"]*\"", "", answer.text)


@pytest.mark.asvs("6.3.4")
def test_every_way_in_is_listed_and_asks_for_the_second_factor() -> None:
    """What is open to strangers and can end in a session or a password, against the documented list."""
    page = _DOCUMENTED.read_text()
    listed = set(re.findall(r"^\| `((?:GET|POST) [^`]+)`", page, re.MULTILINE))
    assert listed == set(WAYS_IN)
    assert {name for name in WAYS_IN if TABLE[name] != OPEN} == set()
    harmless = {
        "POST /logout", "POST /sign-on", "POST /u/{token}", "POST /forgot", "POST /hooks/{workspace_id}/{account_id}",
    }  # fmt: skip
    posts = {name for name, needs in TABLE.items() if needs == OPEN and name.startswith("POST")}
    assert posts - set(WAYS_IN) == harmless, "a new open POST is a way in or harmless, and says which"
