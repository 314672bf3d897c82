"""Which language the new text is in."""

from collections.abc import Iterable
from functools import cache
from typing import Any

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "ru", "ja", "zh", "ko", "ar")
_ENOUGH = 12  # letters; below that the detector guesses
# Words so short and so plain that the detector's guess is worse.
_SHORT = {
    "en": "yes no thanks thank you ok okay sure please stop unsubscribe remove interested not later call me great sounds good",
    "de": "ja nein danke bitte gerne kein interesse abmelden später passt gern nö",
    "fr": "oui non merci d'accord bonjour pas intéressé désinscription stop volontiers",
    "es": "sí si no gracias vale claro baja interesado hola",
    "it": "sì grazie no va bene ciao interessato volentieri",
    "pt": "sim não obrigado obrigada olá claro",
    "nl": "ja nee bedankt graag prima geen interesse bel me even",
}


@cache
def _detector() -> Any:
    import eldc  # noqa: PLC0415 - loaded by the first text, not by --help

    eldc.init()
    detector = eldc.instance()
    detector.set_languages(list(LANGUAGES))
    return detector


def detect_language(text: str, fallback: Iterable[str] = ()) -> str | None:
    """ISO 639-1 code of one of twelve languages; a text too short to tell takes that of ``fallback``, newest last."""
    scripts = _by_script(text)
    if scripts:
        return scripts
    letters = sum(character.isalpha() for character in text)
    if letters < _ENOUGH:
        for other in reversed(list(fallback)):
            if sum(character.isalpha() for character in other) >= _ENOUGH:
                return detect_language(other)
        return _short(text) or (_ask(text) if letters >= 3 else None)
    return _ask(text)


def _ask(text: str) -> str | None:
    found = str(_detector().detect(text[:4_000].encode("utf-8", "replace").decode("utf-8")))
    return found if found in LANGUAGES else None


def _short(text: str) -> str | None:
    words = [word.strip(".,!?").lower() for word in text.split()]
    best = max(_SHORT, key=lambda language: sum(word in _SHORT[language].split() for word in words))
    return best if words and any(word in _SHORT[best].split() for word in words) else None


def _by_script(text: str) -> str | None:
    """Languages that their letters alone tell, among those we know."""
    letters = [character for character in text[:2_000] if character.isalpha()]
    if not letters:
        return None
    counts = {
        "ja": sum("\u3040" <= c <= "\u30ff" for c in letters),
        "ko": sum("\uac00" <= c <= "\ud7af" for c in letters),
        "ar": sum("\u0600" <= c <= "\u06ff" for c in letters),
        "ru": sum("\u0400" <= c <= "\u04ff" for c in letters),
    }
    han = sum("\u4e00" <= c <= "\u9fff" for c in letters)
    if counts["ja"] and counts["ja"] + han > len(letters) / 3:
        return "ja"
    best = max(counts, key=lambda language: counts[language])
    if counts[best] > len(letters) / 3:
        return best
    return "zh" if han > len(letters) / 3 else None
