"""The one address of the assistants' protocol. A token of the API opens it, and its calls count against the same pace."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from cadenza.app.assistants import LARGEST_BODY, answer_over_http
from cadenza.identity.contracts import Actor, Origin
from cadenza.web.api import Caller, admitted, bounded, refuse_unstorable, who_is_there

router = APIRouter(include_in_schema=False)


@router.post("/mcp")
async def speak(request: Request) -> Response:
    """Other sites are refused before this is reached (``ForgeryMiddleware``); a browser's session does not open it."""
    actor = getattr(request.state, "actor", None)
    if not isinstance(actor, Actor) or actor.origin is not Origin.API:
        return who_is_there(request)

    async def answer(_caller: Caller) -> Response:
        body = await Request(request.scope, bounded(request.receive, LARGEST_BODY)).body()
        refuse_unstorable(body)
        return await answer_over_http(request, actor, body)

    return await admitted(request, answer)
