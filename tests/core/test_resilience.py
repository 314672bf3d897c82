import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from cadenza.core.resilience import outlive_the_database


async def test_a_loop_goes_on_after_the_database_was_away_and_a_bug_ends_it() -> None:
    runs = 0

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OperationalError("select 1", {}, Exception("the database system is shutting down"))
        raise ProgrammingError("select x", {}, Exception("no such column"))

    with pytest.raises(ProgrammingError):
        await outlive_the_database("test", loop)
    assert runs == 2
