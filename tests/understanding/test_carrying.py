"""What an intent rests on: a sentence that says it, never the greeting or the name around it."""

import pytest

from cadenza.understanding.contracts import Analysis, Reply
from cadenza.understanding.service import analyze

_LETTERS = {
    "en": ("Hi Anna,", "Hope you had a good weekend.", "We would be glad to see how this runs in a plant like ours.", "Tom"),
    "en one line": ("Dear Ms Berg,", "It has been a busy month.", "Could your engineer show this to our team?", "Tom Hale"),
    "de": ("Sehr geehrte Frau Berg,", "das Wetter ist hier gerade schön.", "Wir würden uns das gerne einmal ansehen.", "Jens Ott"),
    "de short": ("Hallo Anna,", "ich war im Urlaub.", "Bei uns gibt es dafür leider keinen Bedarf.", "Jens"),
    "fr": ("Bonjour Madame Berg,", "Il fait beau ici.", "Nous aimerions voir une démonstration dans notre usine.", "Luc"),
    "es": ("Estimada Anna:", "Espero que todo vaya bien.", "Nos gustaría verlo en nuestra planta.", "Pablo"),
    "it": ("Gentile Anna,", "Spero che tutto vada bene.", "Ci piacerebbe vederlo nel nostro stabilimento.", "Marco"),
    "pt": ("Prezada Anna,", "Espero que esteja tudo bem.", "Gostaríamos de ver isso na nossa fábrica.", "Rui"),
    "nl": ("Beste Anna,", "Ik hoop dat alles goed gaat.", "We willen dit graag eens in onze fabriek zien.", "Jan"),
    "ru": ("Здравствуйте, Анна!", "Надеюсь, у вас всё хорошо.", "Мы хотели бы увидеть это на нашем заводе.", "Олег"),
    "ja": ("ベルグ様、", "お世話になっております。", "弊社の工場で一度拝見したいです。", "田中"),
    "zh": ("您好，", "希望您一切顺利。", "我们想在工厂看看这个产品。", "王伟"),
}  # fmt: skip


def _evidence(analysis: Analysis, field: str) -> list[str]:
    return [(analysis.text or "")[start:end] for start, end in analysis.evidence.get(field, ())]


@pytest.mark.parametrize("language", _LETTERS)
@pytest.mark.parametrize("layout", ["{0}\n\n{1} {2}\n\n{3}", "{0} {1} {2}\n{3}"])
def test_greeting_and_name_are_no_evidence_of_an_intent(language: str, layout: str) -> None:
    greeting, small_talk, point, name = _LETTERS[language]
    body = layout.format(greeting, small_talk, point, name)
    found = _evidence(analyze(Reply(id="1", raw_body=body, from_name=name)), "intent")
    assert found, body
    for words in found:
        assert words in point, f"{words!r} of {body!r}"


def test_wording_inside_a_greeting_or_closing_is_no_evidence() -> None:
    body = "Dear Urgent Care team,\n\nplease call me today, this is urgent. We want a demo this week.\n\nBest regards\nMeeting Room Services"
    analysis = analyze(Reply(id="1", raw_body=body))
    for field in ("intent", "urgency"):
        for words in _evidence(analysis, field):
            assert "Care" not in words
            assert "Meeting Room" not in words


def test_the_slot_carries_a_meeting() -> None:
    body = "Hi Anna,\n\nquite a week here. Thursday 3pm or Friday 10am.\n\nTom"
    analysis = analyze(Reply(id="1", raw_body=body, from_name="Tom"))
    assert not [words for words in _evidence(analysis, "intent") if "Anna" in words]


@pytest.mark.parametrize(
    "body", ["Hi Anna,", "Hello", "Best regards\nTom", "Hi Anna,\n\nBest regards\nTom", "", "您好"]
)
def test_nothing_but_frame_is_read_without_an_error(body: str) -> None:
    analyze(Reply(id="1", raw_body=body))
