"""Senders: every mailbox, how it is, and how much of its day is used."""

from collections import Counter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cadenza.channels import pool_pages
from cadenza.channels.sender_list import Condition, Wanted, sender_lines
from cadenza.channels.service import test_stored_mailbox
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.service import PageUnit, allowed, gettext, render, see

router = APIRouter(include_in_schema=False)
router.include_router(pool_pages.router)


_SHOWN = 100  # rows of a page
Text = Annotated[str, Query(max_length=200)]


@router.get("/senders")
async def senders(
    request: Request,
    unit: PageUnit,
    state: Text = "",
    pool: Text = "",
    q: Text = "",
    mine: Text = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.READ)
    every, groups = await sender_lines(unit)
    wanted = Wanted(state, pool, q.strip(), actor.member_id if mine else None)
    found = [line for line in every if wanted.fits(line)]
    start = (page - 1) * _SHOWN
    return render(
        request,
        "channels/senders.html",
        lines=found[start : start + _SHOWN],
        page=page,
        more=len(found) > start + _SHOWN,
        found=len(found),
        every=every,
        counts=Counter(line.condition.value for line in every),
        conditions=condition_words(),
        pools=groups,
        wanted=wanted,
        may_manage=allowed(authorize, actor, Action.MANAGE_SENDERS),
        said={
            "fine": gettext("Both servers let us in. The mailbox is fine."),
            "broken": gettext("The mailbox does not work; the reason stands beside it."),
            "disconnected": gettext("Disconnected. Nothing here opens the mailbox any more."),
            "untold": gettext(
                "Disconnected: nothing here opens the mailbox any more. The provider was not told; remove the access in your account there as well."
            ),
        }.get(request.query_params.get("said", ""), ""),
    )


def condition_words() -> dict[str, str]:
    return {
        Condition.RETIRED.value: gettext("Retired"),
        Condition.BROKEN.value: gettext("Broken"),
        Condition.STOPPED.value: gettext("Stopped"),
        Condition.PAUSED.value: gettext("Paused"),
        Condition.FULL.value: gettext("Full for today"),
        Condition.WATCH.value: gettext("Worth watching"),
        Condition.FINE.value: gettext("Fine"),
    }


@router.post("/senders/{mailbox_id}/test")
async def test(request: Request, mailbox_id: UUID) -> Response:
    result = await test_stored_mailbox(request.app.state.database, actor_of(request), mailbox_id)
    return see("/senders", "fine" if result.ok else "broken")
