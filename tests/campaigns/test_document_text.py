"""A campaign written as a file reads back as the same campaign, whatever it says."""

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.campaigns.contracts import Caps, Definition, Step, Variant
from cadenza.campaigns.document import read_document
from cadenza.campaigns.document_text import document_text
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
def _definitions(draw: st.DrawFn) -> Definition:
    ids = draw(st.lists(_IDS, min_size=1, max_size=3, unique=True))
    steps = []
    for place, identity in enumerate(ids):
        reply_to = draw(st.sampled_from([None, *ids[:place]]))
        names = draw(st.lists(_IDS, min_size=1, max_size=3, unique=True))
        when = draw(st.sampled_from([None, "not replied", 'language == "de"']))
        later = ids[place + 1 :]
        variants = tuple(_variant(draw, name, answers=reply_to is not None) for name in names)
        languages = {
            language: {names[0]: _variant(draw, names[0], answers=reply_to is not None, like=variants[0])}
            for language in draw(st.lists(st.sampled_from(["de", "no", "fr"]), max_size=2, unique=True))
        }
        otherwise = draw(st.sampled_from([None, *later])) if when else None
        days = draw(st.integers(0, 365))
        steps.append(
            Step(
                identity,
                days,
                variants,
                reply_to=reply_to,
                when=when,
                otherwise=otherwise,
                languages=languages,
            )
        )
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


def _variant(draw: st.DrawFn, name: str, *, answers: bool, like: Variant | None = None) -> Variant:
    attributes = like.attributes if like else draw(st.sampled_from([(), ("body.short",), ("no", "null.1")]))
    return Variant(
        id=name,
        text=draw(_TEXTS),
        subject=None if answers else draw(_TEXTS.filter(lambda t: t.isprintable() and len(t) < 100)),
        html=draw(st.sampled_from([None, "<p>Hello</p>\n"])),
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
