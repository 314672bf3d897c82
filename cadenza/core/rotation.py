"""Exchanging the key of stored secrets while everything runs (ASVS 11.2.2).

A column that holds sealed text says so in its model: ``info={"sealed": "mailboxes/{id}/password"}`` names the place it
is bound to; what stands in braces is also the column by which its row is found.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, text

from cadenza.core.database import Database, bulk
from cadenza.core.errors import CadenzaError
from cadenza.core.keys import KeyFile

_NOWHERE = UUID(int=0)  # stands for a workspace in rows that belong to none
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed text: its table, its name, the key of its rows, and the place that each is bound to."""

    table: str
    column: str
    key: str
    place: str
    of_workspace: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    key: str
    sealed_anew: int
    retired: tuple[str, ...]
    kept: tuple[str, ...]  # old keys that something still names


def sealed_columns(metadata: MetaData) -> list[Sealed]:
    found = []
    for table in metadata.sorted_tables:
        for column in table.columns:
            if place := column.info.get("sealed"):
                (key,) = re.findall(r"\{(\w+)\}", place)
                found.append(Sealed(table.name, column.name, key, place, "workspace_id" in table.columns))
    return found


async def rotate(database: Database, file: KeyFile, metadata: MetaData, *, grace: float = 30.0) -> Rotation:
    """Adds a key, seals everything anew with it in small transactions, then drops the keys that nothing names.

    ``grace`` seconds pass before the last look, for transactions that sealed with the old key and had not committed.
    A run that was cut off does no harm: the next one goes on where it was.
    """
    columns, name = sealed_columns(metadata), file.add()
    count = await seal_anew(database, columns, name)
    await asyncio.sleep(grace)
    count += await seal_anew(database, columns, name)
    named = await _names_in_use(database, columns)
    old = tuple(key for key in file.ring().keys if key != name)
    retired = tuple(key for key in old if key not in named)
    file.retire(retired)
    return Rotation(name, count, retired, tuple(key for key in old if key in named))


async def seal_anew(database: Database, columns: Sequence[Sealed], name: str) -> int:
    """Seals whatever another key sealed; readers see the old text or the new one, and both open."""
    count = 0
    for column in columns:
        for workspace_id in await _workspaces(database) if column.of_workspace else [_NOWHERE]:
            while done := await _batch(database, column, workspace_id, name):
                count += done
    return count


async def _workspaces(database: Database) -> list[UUID]:
    async with database.installation() as session:
        return list(await session.scalars(text("select id from workspaces")))


async def _batch(database: Database, at: Sealed, workspace_id: UUID, name: str) -> int:
    query = (
        f"select {at.key} as key, {at.column} as sealed from {at.table} "  # noqa: S608 - names of our own metadata
        f"where {at.column} <> '' and split_part({at.column}, '.', 1) <> :name limit {_BATCH} for update"
    )
    change = (
        f"update {at.table} t set {at.column} = r.sealed from jsonb_to_recordset(cast(:rows as jsonb)) "  # noqa: S608
        f"as r(key uuid, sealed text) where t.{at.key} = r.key"
    )
    async with database.unit(workspace_id) as unit:
        rows = (await unit.session.execute(text(query), {"name": name})).all()
        if rows:
            await bulk(
                unit.session, text(change), [_resealed(database, at, workspace_id, row) for row in rows]
            )
    return len(rows)


def _resealed(database: Database, at: Sealed, workspace_id: UUID, row: Any) -> dict[str, Any]:
    place = at.place.format(**{at.key: row.key})
    plain = database.secrets.open(row.sealed, workspace_id=workspace_id, place=place)
    return {"key": row.key, "sealed": database.secrets.seal(plain, workspace_id=workspace_id, place=place)}


async def _names_in_use(database: Database, columns: Sequence[Sealed]) -> set[str]:
    named: set[str] = set()
    for column in columns:
        for workspace_id in await _workspaces(database) if column.of_workspace else [_NOWHERE]:
            query = f"select distinct split_part({column.column}, '.', 1) from {column.table}"  # noqa: S608
            async with database.unit(workspace_id) as unit:
                named.update(await unit.session.scalars(text(query)))
    return named


def no_file() -> CadenzaError:
    return CadenzaError(
        "keys_not_here",
        "The key of this installation comes from CADENZA_SECRET_KEY, which Cadenza cannot exchange.",
        fix="Move it into keys.json of the home folder as the entry env, leave the variable out, then rotate.",
    )
