"""Segments: the list, saving one from the address of the contacts, removing one. And the workspace's own fields."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.audience.contracts import FieldKind
from cadenza.audience.fields import fields, kinds_of, remove_field, set_field
from cadenza.audience.filter_pages import Asked, chosen_by
from cadenza.audience.hooks import campaign_names
from cadenza.audience.segment_rules import read_address
from cadenza.audience.segments import remove_segment, save_segment, segments
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, render, see

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=1000)]


@router.get("/contacts/segments")
async def overview(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    return render(
        request,
        "audience/segments.html",
        segments=await segments(unit, actor),
        campaigns={str(key): name for key, name in (await campaign_names(unit)).items()},
        may_edit=allowed(authorize, actor, Action.EDIT_CONTACTS),
        said=_said(request),
    )


def _said(request: Request) -> str:
    words = {
        "saved": gettext("Saved."),
        "removed": gettext("Removed. Nobody in it was changed."),
    }
    return words.get(request.query_params.get("said", ""), "")


@router.post("/contacts/segments")
async def save(
    request: Request,
    unit: PageUnit,
    name: Text = "",
    match: Text = "all",
    f: Annotated[list[str] | None, Form(max_length=50)] = None,
    replace: Annotated[bool, Form()] = False,
) -> Response:
    actor, asked = actor_of(request), Asked("", match, tuple(f or ()))
    rule = read_address(match, f or [], await kinds_of(unit))
    try:
        saved = await save_segment(unit, actor, name, rule, replace=replace)
    except CadenzaError as wrong:
        if wrong.code != "segment_exists":
            raise
        chosen = await chosen_by(unit, actor, asked)
        known = {"name": name, "chosen": chosen, "back": asked.address()}
        return render(request, "audience/segment_known.html", status_code=409, **known)
    return see(f"/contacts?segment={saved}", "saved")


@router.post("/contacts/segments/{segment_id}/remove")
async def remove(request: Request, unit: PageUnit, segment_id: UUID) -> Response:
    await remove_segment(unit, actor_of(request), segment_id)
    return see("/contacts/segments", "removed")


@router.get("/contacts/fields")
async def own_fields(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    return render(
        request,
        "audience/fields.html",
        fields=await fields(unit, actor),
        kinds=[kind.value for kind in FieldKind],
        may_edit=allowed(authorize, actor, Action.IMPORT_CONTACTS),
        said=_said(request),
    )


@router.post("/contacts/fields")
async def set_own_field(
    request: Request,
    unit: PageUnit,
    name: Text = "",
    kind: Annotated[FieldKind, Form()] = FieldKind.TEXT,
    shown: Annotated[bool, Form()] = False,
) -> Response:
    await set_field(unit, actor_of(request), name, kind=kind, shown=shown)
    return see("/contacts/fields", "saved")


@router.post("/contacts/fields/{name}/remove")
async def remove_own_field(request: Request, unit: PageUnit, name: str) -> Response:
    await remove_field(unit, actor_of(request), name)
    return see("/contacts/fields", "removed")
