"""The inbox: the list, one conversation with what it says, and the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from pydantic import AwareDatetime
from starlette.responses import Response

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import contact, load_recipients
from cadenza.campaigns.service import by_id, campaigns
from cadenza.channels.service import mailbox, working_accounts
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.engine.contracts import PlannedTouch, Standing
from cadenza.engine.service import plan_of, standing
from cadenza.identity.contracts import Action, Actor, Colleague, Colleagues
from cadenza.identity.service import actor_of, authorize, team_around
from cadenza.inbox import assign_pages
from cadenza.inbox.contracts import Conversation, ConversationState, Filters, Thread, ThreadItem
from cadenza.inbox.service import (
    came_between,
    close,
    conversation,
    conversation_of_contact,
    conversations,
    draft_of,
    mark_read,
    thread_of,
)
from cadenza.web.evidence import Piece, letters_of, pieces_of
from cadenza.web.failures import STATUS
from cadenza.web.formats import zone_of
from cadenza.web.service import PageUnit, allowed, gettext, reader_of, render, see

router = APIRouter(include_in_schema=False)
router.include_router(assign_pages.router)

_AHEAD = 2
_FIRST_WORDS = 90


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that was not sent, as it was typed; ``seen`` is the newest message that its writer had before them."""

    text: str
    draft_id: UUID
    seen: UUID | None
    error: CadenzaError

    @property
    def status(self) -> int:
        return STATUS[self.error.kind]


def _views(actor: Actor) -> dict[str, tuple[str, Filters]]:
    """The ways to look at the inbox, by the word in the address."""
    return {
        "open": (gettext("Open"), Filters()),
        "mine": (gettext("Yours"), Filters(assignee_id=actor.member_id)),
        "unread": (gettext("Unread"), Filters(unread=True)),
        "closed": (gettext("Closed"), Filters(state=ConversationState.CLOSED)),
        "all": (gettext("All"), Filters(state=None)),
    }


@router.get("/inbox")
async def inbox(request: Request, unit: PageUnit, view: str = "open", cursor: str | None = None) -> Response:
    return await inbox_page(request, unit, view, cursor)


@router.get("/inbox/news")
async def news(request: Request, unit: PageUnit, since: AwareDatetime, view: str = "open") -> Response:
    """How many conversations moved since the list was drawn; the page asks for this by itself."""
    views = _views(actor := actor_of(request))
    page = await conversations(unit, actor, views.get(view, views["open"])[1])
    count = sum(line.last_at > since for line in page.items)
    return render(request, "inbox/news.html", count=count, view=view, since=since.isoformat())


@router.get("/inbox/of/{contact_id}")
async def of_contact(request: Request, unit: PageUnit, contact_id: UUID) -> Response:
    """The conversation with this person; the list where there is none."""
    actor = actor_of(request)
    thread = await conversation_of_contact(unit, actor, contact_id)
    if thread is None:
        await contact(unit, actor, contact_id)  # a person who is not there has no list either
    return see(f"/inbox/{thread.conversation.id}?view=all" if thread else "/inbox")


@router.get("/inbox/{conversation_id}")
async def opened(
    request: Request,
    unit: PageUnit,
    conversation_id: UUID,
    view: str = "open",
    cursor: str | None = None,
) -> Response:
    return await inbox_page(request, unit, view, cursor, conversation_id)


async def inbox_page(
    request: Request,
    unit: Unit,
    view: str,
    cursor: str | None = None,
    conversation_id: UUID | None = None,
    refused: Refused | None = None,
) -> Response:
    """The list, with a conversation that is open beside it; ``refused`` is an answer in it that was not sent."""
    actor = actor_of(request)
    views = _views(actor)
    view = view if view in views else "open"
    page = await conversations(unit, actor, views[view][1], cursor)
    thread = await _thread(unit, actor, conversation_id, page.items) if conversation_id else None
    shown = [*page.items, *([thread.conversation] if thread else ())]
    team = await team_around(
        unit, actor, {i for i in (actor.member_id, *(s.assignee_id for s in shown)) if i}
    )
    return render(
        request,
        "inbox/inbox.html",
        **_common(request, unit, actor),
        view=view,
        views={key: words for key, (words, _) in views.items()},
        lines=page.items,
        total=page.total,
        empty=await _empty(unit, actor, view) if not page.items else ("", ""),
        cursor=page.cursor,
        members=_offered(team, actor, thread),
        whole_team=team.whole,
        names={member.id: member.name for member in team.members},
        open=await _opened(unit, thread) if thread else None,
        draft=await draft_of(unit, actor, conversation_id) if conversation_id else None,
        **await _written(unit, actor, thread, refused),
        status_code=refused.status if refused else 200,
    )


async def _written(
    unit: Unit, actor: Actor, thread: Thread | None, refused: Refused | None
) -> dict[str, Any]:
    """What the form of the answer knows of the conversation, and what a refused one said."""
    seen = refused.seen if refused else None
    return {
        "draft_id": refused.draft_id if refused else new_id(),
        "seen": thread.newest if thread else None,
        "refused": refused,
        "meanwhile": await came_between(unit, actor, thread, seen=seen) if thread else (),
    }


async def _thread(unit: Unit, actor: Actor, conversation_id: UUID, lines: Sequence[Conversation]) -> Thread:
    line = next((line for line in lines if line.id == conversation_id), None)
    return await (thread_of(unit, actor, line) if line else conversation(unit, actor, conversation_id))


def _offered(team: Colleagues, actor: Actor, thread: Thread | None) -> list[Colleague]:
    """Whom to assign to: everybody of a small team, else the reader and who has it now; the others are on a page of their own."""
    near = {actor.member_id, thread.conversation.assignee_id if thread else None}
    return [member for member in team.members if member.active and (team.whole or member.id in near)]


async def _empty(unit: Unit, actor: Actor, view: str) -> tuple[str, str]:
    """What an empty list says: what is missing, and how something would come."""
    of_view = {
        "mine": (gettext("None is yours"), gettext("A conversation that is assigned to you stands here.")),
        "unread": (gettext("All read"), gettext("A new reply stands here until somebody has opened it.")),
        "closed": (
            gettext("None is closed"),
            gettext("Close a conversation with e when nothing is left to do."),
        ),
    }
    if view in of_view:
        return of_view[view]
    state, named = standing(await campaigns(unit, actor))
    words = {
        Standing.NOTHING: gettext(
            "Import contacts, apply a campaign file and launch it; the replies come here by themselves."
        )
        if allowed(authorize, actor, Action.EDIT_CAMPAIGNS)
        else gettext("Once a colleague has launched a campaign, the replies come here by themselves."),
        Standing.DRAFT: gettext(
            "Launch %(name)s; the replies come here by themselves, each with what it says."
        )
        if allowed(authorize, actor, Action.RUN_CAMPAIGNS)
        else gettext(
            "Once %(name)s is launched, the replies come here by themselves, each with what it says."
        ),
        Standing.RUNNING: gettext(
            "%(name)s is running; replies come here by themselves, each with what it says."
        ),
        Standing.PAUSED: gettext("%(name)s is paused; replies to what it has sent still come here."),
        Standing.OVER: gettext("Every campaign is over; late replies still come here by themselves."),
    }
    return gettext("Nothing open") if view == "open" else gettext("No conversation yet"), words[state] % {
        "name": named
    }


def _common(request: Request, unit: Unit, actor: Actor) -> dict[str, Any]:
    """What every view of the inbox shows: the time, what the reader may do, what was just done."""
    now = unit.world.now()
    return {
        "since": now.isoformat(),
        "now_words": now.astimezone(zone_of(reader_of(request).timezone)).strftime("%H:%M"),
        "may_answer": allowed(authorize, actor, Action.ANSWER),
        "may_assign": allowed(authorize, actor, Action.ASSIGN),
        "said": _said(request),
    }


def _said(request: Request) -> str:
    words = {
        "answered": gettext("On its way, in the same thread."),
        "assigned": gettext("Assigned."),
        "closed": gettext("Closed. A new reply opens it again."),
    }
    return words.get(request.query_params.get("said", ""), "")


@dataclass(frozen=True, slots=True)
class _Chip:
    """One field of the analysis; ``letter`` ties it to its words."""

    field: str
    values: tuple[str, ...]
    letter: str | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    item: ThreadItem
    pieces: tuple[Piece, ...]
    first_words: str
    chips: tuple[_Chip, ...] = ()
    language: str | None = None
    needs_person: bool = False
    cut: bool = False  # the whole message says more than what was newly written


@dataclass(frozen=True, slots=True)
class _Opened:
    """A conversation as the middle and the right pane show it."""

    line: Conversation
    messages: tuple[_Message, ...]
    about: str
    timezone: str
    sender: str
    stopped: str
    language: str | None = None
    ahead: Sequence[PlannedTouch] = field(default=())


async def _opened(unit: Unit, thread: Thread) -> _Opened:
    line = thread.conversation
    person = await _person(unit, line)
    messages = tuple(_message(item) for item in thread.items)
    return _Opened(
        line=line,
        messages=messages,
        about=_about(person),
        timezone=person.timezone if person else "UTC",
        sender=await _sender(unit, line),
        stopped=_stop(person),
        language=next((m.language for m in reversed(messages) if m.language), None),
        ahead=await _ahead(unit, line, person) if person else (),
    )


async def _sender(unit: Unit, line: Conversation) -> str:
    """From whom an answer would come."""
    if line.channel == "linkedin":
        accounts = await working_accounts(unit)
        return next((each.name for each in accounts if each.id == line.channel_account_id), "")
    return (await mailbox(unit, line.mailbox_id)).address if line.mailbox_id else ""


async def _person(unit: Unit, line: Conversation) -> Recipient | None:
    if line.contact_id is None:
        return None
    return (await load_recipients(unit, [line.contact_id])).get(line.contact_id)


def _about(person: Recipient | None) -> str:
    """Title and company, as far as we know them."""
    if person is None:
        return gettext("Not among the contacts")
    company = person.facts.get("account", {}).get("name")
    return ", ".join(str(part) for part in (person.title, company, person.country) if part)


def _stop(person: Recipient | None) -> str:
    """Why this person may not be written to; empty when they may."""
    if person is None or person.suppression is None:
        return ""
    stop = person.suppression
    return gettext("There is a stop since %(day)s: %(source)s.") % {
        "day": f"{stop.at:%Y-%m-%d}",
        "source": stop.source,
    }


async def _ahead(unit: Unit, line: Conversation, person: Recipient) -> Sequence[PlannedTouch]:
    """What still leaves by itself if nobody acts."""
    if line.campaign_id is None:
        return ()
    return (await plan_of(unit, await by_id(unit, line.campaign_id), person))[:_AHEAD]


def _message(item: ThreadItem) -> _Message:
    analysis = item.analysis or {}
    said = analysis.get("text")
    text = said if isinstance(said, str) else item.text
    evidence = _evidence(analysis) if isinstance(said, str) else {}
    return _Message(
        item=item,
        pieces=tuple(pieces_of(text, evidence)),
        first_words=" ".join(item.text.split())[:_FIRST_WORDS],
        chips=tuple(_chips(analysis, letters_of(evidence, len(text)))),
        language=analysis.get("language"),
        needs_person=bool(analysis.get("needs_person")),
        cut=isinstance(said, str) and said.strip() != item.text.strip(),
    )


def _evidence(analysis: Mapping[str, Any]) -> dict[str, list[tuple[int, int]]]:
    return {
        name: [(int(a), int(b)) for a, b in spans] for name, spans in analysis.get("evidence", {}).items()
    }


_FIELDS = (
    "intent", "interest", "objections", "questions", "proposed_times", "return_date", "budget", "competitors",
    "referrals", "authority", "urgency", "queue",
)  # fmt: skip


def _chips(analysis: Mapping[str, Any], letters: Mapping[str, str]) -> list[_Chip]:
    """Every field that says something, in the order in which a person asks for them."""
    found = []
    for name in _FIELDS:
        values = _values(name, analysis.get(name))
        if values:
            share = analysis.get("confidence") if name == "intent" else None
            found.append(_Chip(name, values, letters.get(name), share))
    return found


def _values(name: str, value: Any) -> tuple[str, ...]:
    """A field's value as words; empty for what the text does not say."""
    if value in (None, [], "unknown", "none", ""):
        return ()
    if name == "budget":
        return (f"{value['amount']:.0f} {value.get('currency') or ''}".strip(),)
    if name == "referrals":
        return tuple(
            person.get("name") or person.get("email") or person.get("title") or "" for person in value
        )
    if name == "questions":
        return (str(len(value)),)
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)


@router.post("/inbox/{conversation_id}/read")
async def read(request: Request, unit: PageUnit, conversation_id: UUID) -> Response:
    """The page asks for this by itself once it is shown: looking (GET) changes nothing."""
    await mark_read(unit, actor_of(request), conversation_id)
    return Response(status_code=204)


@router.post("/inbox/{conversation_id}/close")
async def end(
    request: Request,
    unit: PageUnit,
    conversation_id: UUID,
    view: Annotated[str, Form(max_length=20)] = "open",
) -> Response:
    await close(unit, actor_of(request), conversation_id)
    return see(f"/inbox?view={view}", "closed")
