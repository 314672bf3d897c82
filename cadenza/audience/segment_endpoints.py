"""Segments and the workspace's own fields through the API."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import Response

from cadenza.audience.contracts import FieldKind
from cadenza.audience.fields import fields, kinds_of, remove_field, set_field
from cadenza.audience.segment_rules import read, to_json
from cadenza.audience.segments import Segment
from cadenza.audience.service import remove_segment, save_segment, segment, segments
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import ApiUnit, Shape, api_router

router = api_router("segments")

_RULE = {"match": "all", "rules": [{"field": "country", "operator": "is", "value": "DE, AT"}]}


class SegmentShape(Shape):
    """``people`` is null where nobody counted; ``wrong`` says why the filter means nothing any more."""

    id: UUID
    name: str
    rule: dict[str, Any]
    updated_at: datetime
    people: int | None
    wrong: str


class NewSegment(Shape):
    """``rule`` is a group: ``match`` all or any of ``rules``, each a condition or a group."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Alps"])]
    rule: Annotated[dict[str, Any], Field(max_length=10, examples=[_RULE])]
    replace: bool = False  # one of that name


class FieldShape(Shape):
    name: str
    kind: FieldKind
    shown: bool


class NewField(Shape):
    name: Annotated[str, Field(min_length=1, max_length=100, examples=["region"])]
    kind: FieldKind = FieldKind.TEXT
    shown: bool = True


@router.get("/segments")
async def list_segments(request: Request, unit: ApiUnit) -> list[SegmentShape]:
    """Saved filters, by name, each with how many people are in it now."""
    return [_shape(each) for each in await segments(unit, actor_of(request))]


@router.get("/segments/{segment_id}")
async def read_segment(request: Request, unit: ApiUnit, segment_id: UUID) -> SegmentShape:
    """One saved filter; its people are `GET /contacts?segment_id=`."""
    return _shape(await segment(unit, actor_of(request), segment_id))


@router.post("/segments")
async def keep_segment(request: Request, unit: ApiUnit, new: NewSegment) -> SegmentShape:
    """Keep a filter under a name. Where there is one of that name it is answered 409, unless it is to be replaced."""
    actor = actor_of(request)
    authorize(actor, Action.EDIT_CONTACTS)
    rule = read(new.rule, await kinds_of(unit))
    saved = await save_segment(unit, actor, new.name, rule, replace=new.replace)
    return _shape(await segment(unit, actor, saved))


@router.delete("/segments/{segment_id}", status_code=204, response_class=Response)
async def delete_segment(request: Request, unit: ApiUnit, segment_id: UUID) -> None:
    """Forget a filter; nobody in it is changed."""
    await remove_segment(unit, actor_of(request), segment_id)


def _shape(found: Segment) -> SegmentShape:
    return SegmentShape(
        id=found.id, name=found.name, rule=to_json(found.rule), updated_at=found.updated_at, people=found.people, wrong=found.wrong
    )  # fmt: skip


@router.get("/fields")
async def list_fields(request: Request, unit: ApiUnit) -> list[FieldShape]:
    """The workspace's own fields, by name."""
    return [FieldShape.model_validate(each) for each in await fields(unit, actor_of(request))]


@router.post("/fields")
async def keep_field(request: Request, unit: ApiUnit, new: NewField) -> FieldShape:
    """Define a field or change what it is; its name comes back as templates write it. Values that are stored stay."""
    name = await set_field(unit, actor_of(request), new.name, kind=new.kind, shown=new.shown)
    return FieldShape(name=name, kind=new.kind, shown=new.shown)


@router.delete("/fields/{name}", status_code=204, response_class=Response)
async def delete_field(request: Request, unit: ApiUnit, name: Annotated[str, Path(max_length=100)]) -> None:
    """Forget a definition; values that people have stay with them."""
    await remove_field(unit, actor_of(request), name)
