"""Many people at once through the API: changes and their undo, duplicates and merging, the export."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from cadenza.audience.bulk import Whom, cancel, change, change_many, changes, undo
from cadenza.audience.contact_export import begin_export, export_rows
from cadenza.audience.contracts import BulkKind, BulkState
from cadenza.audience.duplicates import duplicates, merge
from cadenza.audience.endpoints import ContactShape, meant
from cadenza.audience.export import Table, csv_answer
from cadenza.audience.filter_pages import Asked
from cadenza.audience.service import contact
from cadenza.core.errors import CadenzaError
from cadenza.identity.service import actor_of
from cadenza.web.api import ApiUnit, Shape, api_router

router = api_router("audience")
files = api_router("audience", one_unit=False)

MOST_NAMED = 500
Condition = Annotated[str, Field(max_length=600, examples=["country|is|DE, AT"])]


class Choice(Shape):
    """People by a search, by conditions (FIELD|OPERATOR|VALUE) or by a segment."""

    q: Annotated[str, Field(max_length=500)] = ""
    match: Annotated[str, Field(pattern="^(all|any)$")] = "all"
    f: list[Condition] = Field(default_factory=list, max_length=50)
    segment_id: UUID | None = None

    @property
    def asked(self) -> Asked:
        return Asked(self.q, self.match, tuple(self.f), self.segment_id)


class NewChange(Shape):
    """Whom: those whose ids are given, or with ``everybody`` all that ``choice`` lets through; one of the two.

    With ``expected`` nothing is changed unless it is exactly this number of people.
    """

    kind: BulkKind
    contact_ids: list[UUID] = Field(default_factory=list, max_length=MOST_NAMED)
    everybody: bool = False
    choice: Choice = Field(default_factory=Choice)
    field: Annotated[str, Field(max_length=100, examples=["region"])] = ""
    value: Annotated[str, Field(max_length=2000, examples=["north"])] = ""
    expected: Annotated[int | None, Field(ge=1, le=100_000, examples=[None])] = None


class ChangeShape(Shape):
    """``done`` of ``people`` are behind it, ``left_out`` of those were changed by somebody else meanwhile and stayed as
    they are. ``until`` is when it can no longer be taken back.
    """

    id: UUID
    at: datetime
    kind: BulkKind
    state: BulkState
    people: int
    done: int
    left_out: int
    field: str | None
    value: str | None
    undone_at: datetime | None
    until: datetime


class Reason(Shape):
    reason: Annotated[str, Field(max_length=500, examples=["The wrong list."])] = ""


class PairShape(Shape):
    first: ContactShape
    second: ContactShape
    shared: str  # phone or name


class Pair(Shape):
    survivor_id: UUID
    merged_id: UUID


@router.post("/contacts/bulk")
async def change_contacts(request: Request, unit: ApiUnit, new: NewChange) -> ChangeShape:
    """Stop, set a field of, or remove many people. It can be taken back for a day.

    More than 2,000 people are changed by a worker, batch by batch: the answer's `state` is `waiting` then, and
    `GET /contacts/changes/{change_id}` tells how far it is. One such change of a workspace is on its way at a time; a
    second is answered 409.
    """
    actor = actor_of(request)
    if bool(new.contact_ids) == new.everybody:
        raise CadenzaError(
            "nobody_chosen",
            "It is not clear who is meant.",
            fix="Nothing was changed. Give contact_ids, or everybody: true with a choice.",
        )
    chosen = await meant(unit, actor, new.choice.asked)
    whom = Whom(chosen.rule, new.choice.q, tuple(new.contact_ids))
    return ChangeShape.model_validate(
        await change_many(
            unit, actor, new.kind, whom, field=new.field, value=new.value, expected=new.expected
        )
    )


@router.get("/contacts/changes")
async def list_changes(request: Request, unit: ApiUnit) -> list[ChangeShape]:
    """The newest ten changes that are on their way or can still be taken back, newest first."""
    return [ChangeShape.model_validate(each) for each in await changes(unit, actor_of(request))]


@router.get("/contacts/changes/{change_id}")
async def read_change(request: Request, unit: ApiUnit, change_id: UUID) -> ChangeShape:
    """How far a change has come."""
    return ChangeShape.model_validate(await change(unit, actor_of(request), change_id))


@router.post("/contacts/changes/{change_id}/cancel")
async def cancel_change(request: Request, unit: ApiUnit, change_id: UUID) -> ChangeShape:
    """End it after the batch that runs; who was changed stays so until it is taken back. One that is over is left as it is."""
    return ChangeShape.model_validate(await cancel(unit, actor_of(request), change_id))


@router.post("/contacts/changes/{change_id}/undo")
async def undo_change(request: Request, unit: ApiUnit, change_id: UUID, why: Reason) -> ChangeShape:
    """Take a change back, or what was done of it: by a worker where that is more than 2,000 people.

    Lifting stops needs the right to, and a reason. What somebody changed since stays as it is.
    """
    return ChangeShape.model_validate(await undo(unit, actor_of(request), change_id, reason=why.reason))


@router.get("/contacts/duplicates")
async def list_duplicates(request: Request, unit: ApiUnit) -> list[PairShape]:
    """Pairs who may be one person, those with one telephone first; at most a few hundred."""
    return [PairShape.model_validate(each) for each in await duplicates(unit, actor_of(request))]


@router.post("/contacts/merge")
async def merge_contacts(request: Request, unit: ApiUnit, pair: Pair) -> ContactShape:
    """Make two people one: what the survivor has stays, what only the other has is taken over, history included."""
    actor = actor_of(request)
    await merge(unit, actor, pair.survivor_id, pair.merged_id)
    return ContactShape.model_validate(await contact(unit, actor, pair.survivor_id))


@files.post("/contacts/export", response_class=StreamingResponse)
async def export_contacts(request: Request, choice: Choice) -> Response:
    """Everybody that the choice lets through, as CSV. It is counted and told in the audit trail, so it is no GET."""
    actor, database = actor_of(request), request.app.state.database

    async def begin() -> Table:
        async with database.unit(actor.workspace_id) as unit:
            chosen = await meant(unit, actor, choice.asked)
            begun = await begin_export(unit, actor, chosen.rule, choice.q)
        return begun.header, export_rows(database, actor, begun)

    return await csv_answer(request, actor, "contacts.csv", begin)
