"""No text makes the reading raise, and what it says keeps to the contract."""

from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cadenza.understanding.contracts import Reply, ThreadMessage
from cadenza.understanding.service import analyze, extract

RECEIVED = datetime.fromisoformat("2026-11-23T09:00:00+01:00")
PIECES = st.sampled_from(
    ["Thursday", "31.02.2026", "next", "until", "99:99", "Q4", "\n", "> ", "<div>", "</p>", "a@b.de", "€", "20k", "Von: x", "?", "-- ", "Best,",
     "来年", "٣", "\ud800", "\x00", "in 999999999 years", "0000-00-00", "12/31/9999", "stop", "{", "bis", "CET", "UTC+99", "1" * 40]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=14).map(" ".join))
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(body=TEXTS, subject=TEXTS, name=TEXTS, ours=TEXTS)
def test_analysis_never_raises_and_keeps_to_the_contract(
    body: str, subject: str, name: str, ours: str
) -> None:
    reply = Reply(
        raw_body=body,
        subject=subject,
        from_name=name,
        received_at=RECEIVED,
        thread=(ThreadMessage("us", ours),),
    )
    analysis = analyze(reply)
    assert 0 <= analysis.confidence <= 1
    assert -1 <= analysis.sentiment <= 1
    for spans in analysis.evidence.values():
        assert all(0 <= start < end <= len(analysis.text or "") for start, end in spans)
    analysis.to_dict()


@QUIET
@given(body=TEXTS)
def test_new_text_never_raises_and_adds_no_characters(body: str) -> None:
    text = extract(body).text
    assert text is None or text.strip() == text


def test_a_very_long_reply_is_read_in_time() -> None:
    analysis = analyze(Reply(raw_body="word <x " * 200_000 + "Thursday?", received_at=RECEIVED))
    assert analysis.text
