"""The sandbox's own page, and the speed of its world."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.installation import set_world
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import safe_path, see

router = APIRouter(include_in_schema=False)

_SLOWEST, _FASTEST = 1.0, 20_000.0


@router.post("/sandbox/speed")
async def speed(
    request: Request,
    speed: Annotated[float, Form(ge=_SLOWEST, le=_FASTEST)],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """World seconds for each second of the machine, from now on and without a jump."""
    authorize(actor_of(request), Action.RUN_CAMPAIGNS)
    await set_world(request.app.state.database, speed=speed)
    return see(safe_path(back))
