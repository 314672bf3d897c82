"""The campaign editor: steps on a line of days, texts with a live preview for a real person, versions side by side."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from cadenza.audience.contracts import Recipient
from cadenza.audience.service import load_recipients
from cadenza.campaigns.contracts import Campaign, Edit, StepText, Writer
from cadenza.campaigns.service import (
    add_step,
    add_variant,
    apply,
    audience_of,
    by_id,
    campaign,
    discard_edit,
    edit_of,
    keep_edit,
    move_step,
    preview_text,
    rebase_edit,
    refusal,
    remove_step,
    remove_variant,
    save_edit,
    sender_faults,
    texts_of,
    typed_edit,
)
from cadenza.channels.service import sender_facts
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id as fresh_id
from cadenza.core.unit import Unit
from cadenza.engine.campaign_pages import LOOKED_AT, campaign_head, person_name
from cadenza.engine.edit_choices import choices, made_of, options
from cadenza.engine.fleet import senders_of
from cadenza.engine.plan_calendar import plan_calendar
from cadenza.engine.service import plan
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, authorize
from cadenza.web.failures import faults_of
from cadenza.web.formats import day_names
from cadenza.web.service import PageUnit, gettext, reader_of, render, render_part, see

router = APIRouter(include_in_schema=False)

LONGEST_NAME = 64  # of a step
_DIGITS = 10
Name = Annotated[str, Form()]


@router.get("/campaigns/+new")
async def blank(request: Request, unit: PageUnit) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.EDIT_CAMPAIGNS)
    return render(
        request, "engine/campaign_new.html", **await choices(unit, actor), wrong=None, name="", chosen=()
    )


@router.post("/campaigns/+new")
async def create(
    request: Request, unit: PageUnit, name: Name, contacts: Name = "", sender: Name = ""
) -> Response:
    """A draft with one step; the editor goes on from there."""
    actor = actor_of(request)
    text = "Hi {{ contact.first_name | default: 'there' }}, a first line about {{ account.name }}."
    source = (
        f"version: 1\nname: {_quoted(name)}\naudience: {{contacts: {_quoted(contacts)}}}\n"
        f"senders: {{mailboxes: [{_quoted(sender)}]}}\nsteps:\n  - id: intro\n    variants:\n"
        f"      - {{id: a, subject: {_quoted('About {{ account.name }}')}, text: {_quoted(text)}}}\n"
    )
    applied = await apply(unit, actor, source, only_new=True)
    if applied.errors:
        wrong = [(e["key"], e["message"]) for e in applied.errors]
        return render(
            request,
            "engine/campaign_new.html",
            status_code=422,
            **await choices(unit, actor),
            wrong=wrong,
            name=name,
            chosen=(contacts, sender),
        )
    return see(f"/campaigns/{quote(applied.campaign)}/edit")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


@router.get("/campaigns/{name}/edit")
async def page(
    request: Request,
    unit: PageUnit,
    name: str,
    step: str = "",
    variant: str = "",
    contact: UUID | None = None,
    refused: Annotated[str, Query(max_length=100)] = "",
    new_id: Annotated[str, Query(max_length=LONGEST_NAME)] = "",
) -> Response:
    actor = actor_of(request)
    head = await campaign_head(unit, actor, name, "edit")
    edit = await edit_of(unit, actor, head["campaign"].id)
    shown = _Shown((step, variant, contact), refusal(edit, refused), new_id)
    return await _editor(request, unit, head, edit, shown)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Which step, text and person the editor shows, and what was refused."""

    chosen: tuple[str, str, UUID | None]
    wrong: CadenzaError | None
    new_id: str = ""


async def _editor(
    request: Request, unit: Unit, head: dict[str, Any], edit: Edit, shown: _Shown, status: int = 200
) -> Response:
    actor = actor_of(request)
    beside = await _beside(unit, actor, edit, shown.chosen)
    return render(
        request,
        "engine/edit.html",
        status_code=status,
        wrong=shown.wrong,
        faults=faults_of(shown.wrong),
        new_id=shown.new_id,
        window=str(fresh_id()),
        **head,
        **beside,
        elsewhere=None,
        **await made_of(unit, actor, edit),
        **options(edit, beside["number"], day_names(reader_of(request).locale)),
        days=_days(edit),
        people=[(i, person_name(each)) for i, each in beside["audience"].items()],
        said=_said(request),
        active=0,
    )


async def _beside(
    unit: Unit, actor: Actor, edit: Edit, chosen: tuple[str, str, UUID | None]
) -> dict[str, Any]:
    """What stands beside the form: faults, the text as one person would read it, and what they would get when."""
    steps = edit.tree["steps"]
    number = next((i for i, each in enumerate(steps) if each["id"] == chosen[0]), 0)
    texts = texts_of(steps[number], number)
    text = next((each for each in texts if each.id == chosen[1]), texts[0] if texts else None)
    audience = await _audience(unit, edit, chosen[2])
    person = audience.get(chosen[2]) if chosen[2] else next(iter(audience.values()), None)
    planned = await _plan(unit, actor, edit, person) if person else []
    return {
        "edit": edit,
        "number": number,
        "step": steps[number],
        "texts": texts,
        "text": text,
        "problems": [(_step_of(edit, p.key or ""), p) for p in edit.problems],
        "missing_senders": await sender_faults(unit, edit.definition) if edit.definition else {},
        "audience": audience,
        "person": person,
        "person_name": person_name(person) if person else "",
        "preview": await _preview(unit, edit, text, person) if person and text else None,
        "plan": planned,
        "calendar": plan_calendar(planned, person, edit.definition) if person and edit.definition else None,
    }


async def _audience(unit: Unit, edit: Edit, asked: UUID | None) -> Mapping[UUID, Recipient]:
    definition = edit.definition or (await by_id(unit, edit.campaign_id)).definition
    ids = await audience_of(unit, definition, LOOKED_AT)
    if asked is not None and asked not in ids:
        ids = [asked, *ids]
    people = await load_recipients(unit, ids)
    return {i: people[i] for i in ids if i in people}


async def _preview(unit: Unit, edit: Edit, text: StepText, person: Recipient) -> Any:
    """The text as written now, in the person's language where there is one."""
    definition = edit.definition or (await by_id(unit, edit.campaign_id)).definition
    box = next(iter(await senders_of(unit, definition)), None)
    sender = sender_facts(box) if box else {}
    return preview_text(text.spoken(person.language), {**person.facts, "sender": sender})


async def _plan(unit: Unit, actor: Actor, edit: Edit, person: Recipient) -> Any:
    if edit.definition is None:
        return []
    return await plan(
        unit, actor, contact_id=person.contact_id, campaign_name=edit.name, definition=edit.definition
    )


def _step_of(edit: Edit, key: str) -> str:
    """The name of the step in which a fault lies; empty for the campaign's own settings."""
    found = re.match(r"steps\[(\d+)\]", key)
    steps = edit.tree["steps"]
    return str(steps[int(found[1]) - 1]["id"]) if found and int(found[1]) <= len(steps) else ""


def _days(edit: Edit) -> list[int]:
    """On which working day each step falls when nothing is in its way; day 1 is the first sending."""
    day, found = 1, []
    for number, step in enumerate(edit.tree["steps"]):
        after = step.get("after", {}).get("days", 0)
        day += after if number and isinstance(after, int) else 0
        found.append(day)
    return found


@router.post("/campaigns/{name}/edit/keep")
async def keep(request: Request, unit: PageUnit, name: str) -> Response:
    """The working copy with what the form says, and what stands beside it, anew."""
    actor, form, found = (
        actor_of(request),
        await request.form(max_fields=500),
        await _found(request, unit, name),
    )
    try:
        edit, wrong = await keep_edit(unit, actor, found.id, _values(form), _writer(form)), None
    except CadenzaError as refused:
        edit, wrong = await typed_edit(unit, actor, found.id, _values(form)), _only_elsewhere(refused)
    context = await _beside(unit, actor, edit, _chosen(form)) | {"elsewhere": wrong}
    return Response(
        render_part(request, "engine/edit_beside.html", campaign=found, **context), media_type="text/html"
    )


@router.post("/campaigns/{name}/edit/{act}")
async def change(request: Request, unit: PageUnit, name: str, act: str) -> Response:
    """Everything else that the editor's buttons do; the words in the form are kept first."""
    actor, form, found = (
        actor_of(request),
        await request.form(max_fields=500),
        await _found(request, unit, name),
    )
    step, variant, contact = _chosen(form)
    if act == "discard":
        await discard_edit(unit, actor, found.id)
        return see(_address(name, {}), "discarded")
    try:
        edit = await keep_edit(unit, actor, found.id, _values(form), _writer(form))
    except CadenzaError as refused:
        edit = await typed_edit(unit, actor, found.id, _values(form))
        shown = _Shown((step, variant, contact), _only_elsewhere(refused))
        return await _editor(request, unit, await campaign_head(unit, actor, name, "edit"), edit, shown, 409)
    new_id, person = str(form.get("new_id", "")).strip(), str(contact or "")
    try:
        new = new_id, str(form.get("new_action", "send"))
        step, variant = await _do(unit, actor, (found, edit), (act, step, variant), new)
    except CadenzaError as wrong:
        return _refused(name, edit, {"step": step, "variant": variant, "contact": person}, new_id, wrong)
    if act == "save":
        return see(f"/campaigns/{quote(name)}", "saved")
    chosen = {"step": step, "variant": variant, "contact": person}
    return see(_address(name, chosen), "" if act == "over" else "kept")


async def _do(
    unit: Unit, actor: Actor, shown: tuple[Campaign, Edit], asked: tuple[str, str, str], new: tuple[str, str]
) -> tuple[str, str]:
    """One act; which step and text to show afterwards."""
    (found, edit), (act, step, variant) = shown, asked
    ids = [each["id"] for each in edit.tree["steps"]]
    number = ids.index(step) if step in ids else 0
    if act == "save":
        await save_edit(unit, actor, found.id)
    elif act == "over":
        await rebase_edit(unit, actor, found.id)
    elif act == "add-step":
        await add_step(unit, actor, found.id, new[0], number, new[1])
        return new[0], ""
    elif act == "remove-step":
        await remove_step(unit, actor, found.id, number)
        return "", ""
    elif act in {"earlier", "later"}:
        await move_step(unit, actor, found.id, number, -1 if act == "earlier" else 1)
    elif act == "add-variant":
        made = await add_variant(unit, actor, found.id, number)
        return step, str(made.tree["steps"][number]["variants"][-1]["id"])
    elif act == "remove-variant":
        await remove_variant(unit, actor, found.id, number, variant)
        return step, ""
    return step, variant


def _refused(name: str, edit: Edit, chosen: Mapping[str, str], new_id: str, wrong: CadenzaError) -> Response:
    """Back to the editor, so that its address can be loaded again; it says why by the code. The working copy is kept."""
    if refusal(edit, wrong.code) is None:
        raise wrong
    typed = {"new_id": new_id[:LONGEST_NAME]} if wrong.code.startswith("step_name") else {}
    return see(_address(name, {**chosen, "refused": wrong.code, **typed}))


def _address(name: str, query: Mapping[str, str]) -> str:
    """The editor of this campaign with those parts of the query that say something."""
    said = urlencode({key: value for key, value in query.items() if value})
    return f"/campaigns/{quote(name)}/edit" + (f"?{said}" if said else "")


async def _found(request: Request, unit: Unit, name: str) -> Campaign:
    actor = actor_of(request)
    authorize(actor, Action.EDIT_CAMPAIGNS)
    return await campaign(unit, actor, name)


def _values(form: FormData) -> dict[str, list[str]]:
    """The fields that are places in the file; all of them have a dot."""
    return {name: [str(v) for v in form.getlist(name)] for name in form if "." in name}


def _writer(form: FormData) -> Writer | None:
    """The window that posts; None of a form that has no name for itself."""
    name = str(form.get("window_name", ""))[:40]
    version = str(form.get("window_version", ""))
    number = int(version) if version.isdecimal() and len(version) < _DIGITS else None
    return Writer(name, str(form.get("window_after", ""))[:40], number) if name else None


def _only_elsewhere(wrong: CadenzaError) -> CadenzaError:
    if wrong.code != "edit_elsewhere":
        raise wrong
    return wrong


def _chosen(form: FormData) -> tuple[str, str, UUID | None]:
    contact = str(form.get("contact", ""))
    try:
        found = UUID(contact) if contact else None
    except ValueError:
        found = None
    return str(form.get("step", "")), str(form.get("variant", "")), found


def _said(request: Request) -> str:
    words = {
        "discarded": gettext("Discarded. This is the version in force."),
        "kept": gettext("Kept in your copy; nothing is sent by it before you save."),
    }
    return words.get(request.query_params.get("said", ""), "")
