from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cadenza.core.errors import CadenzaError
from cadenza.sandbox.contracts import MEETING_FROM, REPLY_MIX, Deal, Fatigue
from cadenza.sandbox.people import contacts_csv, people
from cadenza.sandbox.world import DEMO, load_world, read_world

SMALLEST = """\
version: 1
seed: 7
start: 2026-03-02T00:00:00Z
days: 28
segments:
  - name: one
    size: 9
    channels: {email: {reply: 0.1}}
"""

FULL = """\
version: 1
seed: 20261123
start: 2026-03-02T00:00:00Z
days: 28
segments:
  - name: fintech_dach
    size: 40
    attributes: {industry: fintech, country: {DE: 0.8, NO: 0.2}, company_size: 250}
    timezones: {Europe/Berlin: 0.8, Europe/Zurich: 0.2}
    languages: {de: 0.7, en: 0.3}
    channels:
      email:    {deliver: 0.97, hard_bounce: 0.02, open: 0.42, click: 0.06, reply: 0.05}
      linkedin: {accept: 0.30, reply: 0.14}
      phone:    {connect: 0.10, converse: 0.55, meeting: 0.12}
    prefers: {email: 1.0, linkedin: 1.6, phone: 0.5}
    hours:
      - {days: mon-fri, from: 7, to: 10, factor: 1.8}
      - {days: sat-sun, from: 0, to: 24, factor: 0.2}
    personal_hours: 0.3
    effects: {subject.question: 1.25, "subject.question&body.short": 1.3}
    fatigue: {window_days: 7, factor: 0.8}
    unsubscribe: {base: 0.002, per_touch_in_window: 0.003}
    complain: 0.0005
    out_of_office: {share: 0.04, days: [2, 14]}
    machine: {open: 0.25, click: 0.05}
    reply_mix: {positive_interest: 0.5, timing: 0.5}
    meeting_from: {meeting_request: 0.8}
    opportunity_from_meeting: 0.4
    deal: {median: 24000, sigma: 0.8, currency: EUR, win: 0.25}
    warmth: {mean: 0, sigma: 0.6}
    progress: {repeat: 0.75, build: 1.15}
reputation: {safe_per_domain_day: 400, recovery_days: 6}
company_events: {rate_per_account_week: 0.03, relevant_factor: 1.5}
events:
  - {kind: trade_fair, from: 2026-03-10, to: 2026-03-12, segments: [fintech_dach], respond: 0.4}
  - {kind: budget_season, from: 2026-03-16, to: 2026-03-27, segments: all, respond: 1.2}
holidays: true
shocks:
  - {day: 12, segments: [fintech_dach], channel: email, deliver: 0.4, hours: 36}
  - {day: 20, segments: all, respond: 0.6, hours: 72}
"""


def test_what_is_left_out_is_neutral() -> None:
    world = read_world(SMALLEST)
    (segment,) = world.segments
    assert segment.channels == {"email": {"deliver": 1.0, "reply": 0.1}}
    assert (segment.timezones, segment.languages) == ({"UTC": 1.0}, {"en": 1.0})
    assert segment.reply_mix == REPLY_MIX
    assert segment.meeting_from == MEETING_FROM
    assert (segment.deal, segment.fatigue) == (Deal(), Fatigue(7, 1.0))
    assert (segment.repeat, segment.build, segment.warmth_sigma, segment.effects) == (1.0, 1.0, 0.0, {})
    assert (world.holidays, world.shocks, world.announced, world.safe_per_domain_day) == (False, (), (), None)


def test_everything_a_file_can_say() -> None:
    world = read_world(FULL)
    (segment,) = world.segments
    assert world.start == datetime(2026, 3, 2, tzinfo=UTC)
    assert segment.attributes["country"] == {"DE": 0.8, "NO": 0.2}  # YAML 1.2: a word, not false
    assert segment.hours[0].days == frozenset({1, 2, 3, 4, 5})
    assert (segment.hours[1].start, segment.hours[1].end, segment.hours[1].factor) == (0, 24, 0.2)
    assert segment.effects["subject.question&body.short"] == 1.3
    assert (segment.absent_share, segment.absent_days) == (0.04, (2, 14))
    assert (world.announced[0].start, world.announced[1].segments) == (date(2026, 3, 10), None)
    assert (world.shocks[0].deliver, world.shocks[0].respond, world.shocks[1].channel) == (0.4, 1.0, None)
    assert (world.company_event_rate, world.safe_per_domain_day) == (0.03, 400)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    personal_hours: 0.3", "    personnal_hours: 0.3", None, "unknown key"),
        ("deliver: 0.97", "delivered: 0.97", None, "delivered: unknown key"),
        ("open: 0.42", "open: 1.42", None, "not between 0"),
        ("Europe/Zurich", "Europe/Zermatt", None, "no time zone"),
        ("days: mon-fri", "days: workdays", None, "names no weekdays"),
        ("seed: 20261123", "seed: many", None, "whole number"),
        ("channel: email, deliver", "channel: fax, deliver", None, "fax is unknown"),
        ("segments: [fintech_dach], respond", "segments: [nobody], respond", 1, "no segment nobody"),
        ("days: [2, 14]", "days: [2]", None, "two values"),
        ("days: [2, 14]", "days: [14, 2]", 6, "smaller"),
        ("size: 40", "size: 0", None, "between 1"),
        ("holidays: true", "holidays: on", None, "true or false"),
        ("version: 1", "version: 2", 1, "version 2 is unknown"),
        ("start: 2026-03-02T00:00:00Z\n", "", 1, "start is missing"),
        (
            "reply_mix: {positive_interest: 0.5",
            "reply_mix: {enthusiasm: 0.5",
            None,
            "enthusiasm: unknown key",
        ),
        ("from: 2026-03-10", "from: soon", None, "a date such as"),
    ],
)
def test_faults_are_named_with_their_line(old: str, new: str, line: int | None, words: str) -> None:
    assert old in FULL
    broken = FULL.replace(old, new, 1)
    line = line or broken[: broken.index(new)].count("\n") + 1
    with pytest.raises(CadenzaError) as refused:
        read_world(broken, "my.yaml")
    assert refused.value.code == "world_invalid"
    assert "my.yaml" in refused.value.message
    assert any(problem.line == line and words in problem.message for problem in refused.value.problems)


@pytest.mark.parametrize(
    "text", ["a: [", "a: 1\na: 2", "- x\n- y", "", "null", "{" * 3000, "a: &x [*x]\n", "\t- a: b"]
)
def test_what_is_no_world_is_refused_in_words(text: str) -> None:
    with pytest.raises(CadenzaError) as refused:
        read_world(text)
    assert refused.value.code in {"world_invalid", "world_unreadable"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CadenzaError) as refused:
        load_world(tmp_path / "none.yaml")
    assert "none.yaml" in refused.value.message


def test_the_same_seed_gives_the_same_people() -> None:
    first, again = people(load_world(DEMO)), people(load_world(DEMO))
    assert first == again
    assert people(read_world(DEMO.read_text().replace("seed: 20260302", "seed: 1"))) != first
    assert len(first) == 200
    assert len({p.email for p in first}) == 200
    assert len({p.company for p in first}) > 60
    sizes = [sum(p.domain == d for p in first) for d in {p.domain for p in first}]
    assert max(sizes) == 3
    assert {p.country for p in first} == {"DE", "AT", "CH", "GB", "FR", "US"}
    assert {p.language for p in first} == {"de", "en", "fr"}
    assert all(p.email.endswith(".example") for p in first)


def test_without_a_country_the_zone_s_is_meant() -> None:
    text = SMALLEST + "    timezones: {Europe/Madrid: 1}\n"
    assert {p.country for p in people(read_world(text))} == {"ES"}


def test_the_list_that_is_sold_tells_nothing_of_behaviour() -> None:
    first = people(load_world(DEMO))
    header, *rows = contacts_csv(first).splitlines()
    assert "warmth" not in header.lower()
    assert len(rows) == 200
    assert first[0].email in rows[0]


@pytest.mark.parametrize(
    "room", ["engine", "inbox", "analytics", "experiments", "understanding", "campaigns", "audience"]
)
def test_no_room_of_the_product_reads_the_truth(room: str) -> None:
    folder = Path(__file__).parents[2] / "cadenza" / room
    assert [path for path in folder.rglob("*.py") if "cadenza.sandbox" in path.read_text()] == []
