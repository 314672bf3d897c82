"""What LinkedIn and phone are used through, what is to be done there, and what comes back. Read through ``contracts``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class AccountProvider(StrEnum):
    """Who carries out what is to be done on LinkedIn or by phone. ``assisted``: a person, from a work item."""

    ASSISTED = "assisted"
    UNIPILE = "unipile"
    TWILIO = "twilio"


class AccountState(StrEnum):
    OK = "ok"
    BROKEN = "broken"  # its key is refused, or its provider lost it: a person mends it
    RESTRICTED = (
        "restricted"  # the network itself restricts it: nothing more goes out by it until a person says so
    )
    RETIRED = "retired"  # disconnected; kept for what it did


BY_HAND = "by-hand:"
"""The address of an account that is nobody's begins so."""


@dataclass(frozen=True, slots=True)
class ChannelAccount:
    """What LinkedIn or the phone is used through. No secret in it.

    ``address`` is the profile's URL, or the number (E.164) that people see; ``base_url`` and ``reference`` are where the provider
    is asked and its own id of the account; ``rings`` is the phone (E.164) of whoever talks, which Twilio rings first.
    """

    id: UUID
    workspace_id: UUID
    channel: str  # linkedin or phone
    provider: AccountProvider
    name: str
    address: str
    state: AccountState
    state_reason: str = ""
    base_url: str = ""
    reference: str = ""
    rings: str = ""
    owner_id: UUID | None = None
    wait_until: datetime | None = None  # machine time: its provider asked for patience (429)
    fetched_at: datetime | None = None  # world time: what came later is not read yet

    @property
    def can_send(self) -> bool:
        return self.state is AccountState.OK

    @property
    def stands_in(self) -> bool:
        """It is there because nothing was connected, and steps back once something is."""
        return self.address.startswith(BY_HAND)

    @property
    def is_connected(self) -> bool:
        """Whether there is any use in asking its provider: a restricted one still receives."""
        return self.state in (AccountState.OK, AccountState.RESTRICTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing to do for one touch. ``recipient``: e-mail address, profile URL or number (E.164).

    ``person`` is the provider's own id of the recipient and ``thread`` that of the conversation, where they are known. ``place``
    is the recipient's zone, for whoever calls.
    """

    touch_id: UUID
    action: str  # send, view_profile, connect, message or call
    recipient: str
    at: datetime  # when it was claimed, world time: a look-up begins there
    name: str = ""
    subject: str = ""
    text: str = ""
    script: str = ""
    thread: str | None = None
    person: str | None = None
    zone: str | None = None
    contact_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much of one action may still be done now; ``until`` is when to ask again, ``why`` what stands in the way."""

    left: int
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """The other side's answer to whether it lets us in. ``broken``: not before a person did something."""

    ok: bool
    detail: str
    state: AccountState = AccountState.OK


class IncomingKind(StrEnum):
    ACCEPTED = "accepted"  # a connection request
    REPLIED = "replied"
    REACTED = "reacted"
    VIEWED = "viewed"  # they have seen what we wrote
    MENTIONED = "mentioned"
    OURS = "ours"  # our own message, from here or written by hand elsewhere
    DONE = "done"  # a person did what a work item asked for
    NOT_DONE = "not_done"  # a person says that it cannot be done
    CONNECTED = "connected"  # a call in which people talked
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    MEETING = "meeting"
    CALL_BACK = "call_back"
    MISSED = "missed"  # they called us, and nobody answered
    REACHED_MACHINE = "reached_machine"  # our call met a voicemail
    VOICEMAIL = "voicemail"  # theirs to us, with its transcript where there is one
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing that a provider told, or a person. ``key`` is the provider's own and makes it one, however often it is told.

    ``reference`` is what of ours it answers (an id that a ``WireReply`` gave), ``person`` the provider's id, address or number of
    whoever did it, ``thread`` the conversation's.
    """

    key: str
    kind: IncomingKind
    at: datetime
    reference: str | None = None
    person: str | None = None
    thread: str | None = None
    text: str = ""
    touch_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
