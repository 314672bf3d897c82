"""Importing by page: upload, look at the mapping, confirm, watch it go, read what was refused."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from cadenza.audience.columns import CUSTOM, IGNORE, Field
from cadenza.audience.contracts import Import, ImportFault, ImportState
from cadenza.audience.export import Cell, Table, csv_answer
from cadenza.audience.fields import fields
from cadenza.audience.text_source import MAX_BYTES, refuse
from cadenza.audience.uploads import (
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
from cadenza.core.errors import CadenzaError
from cadenza.core.room import require_room
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_now, actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, live, render, render_part, see, speak_to

router = APIRouter(include_in_schema=False)

_SHOWN_FAULTS, _ALL_FAULTS = 50, 50_000
_REFUSED = ("row", "line", "column", "code", "reason", "what")
_FRAME = 100_000  # bytes of a form around its file


@router.get("/contacts/imports")
async def overview(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    return render(
        request,
        "audience/imports.html",
        imports=await imports(unit, actor),
        may_import=allowed(authorize, actor, Action.IMPORT_CONTACTS),
        largest=MAX_BYTES >> 20,
        said=_said(request),
    )


def _said(request: Request) -> str:
    words = {
        "mapped": gettext("Saved. The rows below are read with it."),
        "started": gettext("It goes on by itself; this page may be closed."),
        "cancelled": gettext("It is being cancelled."),
        "over": gettext("It was over already; nothing was cancelled."),
    }
    return words.get(request.query_params.get("said", ""), "")


@router.post("/contacts/imports")
async def upload(request: Request) -> Response:
    """The file is read from the wire onto the disk, examined there, and only then kept: no unit is open meanwhile."""
    actor = actor_of(request)
    authorize(actor, Action.IMPORT_CONTACTS)
    speak_to(request)
    require_room(request.app.state.database)
    with tempfile.TemporaryDirectory(prefix="cadenza-upload-") as folder:
        path = Path(folder) / "upload"
        name = await receive(request, path)
        examined = await asyncio.to_thread(examine_upload, path, name)
        async with request.app.state.database.unit(actor.workspace_id) as unit:
            import_id = await keep_upload(unit, actor, examined)
    address = f"/contacts/imports/{import_id}"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": address})
    return see(address)


async def receive(request: Request, path: Path) -> str:
    """Write the form's file to this path; its name. Raises ``CadenzaError`` for no file or one that is too large."""
    try:
        form = await MultiPartParser(request.headers, _limited(request), max_files=1, max_fields=10).parse()
    except (MultiPartException, MultipartParseError, KeyError) as wrong:
        raise refuse(
            "upload_unreadable", "The upload cannot be read.", "Choose a file and send it again."
        ) from wrong
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise refuse("file_missing", "No file was chosen.", "Choose a CSV file.")
    with path.open("wb") as kept:
        await asyncio.to_thread(shutil.copyfileobj, file.file, kept)
    await form.close()
    return file.filename


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes in, cut off with an error where it grows too large, whatever it said of its length."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BYTES + _FRAME:
            raise refuse(
                "file_too_large",
                f"The file is larger than {MAX_BYTES >> 20} MB.",
                "Split it and import the parts.",
            )
        yield piece


@router.get("/contacts/imports/{import_id}")
async def page(request: Request, unit: PageUnit, import_id: UUID) -> Response:
    actor = actor_of(request)
    found = await import_of(unit, actor, import_id)
    if found.state is ImportState.MAPPING:
        return await _mapping_page(request, unit, actor, found)
    return render(
        request, "audience/import.html", **await _progress(unit, actor, found), said=_said(request)
    )  # fmt: skip


async def _mapping_page(
    request: Request, unit: Unit, actor: Actor, found: Import, wrong: CadenzaError | None = None
) -> Response:
    known = await fields(unit, actor)
    return render(
        request,
        "audience/import_mapping.html",
        status_code=422 if wrong else 200,
        found=found,
        preview=await preview_upload(unit, actor, found.id),
        targets=[field.value for field in Field],
        custom=[CUSTOM + field.name for field in known],
        ignore=IGNORE,
        wrong=wrong,
        may_import=allowed(authorize, actor, Action.IMPORT_CONTACTS),
        said=_said(request),
    )


async def _progress(unit: Unit, actor: Actor, found: Import) -> dict[str, Any]:
    faults = await faults_of(unit, actor, found.id, limit=_SHOWN_FAULTS)
    may = allowed(authorize, actor, Action.IMPORT_CONTACTS)
    return {"found": found, "faults": faults, "may_import": may}


@router.get("/contacts/imports/{import_id}/stream")
async def stream(request: Request, import_id: UUID) -> Response:
    database = request.app.state.database
    actor = actor_of(request)
    async with database.unit(actor.workspace_id) as unit:
        await import_of(unit, actor, import_id)  # a stream of nothing would be asked for again for ever

    async def draw() -> str:
        actor = await actor_now(request)
        async with database.unit(actor.workspace_id) as unit:
            found = await import_of(unit, actor, import_id)
            context = await _progress(unit, actor, found)
        return render_part(request, "audience/import_part.html", **context)

    return live(draw)


@router.post("/contacts/imports/{import_id}/mapping")
async def correct(request: Request, unit: PageUnit, import_id: UUID) -> Response:
    actor = actor_of(request)
    found = await import_of(unit, actor, import_id)
    form = await request.form(max_fields=500)
    names = [column.name for column in (await preview_upload(unit, actor, import_id)).columns]
    chosen = {names[int(key[1:])]: str(value) for key, value in form.items() if _is_column(key, len(names))}
    try:
        await set_mapping(unit, actor, import_id, chosen)
    except CadenzaError as wrong:
        if wrong.code != "map_invalid":
            raise
        return await _mapping_page(request, unit, actor, found, wrong)
    return see(f"/contacts/imports/{import_id}", "mapped")


def _is_column(key: str, columns: int) -> bool:
    return (
        key[:1] == "c"
        and key[1:].isascii()
        and key[1:].isdigit()
        and int(key[1:4]) < columns
        and len(key) < 5
    )


@router.post("/contacts/imports/{import_id}/start")
async def start(request: Request, unit: PageUnit, import_id: UUID) -> Response:
    await start_import(unit, actor_of(request), import_id)
    return see(f"/contacts/imports/{import_id}", "started")


@router.post("/contacts/imports/{import_id}/cancel")
async def cancel(request: Request, unit: PageUnit, import_id: UUID) -> Response:
    stopped = await cancel_import(unit, actor_of(request), import_id)
    return see(f"/contacts/imports/{import_id}", "cancelled" if stopped else "over")


@router.get("/contacts/imports/{import_id}/refused.csv")
async def refused(request: Request, unit: PageUnit, import_id: UUID) -> Response:
    """Every row that was refused and every value that was left out, to be corrected in a spreadsheet."""
    actor = actor_of(request)
    await import_of(unit, actor, import_id)

    async def begin() -> Table:
        found = await faults_of(unit, actor, import_id, limit=_ALL_FAULTS)
        return _REFUSED, _refused_rows(found)

    return await csv_answer(request, actor, "refused-rows.csv", begin)


async def _refused_rows(found: Sequence[ImportFault]) -> AsyncIterator[tuple[Cell, ...]]:
    for each in found:
        what = "rejected" if each.rejected else "left out"
        yield each.row, each.line, each.column, each.code, each.reason, what
