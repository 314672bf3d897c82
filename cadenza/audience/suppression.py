"""Stops: recorded once, never taken back, on every way to reach a person."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.audience.addresses import AddressError, normal_email, normal_linkedin, normal_phone
from cadenza.audience.contracts import Channel, Suppression, SuppressionKind, SuppressionReason
from cadenza.audience.models import AddressRow, ContactRow, SuppressionRow
from cadenza.core.errors import CadenzaError, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize
from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events, timeline

_SOURCE = 200  # characters that are kept


def normal_value(channel: Channel, text: str) -> str:
    """The normal form of an address. Raises ``AddressError``."""
    if channel is Channel.EMAIL:
        return normal_email(text)
    return normal_linkedin(text) if channel is Channel.LINKEDIN else normal_phone(text, None)


async def suppress(
    unit: Unit,
    kind: SuppressionKind,
    value: str,
    reason: SuppressionReason,
    source: str,
    contact_id: UUID | None = None,
) -> bool:
    """Record a stop; False when the same one stood already. ``value`` is an address, a domain or a contact's id.

    Addresses and domains need not be in normal form. Raises ``CadenzaError`` for what can be neither.
    """
    normal = _normal(kind, value)
    new = await _insert(unit, [(kind, normal)], reason, source, contact_id)
    if new:
        await record_events(
            unit, [_event(EventKind.SUPPRESSED, unit, contact_id, reason, source, kind.value)]
        )
    return bool(new)


def _normal(kind: SuppressionKind, value: str) -> str:
    try:
        if kind is SuppressionKind.CONTACT:
            return str(UUID(value))
        if kind is SuppressionKind.DOMAIN:
            return normal_email(f"x@{value.strip().lstrip('@').rstrip('.')}").removeprefix("x@")
        return _address(value)
    except (AddressError, ValueError) as wrong:
        raise CadenzaError(
            "suppression_invalid", f"{value[:80]!r} is no {kind.value}.", fix="Correct it."
        ) from wrong


def _address(value: str) -> str:
    """An address of any channel. A telephone number needs its country code."""
    channel = Channel.EMAIL if "@" in value else Channel.LINKEDIN if "/" in value else Channel.PHONE
    return normal_value(channel, value)


async def _insert(
    unit: Unit,
    stops: Iterable[tuple[SuppressionKind, str]],
    reason: SuppressionReason,
    source: str,
    contact_id: UUID | None,
) -> list[str]:
    """The values that were not stopped for this reason before."""
    rows = [
        {
            "workspace_id": unit.workspace_id,
            "id": new_id(),
            "kind": kind.value,
            "value": value,
            "reason": reason.value,
            "source": source[:_SOURCE],
            "at": unit.world.now(),
            "contact_id": contact_id,
        }
        for kind, value in stops
    ]
    if not rows:
        return []
    statement = insert(SuppressionRow).on_conflict_do_nothing().returning(SuppressionRow.value)
    new = list((await unit.session.scalars(statement, rows)).all())
    if reason is SuppressionReason.MANUAL and len(new) < len(rows):
        await _keep(unit, [str(row["value"]) for row in rows], source)
    return new


async def _keep(unit: Unit, values: Sequence[str], source: str) -> None:
    """A stop that a change to many people made is no longer lifted with it: somebody meant this one."""
    query = text("select keep_stops(:values, :source)")
    await unit.session.execute(query, {"values": list(values), "source": source[:_SOURCE]})


def _event(
    kind: EventKind, unit: Unit, contact_id: UUID | None, reason: SuppressionReason, source: str, what: str
) -> NewEvent:
    data = {"reason": reason.value, "source": source[:_SOURCE], "kind": what}
    return NewEvent(kind=kind, origin="audience", at=unit.world.now(), contact_id=contact_id, data=data)


async def unsubscribe(unit: Unit, contact_id: UUID, source: str, *, complaint: bool = False) -> bool:
    """Stop a person and every address of theirs, for ever, in this transaction; False when it stood already.

    The event is laid to the last message the person got, if there was one.
    """
    reason = SuppressionReason.COMPLAINT if complaint else SuppressionReason.OPT_OUT
    row = await unit.session.get(ContactRow, (unit.workspace_id, contact_id))
    if (
        row is not None and row.merged_into is not None
    ):  # links in letters carry the id that the person had then
        contact_id = row.merged_into
    new = await _stop_everywhere(unit, contact_id, reason, source)
    if str(contact_id) not in new:
        return False
    events = [_event(EventKind.SUPPRESSED, unit, contact_id, reason, source, SuppressionKind.CONTACT.value)]
    if not complaint:
        events.append(await _unsubscribed(unit, contact_id, source))
    await record_events(unit, events)
    return True


async def _stop_everywhere(unit: Unit, contact_id: UUID, reason: SuppressionReason, source: str) -> list[str]:
    """Stop the person and each of their addresses; the values that were not stopped for this reason before."""
    query = (
        select(AddressRow.value)
        .where(AddressRow.workspace_id == unit.workspace_id, AddressRow.contact_id == contact_id)
        .order_by(AddressRow.value)  # as changes to many people do it: nobody waits in a ring
    )
    stops = [(SuppressionKind.ADDRESS, value) for value in (await unit.session.scalars(query)).all()]
    stops.append((SuppressionKind.CONTACT, str(contact_id)))
    return await _insert(unit, stops, reason, source, contact_id)


async def _unsubscribed(unit: Unit, contact_id: UUID, source: str) -> NewEvent:
    last = next(iter(await timeline(unit, contact_id=contact_id, kinds=[EventKind.SENT], limit=1)), None)
    return NewEvent(
        kind=EventKind.UNSUBSCRIBED,
        origin="audience",
        at=unit.world.now(),
        contact_id=contact_id,
        campaign_id=last.campaign_id if last else None,
        step=last.step if last else None,
        variant=last.variant if last else None,
        touch_id=last.touch_id if last else None,
        mailbox_id=last.mailbox_id if last else None,
        data={"source": source[:_SOURCE]},
    )


async def suppress_contact(unit: Unit, actor: Actor, contact_id: UUID, *, source: str = "page") -> bool:
    """A member stops a person and all their addresses. Raises ``CadenzaError`` for an unknown contact."""
    authorize(actor, Action.SUPPRESS)
    if await unit.session.get(ContactRow, (unit.workspace_id, contact_id)) is None:
        raise not_found("contact", contact_id)
    new = await _stop_everywhere(unit, contact_id, SuppressionReason.MANUAL, source)
    if new:
        event = _event(EventKind.SUPPRESSED, unit, contact_id, SuppressionReason.MANUAL, source, "contact")
        await record_events(unit, [event])
        await audit(unit, actor, "contact_suppressed", str(contact_id))
    return bool(new)


async def mark_dead(unit: Unit, address: str, source: str) -> bool:
    """A hard bounce: the address is never used again; the person may still have another. False when it was known."""
    try:
        value = normal_email(address)
    except AddressError:
        return False
    found = (
        update(AddressRow)
        .where(
            AddressRow.workspace_id == unit.workspace_id,
            AddressRow.channel == Channel.EMAIL.value,
            AddressRow.value == value,
            AddressRow.dead_at.is_(None),
        )
        .values(dead_at=unit.world.now(), dead_source=source[:_SOURCE])
        .returning(AddressRow.contact_id)
    )
    contact_id = (await unit.session.scalars(found)).first()
    return await suppress(unit, SuppressionKind.ADDRESS, value, SuppressionReason.BOUNCE, source, contact_id)


# In two arrays and plain columns: it is asked with every batch and nearly every page.
_STOPS = text("""
    select s.kind, s.value, s.reason, s.source, s.at
    from unnest(cast(:kinds as text[]), cast(:values as text[])) as asked (kind, value)
    join suppressions s on s.workspace_id = :workspace and s.kind = asked.kind and s.value = asked.value
    order by s.at, s.id
""")


async def stops_of(unit: Unit, wanted: Iterable[tuple[SuppressionKind, str]]) -> list[Suppression]:
    """Every stop on these values, the earliest first; one query."""
    pairs = set(wanted)
    if not pairs:
        return []
    values = {
        "workspace": unit.workspace_id,
        "kinds": [kind.value for kind, _ in pairs],
        "values": [value for _, value in pairs],
    }
    return [
        Suppression(SuppressionKind(kind), value, SuppressionReason(reason), source, at)
        for kind, value, reason, source, at in await unit.session.execute(_STOPS, values)
    ]


def parent_domains(email: str) -> list[str]:
    """The domain of an address and those above it: a stop on ``acme.example`` holds for ``mail.acme.example``."""
    labels = email.rpartition("@")[2].split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def values_to_ask(
    contact_id: UUID, addresses: Sequence[tuple[str, str]]
) -> list[tuple[SuppressionKind, str]]:
    """Everything whose stop would stop this person. ``addresses`` are pairs of channel and value."""
    wanted = [(SuppressionKind.CONTACT, str(contact_id))]
    for channel, value in addresses:
        wanted.append((SuppressionKind.ADDRESS, value))
        if channel == Channel.EMAIL:
            wanted += [(SuppressionKind.DOMAIN, domain) for domain in parent_domains(value)]
    return wanted
