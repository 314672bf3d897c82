"""What pages say while there is nothing to show: true in every state, with what to do next."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from cadenza.campaigns.service import apply
from cadenza.channels.contracts import MailboxState
from cadenza.channels.service import mailboxes, set_state
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.engine.models import EnrolmentRow
from cadenza.engine.service import launch, pause, stop
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import add_member, create_workspace
from tests.web.seed import PASSWORD, _document, _people
from tests.web.test_pages import _Page, _visitor

NAME = "Spring"
LIVE = f"/campaigns/{NAME}/live"


@pytest.fixture
async def owner(database: Database) -> tuple[Actor, str]:
    email = f"{uuid4().hex}@empty.example"
    workspace, member = await create_workspace(
        database, email, owner_email=email, owner_name="Nora", password=PASSWORD
    )
    return Actor(workspace.id, Role.OWNER, Origin.PAGE, member.id, "Nora"), email


@pytest.fixture
async def visitor(
    database: Database, owner: tuple[Actor, str], tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    client = await _visitor(database, Settings(home=tmp_path, sandbox=True), owner[1])
    async with client:
        yield client


async def _become(unit: Unit, actor: Actor, state: str) -> None:
    """Bring an empty workspace into this state."""
    if state == "nothing":
        return
    await _people(unit, actor, str)
    applied = await apply(unit, actor, _document(NAME, str))
    assert not applied.errors
    if state != "draft":
        await launch(unit, actor, NAME)
    if state == "idle":
        await unit.session.execute(update(EnrolmentRow).values(next_due_at=None, state="finished"))
    if state == "paused":
        await pause(unit, actor, NAME)
    if state == "over":
        await stop(unit, actor, NAME)


_TRUE = {
    "nothing": {
        "/": "there is no campaign yet", "/inbox": "Import contacts, apply a campaign file", "/campaigns": "No campaign yet",
        "/contacts": "Nobody here yet", "/senders": "No mailbox yet",
    },
    "draft": {
        "/": f"Nothing is sent yet: launch {NAME} , and it goes on by itself.", "/inbox": f"Launch {NAME}; the replies",
        "/campaigns": "after the launch", LIVE: "Launch the campaign, and who is next",
        f"/campaigns/{NAME}/events?kind=sent": "Launch the campaign, and what happens",
    },
    "running": {
        "/": "Everything goes on by itself", "/inbox": f"{NAME} is running", LIVE: "Going on by itself",
    },
    "idle": {
        "/": "Nothing more is planned", "/inbox": f"{NAME} is running", "/campaigns": "nothing planned",
        LIVE: "Nobody is due a further e-mail",
    },
    "paused": {
        "/": f"Nothing is sent: paused is {NAME} .", "/inbox": f"{NAME} is paused", "/campaigns": "when it goes on",
        LIVE: "Nothing leaves while it is paused",
    },
    "over": {
        "/": "every campaign is over", "/inbox": "Every campaign is over", "/campaigns": "none, it is over",
        LIVE: "The campaign is over: nothing more leaves",
    },
}  # fmt: skip


@pytest.mark.parametrize("state", _TRUE)
async def test_every_page_tells_the_truth_while_it_is_empty(
    database: Database, owner: tuple[Actor, str], visitor: httpx.AsyncClient, state: str
) -> None:
    async with database.unit(owner[0].workspace_id) as unit:
        await _become(unit, owner[0], state)
    for address, words in _TRUE[state].items():
        answer = await visitor.get(address)
        assert answer.status_code == 200
        assert not {"you.Nothing", "you.Everything"} & set(_Page(answer.text).words.split())
        said = (
            " ".join(_Page(answer.text).words.split())
            .replace(f"{NAME}, ", f"{NAME} , ")
            .replace(f"{NAME}. ", f"{NAME} . ")
        )
        assert words in said, f"{state} {address}: {said[:1500]}"
        assert ("by itself" in said and address == "/") <= (state in {"running", "draft"}), (
            f"{state} {address}"
        )


@pytest.mark.parametrize(
    ("view", "words"), [("mine", "None is yours"), ("unread", "All read"), ("closed", "None is closed")]
)
async def test_an_empty_view_of_the_inbox_says_what_it_is(
    visitor: httpx.AsyncClient, view: str, words: str
) -> None:
    assert words in (await visitor.get(f"/inbox?view={view}")).text


@pytest.mark.parametrize(("broken", "words"), [(False, "now"), (True, "waiting for a sender")])
async def test_what_is_due_leaves_now_or_waits_for_a_sender(
    database: Database, owner: tuple[Actor, str], visitor: httpx.AsyncClient, broken: bool, words: str
) -> None:
    actor = owner[0]
    async with database.unit(actor.workspace_id) as unit:
        await _become(unit, actor, "running")
        late = unit.world.now() - timedelta(minutes=3)
        await unit.session.execute(update(EnrolmentRow).values(next_due_at=late))
        if broken:
            for box in await mailboxes(unit):
                await set_state(unit, box.id, MailboxState.BROKEN, "535 no")
    page = (await visitor.get(LIVE)).text
    listed = page.partition('id="next-title"')[2].partition("</section>")[0]
    assert f'<span class="guess">{words}</span>' in listed
    assert "<time" not in listed
    assert ("The next step is waiting for a sender." in page) is broken


@pytest.mark.asvs("8.3.1")
async def test_a_reader_is_not_offered_the_speed_of_the_world(
    database: Database, owner: tuple[Actor, str], visitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    email = f"{uuid4().hex}@empty.example"
    async with database.unit(owner[0].workspace_id) as unit:
        await add_member(unit, owner[0], email=email, name="Ruth", role=Role.READ_ONLY, password=PASSWORD)
    assert "/sandbox/speed" in (await visitor.get("/sandbox")).text
    async with await _visitor(database, Settings(home=tmp_path, sandbox=True), email) as reader:
        page = (await reader.get("/sandbox")).text
    assert "/sandbox/speed" not in page
    assert "as fast as here" in page
