"""What a production installation serves: exactly this, and nothing of the sandbox (ASVS 13.4.2)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Mount, Route

from cadenza.app.composition import web_app
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from tests.app.counterparts import REASONS, SAME

ALLOWED = Path(__file__).parent / "production_routes.txt"


def _flat(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route):
            yield from (f"{method} {route.path}" for method in route.methods or ())
        elif isinstance(route, Mount):
            yield f"MOUNT {route.path}"
        else:
            yield from _flat(route.original_router.routes)


def served(database: Database, settings: Settings) -> set[str]:
    return set(_flat(web_app(database, settings).routes))


@pytest.mark.asvs("13.4.2", "15.2.3")
def test_production_serves_the_listed_routes_and_no_other(shared_database: Database, tmp_path: Path) -> None:
    production = Settings(home=tmp_path, public_url="https://cadenza.example", trusted_proxies="127.0.0.1")
    routes = served(shared_database, production)
    allowed = set(ALLOWED.read_text().splitlines())
    assert routes - allowed == set(), f"a new route of production is added to {ALLOWED.name} on purpose"
    assert allowed - routes == set(), "listed, but not served"
    assert not any("sandbox" in route or "demo" in route or "docs" in route for route in routes)
    assert served(shared_database, Settings(home=tmp_path, sandbox=True)) > routes


def test_whatever_a_page_can_do_a_program_can_do(shared_database: Database, tmp_path: Path) -> None:
    routes = served(shared_database, Settings(home=tmp_path, sandbox=True))
    pages = {name for name in routes if not name.startswith(("HEAD ", "MOUNT ")) and "/api/" not in name}
    known = SAME.keys() | REASONS.keys()
    assert pages - known == set(), (
        "tests/app/counterparts.py names the API's route of a new page, or why there is none"
    )
    assert known - pages == set(), "named, but no page"
    assert SAME.keys() & REASONS.keys() == set()
    missing = {name for names in SAME.values() for name in names} - routes
    assert missing == set(), "named as a counterpart, but not served"
