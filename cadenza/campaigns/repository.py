"""Every query on campaigns and their versions."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, bindparam, case, func, select, text

from cadenza.campaigns.contracts import Campaign, CampaignState, Definition, Version
from cadenza.campaigns.models import CampaignRow, CampaignVersionRow
from cadenza.core.unit import Unit

_DEFINITION = TypeAdapter(Definition)
_KEPT_VERSIONS = 2000
_LIVELIEST = (CampaignState.RUNNING.value, CampaignState.PAUSED.value, CampaignState.DRAFT.value)
_LISTED_VERSIONS = 200
_known_versions: dict[tuple[UUID, UUID], Definition] = {}
_LOCK = "select pg_advisory_xact_lock(hashtextextended('campaign ' || :workspace || ' ' || :name, 0))"


def to_json(definition: Definition) -> object:
    """As it is stored; ``from_json`` gives an equal definition back."""
    return _DEFINITION.dump_python(definition, mode="json")


def from_json(stored: object) -> Definition:
    return _DEFINITION.validate_python(stored)


def _parsed(workspace_id: UUID, version_id: UUID, stored: object) -> Definition:
    """Versions never change, so each process parses one once."""
    key = (workspace_id, version_id)
    if key not in _known_versions:
        if len(_known_versions) >= _KEPT_VERSIONS:
            _known_versions.clear()
        _known_versions[key] = from_json(stored)
    return _known_versions[key]


async def lock_name(unit: Unit, name: str) -> None:
    """Two people who apply files of one name at once come one after the other."""
    await unit.session.execute(text(_LOCK), {"workspace": str(unit.workspace_id), "name": name})


async def name_of(unit: Unit, campaign_id: UUID) -> str | None:
    query = select(CampaignRow.name).where(
        CampaignRow.workspace_id == unit.workspace_id, CampaignRow.id == campaign_id
    )
    return (await unit.session.scalars(query)).one_or_none()


async def campaign_row(unit: Unit, name: str) -> CampaignRow | None:
    query = select(CampaignRow).where(CampaignRow.workspace_id == unit.workspace_id, CampaignRow.name == name)
    return (await unit.session.scalars(query)).one_or_none()


_SAME_VERSION = (CampaignVersionRow.workspace_id == CampaignRow.workspace_id) & (
    CampaignVersionRow.id == CampaignRow.version_id
)
# Plain columns, without the definition: it is large, never changes, and is mostly known to this process already.
_NEWEST: Select[Any] = select(  # type: ignore[assignment]
    CampaignRow.id,
    CampaignRow.name,
    CampaignRow.state,
    CampaignRow.version,
    CampaignRow.version_id,
    CampaignRow.created_at,
    CampaignRow.launched_at,
    CampaignVersionRow.folder,
).join(CampaignVersionRow, _SAME_VERSION)
# Built once, for nearly every page asks one of them.
_MINE = CampaignRow.workspace_id == bindparam("workspace")
_BY_NAME = _NEWEST.where(_MINE, CampaignRow.name == bindparam("name"))
_BY_ID = _NEWEST.where(_MINE, CampaignRow.id == bindparam("id"))


def _newest(unit: Unit) -> Select[Any]:
    return _NEWEST.where(CampaignRow.workspace_id == unit.workspace_id)


async def _campaigns(unit: Unit, query: Select[Any], **values: object) -> list[Campaign]:
    return await _read(unit, (await unit.session.execute(query, values)).all())


async def _read(unit: Unit, rows: Sequence[SqlRow[Any]]) -> list[Campaign]:
    known = await _definitions(unit, [row.version_id for row in rows])
    return [
        Campaign(
            id=row.id,
            name=row.name,
            state=CampaignState(row.state),
            version=row.version,
            version_id=row.version_id,
            definition=known[row.version_id],
            created_at=row.created_at,
            launched_at=row.launched_at,
            folder=row.folder,
        )
        for row in rows
    ]


async def _definitions(unit: Unit, version_ids: Sequence[UUID]) -> dict[UUID, Definition]:
    """Those that exist. Asks the database only for what this process does not know yet, in one query."""
    found = {i: _known_versions.get((unit.workspace_id, i)) for i in version_ids}
    missing = [i for i, known in found.items() if known is None]
    row = CampaignVersionRow
    query = select(row.id, row.definition).where(row.workspace_id == unit.workspace_id, row.id.in_(missing))
    for i, stored in await unit.session.execute(query) if missing else ():
        found[i] = _parsed(unit.workspace_id, i, stored)
    return {i: known for i, known in found.items() if known is not None}


async def by_name(unit: Unit, name: str) -> Campaign | None:
    return next(iter(await _campaigns(unit, _BY_NAME, workspace=unit.workspace_id, name=name)), None)


async def by_id(unit: Unit, campaign_id: UUID) -> Campaign | None:
    return next(iter(await _campaigns(unit, _BY_ID, workspace=unit.workspace_id, id=campaign_id)), None)


async def by_ids(unit: Unit, campaign_ids: Collection[UUID]) -> Sequence[Campaign]:
    return await _campaigns(unit, _newest(unit).where(CampaignRow.id.in_(campaign_ids)))


async def names(unit: Unit) -> dict[UUID, str]:
    query = select(CampaignRow.id, CampaignRow.name).where(CampaignRow.workspace_id == unit.workspace_id)
    found = await unit.session.execute(query.order_by(CampaignRow.created_at.desc()).limit(1000))
    return {row.id: row.name for row in found}


async def liveliest(unit: Unit, limit: int) -> tuple[Sequence[Campaign], int]:
    """The first ones by state, then the newest; and how many there are."""
    row = CampaignRow
    state = case(
        {state: rank for rank, state in enumerate(_LIVELIEST)}, value=row.state, else_=len(_LIVELIEST)
    )
    query = _newest(unit).add_columns(func.count().over().label("every"))
    query = query.order_by(state, row.created_at.desc(), row.id.desc()).limit(limit)
    rows = (await unit.session.execute(query)).all()
    return await _read(unit, rows), rows[0].every if rows else 0


async def state_counts(unit: Unit) -> dict[CampaignState, int]:
    query = select(CampaignRow.state, func.count()).where(CampaignRow.workspace_id == unit.workspace_id)
    found = await unit.session.execute(query.group_by(CampaignRow.state))
    return {CampaignState(state): count for state, count in found}


async def page(unit: Unit, start: int, limit: int) -> Sequence[Campaign]:
    """Newest first."""
    query = _newest(unit).order_by(CampaignRow.created_at.desc(), CampaignRow.id.desc())
    return await _campaigns(unit, query.offset(start).limit(limit))


async def every(unit: Unit) -> Sequence[Campaign]:
    query = _newest(unit).order_by(CampaignRow.created_at.desc(), CampaignRow.id.desc())
    return await _campaigns(unit, query)


async def part(
    unit: Unit, *, state: CampaignState | None, after: UUID | None, limit: int
) -> Sequence[Campaign]:
    """Newest first; ids grow with time."""
    query = _newest(unit).order_by(CampaignRow.id.desc()).limit(limit)
    if state:
        query = query.where(CampaignRow.state == state.value)
    if after:
        query = query.where(CampaignRow.id < after)
    return await _campaigns(unit, query)


async def versions(unit: Unit, campaign_id: UUID) -> list[Version]:
    """Newest first."""
    row = CampaignVersionRow
    query = (
        select(row.id, row.number, row.created_at, row.member_id, row.changes)
        .where(row.workspace_id == unit.workspace_id, row.campaign_id == campaign_id)
        .order_by(row.number.desc())
        .limit(_LISTED_VERSIONS)
    )
    return [
        Version(found.id, found.number, found.created_at, found.member_id, tuple(found.changes))
        for found in await unit.session.execute(query)
    ]


async def version_id(unit: Unit, campaign_id: UUID, number: int) -> UUID | None:
    query = select(CampaignVersionRow.id).where(
        CampaignVersionRow.workspace_id == unit.workspace_id,
        CampaignVersionRow.campaign_id == campaign_id,
        CampaignVersionRow.number == number,
    )
    return (await unit.session.scalars(query)).one_or_none()


async def definition(unit: Unit, version_id: UUID) -> Definition | None:
    return (await _definitions(unit, [version_id])).get(version_id)
