"""A change through the API that is asked for twice is made once: the header ``Idempotency-Key``.

The key, the change and the answer are one transaction. A second request with the same key waits for the first and gets
its answer; when the first failed nothing was kept, and the second is tried afresh.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from starlette.requests import Request
from starlette.responses import Response

from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.web.models import ApiAnswerRow

HEADER = "idempotency-key"
_LONGEST = 255
_KEPT = timedelta(days=1)


async def once(
    unit: Unit,
    request: Request,
    owner: UUID,
    make: Callable[[], Awaitable[Response]],
    *,
    body: bytes | None = None,
) -> Response:
    """The answer of ``make``, or the one it gave to the same request before. Without the header, simply ``make``.

    ``body`` stands for the request's own where that was read already, such as a file's digest. Raises ``CadenzaError``
    (conflict) when the key was used for another request.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await make()
    if not 0 < len(key) <= _LONGEST or not key.isprintable():
        problem = Problem(f"must be 1 to {_LONGEST} printable characters", key="Idempotency-Key")
        raise CadenzaError("idempotency_key_invalid", "The idempotency key is wrong.", problems=(problem,))
    fingerprint = _fingerprint(request, await request.body() if body is None else body)
    identity = await _claim(unit, owner, key, fingerprint)
    if identity is None:
        return await _same_answer(unit, owner, key, fingerprint)
    response = await make()
    await _keep(unit, identity, response)
    return response


def _fingerprint(request: Request, body: bytes) -> bytes:
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(said + body).digest()


async def _claim(unit: Unit, owner: UUID, key: str, fingerprint: bytes) -> UUID | None:
    """The new row's id; None when there is one. Waits while another transaction holds the same key."""
    now = unit.machine.now()
    await unit.session.execute(
        delete(ApiAnswerRow).where(
            ApiAnswerRow.workspace_id == unit.workspace_id, ApiAnswerRow.created_at < now - _KEPT
        )
    )
    row = insert(ApiAnswerRow).values(
        workspace_id=unit.workspace_id,
        id=new_id(),
        owner=owner,
        key=key,
        fingerprint=fingerprint,
        status=0,
        answer="",
        created_at=now,
    )
    found = await unit.session.execute(row.on_conflict_do_nothing().returning(ApiAnswerRow.id))
    return found.scalar_one_or_none()


async def _keep(unit: Unit, identity: UUID, response: Response) -> None:
    said = json.dumps([bytes(response.body).decode(), response.media_type])
    sealed = unit.secrets.seal(said, workspace_id=unit.workspace_id, place=_place(identity))
    await unit.session.execute(
        update(ApiAnswerRow)
        .where(ApiAnswerRow.workspace_id == unit.workspace_id, ApiAnswerRow.id == identity)
        .values(status=response.status_code, answer=sealed)
    )


async def _same_answer(unit: Unit, owner: UUID, key: str, fingerprint: bytes) -> Response:
    row = (
        await unit.session.scalars(
            select(ApiAnswerRow).where(
                ApiAnswerRow.workspace_id == unit.workspace_id,
                ApiAnswerRow.owner == owner,
                ApiAnswerRow.key == key,
            )
        )
    ).one()
    if row.fingerprint != fingerprint:
        raise CadenzaError(
            "idempotency_key_reused",
            "This idempotency key was used for another request.",
            Kind.CONFLICT,
            fix="Nothing was changed. Use a new key for a new request.",
        )
    opened = unit.secrets.open(row.answer, workspace_id=unit.workspace_id, place=_place(row.id))
    body, media_type = json.loads(opened)
    return Response(body, row.status, {"idempotency-replayed": "true"}, media_type)


def _place(identity: UUID) -> str:
    return f"api_answers/{identity}/answer"
