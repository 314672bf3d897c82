"""The page behind the set-up link."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError
from cadenza.operations.setup import Founding, check_link, found
from cadenza.web.failures import STATUS
from cadenza.web.service import render, see, speak_to

router = APIRouter(include_in_schema=False)

_NOTHING = Founding("", "", "", "")


@router.get("/setup/{token}")
async def ask(request: Request, token: str) -> Response:
    await check_link(request.app.state.database, token)
    return render(request, "operations/setup.html", token=token, given=_NOTHING, error=None)


@router.post("/setup/{token}")
async def enter(
    request: Request,
    token: str,
    workspace: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    given = Founding(workspace, name, email, password)
    await check_link(request.app.state.database, token)
    try:
        await found(request.app.state.database, token, given)
    except CadenzaError as error:
        speak_to(request)
        context = {"token": token, "given": given, "error": error}
        return render(request, "operations/setup.html", status_code=STATUS[error.kind], **context)
    return see("/login")
