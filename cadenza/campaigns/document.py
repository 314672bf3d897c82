"""A campaign file: YAML text in, a checked definition out, or every problem with its line and what to do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from cadenza.campaigns.contracts import Caps, Definition
from cadenza.campaigns.document_steps import StepReader
from cadenza.campaigns.document_ways import WayReader
from cadenza.campaigns.neighbour_files import Folder, NeighbourFileError
from cadenza.campaigns.reader import Reader
from cadenza.campaigns.yaml_tree import Entry, Value, read_tree
from cadenza.core.errors import Problem
from cadenza.timing.contracts import Window
from cadenza.timing.service import is_zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_METRICS = frozenset(
    {
        "delivered", "human_opens", "clicks", "replies", "positive_replies", "meetings", "opportunities", "won_value",
    }
)  # fmt: skip
PERSON_STOPS = frozenset({"reply", "meeting", "opt_out", "bounce"})
_ALWAYS_STOP = frozenset({"opt_out", "bounce"})  # whatever the file says
_KEYS = frozenset(
    {
        "version", "name", "goal", "audience", "senders", "window", "caps", "grace", "stop", "tracking", "steps",
        "experiment",
    }
)  # fmt: skip
_NAME = re.compile(r"\w[\w .-]{0,99}")
_ADDRESS = re.compile(r"[^@\s,;<>\"\x00-\x1f]{1,64}@[^@\s,;<>\"\x00-\x1f]{1,253}")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")

CustomFields = Callable[[str], frozenset[str] | None]
"""From the name of the contacts file to the custom fields that templates may use; None when any may exist."""


@dataclass(frozen=True, slots=True)
class Reading:
    """``definition`` is None when there are problems. ``name`` is there as soon as the file gives a usable one.

    ``lines`` says where the name, the audience, the pool and each mailbox (by its address) stand, for what can only be found
    out later.
    """

    name: str
    definition: Definition | None
    problems: tuple[Problem, ...]
    lines: Mapping[str, int] = field(default_factory=dict)


def read_document(source: str, folder: Folder, custom_fields: CustomFields) -> Reading:
    """Read and check a campaign file; never raises for what it says."""
    tree, problems = read_tree(source)
    if tree is None:
        return Reading("", None, tuple(problems))
    document = _Document(Reader(problems), folder, custom_fields)
    definition = document.read(tree)
    found = tuple(sorted(document.reader.problems, key=lambda problem: problem.line or 0))
    return Reading(definition.name, None if found else definition, found, _lines(tree))


def _lines(tree: Value) -> dict[str, int]:
    entries = tree.content if isinstance(tree.content, dict) else {}
    audience, senders = _inner(entries, "audience"), _inner(entries, "senders")
    places = {
        "name": entries.get("name"),
        "audience.contacts": audience.get("contacts"),
        "audience.segment": audience.get("segment"),
        "senders.pool": senders.get("pool"),
    }
    listed = senders["mailboxes"].value.content if "mailboxes" in senders else None
    addresses = {str(each.content).lower(): each.line for each in listed} if isinstance(listed, list) else {}
    return addresses | {key: entry.line for key, entry in places.items() if entry}


def _inner(entries: Mapping[str, Entry], section: str) -> Mapping[str, Entry]:
    content = entries[section].value.content if section in entries else None
    return content if isinstance(content, dict) else {}


@dataclass(slots=True)
class _Document:
    reader: Reader
    folder: Folder
    custom_fields: CustomFields

    def read(self, tree: Value) -> Definition:
        read = self.reader
        entries = read.mapping(tree, "", _KEYS, required=("version", "name", "audience", "senders", "steps"))
        self._version(entries.get("version"))
        goal = self._section(entries, "goal", {"metric", "target"})
        grace = self._section(entries, "grace", {"hours"})
        stop = self._section(entries, "stop", {"person", "account"})
        tracking = self._section(entries, "tracking", {"opens", "clicks"})
        contacts_file, segment = self._audience(entries.get("audience"))
        mailboxes, pool = self._senders(entries.get("senders"))
        person, account = self._stops(stop)
        steps = StepReader(read, WayReader(read, self.folder, self.custom_fields(contacts_file)))
        return Definition(
            name=self._name(entries.get("name")),
            steps=steps.steps(entries["steps"]) if "steps" in entries else (),
            contacts_file=contacts_file,
            mailboxes=mailboxes,
            pool=pool,
            goal_metric=read.word(goal.get("metric"), "goal.metric", _METRICS, default="meetings"),
            goal_target=read.whole(goal.get("target"), "goal.target", least=1, most=10**9, default=0) or None,
            window=self._window(entries),
            caps=self._caps(entries),
            grace_hours=read.whole(grace.get("hours"), "grace.hours", least=1, most=720, default=24),
            stop_person=person,
            stop_account=account,
            track_opens=read.truth(tracking.get("opens"), "tracking.opens", default=False),
            track_clicks=read.truth(tracking.get("clicks"), "tracking.clicks", default=False),
            experiment_metric=self._experiment(entries),
            segment=segment,
        )

    def _section(self, entries: dict[str, Entry], name: str, known: set[str]) -> dict[str, Entry]:
        return self.reader.mapping(entries[name].value, name, known) if name in entries else {}

    def _version(self, entry: Entry | None) -> None:
        if entry and (isinstance(entry.value.content, bool) or entry.value.content != 1):
            self.reader.wrong(
                entry.line, "version", "This program reads campaign files of version 1: write version: 1."
            )

    def _name(self, entry: Entry | None) -> str:
        name = self.reader.text(entry, "name", most=100)
        if entry and name and not _NAME.fullmatch(name):
            self.reader.wrong(entry.line, "name", "A name has letters, digits, spaces and . _ - only.")
            return ""
        return name

    def _audience(self, entry: Entry | None) -> tuple[str, str]:
        """The contacts file or the name of the segment; one of them is empty."""
        if entry is None:
            return "", ""
        later = {
            "query": "for now name a CSV file or a segment: audience: {contacts: FILE.csv} or {segment: NAME}"
        }
        inside = self.reader.mapping(entry.value, "audience", {"contacts", "segment"}, later=later)
        known = set(entry.value.content) if isinstance(entry.value.content, dict) else {"query"}
        if not known & {"contacts", "segment", "query"}:
            message = "Say who: contacts: FILE.csv, or segment: NAME."
            self.reader.wrong(entry.line, "audience.contacts", message, "key_missing")
        if {"contacts", "segment"} <= known:
            message = "Name a contacts file or a segment, not both."
            self.reader.wrong(inside["segment"].line, "audience.segment", message)
        name = self.reader.text(inside.get("contacts"), "audience.contacts", most=255)
        if name and self.folder.path is not None:
            self._find(inside["contacts"], name)
        return name, self.reader.text(inside.get("segment"), "audience.segment", most=100)

    def _find(self, entry: Entry, name: str) -> None:
        try:
            self.folder.find(name)
        except NeighbourFileError as wrong:
            self.reader.wrong(entry.line, "audience.contacts", str(wrong), "file_invalid")

    def _senders(self, entry: Entry | None) -> tuple[tuple[str, ...], str]:
        """The mailboxes or the name of the pool; one of them is empty."""
        if entry is None:
            return (), ""
        inside = self.reader.mapping(entry.value, "senders", {"mailboxes", "pool", "per_person"})
        self.reader.word(inside.get("per_person"), "senders.per_person", {"sticky"}, default="sticky")
        if isinstance(entry.value.content, dict) and not {"mailboxes", "pool"} & set(inside):
            message = "Say who sends: mailboxes: [a@b.example], or pool: NAME."
            self.reader.wrong(entry.line, "senders.mailboxes", message, "key_missing")
        if {"mailboxes", "pool"} <= set(inside):
            message = "Name mailboxes or a pool, not both."
            self.reader.wrong(inside["pool"].line, "senders.pool", message)
        mailboxes = self._mailboxes(inside["mailboxes"]) if "mailboxes" in inside else ()
        return mailboxes, self.reader.text(inside.get("pool"), "senders.pool", most=100)

    def _mailboxes(self, entry: Entry) -> tuple[str, ...]:
        found: list[str] = []
        for value in self.reader.sequence(entry.value, "senders.mailboxes", least=1, most=500):
            address: Any = value.content
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                self.reader.wrong(
                    value.line,
                    "senders.mailboxes",
                    "Write the address of a mailbox, such as ann@acme.example.",
                )
            elif address.lower() in found:
                self.reader.wrong(value.line, "senders.mailboxes", f"{address!r} is listed twice.")
            else:
                found.append(address.lower())
        return tuple(found)

    def _window(self, entries: dict[str, Entry]) -> Window:
        inside = self._section(entries, "window", {"days", "from", "to", "zone", "holidays"})
        plain = Window()
        start = self._time(inside.get("from"), "window.from", plain.start)
        end = self._time(inside.get("to"), "window.to", plain.end)
        if start >= end:
            self.reader.wrong(
                entries["window"].line, "window", "The window must end later than it begins, on the same day."
            )
        holidays = self.reader.word(
            inside.get("holidays"), "window.holidays", {"recipient", "none"}, default="recipient"
        )
        return Window(
            days=self._days(inside.get("days")) or plain.days,
            start=start,
            end=end,
            zone=self._zone(inside.get("zone")),
            holidays=holidays == "recipient",
        )

    def _time(self, entry: Entry | None, key: str, default: time) -> time:
        if entry is None:
            return default
        content = entry.value.content
        if content == "24:00" and key == "window.to":
            return time.max
        found = _TIME.fullmatch(content) if isinstance(content, str) else None
        if found is None:
            self.reader.wrong(entry.line, key, 'Write a time of day as "08:30".')
            return default
        return time(int(found[1]), int(found[2]))

    def _zone(self, entry: Entry | None) -> str | None:
        name = self.reader.text(entry, "window.zone", most=64, default="recipient")
        if name == "recipient":
            return None
        if entry and not is_zone(name):
            self.reader.wrong(
                entry.line,
                "window.zone",
                f"{name!r} is no time zone; write recipient or an IANA name such as Europe/Berlin.",
            )
        return name

    def _days(self, entry: Entry | None) -> frozenset[int]:
        if entry is None:
            return frozenset()
        content = entry.value.content
        words = [value.content for value in content] if isinstance(content, list) else str(content).split(",")
        try:
            return frozenset(day for word in words for day in _day_range(word))
        except ValueError:
            self.reader.wrong(
                entry.line,
                "window.days",
                f"Write days as mon-fri or [mon, wed]; the days are {', '.join(_DAYS)}.",
            )
            return frozenset()

    def _caps(self, entries: dict[str, Entry]) -> Caps:
        plain = Caps()
        inside = self._section(
            entries, "caps", {"per_person_per_week", "per_account_per_day", "per_sender_per_day"}
        )
        read = self.reader.whole
        return Caps(
            per_person_per_week=read(inside.get("per_person_per_week"), "caps.per_person_per_week", least=1, most=50, default=plain.per_person_per_week),
            per_account_per_day=read(inside.get("per_account_per_day"), "caps.per_account_per_day", least=1, most=1000, default=plain.per_account_per_day),
            per_sender_per_day=read(inside.get("per_sender_per_day"), "caps.per_sender_per_day", least=1, most=100_000, default=plain.per_sender_per_day),
        )  # fmt: skip

    def _stops(self, inside: dict[str, Entry]) -> tuple[frozenset[str], frozenset[str]]:
        person = self.reader.words(inside.get("person"), "stop.person", PERSON_STOPS)
        account = self.reader.words(inside.get("account"), "stop.account", PERSON_STOPS)
        wanted = PERSON_STOPS if person is None else frozenset(person) | _ALWAYS_STOP
        return wanted, frozenset(account or ())

    def _experiment(self, entries: dict[str, Entry]) -> str:
        inside = self._section(entries, "experiment", {"metric", "allocation"})
        later = {"adaptive": "for now variants are spread evenly: allocation: even"}
        self.reader.word(
            inside.get("allocation"), "experiment.allocation", {"even"}, default="even", later=later
        )
        return self.reader.word(
            inside.get("metric"), "experiment.metric", _METRICS, default="positive_replies"
        )


def _day_range(word: Any) -> range:
    """``wed`` or ``mon-fri`` as ISO weekdays. Raises ValueError for anything else, an empty range included."""
    first, _, last = str(word).strip().lower().partition("-")
    days = range(_DAYS.index(first) + 1, _DAYS.index(last or first) + 2)
    if not days:
        raise ValueError(word)
    return days
