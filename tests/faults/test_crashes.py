"""kill -9 at every outbound write point of a real worker process; then ledger and database must agree (M1)."""

import pytest

from cadenza.app.benchmarks.crashes import outbound_points, scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_PEOPLE = 120


@pytest.mark.must_not("M1")
async def test_nothing_is_sent_twice_or_lost_when_the_worker_dies_at_every_write_point() -> None:
    async with scene(_PEOPLE) as stage:
        died = {point: await stage.crash_at(point, 1) for point in outbound_points()}
        await stage.drain()
        figures, broken = await stage.verdict(_PEOPLE)
    assert broken == (), figures
    assert all(died.values()), died
    assert figures["in_doubt"] <= 4 * len(died)  # one a connection
