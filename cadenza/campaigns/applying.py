"""Applying a campaign file: all of it or nothing, a new version only when something changed."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cadenza.audience.contracts import ImportReport
from cadenza.audience.service import (
    custom_fields,
    custom_fields_of_file,
    resolve_contacts_file,
    segment_named,
)
from cadenza.campaigns import repository
from cadenza.campaigns.changes import changes, first_version
from cadenza.campaigns.contracts import Applied, Campaign, CampaignState, Definition
from cadenza.campaigns.document import Reading, read_document
from cadenza.campaigns.models import CampaignRow, CampaignVersionRow
from cadenza.campaigns.neighbour_files import Folder, NeighbourFileError
from cadenza.campaigns.sender_checks import sender_faults
from cadenza.core.errors import CadenzaError, Kind, Problem
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events

Follower = Callable[[Unit, Campaign], Awaitable[None]]
_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Be told of each new version of a campaign that exists already, in the transaction that makes it (M13).

    The engine, which campaigns may not import, switches what is running by this.
    """
    if follower not in _followers:
        _followers.append(follower)


async def apply(
    unit: Unit, actor: Actor, source: str, folder: Path | None = None, *, only_new: bool = False
) -> Applied:
    """Make what the file says the campaign of its name.

    Wrong files change nothing and answer with every problem. The contacts file is imported when it lies in ``folder``
    and is not the one imported last. A campaign that has ended takes no change; with ``only_new`` none that exists does.
    """
    authorize(actor, Action.EDIT_CAMPAIGNS)
    reading = await _read(unit, source, Folder(folder))
    if reading.definition is None:
        return _refused(reading, reading.problems)
    await repository.lock_name(unit, reading.name)
    row = await repository.campaign_row(unit, reading.name)
    before = await repository.definition(unit, row.version_id) if row else None
    differences = changes(before, reading.definition) if before else (first_version(reading.definition),)
    try:
        _must_be_free(row, only_new)
        _must_be_open(row, differences)
        missing = await _missing_senders(unit, row, reading)
        people = await _import_people(unit, actor, reading.definition, Folder(folder))
    except CadenzaError as wrong:
        return _refused(reading, wrong.problems)
    if row is None or differences:
        row = await _new_version(unit, actor, row, reading.definition, (source, folder, differences))
    said = (*differences, *_in_words(reading.definition.contacts_file, people))
    rejected = people.rejected if people else ()
    warnings = _told(reading, missing)
    return Applied(
        reading.name,
        row.version,
        created=before is None,
        changes=said,
        errors=(),
        rejected=rejected,
        warnings=warnings,
    )


def _must_be_free(row: CampaignRow | None, only_new: bool) -> None:
    if row and only_new:
        message = f"There is a campaign {row.name} already; nothing was changed. Choose another name."
        raise CadenzaError("name_taken", message, problems=(Problem(message, key="name"),))


def _must_be_open(row: CampaignRow | None, differences: tuple[str, ...]) -> None:
    if row and differences and row.state in {CampaignState.STOPPED, CampaignState.FINISHED}:
        message = f"The campaign {row.name} is {row.state} and takes no change; give the file another name."
        raise CadenzaError("campaign_ended", message, problems=(Problem(message, key="name"),))


async def _read(unit: Unit, source: str, folder: Folder) -> Reading:
    stored = await custom_fields(unit)

    def known(file: str) -> frozenset[str]:
        try:
            return stored | custom_fields_of_file(folder.find(file))
        except (CadenzaError, NeighbourFileError):
            return stored  # what is wrong with the file is told where it is named, or when it is imported

    return read_document(source, folder, known)


async def _missing_senders(unit: Unit, row: CampaignRow | None, reading: Reading) -> tuple[Problem, ...]:
    """What is wrong with the senders. A draft is kept although: its launch asks again. What runs already must not wait for
    somebody who does not exist, so there it is refused.
    """
    assert reading.definition is not None  # noqa: S101 - the caller has looked
    problems = tuple(
        Problem(
            words,
            line=reading.lines.get(place),
            key=place if place == "senders.pool" else "senders.mailboxes",
        )
        for place, words in (await sender_faults(unit, reading.definition)).items()
    )
    if problems and row and row.state in {CampaignState.RUNNING, CampaignState.PAUSED}:
        raise CadenzaError("senders_missing", "A sender is missing; nothing was changed.", problems=problems)
    return problems


def _told(reading: Reading, problems: tuple[Problem, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"line": p.line or reading.lines.get(p.key or ""), "key": p.key, "message": p.message}
        for p in problems
    )


def _refused(reading: Reading, problems: tuple[Problem, ...]) -> Applied:
    return Applied(reading.name, None, created=False, changes=(), errors=_told(reading, problems))


async def _import_people(
    unit: Unit, actor: Actor, definition: Definition, folder: Folder
) -> ImportReport | None:
    """The people of the contacts file beside the campaign file; None when it was not imported now."""
    if definition.segment:
        await _must_exist(unit, definition.segment)
    if folder.path is None or definition.segment:
        return None
    try:
        return await resolve_contacts_file(unit, actor, folder.find(definition.contacts_file))
    except CadenzaError as wrong:
        problem = Problem(str(wrong), key="audience.contacts")
        raise CadenzaError(wrong.code, wrong.message, wrong.kind, wrong.fix, (problem,)) from wrong


def _in_words(file: str, report: ImportReport | None) -> tuple[str, ...]:
    if report is None:
        return ()
    words = f"{file}: {report.created} contacts imported, {report.updated} updated"
    return (f"{words}, {len(report.rejected)} rows rejected" if report.rejected else words,)


async def _must_exist(unit: Unit, segment: str) -> None:
    if await segment_named(unit, segment) is None:
        problem = Problem(
            f"There is no segment {segment!r}. Save one of that name first.", key="audience.segment"
        )
        raise CadenzaError("segment_not_found", problem.message, Kind.NOT_FOUND, problems=(problem,))


async def _new_version(
    unit: Unit,
    actor: Actor,
    row: CampaignRow | None,
    definition: Definition,
    text: tuple[str, Path | None, tuple[str, ...]],
) -> CampaignRow:
    source, folder, differences = text
    existed, now = row is not None, unit.world.now()
    if row is None:
        row = CampaignRow(
            workspace_id=unit.workspace_id, id=new_id(), name=definition.name, state=CampaignState.DRAFT.value, version=0,
            version_id=new_id(), created_at=now,
        )  # fmt: skip
        unit.session.add(row)
        await unit.session.flush()
    values: dict[str, Any] = {
        "definition": repository.to_json(definition),
        "changes": list(differences),
        "source": source,
    }
    version = CampaignVersionRow(
        workspace_id=unit.workspace_id, id=new_id(), campaign_id=row.id, number=row.version + 1, created_at=now,
        folder=str(folder.resolve()) if folder else None, member_id=actor.member_id, **values,
    )  # fmt: skip
    unit.session.add(version)
    row.version, row.version_id = version.number, version.id
    await unit.session.flush()
    await _tell(unit, actor, row, existed=existed)
    return row


async def _tell(unit: Unit, actor: Actor, row: CampaignRow, *, existed: bool) -> None:
    event = NewEvent(
        kind=EventKind.APPLIED,
        origin=actor.origin.value,
        campaign_id=row.id,
        member_id=actor.member_id,
        data={"version": row.version},
    )
    await record_events(unit, [event])
    await audit(unit, actor, "campaign_applied", row.name, version=row.version)
    if existed and (found := await repository.by_id(unit, row.id)):
        for follower in _followers:
            await follower(unit, found)
