from datetime import UTC, datetime

import pytest

from cadenza.understanding.contracts import Reply
from cadenza.understanding.service import analyze


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("In diesem Quartal nicht mehr. Schauen wir im August darauf.", "2026-08-01"),
        ("Not this month, please come back in September.", "2026-09-01"),
    ],
)
def test_a_period_that_has_begun_is_no_day_to_come_back(text: str, day: str) -> None:
    found = analyze(Reply(raw_body=text, received_at=datetime(2026, 3, 6, 9, tzinfo=UTC)))
    assert found.return_date == day
