"""The chart of a day shows the working day, and never leaves out what happened or is planned around it."""

import pytest

from cadenza.engine.live_pages import day_slots


@pytest.mark.parametrize(
    ("marks", "hours"),
    [
        ([], (6, 20)),
        ([24], (6, 20)),
        ([3], (0, 20)),
        ([11], (4, 20)),
        ([39], (6, 20)),
        ([40], (6, 22)),
        ([47], (6, 24)),
        ([2, 46], (0, 24)),
        ([49], (6, 26)),  # a day of 25 hours
    ],
)
def test_the_day_that_is_drawn_holds_every_mark(marks: list[int], hours: tuple[int, int]) -> None:
    shown = day_slots(marks)
    assert (shown.start / 2, shown.stop / 2) == hours
    assert all(mark in shown for mark in marks)
