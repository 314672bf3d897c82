"""What is answered when something goes wrong: a page for people, RFC 9457 problem details for programs.

Each carries the id that the log has too, and nothing of the inside.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.web.catalogue import gettext as _
from cadenza.web.catalogue import told
from cadenza.web.rendering import render, speak_to

STATUS = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.NOT_ALLOWED: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.TOO_MANY: 429,
    Kind.TEMPORARY: 503,
}


def wants_page(request: Request) -> bool:
    """A browser that asked for a document; htmx and programs get problem details."""
    if request.url.path.startswith("/api/") or request.headers.get("hx-request"):
        return False
    return "text/html" in request.headers.get("accept", "")


def answer(request: Request, error: CadenzaError) -> Response:
    """The answer to an error that a user caused or can do something about."""
    if error.kind is Kind.UNAUTHENTICATED and wants_page(request):
        # 307 takes the form along, so that what somebody wrote is not lost (RFC 9110, 15.4.8).
        return RedirectResponse(_log_in_address(request), 303 if request.method == "GET" else 307)
    speak_to(request)
    request.state.failure = error  # for the audit trail, which is written above this room
    again = {"retry-after": str(error.retry_after)} if error.retry_after else None
    return _answer(request, STATUS[error.kind], error, again)


def crashed(request: Request) -> Response:
    """The answer to a bug. The log line with the same id has the rest."""
    speak_to(request)
    error = CadenzaError(
        "internal_error",
        _("Something broke on our side."),
        fix=_("Nothing of this request was kept. Try again; if it stays, give the operator the id below."),
    )
    try:
        return _answer(request, 500, error)
    except Exception:  # noqa: BLE001 - the page's own frame is what broke
        return _problem_details(request, 500, error)


def database_busy() -> CadenzaError:
    return CadenzaError(
        "database_busy",
        _("The database does not answer just now."),
        Kind.TEMPORARY,
        fix=_("Nothing of this request was kept. Try again in a few seconds."),
    )


def unstorable() -> CadenzaError:
    return CadenzaError(
        "character_invalid",
        _("The form holds a NUL character, which no text can have."),
        fix=_("Nothing was changed. Go back, take it out, and send the form again."),
    )


async def on_error(request: Request, error: Exception) -> Response:
    """Exception handler for ``CadenzaError``, validation errors and plain HTTP errors."""
    if isinstance(error, CadenzaError):
        return answer(request, error)
    speak_to(request)
    if isinstance(error, RequestValidationError):
        return _answer(request, *_validation(request, error))
    if isinstance(error, HTTPException):
        return _answer(request, error.status_code, _http(error), error.headers)
    raise error


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to an address that can be nobody's."""
    await answer(Request(scope), _no_such_page())(scope, receive, send)


def faults_of(error: CadenzaError | None) -> dict[str, Problem]:
    """The problems of a refused form by the field that each belongs to, the first of each; for ``parts.fault``."""
    problems = error.problems if error else ()
    return {problem.key: problem for problem in reversed(problems) if problem.key}


def _log_in_address(request: Request) -> str:
    """Back to the same address after logging in."""
    if request.url.path == "/":
        return "/login"
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(back)}"


def _validation(request: Request, error: RequestValidationError) -> tuple[int, CadenzaError]:
    """A wrong id in a path is an address that leads nowhere, as is a missing one; what a page was asked for in its query
    is told without the words of the inside; a form and a program are told each field.
    """
    places = {e["loc"][0] for e in error.errors()}
    if "path" in places:
        return 404, _no_such_page()
    if places == {"query"} and (wants_page(request) or request.headers.get("hx-request")):
        return 400, CadenzaError(
            "address_invalid",
            _("This address asks for something that there is not."),
            fix=_("Leave out what follows the question mark, or go there by the links of the pages."),
        )
    return 422, _wrong_fields(error)


def _wrong_fields(error: RequestValidationError) -> CadenzaError:
    problems = tuple(
        Problem(str(e["msg"]), key=".".join(str(part) for part in e["loc"][1:]), code=str(e["type"]))
        for e in error.errors()
    )
    return CadenzaError(
        "request_invalid", _("Something in this request is missing or wrong."), fix=_("Correct it below and send it again."),
        problems=problems,
    )  # fmt: skip


def _no_such_page() -> CadenzaError:
    return CadenzaError(
        "page_not_found", _("There is no such page."), Kind.NOT_FOUND, fix=_("Go back, or start from Today.")
    )


def _http(error: HTTPException) -> CadenzaError:
    if error.status_code == 404:
        return _no_such_page()
    if error.status_code == 405:
        return CadenzaError("method_not_allowed", _("This address does not do that."))
    return CadenzaError("http_error", str(error.detail))


def _answer(request: Request, status: int, error: CadenzaError, headers: Any = None) -> Response:
    request_id = str(getattr(request.state, "request_id", ""))
    if wants_page(request):
        response = render(
            request, "web/error.html", status=status, error=error, request_id=request_id, status_code=status,
            back=_came_from(request),
        )  # fmt: skip
        response.headers.update(headers or {})
        return response
    return _problem_details(request, status, error, headers)


def _came_from(request: Request) -> str:
    """The page of ours whose form or link led here; "" where none did, or where this is that page."""
    came = urlsplit(request.headers.get("referer", ""))
    path = came.path + (f"?{came.query}" if came.query else "")
    if came.netloc != request.url.netloc or not path.startswith("/") or path.startswith(("//", "/\\")):
        return ""
    return "" if request.method == "GET" and came.path == request.url.path else path


def _problem_details(request: Request, status: int, error: CadenzaError, headers: Any = None) -> Response:
    """RFC 9457, with our own members beside it. A part of a page that failed shows its title: in the reader's words."""
    if request.headers.get("hx-request"):
        error = replace(error, message=told(error.message), fix=told(error.fix))
    content = {
        "type": "about:blank",
        "title": error.message,
        "status": status,
        "detail": error.fix or error.message,
        "code": error.code,
        "fix": error.fix,
        "problems": _problems(error.problems),
        "id": str(getattr(request.state, "request_id", "")),
    }
    return JSONResponse(content, status, headers=headers, media_type="application/problem+json")


def _problems(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [{"message": p.message, "line": p.line, "key": p.key, "code": p.code} for p in problems]
