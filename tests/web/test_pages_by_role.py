"""What a page tells somebody to do they may do, and no link of it leads to a refusal, whatever their role."""

import re
from html import unescape
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import add_member, create_workspace
from tests.web.seed import CAMPAIGN, PASSWORD, seed
from tests.web.test_empty_pages import NAME, _become
from tests.web.test_pages import _Page, _visitor

PAGES = (
    "/",
    "/inbox",
    "/campaigns",
    "/senders",
    "/senders/pools",
    "/contacts",
    "/contacts/accounts",
    "/outbox",
    "/outbox?state=kept_back",
)
MAY = {  # words that tell somebody to do something, with who may
    "Launch the campaign": {Role.OWNER, Role.MANAGER},
    "Launch a campaign": {Role.OWNER, Role.MANAGER},
    "Nothing is sent yet: launch": {Role.OWNER, Role.MANAGER},
    f"Launch {NAME};": {Role.OWNER, Role.MANAGER},
    "when you say so": {Role.OWNER, Role.MANAGER},
    "Import a list": {Role.OWNER, Role.MANAGER},
    "Import contacts": {Role.OWNER, Role.MANAGER},
    "Connect ": {Role.OWNER, Role.OPERATOR},
    "Make one": {Role.OWNER, Role.OPERATOR},
    "New campaign": {Role.OWNER, Role.MANAGER},
    "cadenza campaigns apply": {Role.OWNER, Role.MANAGER},
    "keep them back": {Role.OWNER, Role.MANAGER, Role.REP, Role.OPERATOR},
}  # fmt: skip


async def _with_role(database: Database, owner: Actor, role: Role, home: Path) -> httpx.AsyncClient:
    email = f"{uuid4().hex}@roles.example"
    async with database.unit(owner.workspace_id) as unit:
        await add_member(unit, owner, email=email, name="Ruth", role=role, password=PASSWORD)
    return await _visitor(database, Settings(home=home, sandbox=True), email)


@pytest.fixture
async def owner(database: Database) -> Actor:
    email = f"{uuid4().hex}@roles.example"
    workspace, member = await create_workspace(
        database, email, owner_email=email, owner_name="Nora", password=PASSWORD
    )
    return Actor(workspace.id, Role.OWNER, Origin.PAGE, member.id, "Nora")


def _main(answer: httpx.Response) -> str:
    return answer.text.partition("<main")[2].partition("</main>")[0]


def _links(answer: httpx.Response) -> set[str]:
    found = {unescape(each) for each in re.findall(r'<a [^>]*href="([^"]+)"', answer.text)}
    return {each for each in found if each.startswith("/") and not each.startswith("/static")}


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", ["nothing", "draft", "paused"])
async def test_nobody_is_told_to_do_what_their_role_may_not(
    database: Database, owner: Actor, tmp_path: Path, role: Role, state: str
) -> None:
    async with database.unit(owner.workspace_id) as unit:
        await _become(unit, owner, state)
    live = () if state == "nothing" else (f"/campaigns/{NAME}/live", f"/campaigns/{NAME}/events?kind=sent")
    heard = set()
    async with await _with_role(database, owner, role, tmp_path) as client:
        for address in (*PAGES, *live):
            answer = await client.get(address)
            assert answer.status_code == 200
            said = " ".join(_Page(_main(answer)).words.split())
            for words, who in MAY.items():
                heard |= {words} if words in said else set()
                assert words not in said or role in who, f"{role} {address}: {said}"
    if role is Role.OWNER:
        assert heard, "the owner is told what to do"


@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("role", Role)
async def test_no_link_of_a_page_answers_with_a_refusal(
    database: Database, tmp_path: Path, role: Role
) -> None:
    seeded = await seed(database)
    name = CAMPAIGN.replace(" ", "%20")
    pages = (
        *PAGES, "/inbox", f"/inbox/{seeded.conversation}", f"/campaigns/{name}", f"/campaigns/{name}/live", "/settings/account",
        f"/campaigns/{name}/versions", f"/contacts/{seeded.contacts[0]}", f"/senders/{seeded.mailbox}", "/contacts/segments",
        f"/senders/{seeded.mailbox}/connection", f"/senders/pools/{seeded.pool}", f"/touches/{seeded.in_doubt}",
        "/contacts/imports", "/contacts/fields", "/contacts/duplicates", "/settings/tokens",
    )  # fmt: skip
    async with await _with_role(database, seeded.actor, role, tmp_path) as client:
        found: dict[str, str] = {}
        for address in pages:
            answer = await client.get(address)
            assert answer.status_code == 200, address
            found |= dict.fromkeys(_links(answer), address)
        assert len(found) > 30
        for link, address in found.items():
            answer = await client.get(link, follow_redirects=True)
            assert answer.status_code not in (403, 500), f"{link} on {address}"
