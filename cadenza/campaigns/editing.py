"""Editing a campaign in a page: a working copy for each member, checked as it grows, saved as a new version.

The copy is the campaign file as plain values (``Tree``). It may be unfinished; only saving asks for a file without a
fault. What the page sends are values by place (``steps.0.variants.1.subject``); a place that is not in the table below
changes nothing.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from cadenza.audience.service import custom_fields
from cadenza.campaigns import repository
from cadenza.campaigns.applying import apply
from cadenza.campaigns.contracts import Campaign, Definition, Edit, Tree, Writer
from cadenza.campaigns.document import read_document
from cadenza.campaigns.document_text import tree_of, tree_text
from cadenza.campaigns.models import CampaignEditRow
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.refusals import MOST_STEPS, MOST_VARIANTS, of_saving, refused
from cadenza.campaigns.step_texts import STARTS
from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import authorize

_LONGEST = 100_000  # characters of one value

# Which places a page may set, and what their words become.
_WHOLE, _WORDS, _TRUTH, _TEXT, _OPTIONAL = "whole", "words", "truth", "text", "optional"
_THREAD, _AUDIENCE, _POOL = "thread", "audience", "pool"
_POOL_PLACE = "senders.pool"
_WAY = r"steps\.\d+\.(?:options\.\d+\.)?"
_PLACES = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in {
        r"goal\.metric|experiment\.metric": _TEXT,
        r"audience\.who": _AUDIENCE,
        re.escape(_POOL_PLACE): _POOL,
        r"goal\.target": _OPTIONAL + _WHOLE,
        r"senders\.mailboxes|window\.days|stop\.(person|account)": _WORDS,
        r"window\.(from|to|zone|holidays)": _TEXT,
        r"caps\.per_(person_per_week|account_per_day|sender_per_day)|grace\.hours": _WHOLE,
        r"tracking\.(opens|clicks)": _TRUTH,
        r"steps\.\d+\.after\.days": _WHOLE,
        r"steps\.\d+\.(when|else)": _OPTIONAL,
        r"steps\.\d+\.thread": _THREAD,
        rf"{_WAY}variants\.\d+\.(subject|text)|{_WAY}script": _TEXT,
        rf"{_WAY}variants\.\d+\.html": _OPTIONAL,
        rf"{_WAY}languages\.[a-z]{{2,3}}\.[\w-]+\.(subject|text)": _TEXT,
        rf"{_WAY}languages\.[a-z]{{2,3}}\.[\w-]+\.html": _OPTIONAL,
    }.items()
)


async def edit_of(unit: Unit, actor: Actor, campaign_id: UUID) -> Edit:
    """The member's working copy; where there is none, the version in force. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.EDIT_CAMPAIGNS)
    found = await _campaign(unit, campaign_id)
    row = await _row(unit, actor, campaign_id)
    if row is None:
        tree, based_on, changed, by = tree_of(found.definition), found.version, False, ""
    else:
        tree, based_on, changed, by = row.tree, row.based_on, True, row.window
    definition, problems = await _read(unit, tree)
    return Edit(found.id, found.name, based_on, found.version, tree, changed, definition, problems, by)


async def keep_edit(
    unit: Unit,
    actor: Actor,
    campaign_id: UUID,
    values: Mapping[str, Sequence[str]],
    writer: Writer | None = None,
) -> Edit:
    """Put these values into the working copy: words by place, several for a list.

    With ``writer`` nothing is kept when another window wrote since that one was opened: ``edit_elsewhere`` (conflict).
    """
    edit = await _locked(unit, actor, campaign_id)
    if writer is not None and _is_behind(writer, edit):
        raise refused(edit, "edit_elsewhere")
    window = writer.window if writer else str(new_id())
    return await _keep(unit, actor, edit, _with(edit.tree, values), window)


def _is_behind(writer: Writer, edit: Edit) -> bool:
    """Something else was written, or saved, since that window was opened."""
    if edit.window:
        return edit.window not in (writer.window, writer.after)
    return writer.version is not None and writer.version != edit.based_on


async def typed_edit(
    unit: Unit, actor: Actor, campaign_id: UUID, values: Mapping[str, Sequence[str]]
) -> Edit:
    """The working copy as it would be with these values; nothing is kept."""
    edit = await edit_of(unit, actor, campaign_id)
    tree = _with(edit.tree, values)
    definition, problems = await _read(unit, tree)
    return replace(edit, tree=tree, changed=True, definition=definition, problems=problems)


def _with(tree: Tree, values: Mapping[str, Sequence[str]]) -> Tree:
    changed = copy.deepcopy(tree)
    for place in sorted(
        values, key=lambda each: each == _POOL_PLACE
    ):  # it decides between pool and mailboxes
        _set(changed, place, values[place])
    return changed


async def replace_edit(
    unit: Unit, actor: Actor, campaign_id: UUID, source: str, *, only_new: bool = False
) -> Edit:
    """Make a whole campaign file the working copy. Raises ``CadenzaError`` with every fault of the file; nothing is kept then.

    With ``only_new`` a working copy that is there already is left as it is (conflict).
    """
    edit = await _locked(unit, actor, campaign_id)
    if only_new and edit.changed:
        raise CadenzaError(
            "edit_exists",
            "There is a working copy of this campaign already.",
            Kind.CONFLICT,
            fix="It was left as it is. Save or discard it in the editor first.",
        )
    known = await custom_fields(unit)
    reading = read_document(source, Folder(None), lambda _: known)
    problems = list(reading.problems)
    if reading.definition is not None and reading.name != edit.name:
        line = reading.lines.get("name")
        problems.append(Problem(f"The campaign is called {edit.name}.", line=line, key="name"))
    if reading.definition is None or problems:
        raise CadenzaError(
            "campaign_file_invalid", "The campaign file has problems; nothing was changed.",
            fix="Correct them and send it again.", problems=tuple(problems),
        )  # fmt: skip
    return await _keep(unit, actor, edit, tree_of(reading.definition))


async def add_step(
    unit: Unit, actor: Actor, campaign_id: UUID, identity: str, after: int, action: str = "send"
) -> Edit:
    """A new step behind the step number ``after`` (from 0; -1 is the beginning), that does this ``action``."""
    edit = await _locked(unit, actor, campaign_id)
    tree = copy.deepcopy(edit.tree)
    steps = tree["steps"]
    if len(steps) >= MOST_STEPS:
        raise refused(edit, "steps_too_many")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", identity):
        raise refused(edit, "step_name_invalid")
    if identity in {step["id"] for step in steps}:
        raise refused(edit, "step_name_taken")
    if action not in STARTS:
        raise not_found("action", action)
    steps.insert(
        max(min(after, len(steps) - 1), -1) + 1,
        {"id": identity, "after": {"days": 0 if after < 0 else 3}} | copy.deepcopy(STARTS[action]),
    )
    return await _keep(unit, actor, edit, tree)


async def remove_step(unit: Unit, actor: Actor, campaign_id: UUID, number: int) -> Edit:
    edit = await _locked(unit, actor, campaign_id)
    tree = copy.deepcopy(edit.tree)
    if len(tree["steps"]) == 1:
        raise refused(edit, "step_needed")
    del tree["steps"][_place(tree["steps"], number, "step")]
    return await _keep(unit, actor, edit, tree)


async def move_step(unit: Unit, actor: Actor, campaign_id: UUID, number: int, by: int) -> Edit:
    """Earlier (``by`` -1) or later (1); at the ends nothing moves."""
    edit = await _locked(unit, actor, campaign_id)
    tree = copy.deepcopy(edit.tree)
    steps = tree["steps"]
    step = steps.pop(_place(steps, number, "step"))
    steps.insert(max(0, min(number + by, len(steps))), step)
    return await _keep(unit, actor, edit, tree)


async def add_variant(unit: Unit, actor: Actor, campaign_id: UUID, number: int) -> Edit:
    """A copy of the step's last text under the next free letter."""
    edit = await _locked(unit, actor, campaign_id)
    tree = copy.deepcopy(edit.tree)
    variants = tree["steps"][_place(tree["steps"], number, "step")].get("variants", [])
    if not variants:
        raise refused(edit, "no_text_to_copy")
    taken = {variant["id"] for variant in variants}
    free = next((letter for letter in "abcdefghijklmnop" if letter not in taken), None)
    if len(variants) >= MOST_VARIANTS or free is None:
        raise refused(edit, "texts_too_many")
    variants.append({**copy.deepcopy(variants[-1]), "id": free})
    return await _keep(unit, actor, edit, tree)


async def remove_variant(unit: Unit, actor: Actor, campaign_id: UUID, number: int, variant: str) -> Edit:
    """Without it goes its text in every language."""
    edit = await _locked(unit, actor, campaign_id)
    tree = copy.deepcopy(edit.tree)
    step = tree["steps"][_place(tree["steps"], number, "step")]
    if variant not in {each["id"] for each in step.get("variants", [])}:
        raise not_found("variant", variant)
    if len(step["variants"]) == 1:
        raise refused(edit, "text_needed")
    step["variants"] = [each for each in step["variants"] if each["id"] != variant]
    for texts in step.get("languages", {}).values():
        texts.pop(variant, None)
    return await _keep(unit, actor, edit, tree)


async def discard_edit(unit: Unit, actor: Actor, campaign_id: UUID) -> None:
    """Back to the version in force."""
    authorize(actor, Action.EDIT_CAMPAIGNS)
    await _campaign(unit, campaign_id)
    await _forget(unit, actor, campaign_id)


async def save_edit(unit: Unit, actor: Actor, campaign_id: UUID) -> Edit:
    """Make the working copy the version in force. A fault, or a version that somebody else made meanwhile, saves nothing.

    Raises ``CadenzaError``: ``campaign_file_invalid`` with every fault, ``campaign_changed`` (conflict).
    """
    edit = await _locked(unit, actor, campaign_id)
    if edit.based_on != edit.version:
        raise refused(edit, "campaign_changed")
    applied = await apply(unit, actor, tree_text(edit.tree))
    if applied.errors:
        raise of_saving(edit, tuple(applied.errors))
    await _forget(unit, actor, campaign_id)
    return await edit_of(unit, actor, campaign_id)


async def rebase_edit(unit: Unit, actor: Actor, campaign_id: UUID) -> Edit:
    """Say that the working copy shall be saved over what somebody else saved meanwhile."""
    edit = await edit_of(unit, actor, campaign_id)
    row = await _row(unit, actor, campaign_id)
    if row is not None:
        row.based_on = edit.version
        await unit.session.flush()
    return await edit_of(unit, actor, campaign_id)


async def _locked(unit: Unit, actor: Actor, campaign_id: UUID) -> Edit:
    """The working copy while nobody else changes this campaign: what is typed and a saving come one after the other."""
    authorize(actor, Action.EDIT_CAMPAIGNS)
    name = await repository.name_of(unit, campaign_id)
    if name is None:
        raise not_found("campaign", campaign_id)
    await repository.lock_name(unit, name)
    return await edit_of(unit, actor, campaign_id)


async def _campaign(unit: Unit, campaign_id: UUID) -> Campaign:
    found = await repository.by_id(unit, campaign_id)
    if found is None:
        raise not_found("campaign", campaign_id)
    return found


async def _row(unit: Unit, actor: Actor, campaign_id: UUID) -> CampaignEditRow | None:
    query = select(CampaignEditRow).where(
        CampaignEditRow.workspace_id == unit.workspace_id,
        CampaignEditRow.campaign_id == campaign_id,
        CampaignEditRow.member_id == actor.member_id,
    )
    return (await unit.session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def _read(unit: Unit, tree: Tree) -> tuple[Definition | None, tuple[Problem, ...]]:
    known = await custom_fields(unit)
    reading = read_document(tree_text(tree), Folder(None), lambda _: known)
    return reading.definition, reading.problems


async def _keep(unit: Unit, actor: Actor, edit: Edit, tree: Tree, window: str | None = None) -> Edit:
    if actor.member_id is None:
        raise CadenzaError("member_needed", "Only a member has a working copy.", Kind.NOT_ALLOWED)
    if edit.based_on == edit.version and tree == tree_of(
        (await _campaign(unit, edit.campaign_id)).definition
    ):
        await discard_edit(unit, actor, edit.campaign_id)  # it says what the version in force says
        return await edit_of(unit, actor, edit.campaign_id)
    here = {"workspace_id": unit.workspace_id, "campaign_id": edit.campaign_id, "member_id": actor.member_id}
    values = {"tree": tree, "saved_at": unit.world.now(), "window": window or edit.window}
    await unit.session.execute(
        insert(CampaignEditRow)
        .values(**here, **values, id=new_id(), based_on=edit.based_on)
        .on_conflict_do_update(index_elements=list(here), set_=values)
    )
    return await edit_of(unit, actor, edit.campaign_id)


async def _forget(unit: Unit, actor: Actor, campaign_id: UUID) -> None:
    await unit.session.execute(
        delete(CampaignEditRow).where(
            CampaignEditRow.workspace_id == unit.workspace_id,
            CampaignEditRow.campaign_id == campaign_id,
            CampaignEditRow.member_id == actor.member_id,
        )
    )


def _place(rows: Sequence[Any], number: int, what: str) -> int:
    if not 0 <= number < len(rows):
        raise not_found(what, number + 1)
    return number


def _set(tree: Tree, place: str, words: Sequence[str]) -> None:
    kind = next((kind for pattern, kind in _PLACES if pattern.fullmatch(place)), None)
    *parents, last = place.split(".")
    at: Any = tree
    for part in parents:
        at = _inside(at, part)
    if kind is None or not isinstance(at, dict):
        return
    if kind == _AUDIENCE:
        _set_audience(tree, words[0] if words else "")
        return
    if kind == _POOL:
        _set_pool(at, words[0] if words else "")
        return
    value = _value(kind, [word[:_LONGEST].replace("\r\n", "\n") for word in words])
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    if kind == _THREAD:
        _follow_thread(at)


def _set_audience(tree: Tree, words: str) -> None:
    """``contacts FILE`` or ``segment NAME``."""
    key, _, name = words.partition(" ")
    if key in {"contacts", "segment"} and name:
        tree["audience"] = {key: name[:_LONGEST]}


def _set_pool(senders: Tree, name: str) -> None:
    """A pool instead of mailboxes; without a name the mailboxes again."""
    if name:
        senders["pool"] = name[:_LONGEST]
        senders.pop("mailboxes", None)
    else:
        senders.pop("pool", None)
        senders.setdefault("mailboxes", [])


def _inside(at: Any, part: str) -> Any:
    if isinstance(at, list) and part.isdecimal() and int(part) < len(at):
        return at[int(part)]
    return at.get(part) if isinstance(at, dict) else None


def _value(kind: str, words: Sequence[str]) -> Any:
    """What a field's words mean; None takes the value out. What is no number stays words, and is told as a fault."""
    first = words[0] if words else ""
    if kind == _WORDS:
        return [word for word in words if word]
    if kind == _TRUTH:
        return "on" in words
    if kind == _THREAD:
        return {"reply_to": first} if first and first != "new" else "new"
    if kind.startswith(_OPTIONAL) and not first.strip():
        return None
    if kind.endswith(_WHOLE) and first.strip().isdecimal():
        return int(first)
    return first


def _follow_thread(step: Tree) -> None:
    """An answer in a thread has no subject of its own; a new thread needs one."""
    mail = [way for way in step.get("options", [step]) if way.get("channel", "email") == "email"]
    translated = (texts for way in mail for texts in way.get("languages", {}).values())
    every = [v for way in mail for v in way.get("variants", [])] + [
        v for texts in translated for v in texts.values()
    ]
    for variant in every:
        if step["thread"] == "new":
            variant.setdefault("subject", "")
        else:
            variant.pop("subject", None)
