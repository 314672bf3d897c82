"""What the commands on one sender's settings and on pools do; apart from them, so that their `--help` loads nothing of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from cadenza.channels.contracts import Mailbox, Pool
from cadenza.channels.hours import hours_text, read_hours_text
from cadenza.channels.service import (
    Ramp,
    change_sender,
    fill_pool,
    health_of,
    lift_stop,
    mailboxes,
    make_pool,
    pause_sender,
    pool_named,
    pools,
    remove_pool,
    rename_pool,
    resume_sender,
    settings_of,
    used_today,
)
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import all_members, authorize, command_line

_LARGEST_FILE = 20_000


@asynccontextmanager
async def _inside(workspace: str | None, as_email: str | None) -> AsyncIterator[tuple[Unit, Actor]]:
    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        yield unit, actor


async def change(
    address: str, given: Mapping[str, Any], workspace: str | None, as_email: str | None
) -> dict[str, Any]:
    """``given``: the options of ``senders set`` as they were typed; None or empty for those that were not."""
    async with _inside(workspace, as_email) as (unit, actor):
        authorize(actor, Action.MANAGE_SENDERS)
        box = await _named(unit, address)
        wanted = replace(settings_of(box), **await _wanted(unit, given))
        return await _told(unit, await change_sender(unit, actor, box.id, wanted))


async def _wanted(unit: Unit, given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given["name"] is not None:
        found["display_name"] = given["name"]
    if given["daily_limit"] is not None:
        found["daily_limit"] = given["daily_limit"]
    if given["aliases"]:
        found["aliases"] = tuple(alias for alias in given["aliases"] if alias != "none")
    for name in ("signature", "signature_html"):
        if given[name] is not None:
            found[name] = _text(given[name])
    if given["hours"] is not None:
        found["hours"] = None if given["hours"] == "any" else read_hours_text(given["hours"])
    if given["owner"] is not None:
        found["owner_id"] = await _member(unit, given["owner"])
    if given["warm_up"] is not None:
        found["ramp"] = None if given["warm_up"] == "off" else _ramp(given["warm_up"])
    return found


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        if len(data) > _LARGEST_FILE:
            raise CadenzaError("file_too_large", f"{file.name} is too long for a signature.")
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise CadenzaError(
            "file_unreadable", f"{file.name} cannot be read as text.", fix="Check its name, its rights and that it is UTF-8."
        ) from wrong  # fmt: skip


async def _member(unit: Unit, email: str) -> UUID | None:
    if email == "none":
        return None
    for member in await all_members(unit):
        if member.email.lower() == email.lower():
            return member.id
    raise not_found("member", email)


def _ramp(words: str) -> Ramp:
    parts = [part.strip() for part in words.split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 7 for part in parts):
        raise CadenzaError(
            "warm_up_invalid", f"{words[:40]!r} is no warm-up; nothing was changed.", fix="Write START,GROWTH,TARGET such as 10,5,60, or off."
        )  # fmt: skip
    return Ramp(*(int(part) for part in parts))


async def whole(address: str, workspace: str | None, as_email: str | None) -> dict[str, Any]:
    async with _inside(workspace, as_email) as (unit, actor):
        authorize(actor, Action.READ)
        return await _told(unit, await _named(unit, address))


async def act(
    name: str, address: str, workspace: str | None, as_email: str | None, seen: str = ""
) -> dict[str, Any]:
    """``pause``, ``resume`` or ``go-on``."""
    async with _inside(workspace, as_email) as (unit, actor):
        authorize(actor, Action.MANAGE_SENDERS)
        box = await _named(unit, address)
        if name == "pause":
            await pause_sender(unit, actor, box.id)
        elif name == "resume":
            await resume_sender(unit, actor, box.id)
        else:
            await lift_stop(unit, actor, box.id, seen)
        unit.session.expire_all()
        return await _told(unit, await _named(unit, address))


async def _named(unit: Unit, address: str) -> Mailbox:
    found = await mailboxes(unit, [address])
    if not found:
        raise not_found("mailbox", address)
    return found[0]


async def _told(unit: Unit, box: Mailbox) -> dict[str, Any]:
    health = (await health_of(unit, [box.id])).get(box.id)
    used, _ = await used_today(unit, box)
    return {
        "sender": str(box.id), "address": box.address, "display_name": box.display_name, "state": box.state.value,
        "state_reason": box.state_reason, "daily_limit": box.daily_limit, "allowance": box.allowance, "used": used,
        "aliases": list(box.aliases), "signature": box.signature, "signature_html": box.signature_html,
        "hours": hours_text(box.hours) if box.hours else None, "owner": str(box.owner_id) if box.owner_id else None,
        "warm_up": asdict(box.warm_up) if box.warm_up else None, "stop": asdict(box.stop) if box.stop else None,
        "health": asdict(health) if health else None,
        "pools": [pool.name for pool in await pools(unit) if box.id in pool.mailbox_ids],
    }  # fmt: skip


async def pool_work(
    workspace: str | None, as_email: str | None, what: str, name: str = "", more: Any = None
) -> list[dict[str, Any]]:
    """``list``, ``make``, ``rename``, ``fill`` or ``remove``: the pools that it concerns, as they are afterwards."""
    async with _inside(workspace, as_email) as (unit, actor):
        authorize(actor, Action.READ if what == "list" else Action.MANAGE_SENDERS)
        concerned = await _do(unit, actor, what, name, more)
        boxes = {box.id: box.address for box in await mailboxes(unit)}
        unit.session.expire_all()
        found = await pools(unit)
    return [_entry(pool, boxes) for pool in found if concerned is None or pool.id == concerned]


async def _do(unit: Unit, actor: Actor, what: str, name: str, more: Any) -> UUID | None:
    """The pool that is shown afterwards; None for all."""
    if what == "list":
        return None
    if what == "make":
        return (await make_pool(unit, actor, name)).id
    pool = await pool_named(unit, name)
    if what == "rename":
        await rename_pool(unit, actor, pool.id, more)
    elif what == "fill":
        await fill_pool(unit, actor, pool.id, await _ids(unit, more))
    else:
        await remove_pool(unit, actor, pool.id)
    return pool.id


async def _ids(unit: Unit, addresses: Sequence[str]) -> list[UUID]:
    found = {box.address: box.id for box in await mailboxes(unit, addresses)}
    for address in addresses:
        if address.lower() not in found:
            raise not_found("mailbox", address)
    return list(found.values())


def _entry(pool: Pool, boxes: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "pool": str(pool.id),
        "name": pool.name,
        "former": list(pool.former),
        "mailboxes": sorted(boxes[i] for i in pool.mailbox_ids),
    }
