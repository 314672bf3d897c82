"""A form that came without a session: it goes along through the log-in, and is sent again by whoever wrote it."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError
from cadenza.web.rendering import render
from cadenza.web.security import LARGEST_FORM, TOKEN_FIELD, form_token

LARGEST_KEPT = LARGEST_FORM  # characters


async def kept_form(request: Request) -> str:
    """The fields of this request's form as JSON, for a hidden field of the log-in page; "" without any."""
    fields = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    kept = [field for field in fields if field[0] != TOKEN_FIELD]
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def kept_fields(kept: str) -> list[tuple[str, str]]:
    """What ``kept_form`` made. Raises ``CadenzaError`` for anything else."""
    if not kept:
        return []
    try:
        found: Any = json.loads(kept)
        return [(str(name), str(value)) for name, value in found]
    except (ValueError, TypeError) as wrong:
        raise CadenzaError("form_invalid", "What was kept of your form cannot be read.") from wrong


def send_again(request: Request, address: str, fields: list[tuple[str, str]], session_token: str) -> Response:
    """A page that offers to send the kept fields to ``address``, with the token of the new session.

    Asked and not done: whoever signs in may be somebody else than who wrote it.
    """
    written = next((value for name, value in fields if name == "text"), "")
    token = form_token(session_token)
    return render(
        request, "web/send_again.html", address=address, fields=fields, written=written, token=token
    )
