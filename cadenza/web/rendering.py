"""Templates to HTML. Every room keeps its own under ``<room>/templates/<room>/``; everything is escaped."""

import hashlib
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from cadenza.core.clock import MachineClock
from cadenza.web import catalogue, formats
from cadenza.web.contracts import Reader

PACKAGE = Path(__file__).resolve().parents[1]
STATIC = Path(__file__).parent / "static"


@cache
def environment() -> Environment:
    """The templates of all rooms, looked up as ``room/page.html``."""
    folders = sorted(PACKAGE.glob("*/templates"))
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # templates are part of the release: no look at each file for each page
        extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
    # A page says some hundred texts; what Jinja brings takes ten calls for each.
    made.globals["_"] = made.globals["gettext"] = _say
    for name in (
        "number",
        "percent",
        "span",
        "moment",
        "clock",
        "world_time",
        "date",
        "sentence",
        "ago",
        "slot",
        "weekday",
        "day_of_month",
    ):
        made.filters[name] = getattr(formats, name)
    made.filters["told"] = catalogue.told
    made.globals["static"] = static
    made.globals["with_query"] = with_query
    return made


def _say(message: str, /, **values: object) -> Markup:
    """A text of ours in the reader's language; values are escaped. A percent sign in it is written twice."""
    language = catalogue.language()
    return _text(language, message) % values if values else _plain(language, message)


@lru_cache(maxsize=10_000)
def _text(language: str, message: str) -> Markup:
    return Markup(catalogue.gettext_in(language, message))  # noqa: S704 - written by us and our translators


@lru_cache(maxsize=10_000)
def _plain(language: str, message: str) -> Markup:
    return _text(language, message) % {}


@cache
def static(name: str) -> str:
    """The address of a static file, with its content in the name or the query, so that it may be kept for ever."""
    if name.startswith("vendor/"):
        files = json.loads((STATIC / "vendor" / "manifest.json").read_text())["files"]
        return f"/static/vendor/{files[name.removeprefix('vendor/')]}"
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def with_query(request: Request, **changes: object) -> str:
    """The query of this page's own address with these parts changed, or taken out where empty; the rest stays."""
    kept = {name: value for name, value in request.query_params.items() if name not in {*changes, "said"}}
    return "?" + urlencode(kept | {name: str(value) for name, value in changes.items() if value != ""})


def reader_of(request: Request) -> Reader:
    """Who reads: the member that the session middleware found, else a stranger.

    Who has not chosen otherwise reads in the language of the browser, and in its zone, which theme.js tells in a cookie.
    """
    preferred = catalogue.preferred(request.headers.get("accept-language", ""))
    member = getattr(request.state, "member", None)
    if member is None:
        return Reader(locale=preferred)
    locale = member.locale if member.locale != catalogue.DEFAULT else preferred
    zone = member.timezone if member.timezone != "UTC" else request.cookies.get("zone", "UTC")
    return Reader(member.name or member.email, locale, formats.zone_of(zone).key)


def speak_to(request: Request) -> None:
    catalogue.speak(reader_of(request).locale)


def render_part(request: Request, template: str, **context: Any) -> str:
    """A template as text: a whole page, or the part of one that is swapped in."""
    reader = reader_of(request)
    database = getattr(request.app.state, "database", None)
    now = (database.world if database else MachineClock()).now()
    with formats.reading(reader, now):
        shared = {"request": request, "reader": reader, "now": now, "language": catalogue.language()}
        shell = _shell(request, reader)
        return environment().get_template(template).render(**shared, shell=shell, **context)


def render(request: Request, template: str, *, status_code: int = 200, **context: Any) -> HTMLResponse:
    """A page. ``context`` is what the template shows; every value in it is escaped."""
    return HTMLResponse(render_part(request, template, **context), status_code)


def _shell(request: Request, reader: Reader) -> dict[str, Any]:
    """What the frame around every page needs."""
    from cadenza.web.security import form_token  # noqa: PLC0415 - security answers with pages, which are made here

    edge = getattr(request.app.state, "edge", None)
    session = request.cookies.get(edge.cookie(request.url.scheme)) if edge else None
    database = getattr(request.app.state, "database", None)
    return {
        "nonce": getattr(request.state, "nonce", ""),
        "path": request.url.path,
        "signed_in": bool(reader.name),
        "actions": getattr(request.state, "actions", frozenset()),  # rights of the reader, by name
        "token": form_token(session) if session else "",
        "sandbox": bool(edge and edge.sandbox),
        "may_speed": bool(edge and edge.may_speed and edge.may_speed(request)),
        "speed": getattr(database.world, "speed", 1.0) if database else 1.0,
        "hold": getattr(database, "hold", None),
        "full": getattr(database, "full", False),
        "htmx": Markup(json.dumps(_HTMX).replace("'", "&#39;")),  # noqa: S704 - our own constant
    }


_HTMX = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "historyEnabled": False,  # pages and addresses hold personal data; the browser's storage does not (ASVS 14.3.3)
}
