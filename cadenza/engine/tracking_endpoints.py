"""First-party open pixel and click links; they exist only in messages of campaigns that ask for tracking."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cadenza.channels.service import PIXEL
from cadenza.core.errors import CadenzaError, Kind
from cadenza.engine.tracking import Visit, record_click, record_open

router = APIRouter(include_in_schema=False)


def _visit(request: Request) -> Visit:
    purpose = " ".join(request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz")).lower()
    return Visit(
        method=request.method,
        user_agent=request.headers.get("user-agent", "")[:500],
        ip=request.client.host if request.client else None,
        prefetch="prefetch" in purpose or "preview" in purpose,
    )


@router.api_route("/o/{token}.gif", methods=["GET", "HEAD"])
async def pixel(request: Request, token: str) -> Response:
    """Always the same picture, so that a token tells a stranger nothing."""
    await record_open(request.app.state.database, token, _visit(request))
    return Response(PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
async def link(request: Request, token: str) -> Response:
    """On to where the sender's letter pointed; never anywhere that a stranger could name."""
    target = await record_click(request.app.state.database, token, _visit(request))
    if target is None or not target.startswith(("http://", "https://")):
        raise CadenzaError("link_unknown", "This link leads nowhere any more.", Kind.NOT_FOUND)
    return RedirectResponse(target, 302)
