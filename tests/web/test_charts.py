from datetime import UTC, datetime, timedelta

import pytest

from cadenza.web.charts import axis_top, columns

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_planned_stands_on_done_and_now_is_where_it_is() -> None:
    done = [2, 1]
    chart = columns(done, [0, 1, 0, 1, 7], start=START, width=HOUR, count=4, now=START + HOUR, height=112)
    assert [(bar.label, bar.ink, bar.pencil) for bar in chart.bars] == [
        ("08:00", 2, 0), ("09:00", 1, 1), ("10:00", 0, 0), ("11:00", 0, 1),
    ]  # fmt: skip
    second = chart.bars[1]
    assert second.ink_y + second.ink_height == chart.height
    assert second.pencil_y + second.pencil_height == second.ink_y
    assert chart.grid == ((112, 0), (62, 1), (12, 2))
    assert chart.now == 25


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (39, 40), (41, 100), (399, 400)]
)
def test_the_axis_ends_at_a_round_number(most: int, top: int) -> None:
    chart = columns([most], [], start=START, width=HOUR, count=1, now=START)
    assert chart.grid[-1][1] == top


@pytest.mark.parametrize(
    ("highest", "top"), [(0.0, 0.01), (0.011, 0.02), (0.3, 0.5), (0.51, 1.0), (1.0, 1.0)]
)
def test_an_axis_of_shares_ends_at_a_round_number(highest: float, top: float) -> None:
    assert axis_top(highest) == top
