"""Imports through the API: upload, look at the mapping, dry run, start, watch, cancel."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from cadenza.audience.contracts import ImportState
from cadenza.audience.import_pages import receive
from cadenza.audience.service import (
    cancel_import,
    examine_upload,
    faults_of,
    import_of,
    imports,
    keep_upload,
    preview_upload,
    set_mapping,
    start_import,
)
from cadenza.core.room import require_room
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import ApiUnit, Limit, Shape, api_router, owner_of
from cadenza.web.once import once

router = api_router("imports")
files = api_router("imports", one_unit=False)

_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    },
}


class ImportShape(Shape):
    """``reached`` of ``rows`` are done. ``trouble`` says why it failed."""

    id: UUID
    at: datetime
    file: str
    state: ImportState
    mapping: dict[str, str]
    rows: int
    reached: int
    created: int
    updated: int
    duplicates: int
    rejected: int
    trouble: str
    finished_at: datetime | None


class ColumnShape(Shape):
    name: str
    field: str
    samples: list[str]


class FaultShape(Shape):
    """``rejected`` tells whether the row was refused, or only this value left out."""

    row: int
    line: int
    column: str
    code: str
    reason: str
    rejected: bool


class DryRunShape(Shape):
    """What would become of the first ``rows`` rows; nothing is kept."""

    columns: list[ColumnShape]
    rows: int
    accepted: int
    new: int
    updated: int
    repeated: int
    rejected: int
    people: list[dict[str, Any]]
    faults: list[FaultShape]


class Mapping(Shape):
    """Column to field; columns that are not named are guessed again."""

    mapping: Annotated[
        dict[Annotated[str, Field(max_length=500)], Annotated[str, Field(max_length=200)]],
        Field(max_length=500, examples=[{"Mail": "email", "Region": "custom.region"}]),
    ]


@files.post("/imports", openapi_extra={"requestBody": _FORM}, response_model=ImportShape)
async def upload_import(request: Request) -> Response:
    """Upload a CSV file (`file`, at most 50 MB). It waits until its mapping is confirmed; nobody is imported yet."""
    actor, database = actor_of(request), request.app.state.database
    authorize(actor, Action.IMPORT_CONTACTS)
    require_room(database)
    with tempfile.TemporaryDirectory(prefix="cadenza-upload-") as folder:
        path = Path(folder) / "upload"
        examined = await asyncio.to_thread(examine_upload, path, await receive(request, path))

        async def keep() -> Response:
            import_id = await keep_upload(unit, actor, examined)
            return JSONResponse((await _shape(unit, actor, import_id)).model_dump(mode="json"))

        async with database.unit(actor.workspace_id) as unit:
            return await once(
                unit, request, owner_of(actor), keep, body=f"{examined.file}\n{examined.digest}".encode()
            )


async def _shape(unit: Unit, actor: Actor, import_id: UUID) -> ImportShape:
    return ImportShape.model_validate(await import_of(unit, actor, import_id))


@router.get("/imports")
async def list_imports(request: Request, unit: ApiUnit, limit: Limit = 50) -> list[ImportShape]:
    """The newest imports, whatever became of them."""
    return [ImportShape.model_validate(each) for each in await imports(unit, actor_of(request), limit=limit)]


@router.get("/imports/{import_id}")
async def read_import(request: Request, unit: ApiUnit, import_id: UUID) -> ImportShape:
    """How far it has come."""
    return await _shape(unit, actor_of(request), import_id)


@router.get("/imports/{import_id}/dry-run")
async def dry_run(request: Request, unit: ApiUnit, import_id: UUID) -> DryRunShape:
    """What its present mapping would make of the first rows. Only before it is started."""
    return DryRunShape.model_validate(await preview_upload(unit, actor_of(request), import_id))


@router.get("/imports/{import_id}/faults")
async def list_faults(
    request: Request,
    unit: ApiUnit,
    import_id: UUID,
    limit: Annotated[int, Query(ge=1, le=50_000)] = 1000,
) -> list[FaultShape]:
    """Rows that were refused and values that were left out, in the order of the file."""
    actor = actor_of(request)
    await import_of(unit, actor, import_id)
    found = await faults_of(unit, actor, import_id, limit=limit)
    return [FaultShape.model_validate(each) for each in found]


@router.post("/imports/{import_id}/mapping")
async def correct_mapping(request: Request, unit: ApiUnit, import_id: UUID, new: Mapping) -> DryRunShape:
    """Say what columns hold; the answer is the dry run with it."""
    actor = actor_of(request)
    await set_mapping(unit, actor, import_id, new.mapping)
    return DryRunShape.model_validate(await preview_upload(unit, actor, import_id))


@router.post("/imports/{import_id}/start")
async def begin_import(request: Request, unit: ApiUnit, import_id: UUID) -> ImportShape:
    """Confirm the mapping; a worker imports the file."""
    actor = actor_of(request)
    await start_import(unit, actor, import_id)
    return await _shape(unit, actor, import_id)


@router.post("/imports/{import_id}/cancel")
async def end_import(request: Request, unit: ApiUnit, import_id: UUID) -> ImportShape:
    """Stop it; the people of the rows so far stay. One that is over is left as it is."""
    actor = actor_of(request)
    await cancel_import(unit, actor, import_id)
    return await _shape(unit, actor, import_id)
