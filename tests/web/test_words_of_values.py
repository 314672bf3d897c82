"""Values that are stored by a short name are shown in words, in every language."""

from collections.abc import Callable, Iterator
from enum import StrEnum

import pytest
from markupsafe import escape

from cadenza.audience.contracts import BulkKind, FieldKind, ImportState, SuppressionReason
from cadenza.campaigns.changes import TOLD_CHANGES, changes, first_version
from cadenza.campaigns.contracts import Definition, Step, Variant
from cadenza.campaigns.document import PERSON_STOPS
from cadenza.core.errors import CadenzaError
from cadenza.identity.audit_words import TOLD_ACTS, act_words
from cadenza.identity.contracts import Action, Actor, Origin, Role
from cadenza.identity.rights import authorize
from cadenza.ledger.contracts import EventKind
from cadenza.web.catalogue import DEFAULT, PACKAGE, speak, told
from cadenza.web.rendering import environment
from tests.support.audit_acts import recorded_acts

SAME = {
    "text",
    "number",
    "date",
    "html",
    "id",
    "name",
    "pool",
    "segment",
}  # one word in both languages, or nearly


def _german(made: Callable[[], str]) -> str:
    speak("de")
    try:
        return made()
    finally:
        speak(DEFAULT)


def _words() -> Iterator[str]:
    for kind in (Action, Role, SuppressionReason, FieldKind):
        yield from (value.words for value in kind)
    yield from TOLD_CHANGES.values()
    yield from TOLD_ACTS.values()


@pytest.mark.parametrize("words", sorted(set(_words())))
def test_the_words_of_each_value_are_no_raw_name_and_german_too(words: str) -> None:
    assert "_" not in words
    assert words in SAME or _german(lambda: told(words)) != words


def _acts() -> set[str]:
    dynamic = {f"bulk_{kind.value}{end}" for kind in BulkKind for end in ("", "_cancelled", "_undone")}
    ended = (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED)
    return recorded_acts(PACKAGE) | dynamic | {f"contacts_import_{state.value}" for state in ended}


def test_every_act_that_is_recorded_has_words_and_no_other_has() -> None:
    assert _acts() == TOLD_ACTS.keys()
    assert len(TOLD_ACTS) > 80
    assert act_words("an_act_of_old") == "an act of old"


def _macro(template: str, name: str, value: str) -> str:
    module = environment().get_template(template).make_module({})
    return str(getattr(module, name)(value)).strip()


@pytest.mark.parametrize(
    ("template", "name", "values"),
    [
        ("ledger/events.html", "kind_name", [kind.value for kind in EventKind]),
        ("engine/words.html", "ending", sorted(PERSON_STOPS)),
        ("identity/words.html", "role", [role.value for role in Role]),
    ],
)
def test_each_value_that_a_page_names_has_a_name_in_both_languages(
    template: str, name: str, values: list[str]
) -> None:
    for value in values:
        english = _macro(template, name, value)
        assert "_" not in english, value
        assert _german(lambda value=value: _macro(template, name, value)) != english, value  # type: ignore[misc]


@pytest.mark.parametrize("action", sorted(Action))
def test_a_right_that_is_missing_is_named_in_words(action: StrEnum) -> None:
    actor = Actor(workspace_id=None, role=Role.READ_ONLY, origin=Origin.PAGE)  # type: ignore[arg-type]
    if action is Action.READ:
        return authorize(actor, Action.READ)
    with pytest.raises(CadenzaError) as refused:
        authorize(actor, Action(action))
    message = refused.value.message
    assert message == f"The role read-only may not {Action(action).words}."
    german = _german(lambda: told(message))
    assert german.startswith("Die Rolle „Nur lesen“ darf das nicht: ")
    assert Action(action).words not in german
    return None


def _definition(**changed: object) -> Definition:
    given: dict[str, object] = {
        "name": "Spring", "contacts_file": "a.csv", "mailboxes": ("a@b.example",),
        "steps": (Step("intro", 0, (Variant("a", "Hi", "S"),)), Step("follow", 3, (Variant("a", "Bye"),))),
    }  # fmt: skip
    return Definition(**(given | changed))  # type: ignore[arg-type]


def test_what_a_version_changed_is_told_in_german() -> None:
    new = _definition(
        grace_hours=48,
        segment="Plants",
        steps=(
            Step("intro", 0, (Variant("a", "Hello", "S", html="<p>x</p>"), Variant("b", "Hey", "S"))),
            Step("last", 3, (Variant("a", "Bye"),)),
        ),
    )
    english = changes(_definition(), new)
    assert english == (
        "grace hours: 24 is now 48",
        "segment: none is now Plants",
        "step follow removed",
        "step last added",
        "step intro: variant a text changed",
        "step intro: variant a html added",
        "step intro: variant b added",
    )
    assert [_german(lambda line=line: told(line)) for line in english] == [  # type: ignore[misc]
        "Frist in Stunden: aus 24 wurde 48",
        "Segment: aus nichts wurde Plants",
        "Schritt follow entfernt",
        "Schritt last hinzugefügt",
        "Schritt intro: Variante a: Text geändert",
        "Schritt intro: Variante a: HTML hinzugefügt",
        "Schritt intro: Variante b: hinzugefügt",
    ]
    assert _german(lambda: told(first_version(new))) == "neue Kampagne mit 2 Schritten"
    assert escape(english[0]) == english[0]
