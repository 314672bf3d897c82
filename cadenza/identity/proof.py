"""The way to the page that asks for a fresh proof, and back."""

from urllib.parse import SplitResult, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cadenza.web.service import safe_path, see


def proof_first(request: Request) -> Response:
    """To the page that asks for a fresh proof; on to the page on which the change is made, or back to where one came from."""
    path, query, came_from = request.url.path, request.url.query, _came_from(request)
    if request.method != "GET":
        path, query, came_from = came_from.path or "/settings/account", came_from.query, urlsplit("")
    asked = {"next": safe_path(_with(path, query))}
    if came_from.path not in ("", path):
        asked["back"] = safe_path(_with(came_from.path, came_from.query))
    return see(f"/prove?{urlencode(asked)}")


def way_back(address: str, onward: str) -> str:
    """Where who gives no proof goes: a safe ``address``, or the part of the product that ``onward`` belongs to."""
    part = urlsplit(safe_path(onward)).path.split("/")[1]
    return safe_path(address, f"/{part}")


def _came_from(request: Request) -> SplitResult:
    """The page of ours that led here; empty when there was none."""
    referrer = urlsplit(request.headers.get("referer", ""))
    return referrer if referrer.netloc == request.headers.get("host") else urlsplit("")


def _with(path: str, query: str) -> str:
    return path + (f"?{query}" if query else "")
