"""What the sandbox's Unipile knows: accounts, profiles, invitations, connections, chats and webhooks."""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cadenza.core.clock import Clock
from cadenza.sandbox.channel_people import Agenda, Deed, Journal, Responder, kept_deed, read_deed


@dataclass(slots=True)
class Message:
    id: str
    chat: str
    person: str  # the provider's id of the other one
    text: str
    at: datetime
    ours: bool
    seen: bool = False
    reactions: list[str] = field(default_factory=list)  # by the other one


@dataclass(slots=True)
class Invitation:
    id: str
    person: str
    text: str
    at: datetime
    account: str


@dataclass(slots=True)
class Hook:
    id: str
    url: str
    source: str
    headers: dict[str, str]
    account_ids: list[str]
    events: list[str]


def provider_id(public: str) -> str:
    """LinkedIn's own id of a profile, the same for the same name. Whoever gives it back is known by it."""
    return "ACoAA" + hashlib.sha256(public.encode()).hexdigest()[:34]


class LinkedinStore:
    """Every change is on disk before it is told. ``accounts``: the ids of the accounts that signed in here."""

    def __init__(self, path: Path, clock: Clock, responder: Responder, accounts: list[str]) -> None:
        self._journal = Journal(path)
        self.clock = clock
        self.agenda = Agenda(clock, responder)
        self.accounts = accounts
        self.status = dict.fromkeys(accounts, "OK")
        self.public: dict[str, str] = {}  # by the provider's id
        self.invitations: dict[str, Invitation] = {}  # by the person's id
        self.relations: dict[str, datetime] = {}
        self.messages: list[Message] = []
        self.visits: list[tuple[str, bool]] = []
        self.hooks: dict[str, Hook] = {}
        self._deeds = 0
        for entry in self._journal.read():
            self._apply(entry)

    def known(self, identifier: str) -> str:
        """The provider's id of whoever is meant by either name; every name is a profile here."""
        if identifier in self.public:
            return identifier
        person = provider_id(identifier)
        self.public[person] = identifier
        return person

    def _record(self, entry: dict[str, Any]) -> None:
        self._journal.add(entry)
        self._apply(entry)

    def _apply(self, entry: dict[str, Any]) -> None:
        getattr(self, f"_apply_{entry['kind']}")(entry)

    def _new(self, kind: str) -> str:
        return f"{kind}_{hashlib.sha256(f'{kind}{self._deeds}{len(self.messages)}{len(self.hooks)}'.encode()).hexdigest()[:22]}"  # fmt: skip

    def do(self, kind: str, account: str, person: str, text: str = "", **more: Any) -> Deed:
        """One deed of ours, with what it makes; its reactions come in their time."""
        deed = Deed(
            number=self._deeds, kind=kind, account=account, person=self.public[person], text=text, at=self.clock.now()
        )  # fmt: skip
        self._record({"kind": "deed", "deed": kept_deed(deed), "person": person, "more": more})
        return deed

    def _apply_deed(self, entry: dict[str, Any]) -> None:
        deed, person, more = read_deed(entry["deed"]), entry["person"], entry["more"]
        self._deeds = deed.number + 1
        self.public[person] = deed.person
        if deed.kind == "visit":
            self.visits.append((person, more["told"]))
        elif deed.kind == "connect":
            self.invitations[person] = Invitation(more["id"], person, deed.text, deed.at, deed.account)
        else:
            self.messages.append(Message(more["id"], more["chat"], person, deed.text, deed.at, ours=True))
        self.agenda.add(deed)

    def invite(self, account: str, person: str, text: str) -> str:
        identity = self._new("inv")
        self.do("connect", account, person, text, id=identity)
        return identity

    def write(self, account: str, person: str, text: str) -> Message:
        self.do("message", account, person, text, id=self._new("msg"), chat=chat_with(person))
        return self.messages[-1]

    def accept(self, person: str) -> None:
        self._record({"kind": "accept", "person": person, "at": self.clock.now().isoformat()})

    def _apply_accept(self, entry: dict[str, Any]) -> None:
        self.invitations.pop(entry["person"], None)
        self.relations[entry["person"]] = datetime.fromisoformat(entry["at"])

    def answer(self, person: str, text: str) -> Message:
        """What the other one writes."""
        self._record(
            {"kind": "answer", "person": person, "id": self._new("msg"), "text": text, "at": self.clock.now().isoformat()}
        )  # fmt: skip
        return self.messages[-1]

    def _apply_answer(self, entry: dict[str, Any]) -> None:
        at = datetime.fromisoformat(entry["at"])
        self.messages.append(
            Message(entry["id"], chat_with(entry["person"]), entry["person"], entry["text"], at, ours=False)
        )

    def mark(self, message: Message, *, like: str = "") -> None:
        """The other one has seen our message, or reacts to it."""
        self._record({"kind": "mark", "id": message.id, "like": like})

    def _apply_mark(self, entry: dict[str, Any]) -> None:
        message = next(each for each in self.messages if each.id == entry["id"])
        message.seen = True
        if entry["like"]:
            message.reactions.append(entry["like"])

    def last_of_ours(self, person: str) -> Message | None:
        return next((each for each in reversed(self.messages) if each.ours and each.person == person), None)

    def hook(self, url: str, source: str, headers: dict[str, str], ids: list[str], events: list[str]) -> str:
        hook = Hook(self._new("wh"), url, source, headers, ids, events)
        self._record({"kind": "hook", "hook": asdict(hook)})
        return hook.id

    def _apply_hook(self, entry: dict[str, Any]) -> None:
        hook = Hook(**entry["hook"])
        self.hooks[hook.id] = hook

    def unhook(self, identity: str) -> bool:
        if identity not in self.hooks:
            return False
        self._record({"kind": "unhook", "id": identity})
        return True

    def _apply_unhook(self, entry: dict[str, Any]) -> None:
        del self.hooks[entry["id"]]

    def reacted(self, key: str) -> None:
        self._record({"kind": "reacted", "key": key})

    def _apply_reacted(self, entry: dict[str, Any]) -> None:
        self.agenda.done.add(entry["key"])


def chat_with(person: str) -> str:
    return "chat_" + hashlib.sha256(person.encode()).hexdigest()[:20]
