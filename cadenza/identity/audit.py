"""The audit trail: who did what, chained so that a later change of any entry shows.

Each workspace has a chain of its own, and so has the installation (``INSTALLATION``) for what belongs to no workspace.
``hash = SHA-256(previous hash, words of the entry)``; the database makes the link when the entry commits.
"""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import structlog
from sqlalchemy import text

from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, AuditBreak
from cadenza.identity.models import AuditHeadRow, AuditRow

_REFUSALS = frozenset({Kind.NOT_ALLOWED, Kind.TOO_MANY})
_BATCH = 2_000
_LINKS = text(
    "select l.number, l.entry_id, l.previous, l.hash, case when e.id is not null then audit_words(e) end as words "
    "from audit_links l left join audit_entries e on e.workspace_id = l.workspace_id and e.id = l.entry_id "
    "where l.workspace_id = :workspace and l.number > :after and l.number <= :last order by l.number limit :batch"
)
_LOOSE = text(
    "select e.id from audit_entries e where e.workspace_id = :workspace and not exists "
    "(select from audit_links l where l.workspace_id = e.workspace_id and l.entry_id = e.id) order by e.at limit 1"
)


async def audit(unit: Unit, actor: Actor, action: str, subject: str = "", **data: Any) -> None:
    """One line in the audit trail; call it once in every door that changes something on a person's word."""
    unit.session.add(
        AuditRow(
            workspace_id=unit.workspace_id,
            at=unit.machine.now(),
            member_id=actor.member_id,
            actor=(actor.name or actor.origin.value)[:200],
            origin=actor.origin.value,
            action=action,
            subject=subject[:200],
            request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
            data=data,
        )
    )
    await unit.session.flush()


async def record_refusal(database: Database, actor: Actor, error: CadenzaError) -> None:
    """What was denied to this actor, or asked for too often; any other error is no matter for the trail.

    For edges (pages, commands, other programs): after the unit in which it was refused has been rolled back.
    """
    if error.kind in _REFUSALS:
        async with database.unit(actor.workspace_id) as unit:
            await audit(unit, actor, "refused", error.code, reason=error.message)


async def verify_chain(unit: Unit) -> AuditBreak | None:
    """The first entry of this workspace's trail that was altered, removed, moved or slipped in; None when all is well."""
    head = await unit.session.get(AuditHeadRow, unit.workspace_id)
    number, previous = 0, b""
    async for link in _links(unit, head.number if head else 0):
        number += 1
        if problem := _problem(link, number, previous):
            return AuditBreak(number, link.entry_id, problem)
        previous = link.hash
    if head and (number, previous) != (head.number, head.hash):
        return AuditBreak(number + 1, None, "removed")
    loose = await unit.session.scalar(_LOOSE, {"workspace": unit.workspace_id})
    return AuditBreak(number + 1, loose, "slipped in") if loose else None


async def _links(unit: Unit, last: int) -> AsyncIterator[Any]:
    after = -1
    while rows := (
        await unit.session.execute(
            _LINKS, {"workspace": unit.workspace_id, "after": after, "last": last, "batch": _BATCH}
        )
    ).all():
        for row in rows:
            yield row
        after = rows[-1].number


def _problem(link: Any, number: int, previous: bytes) -> str:
    if link.words is None or link.number != number:
        return "removed"
    if link.previous != previous:
        return "moved"
    if sha256(link.previous + link.words.encode()).digest() != link.hash:
        return "altered"
    return ""
