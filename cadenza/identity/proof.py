"""The way to the page that asks for a fresh proof, and back."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cadenza.web.service import safe_path, see


def proof_first(request: Request) -> Response:
    """To the page that asks for a fresh proof, and back to the page on which the change is made."""
    path, query = request.url.path, request.url.query
    if request.method != "GET":
        back = urlsplit(request.headers.get("referer", ""))
        path, query = back.path or "/settings/account", back.query
    return see(f"/prove?next={quote(safe_path(path + (f'?{query}' if query else '')))}")
