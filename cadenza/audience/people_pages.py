"""People who are here twice, companies, and the export."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cadenza.audience.accounts import account, accounts
from cadenza.audience.contact_export import begin_export, export_rows
from cadenza.audience.duplicates import duplicates, merge
from cadenza.audience.export import Table, csv_answer
from cadenza.audience.filter_pages import Asked, chosen_by
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, render, safe_path, see

router = APIRouter(include_in_schema=False)

Words = Annotated[str, Form(max_length=2000)]
Parts = Annotated[list[str] | None, Form(max_length=50)]


@router.get("/contacts/duplicates")
async def twice(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    return render(
        request,
        "audience/duplicates.html",
        pairs=await duplicates(unit, actor),
        may_merge=allowed(authorize, actor, Action.EDIT_CONTACTS),
        said={
            "merged": gettext("Merged. Everything that happened to either stands with one person now.")
        }.get(request.query_params.get("said", ""), ""),
    )


@router.post("/contacts/merge")
async def merge_two(
    request: Request,
    unit: PageUnit,
    survivor: Annotated[UUID, Form()],
    merged: Annotated[UUID, Form()],
    back: Annotated[str, Form(max_length=200)] = "/contacts/duplicates",
) -> Response:
    await merge(unit, actor_of(request), survivor, merged)
    return see(safe_path(back), "merged")


@router.get("/contacts/accounts")
async def companies(
    request: Request,
    unit: PageUnit,
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    found = await accounts(unit, actor_of(request), q, page=page)
    return render(
        request,
        "audience/accounts.html",
        lines=found.lines,
        total=found.total,
        more=found.more,
        page=found.page,
        q=q,
    )


@router.get("/contacts/accounts/{account_id}")
async def company(request: Request, unit: PageUnit, account_id: UUID) -> Response:
    found, people = await account(unit, actor_of(request), account_id)
    return render(request, "audience/account.html", account=found, people=people)


@router.post("/contacts/export.csv")
async def export(
    request: Request,
    unit: PageUnit,
    q: Words = "",
    match: Words = "all",
    f: Parts = None,
    segment: Annotated[UUID | None, Form()] = None,
) -> Response:
    """What the list shows, as CSV. A POST, because it is told in the audit trail and counted (M4)."""
    actor = actor_of(request)
    chosen = await chosen_by(unit, actor, Asked(q, match, tuple(f or ()), segment))
    if chosen.wrong:
        raise CadenzaError("filter_invalid", chosen.wrong, fix=gettext("Correct the filter."))

    async def begin() -> Table:
        begun = await begin_export(unit, actor, chosen.rule, q)
        return begun.header, export_rows(request.app.state.database, actor, begun)

    return await csv_answer(request, actor, "contacts.csv", begin)
