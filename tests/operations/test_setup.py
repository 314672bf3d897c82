"""The link for the first owner."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Workspace
from cadenza.identity.service import workspaces
from cadenza.operations.setup import LASTS, Founding, check_link, found, new_setup_link

OURS = "https://cadenza.example"
GIVEN = Founding("Halden", "Nora", "nora@halden.example", "a long enough password of ours")


def _token(link: str) -> str:
    assert link.startswith(f"{OURS}/setup/")
    return link.rpartition("/")[2]


@pytest.mark.asvs("6.4.1", "6.3.2")
async def test_a_link_works_once_and_for_a_day(database: Database, machine: ManualClock) -> None:
    token = _token(await new_setup_link(database, OURS))
    assert len(token) >= 43  # 256 bits
    machine.move(LASTS)
    with pytest.raises(CadenzaError, match="too old"):
        await found(database, token, GIVEN)
    token = _token(await new_setup_link(database, OURS))
    machine.move(LASTS - timedelta(seconds=1))
    assert (await found(database, token, GIVEN)).name == "Halden"
    with pytest.raises(CadenzaError, match="used up"):
        await found(database, token, GIVEN)
    with pytest.raises(CadenzaError, match="owner already"):
        await new_setup_link(database, OURS)


@pytest.mark.asvs("6.4.1")
async def test_a_new_link_ends_the_earlier_one(database: Database) -> None:
    first, second = [_token(await new_setup_link(database, OURS)) for _ in range(2)]
    with pytest.raises(CadenzaError, match="used up"):
        await check_link(database, first)
    await check_link(database, second)


@pytest.mark.asvs("7.2.3", "11.5.1")
async def test_the_token_is_not_in_the_database(database: Database) -> None:
    token = _token(await new_setup_link(database, OURS))
    async with database.installation() as session:
        rows = list(await session.scalars(text("select l::text from setup_links l")))
    assert len(rows) == 1
    assert token not in rows[0]
    assert token.encode().hex() not in rows[0]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Founding("", "Nora", "nora@halden.example", GIVEN.password), "setup_incomplete"),
        (Founding("Halden", " ", "nora@halden.example", GIVEN.password), "setup_incomplete"),
        (Founding("Halden", "Nora", "nora", GIVEN.password), "setup_incomplete"),
        (Founding("Halden", "Nora", "nora@halden.example", "short"), "password_length"),
        (Founding("Halden", "Nora", "nora@halden.example", "password"), "password_common"),
    ],
)
async def test_a_refusal_makes_nothing_and_leaves_the_link(
    database: Database, given: Founding, code: str
) -> None:
    token = _token(await new_setup_link(database, OURS))
    with pytest.raises(CadenzaError) as refused:
        await found(database, token, given)
    assert refused.value.code == code
    assert await workspaces(database) == []
    await found(database, token, GIVEN)


@pytest.mark.asvs("2.3.4")
async def test_of_many_at_once_one_becomes_the_owner(database: Database) -> None:
    token = _token(await new_setup_link(database, OURS))
    each = [Founding(f"Halden {n}", "Nora", f"nora{n}@halden.example", GIVEN.password) for n in range(8)]
    done = await asyncio.gather(*(found(database, token, one) for one in each), return_exceptions=True)
    assert sum(isinstance(result, Workspace) for result in done) == 1
    assert len(await workspaces(database)) == 1
