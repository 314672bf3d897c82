"""Sending one text of a campaign to oneself, from the page that shows it."""

from typing import Annotated
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.engine.trial import Text, try_text
from cadenza.identity.service import actor_of
from cadenza.web.service import render, speak_to

router = APIRouter(include_in_schema=False)

_Name = Annotated[str, Form(max_length=64)]


@router.post("/campaigns/{name}/try")
async def try_it(
    request: Request, name: str, contact: Annotated[UUID, Form()], step: _Name = "", variant: _Name = ""
) -> Response:
    speak_to(request)
    text = Text(name, contact, step, variant)
    trial = await try_text(request.app.state.database, actor_of(request), text)
    query = urlencode({"step": step, "variant": variant, "contact": contact})
    return render(request, "channels/tried.html", trial=trial, back=f"/campaigns/{quote(name)}?{query}")
