"""The German catalogue is complete, and says the same things."""

import re

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from cadenza.web.catalogue import DEFAULT, LANGUAGES, LOCALES, collect

_PLACE = re.compile(r"%\(\w+\)s|%%|<[^>]+>")


def _strings(message: Message) -> list[tuple[str, str]]:
    """Each English form with its translation."""
    if isinstance(message.id, tuple):
        return list(zip(message.id, message.string, strict=True))
    return [(message.id, str(message.string))]


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != DEFAULT])
def test_every_text_is_translated_and_keeps_its_places(language: str) -> None:
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        known = read_po(file, locale=language)
    texts = [message for message in collect() if message.id]
    assert len(texts) > 300
    for text in texts:
        found = known.get(text.id, text.context)
        assert found is not None, f"{text.id!r} is missing: run python -m cadenza.web.catalogue"
        for english, translated in _strings(found):
            assert translated, f"{english!r} has no translation"
            assert sorted(_PLACE.findall(translated)) == sorted(_PLACE.findall(english)), english
    assert len([m for m in known if m.id]) == len(texts), (
        "texts that are gone: run python -m cadenza.web.catalogue"
    )
