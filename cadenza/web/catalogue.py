"""Texts in the reader's language. The English text is its own key; other languages are .po files in ``locale``.

``python -m cadenza.web.catalogue`` collects every text of templates and pages and merges it into the .po files.
"""

import sys
from contextvars import ContextVar
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from cadenza.web import spoken

HERE = Path(__file__).parent
PACKAGE = HERE.parent
LOCALES = HERE / "locale"
LANGUAGES = ("en", "de")
DEFAULT = "en"

# Headers that would change with every merge and say nothing to us.
_NOISE = tuple(f'"{name}' for name in ("POT-C", "PO-R", "Last-T", "Language-T", "Generated", "Report"))

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)


@lru_cache(maxsize=200)
def locale_of(name: str) -> Locale:
    """The locale with this name, for numbers and dates; English when it is unknown."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT)


def speak(locale: str) -> None:
    """Set the language of the texts of this request."""
    language = locale_of(locale).language
    _language.set(language if language in LANGUAGES else DEFAULT)


def language() -> str:
    return _language.get()


def preferred(accept_language: str) -> str:
    """The first language of an ``Accept-Language`` header that there is a catalogue for."""
    for part in accept_language.split(","):
        name = part.partition(";")[0].strip()
        if name.partition("-")[0].lower() in LANGUAGES:
            return name
    return DEFAULT


def _file(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "messages.po"


@cache
def _translations(language: str) -> NullTranslations:
    path = _file(language)
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def gettext(message: str) -> str:
    return gettext_in(_language.get(), message)


def gettext_in(language: str, message: str) -> str:
    return _translations(language).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    return _translations(_language.get()).ngettext(one, many, count)


def told(text: str) -> str:
    """An English error or reason, as a room made or stored it, in the reader's language; unknown ones stay as they are."""
    language = _language.get()
    if language == DEFAULT or not text:
        return text
    translated = _translations(language).pgettext(spoken.CONTEXT, text)
    if translated != text:
        return translated
    lines = text.splitlines()
    if len(lines) > 1 and all(told(line) != line for line in lines):  # several sentences of ours
        return "\n".join(told(line) for line in lines)
    found = spoken.read_back(text, _file(language))
    if found is None:
        return text
    template, values, ours = found
    said = values | {name: told(values[name]) for name in ours}
    return _translations(language).pgettext(spoken.CONTEXT, template) % said


def collect() -> Catalog:
    """Every text of the package that is marked for translation, with the files it stands in."""
    catalogue = Catalog(project="Cadenza", copyright_holder="", charset="utf-8")
    options: dict[str, dict[str, Any]] = {
        "**/templates/**.html": {
            "newstyle_gettext": "true",
            "silent": "false",
            "extensions": "jinja2.ext.loopcontrols",
        }
    }
    methods = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
    found = extract_from_dir(
        PACKAGE, methods, options, keywords={"_": None, "gettext": None, "ngettext": (1, 2)}
    )
    for file, _line, message, _comments, _context in sorted(found, key=lambda item: (item[0], item[1])):
        catalogue.add(message, locations=[(Path(file).as_posix(), 0)])
    for file, text in sorted(spoken.texts(PACKAGE)):
        catalogue.add(text, locations=[(file, 0)], context=spoken.CONTEXT)
    return catalogue


def merge(language: str) -> None:
    """Bring the .po file of a language up to the texts that exist now; texts that are gone are dropped."""
    path = _file(language)
    with path.open("rb") as file:
        known = read_po(file, locale=language)
    known.update(collect(), no_fuzzy_matching=True)
    known.obsolete.clear()
    written = BytesIO()
    write_po(written, known, width=110, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(_NOISE)))


def main() -> int:
    for name in LANGUAGES:
        if name != DEFAULT:
            merge(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
