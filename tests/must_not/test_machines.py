"""M5: what proxies, scanners and prefetchers fetch is labelled, counted apart, and moves nothing."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from cadenza.analytics.service import counts, rates
from cadenza.core import settings as settings_module
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.unit import Unit
from cadenza.engine.contracts import Status
from cadenza.engine.service import status
from cadenza.engine.tracking_endpoints import router
from cadenza.identity.contracts import Actor
from cadenza.ledger.contracts import Event, EventKind
from cadenza.ledger.service import timeline
from tests.support.campaigns import document, people, running
from tests.support.post import Post

pytestmark = pytest.mark.must_not("M5")

Send = Callable[[], Coroutine[Any, Any, None]]
PUBLIC = "https://north.example"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0 Safari/537.36"
STEPS = """
- id: intro
  after: {days: 0}
  variants: [{id: a, subject: "Hello", text: "One line.", html: '<p><a href="https://one.example/">1</a> <a href="https://two.example/">2</a> <a href="https://three.example/">3</a></p>'}]
- id: opened
  after: {days: 1}
  when: "opened(intro)"
  variants: [{id: a, subject: "You looked", text: "You looked."}]
- id: clicked
  after: {days: 1}
  when: "clicked(intro)"
  variants: [{id: a, subject: "You clicked", text: "You clicked."}]
- id: last
  after: {days: 1}
  variants: [{id: a, subject: "Last", text: "Last."}]
"""
MACHINES = {
    "image proxy": (
        "GET",
        {"user-agent": "Mozilla/5.0 (Windows NT 5.1) (via ggpht.com GoogleImageProxy)"},
        600,
    ),
    "privacy proxy": ("GET", {"user-agent": "Mozilla/5.0"}, 600),
    "link scanner": ("GET", {"user-agent": "Mimecast URL Protect"}, 600),
    "nameless scanner": ("GET", {"user-agent": ""}, 600),
    "prefetch": ("GET", {"user-agent": CHROME, "sec-purpose": "prefetch;prerender"}, 600),
    "old prefetch": ("GET", {"user-agent": CHROME, "x-moz": "prefetch"}, 600),
    "head": ("HEAD", {"user-agent": CHROME}, 600),
    "at once": ("GET", {"user-agent": CHROME}, 2),
}


@pytest.fixture(autouse=True)
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CADENZA_PUBLIC_URL", PUBLIC)
    settings_module.settings.cache_clear()
    yield
    settings_module.settings.cache_clear()


@pytest.fixture
async def visitor(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    app.state.database = database
    app.include_router(router)
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
        yield client


async def written(
    database: Database, actor: Actor, post: Post, world: ManualClock, send: Send
) -> tuple[str, list[str]]:
    """The pixel and the links of the first letter to one person, who has just got it."""
    source = document(STEPS, extra="tracking: {opens: true, clicks: true}")
    await running(database, actor, post, source, people(1))
    world.set(world.now().replace(hour=23, minute=50))
    await send()
    mail = message_from_bytes(post.letters()[0].content, policy=SMTP)
    part = mail.get_body(("html",))
    assert part is not None
    body = part.get_content()
    (pixel,) = re.findall(r'src="([^"]+/o/[^"]+)"', body)
    links = re.findall(r'href="([^"]+/c/[^"]+)"', body)
    assert len(links) == 3
    return pixel, links


async def standing(database: Database, actor: Actor) -> Status:
    async with database.unit(actor.workspace_id) as unit:
        return await status(unit, actor, "spring")


async def rest_of(post: Post, world: ManualClock, send: Send) -> list[str]:
    """The subjects of all that follows in a week."""
    for _ in range(8):
        world.move(timedelta(days=1))
        await send()
    return [str(message_from_bytes(letter.content, policy=SMTP)["Subject"]) for letter in post.letters()[1:]]


@pytest.mark.parametrize("kind", MACHINES)
async def test_what_a_machine_fetches_moves_no_branch_and_no_rate(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    send: Send,
    visitor: httpx.AsyncClient,
    kind: str,
) -> None:
    pixel, links = await written(database, workspace, post, world, send)
    method, headers, seconds = MACHINES[kind]
    world.move(timedelta(seconds=seconds))
    for url in (pixel, *links):
        answer = await visitor.request(method, url, headers=headers)
        assert answer.status_code in (200, 302)
    found = await standing(database, workspace)
    assert (found.counts["machine_opened"], found.counts["machine_clicked"]) == (1, 1)
    assert not {"opened", "clicked"} & found.counts.keys()
    assert [s for s in rates(found.counts) if s.metric in ("opened", "clicked") and s.successes] == []
    assert await rest_of(post, world, send) == ["Last"]


async def test_every_link_followed_at_once_is_a_scanner_whatever_it_calls_itself(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    send: Send,
    visitor: httpx.AsyncClient,
) -> None:
    """The first links of a slow scanner look like a person's; the last one gives it away."""
    _, links = await written(database, workspace, post, world, send)
    world.move(timedelta(minutes=10))
    for url in links:
        await visitor.get(url, headers={"user-agent": CHROME})
    assert (await standing(database, workspace)).counts["machine_clicked"] == 1


async def test_what_a_person_does_counts_once_and_moves_the_branch(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    send: Send,
    visitor: httpx.AsyncClient,
) -> None:
    """So that the test above does not pass because nothing is ever counted."""
    pixel, links = await written(database, workspace, post, world, send)
    world.move(timedelta(minutes=10))
    for url in (pixel, pixel, links[1]):
        answer = await visitor.get(url, headers={"user-agent": CHROME})
    assert (answer.status_code, answer.headers["location"]) == (302, "https://two.example/")
    found = await standing(database, workspace)
    assert (found.counts["opened"], found.counts["clicked"]) == (1, 1)
    assert not {"machine_opened", "machine_clicked"} & found.counts.keys()
    assert await rest_of(post, world, send) == ["You looked", "You clicked", "Last"]


@pytest.mark.parametrize("path", ["/o/nonsense.gif", f"/o/{UUID(int=1).hex}.gif", "/o/%00.gif"])
async def test_a_made_up_pixel_is_the_same_picture_and_no_event(
    database: Database,
    workspace: Actor,
    post: Post,
    world: ManualClock,
    send: Send,
    visitor: httpx.AsyncClient,
    path: str,
) -> None:
    pixel, _ = await written(database, workspace, post, world, send)
    world.move(timedelta(minutes=10))
    made_up = await visitor.get(path, headers={"user-agent": CHROME})
    before = (await standing(database, workspace)).counts
    assert "opened" not in before
    real = await visitor.get(pixel, headers={"user-agent": CHROME})
    assert (made_up.status_code, made_up.content) == (real.status_code, real.content)
    async with database.unit(workspace.workspace_id) as unit:
        (campaign,) = {e.campaign_id for e in await _events(unit)}
        assert (await counts(unit, campaign)).total["opened"] == 1


async def _events(unit: Unit) -> list[Event]:
    return [e for e in await timeline(unit) if e.kind is EventKind.OPENED]
