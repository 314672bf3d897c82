"""What Unipile tells, by webhook or when asked, as things that happened. Pure: the same in, the same out.

Its keys come from the provider's own ids, so a webhook, its repetitions and a later look at the lists all tell the same thing once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cadenza.channels.channel_wire import items, moment, words
from cadenza.channels.contracts import Incoming, IncomingKind

Told = Mapping[str, Any]


def from_webhook(told: Told, now: datetime) -> list[Incoming]:
    """``now`` stands in where the provider names no time. A webhook of another kind tells nothing."""
    event = words(told, "event")
    if event == "new_relation":
        return [accepted(words(told, "user_provider_id"), told, now)]
    if event in ("message_received", "message_sent"):
        return [_message(told, now)]
    if event == "message_reaction":
        return _webhook_reaction(told, now)
    if event == "message_read" and not _is_ours(told):
        return [_seen(words(told, "message_id"), told, now)]
    return []


def account_status(told: Told) -> str | None:
    """The word of a webhook about the account itself; None for any other."""
    status = told.get("AccountStatus")
    return words(status, "message") if isinstance(status, dict) else None


def account_of(told: Told) -> str:
    """Which of the provider's accounts a webhook is about."""
    status = told.get("AccountStatus")
    return words(status if isinstance(status, dict) else told, "account_id")


def _is_ours(told: Told) -> bool:
    """Webhooks tell of what we wrote too, from here or by hand elsewhere (M9)."""
    info = told.get("account_info")
    ours = words(info, "user_id") if isinstance(info, dict) else ""
    return told.get("is_sender") in (1, True) or (bool(ours) and words(_sender(told), "attendee_provider_id") == ours)  # fmt: skip


def _sender(told: Told) -> Told:
    sender = told.get("sender")
    return sender if isinstance(sender, dict) else {}


def _message(told: Told, now: datetime) -> Incoming:
    sender = _sender(told)
    return Incoming(
        key=f"message/{words(told, 'message_id')}",
        kind=IncomingKind.OURS if _is_ours(told) else IncomingKind.REPLIED,
        at=moment(words(told, "timestamp"), now),
        reference=words(told, "message_id") or None,
        person=words(sender, "attendee_provider_id") or None,
        thread=words(told, "chat_id") or None,
        text=words(told, "message"),
    )


def _webhook_reaction(told: Told, now: datetime) -> list[Incoming]:
    by = told.get("reaction_sender")
    person = words(by, "attendee_provider_id") if isinstance(by, dict) else ""
    person = person or words(_sender(told), "attendee_provider_id")
    at = moment(words(told, "timestamp"), now)
    return [_reaction(words(told, "message_id"), words(told, "chat_id"), person, words(told, "reaction"), at)]


def _reaction(message: str, thread: str, person: str, value: str, at: datetime) -> Incoming:
    return Incoming(
        key=f"reaction/{message}/{person}/{value}", kind=IncomingKind.REACTED, at=at, reference=message or None,
        person=person or None, thread=thread or None, text=value,
    )  # fmt: skip


def _seen(message: str, told: Told, now: datetime) -> Incoming:
    return Incoming(
        key=f"seen/{message}", kind=IncomingKind.VIEWED, at=moment(words(told, "timestamp"), now), reference=message or None,
        thread=words(told, "chat_id") or None,
    )  # fmt: skip


def accepted(person: str, told: Told, at: datetime) -> Incoming:
    """Somebody is a connection now, whoever of the two asked for it; what the webhook and the list have in common is kept."""
    name = words(told, "user_full_name") or f"{words(told, 'first_name')} {words(told, 'last_name')}".strip()
    public = words(told, "user_public_identifier", "public_identifier")
    profile = words(told, "user_profile_url", "public_profile_url") or f"https://www.linkedin.com/in/{public}"
    data = {"name": name, "public_identifier": public, "profile": profile.rstrip("/")}
    return Incoming(
        key=f"relation/{person}", kind=IncomingKind.ACCEPTED, at=at, person=person or None, data=data
    )


def from_message(told: Told, ours: str, now: datetime) -> list[Incoming]:
    """A message of the list, with the reactions to it and whether it was seen. ``ours``: the provider's id of our own profile."""
    identity, thread = words(told, "id"), words(told, "chat_id")
    at, by_us = moment(words(told, "timestamp"), now), told.get("is_sender") in (1, True)
    if told.get("is_event") in (1, True) or told.get("deleted") in (1, True):
        return []
    message = Incoming(
        key=f"message/{identity}", kind=IncomingKind.OURS if by_us else IncomingKind.REPLIED, at=at, reference=identity,
        person=words(told, "sender_id") or None, thread=thread or None, text=words(told, "text"),
    )  # fmt: skip
    reactions = [
        _reaction(identity, thread, words(each, "sender_id"), words(each, "value"), at)
        for each in items(told, "reactions")
        if each.get("is_sender") is not True and words(each, "sender_id") != ours
    ]
    seen = [_seen(identity, {"chat_id": thread}, at)] if by_us and told.get("seen") in (1, True) else []
    return [message, *reactions, *seen]


def from_relation(told: Told, now: datetime) -> Incoming:
    """One of the list of connections; its time is in milliseconds since 1970."""
    made = told.get("created_at")
    known = isinstance(made, (int, float)) and not isinstance(made, bool) and 0 < made < 4e12
    at = datetime.fromtimestamp(float(made) / 1000, UTC) if known and made is not None else now
    return accepted(words(told, "member_id"), told, at)
