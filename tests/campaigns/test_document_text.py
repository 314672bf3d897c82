"""A campaign written as a file reads back as the same campaign, whatever it says."""

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.campaigns.contracts import Caps, Definition, Fallback, Step, Variant, Way
from cadenza.campaigns.document import read_document
from cadenza.campaigns.document_text import document_text
from cadenza.campaigns.document_ways import ACTIONS
from cadenza.campaigns.neighbour_files import Folder
from cadenza.timing.contracts import Window
from tests.campaigns.examples import GOOD

_LETTERS = st.characters(
    exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters="{}%\ufeff\u2028\u2029\x85"
)
_LINES = st.lists(st.text(_LETTERS, max_size=30), min_size=1, max_size=6).map("\n".join)
_TEXTS = st.one_of(
    _LINES.filter(str.strip),
    st.sampled_from(["no", "1", "null", "~", "- a\n- b", "a: b", "# x", "|", "  indented\nline", "end \n\n", "tab\tin", "\n\nlate", "'\"\\n"]),
)  # fmt: skip
_IDS = st.sampled_from(["on", "no", "y", "null", "a", "b1", "x-y", "Z_9"])


def _same(definition: Definition) -> None:
    written = document_text(definition)
    reading = read_document(written, Folder(None), lambda _: None)
    assert reading.problems == (), written
    assert reading.definition == definition


def test_the_contracts_example_survives(folder: Folder) -> None:
    found = read_document(GOOD, folder, lambda _: frozenset({"plan", "size"})).definition
    assert found is not None
    _same(found)


def test_a_text_of_several_lines_is_written_as_lines() -> None:
    step = Step("intro", 0, (Variant("a", "Hello,\n\none line: more.\n", "Hi"),))
    written = document_text(Definition("x", (step,), "people.csv", ("a@b.example",)))
    assert "text: |\n          Hello,\n\n          one line: more.\n" in written


@st.composite
def _way(draw: st.DrawFn, channel: str, *, answers: bool) -> Way:
    action = draw(st.sampled_from(ACTIONS[channel]))
    if action == "call":
        return Way(channel, action, script=draw(_TEXTS))
    if action == "view_profile":
        return Way(channel, action)
    mail, fewest = channel == "email", 0 if action == "connect" else 1
    names = draw(st.lists(_IDS, min_size=fewest, max_size=3, unique=True))
    variants = tuple(_variant(draw, name, answers=answers, mail=mail) for name in names)
    languages = {
        language: {names[0]: _variant(draw, names[0], answers=answers, mail=mail, like=variants[0])}
        for language in draw(st.lists(st.sampled_from(["de", "no", "fr"]), max_size=2, unique=True))
        if names
    }
    return Way(channel, action, variants, languages=languages)


def _unlike(ways: list[Way]) -> tuple[Way, ...]:
    return tuple({(way.channel, way.action): way for way in ways}.values())


@st.composite
def _step(draw: st.DrawFn, place: int, ids: list[str], channels: list[str]) -> Step:
    channel, later = channels[place], ids[place + 1 :]
    threads = [None, *ids[:place]] if channel in ("email", "any") else [None]
    reply_to = draw(st.sampled_from(threads))
    answers = reply_to is not None
    own, options = Way("any", "any"), ()
    if channel == "any":
        some = st.sampled_from(sorted(ACTIONS)).flatmap(lambda each: _way(each, answers=answers))
        options = _unlike(draw(st.lists(some, min_size=1, max_size=4)))
    else:
        own = draw(_way(channel, answers=answers))
    others = [n for n in range(place + 1, len(ids)) if channels[n] not in (channel, "any")]
    turned = draw(st.sampled_from([None, *others]))
    when = draw(st.sampled_from([None, "not replied", 'language == "de"']))
    return Step(
        ids[place],
        draw(st.integers(0, 365)),
        own.variants,
        channel=own.channel,
        action=own.action,
        reply_to=reply_to,
        when=when,
        otherwise=draw(st.sampled_from([None, *later])) if when else None,
        languages=own.languages,
        script=own.script,
        options=options,
        fallback=None if turned is None else Fallback(channels[turned], ids[turned]),
    )


@st.composite
def _definitions(draw: st.DrawFn) -> Definition:
    ids = draw(st.lists(_IDS, min_size=1, max_size=3, unique=True))
    channels = [draw(st.sampled_from([*ACTIONS, "any", "email"])) for _ in ids]
    steps = [draw(_step(place, ids, channels)) for place in range(len(ids))]
    audience = draw(
        st.sampled_from([("people.csv", ""), ("no", ""), ("a: b.csv", ""), ("ünï.csv", ""), ("", "no: one")])
    )
    return Definition(
        name=draw(st.sampled_from(["NO", "123", "spring", "Frühling 2.0", "a_b-c"])),
        steps=tuple(steps),
        contacts_file=audience[0],
        segment=audience[1],
        mailboxes=draw(st.sampled_from([("a@b.example",), ("a@b.example", "no@x.example")])),
        goal_target=draw(st.sampled_from([None, 1, 25])),
        window=draw(
            st.builds(
                Window,
                days=st.frozensets(st.integers(1, 7), min_size=1),
                start=st.sampled_from([time(0), time(8, 30)]),
                end=st.sampled_from([time(17), time.max]),
                zone=st.sampled_from([None, "Europe/Berlin"]),
                holidays=st.booleans(),
            )
        ),
        caps=draw(st.builds(Caps, st.integers(1, 50), st.integers(1, 1000), st.integers(1, 100_000))),
        grace_hours=draw(st.integers(1, 720)),
        stop_person=draw(
            st.sampled_from([frozenset({"opt_out", "bounce"}), frozenset({"reply", "opt_out", "bounce"})])
        ),
        stop_account=draw(st.sampled_from([frozenset(), frozenset({"meeting"})])),
        track_opens=draw(st.booleans()),
        track_clicks=draw(st.booleans()),
        experiment_metric=draw(st.sampled_from(["replies", "positive_replies"])),
    )


def _variant(
    draw: st.DrawFn, name: str, *, answers: bool, mail: bool = True, like: Variant | None = None
) -> Variant:
    attributes = like.attributes if like else draw(st.sampled_from([(), ("body.short",), ("no", "null.1")]))
    return Variant(
        id=name,
        text=draw(_TEXTS),
        subject=None
        if answers or not mail
        else draw(_TEXTS.filter(lambda t: t.isprintable() and len(t) < 100)),
        html=draw(st.sampled_from([None, "<p>Hello</p>\n"])) if mail else None,
        attributes=attributes,
    )


@settings(max_examples=150, deadline=None)
@given(_definitions())
def test_whatever_it_says_it_reads_back_the_same(definition: Definition) -> None:
    _same(definition)


@pytest.mark.parametrize("text", ["a\rb", "\x07bell", "a\x85b", "nul\x00"])
def test_letters_that_no_message_may_hold_are_still_written_without_loss(text: str) -> None:
    step = Step("intro", 0, (Variant("a", text, "Hi"),))
    written = document_text(Definition("x", (step,), "people.csv", ("a@b.example",)))
    reading = read_document(written, Folder(None), lambda _: None)
    if reading.definition is not None:
        assert reading.definition.steps[0].variants[0].text == text
    else:
        assert all(problem.line for problem in reading.problems)
