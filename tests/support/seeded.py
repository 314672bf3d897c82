"""Fixtures for tests that begin in a workspace in which something has happened (``tests.web.seed``).

It is made once; each test has a copy of its own, which it may change.
"""

from collections.abc import AsyncIterator

import pytest

from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from tests.conftest import beginning
from tests.web.seed import Seeded, seed


@pytest.fixture(scope="session")
async def seeded_once(
    server_url: str, template: str, secrets: SecretBox
) -> AsyncIterator[tuple[str, Seeded]]:
    async with beginning(server_url, template, secrets, seed) as made:
        yield made


@pytest.fixture
def starting_point(request: pytest.FixtureRequest, template: str) -> str:
    """The seeded database for tests that ask for ``seeded``, themselves or by a fixture."""
    name: str = request.getfixturevalue("seeded_once")[0] if "seeded" in request.fixturenames else template
    return name


@pytest.fixture
def seeded(database: Database, seeded_once: tuple[str, Seeded]) -> Seeded:  # noqa: ARG001 - there is its content
    """What ``database`` holds."""
    return seeded_once[1]
