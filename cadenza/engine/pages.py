"""Today, and one touch with everything that was asked, decided and answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cadenza.audience.service import contact
from cadenza.campaigns.service import by_id, liveliest_campaigns
from cadenza.engine import (
    campaign_pages,
    contact_pages,
    edit_pages,
    live_pages,
    outbox_pages,
    palette_pages,
    sender_pages,
    version_pages,
)
from cadenza.engine.contracts import DoubtDecision, Standing, Touch, TouchState
from cadenza.engine.service import anything_planned, decide, explain, standing
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.ledger.contracts import WorkItem, WorkKind
from cadenza.ledger.service import finish_proposal, work_waiting
from cadenza.web.service import PageUnit, allowed, gettext, render, safe_path, see

router = APIRouter(include_in_schema=False)
router.include_router(live_pages.router)
router.include_router(edit_pages.router)
router.include_router(version_pages.router)
router.include_router(campaign_pages.router)
router.include_router(contact_pages.router)
router.include_router(outbox_pages.router)
router.include_router(palette_pages.router)
router.include_router(sender_pages.router)


_SHOWN, _CAMPAIGNS_SHOWN = 50, 12


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A work item as Today shows it."""

    title: str
    detail: str
    kind_words: str
    due_at: datetime
    address: str | None
    touch_id: UUID | None
    in_doubt: bool
    proposal_id: UUID | None  # to be told as decided


@router.get("/")
async def today(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    waiting = await work_waiting(unit, actor, limit=_SHOWN)
    known, every = await liveliest_campaigns(unit, actor, _CAMPAIGNS_SHOWN)
    state, named = standing(known)
    return render(
        request,
        "engine/today.html",
        items=[_waiting(item) for item in waiting.items],
        waiting=waiting.total,
        late=waiting.late,
        campaigns=known,
        every=every,
        standing=state.value,
        named=named,
        planned=state is Standing.RUNNING and await anything_planned(unit, actor),
        may_settle=allowed(authorize, actor, Action.SETTLE_DOUBTS),
        may_decide=allowed(authorize, actor, Action.EDIT_CONTACTS),
        said=_said(request),
    )


@router.post("/proposals/{item_id}/decided")
async def decided(request: Request, unit: PageUnit, item_id: UUID) -> Response:
    """The proposal was carried out on its page, or it will not be: either way it waits no longer."""
    await finish_proposal(unit, actor_of(request), item_id)
    return see("/", "decided")


def _said(request: Request) -> str:
    words = {
        "settled": gettext("Noted. It goes on from here."),
        "decided": gettext("Noted. The proposal waits no longer."),
    }
    return words.get(request.query_params.get("said", ""), "")


def _waiting(item: WorkItem) -> _Waiting:
    words = {
        WorkKind.IN_DOUBT: gettext("in doubt"),
        WorkKind.REVIEW_REPLY: gettext("reply to read"),
        WorkKind.REFERRAL: gettext("pointed to somebody"),
        WorkKind.COME_BACK: gettext("come back to them"),
        WorkKind.SENDER_BROKEN: gettext("sender broken"),
        WorkKind.UNREADABLE_MESSAGE: gettext("unreadable message"),
        WorkKind.LINKEDIN: gettext("on LinkedIn"),
        WorkKind.CALL: gettext("call"),
        WorkKind.PROPOSAL: gettext("proposed by an assistant"),
    }
    in_doubt = item.kind is WorkKind.IN_DOUBT and item.touch_id is not None
    return _Waiting(
        item.title, item.detail, words[item.kind], item.due_at, _address(item), item.touch_id, in_doubt,
        item.id if item.kind is WorkKind.PROPOSAL else None,
    )  # fmt: skip


def _address(item: WorkItem) -> str | None:
    """Where the item can be dealt with."""
    if item.address:
        return safe_path(item.address)
    if item.conversation_id:
        return f"/inbox/{item.conversation_id}"
    if item.touch_id:
        return f"/touches/{item.touch_id}"
    if item.kind is WorkKind.SENDER_BROKEN:
        return "/senders"
    return f"/contacts/{item.contact_id}" if item.contact_id else None


@router.get("/touches/{touch_id}")
async def touch(request: Request, unit: PageUnit, touch_id: UUID) -> Response:
    actor = actor_of(request)
    found = await explain(unit, actor, touch_id)
    person = await contact(unit, actor, found.touch.contact_id)
    return render(
        request,
        "engine/touch.html",
        title=_title(found.touch, person.name),
        touch=found.touch,
        contact_name=person.name,
        timezone=person.timezone,
        campaign=await by_id(unit, found.touch.campaign_id) if found.touch.campaign_id else None,
        decisions=found.decisions,
        happened=list(reversed(found.events)),
        verdict=_verdict(found.touch),
        may_settle=allowed(authorize, actor, Action.SETTLE_DOUBTS),
        said=_said(request),
    )


def _title(touch: Touch, name: str) -> str:
    if touch.step:
        return gettext("%(step)s to %(name)s") % {"step": touch.step, "name": name}
    return gettext("Answer to %(name)s") % {"name": name}


def _verdict(touch: Touch) -> str:
    """What became of it, in one sentence."""
    words = {
        TouchState.CLAIMED: gettext("Taken up, nothing is on the wire yet."),
        TouchState.SENDING: gettext("On the wire now."),
        TouchState.SENT: gettext("Sent once; the relay took it over."),
        TouchState.DEFERRED: gettext("Not taken yet. The same message is tried again, later each time."),
        TouchState.REFUSED: gettext("Refused. It is not tried again."),
        TouchState.FAILED: gettext("Put off at every try, and given up."),
        TouchState.IN_DOUBT: gettext(
            "The connection broke before the relay answered. It is not sent again by itself."
        ),
        TouchState.DROPPED: gettext("Dropped by a person. It is not sent."),
    }
    return words[touch.state]


@router.post("/touches/{touch_id}/settle")
async def settle(
    request: Request,
    unit: PageUnit,
    touch_id: UUID,
    decision: Annotated[DoubtDecision, Form()],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    await decide(unit, actor_of(request), touch_id, decision)
    return see(safe_path(back), "settled")
