"""Every page asked for with ids and filters that do not exist: an answer for people, never one of the inside."""

import re
from collections import defaultdict
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from cadenza.app.composition import web_app
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from cadenza.ledger.contracts import EventKind
from tests.support.routes import routes_of
from tests.web.seed import CAMPAIGN, Seeded
from tests.web.test_pages import settings, visitor

__all__ = ["settings", "visitor"]

_IDS = ("nonsense", "0", "%00", "00000000-0000-0000-0000-000000000000", "x" * 3000, "%F0%9F%92%A5", "'--")
_VALUES = ("zz", "-1", "%00", "2026-01-01", "9" * 30, "%F0%9F%92%A5", "x" * 3000)
_NO_PAGES = re.compile(
    r"^/api/|\{token\}"
)  # programs are told each field; links of letters answer for themselves
_INSIDE = (
    "uuid",
    "enum",
    "Input should",
    "validation",
    "Traceback",
    "StrEnum",
    *(kind.value for kind in EventKind if "_" in kind.value),
)


def _pages(database: Database, settings: Settings) -> list[APIRoute]:
    found = [route for route in routes_of(web_app(database, settings)) if "GET" in route.methods]
    return [route for route in found if not _NO_PAGES.search(route.path)]


def _plain(answer: httpx.Response) -> str:
    """What a reader sees, without what they typed themselves."""
    return re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2].partition("</main")[0])


@pytest.mark.asvs("16.5.1", "2.2.1")
async def test_a_wrong_id_is_a_page_that_is_not_there(
    database: Database, settings: Settings, visitor: httpx.AsyncClient
) -> None:
    asked = 0
    for route in _pages(database, settings):
        if "{" not in route.path:
            continue
        for wrong in _IDS:
            address = re.sub(r"\{[^}]+\}", wrong, route.path)
            answer = await visitor.get(address)
            assert answer.status_code == 404, f"{address[:200]}: {answer.status_code}"
            assert not [word for word in _INSIDE if word in _plain(answer)], address[:200]
            asked += 1
    assert asked >= 6 * len(_IDS)


@pytest.mark.asvs("16.5.1", "2.2.1")
async def test_an_unknown_filter_tells_nothing_of_the_inside(
    database: Database, settings: Settings, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    known = {
        "contact_id": seeded.contacts[0],
        "touch_id": seeded.sent,
        "conversation_id": seeded.conversation,
        "name": quote(CAMPAIGN),
    }
    ids: dict[str, object] = defaultdict(uuid4, known)  # of what the workspace has none, a missing one
    asked = set()
    for route in _pages(database, settings):
        if route.path.endswith("/stream"):
            continue
        path = re.sub(r"\{(\w+)[^}]*\}", lambda part: str(ids.get(part[1], uuid4())), route.path)
        for name in [parameter.alias for parameter in route.dependant.query_params]:
            for wrong in _VALUES:
                answer = await visitor.get(f"{path}?{name}={wrong}", headers={"accept": "text/html"})
                assert answer.status_code in {200, 303, 400, 401, 404, 422}, (
                    f"{path}?{name}={wrong[:50]}: {answer.status_code}"
                )
                assert not [
                    word for word in _INSIDE if answer.status_code >= 400 and word in _plain(answer)
                ], f"{path}?{name}={wrong[:50]}"
                asked.add(name)
    assert {"kind", "page", "contact", "cursor", "since"} <= asked


async def test_a_live_part_asks_in_vain_without_words_of_the_inside(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/inbox/news?since=zz", headers={"hx-request": "true"})
    assert answer.status_code == 400
    assert answer.json()["problems"] == []
