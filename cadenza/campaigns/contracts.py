"""A campaign as other rooms see it: the file's content, checked, frozen and compiled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from cadenza.core.errors import Problem
from cadenza.timing.contracts import Window


class CampaignState(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Variant:
    id: str
    text: str
    subject: str | None = None  # None answers in the thread of another step
    html: str | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do a step: what is done on which channel, with which words. ``variants`` are empty where nothing is written.

    ``channel`` and ``action``: email (send), linkedin (view_profile, connect, message) or phone (call, with its ``script``).
    """

    channel: str
    action: str
    variants: tuple[Variant, ...] = ()
    script: str | None = None
    languages: Mapping[str, Mapping[str, Variant]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fallback:
    """The step that is done instead when a step's own channel fails; its channel is named so that a reader sees it."""

    channel: str
    step: str


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    after_days: int  # working days after the step before
    variants: tuple[
        Variant, ...
    ]  # empty where nothing is written, and where the engine chooses among ``options``
    channel: str = "email"  # email, linkedin, phone, or any: one of the ``options``
    action: str = "send"  # as in ``Way``; any where the channel is
    reply_to: str | None = None  # id of the step whose thread this one continues; None starts a new thread
    when: str | None = None  # condition, parsed and checked when saved
    otherwise: str | None = (
        None  # step to go to when the condition fails (`else` in the file); None skips this one
    )
    languages: Mapping[str, Mapping[str, Variant]] = field(default_factory=dict)
    script: str | None = None  # of a call
    options: tuple[Way, ...] = ()
    fallback: Fallback | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """How the step can be done: its options, else the one way that it says itself."""
        return self.options or (Way(self.channel, self.action, self.variants, self.script, self.languages),)


@dataclass(frozen=True, slots=True)
class Caps:
    per_person_per_week: int = 2
    per_account_per_day: int = 3
    per_sender_per_day: int = 60


@dataclass(frozen=True, slots=True)
class Definition:
    """What a campaign file says, with its defaults filled in."""

    name: str
    steps: tuple[Step, ...]
    contacts_file: str  # as written in the file; empty where the audience is a segment
    mailboxes: tuple[str, ...]  # empty where the senders are a pool
    goal_metric: str = "meetings"
    goal_target: int | None = None
    window: Window = field(default_factory=Window)
    caps: Caps = field(default_factory=Caps)
    grace_hours: int = 24
    stop_person: frozenset[str] = frozenset({"reply", "meeting", "opt_out", "bounce"})
    stop_account: frozenset[str] = frozenset()
    track_opens: bool = False
    track_clicks: bool = False
    experiment_metric: str = "positive_replies"
    segment: str = ""  # its name, where the audience is a segment; then there is no contacts file
    pool: str = ""  # its name, where the senders are a pool: whoever is in it when a message is claimed

    @property
    def audience(self) -> str:
        """The contacts file or the segment, as the file names it."""
        return self.segment or self.contacts_file

    @property
    def channels(self) -> frozenset[str]:
        """Every channel that a step may use."""
        return frozenset(way.channel for step in self.steps for way in step.ways)


@dataclass(frozen=True, slots=True)
class Campaign:
    id: UUID
    name: str
    state: CampaignState
    version: int
    version_id: UUID
    definition: Definition
    created_at: datetime
    launched_at: datetime | None = None
    folder: str | None = None  # where the applied file lay; `contacts_file` is read from there


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a campaign: who made it when, and what it changed, in words."""

    id: UUID
    number: int
    created_at: datetime
    member_id: UUID | None
    changes: tuple[str, ...]


Tree = dict[str, Any]
"""A campaign file as plain values, as YAML would read it: what the editor changes piece by piece."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A window of a browser that writes in a working copy: its own name, who had written last when it was opened, and in what."""

    window: str
    after: str = ""
    version: int | None = None  # that its form was made of


@dataclass(frozen=True, slots=True)
class Edit:
    """A member's working copy of a campaign. ``definition`` is None while there are ``problems``, told by their places.

    ``based_on`` is the version it began with; another one than ``version`` means that somebody saved meanwhile.
    """

    campaign_id: UUID
    name: str
    based_on: int
    version: int
    tree: Tree
    changed: bool
    definition: Definition | None
    problems: tuple[Problem, ...]
    window: str = ""  # that wrote last in the copy


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str | None
    text: str
    html: str | None


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """One variant of one step as a certain person would read it; ``language`` is None for the text without one."""

    step: str
    variant: str
    language: str | None
    rendered: Rendered
    channel: str = "email"


SCRIPT = "script"
"""Under this instead of a variant's id the script of a call is compiled."""


@dataclass(frozen=True, slots=True)
class StepText:
    """A variant, or the script of a call. ``place`` is where its words stand in the tree; ``id`` is its name within the step."""

    id: str
    place: str
    words: Tree  # id, text, and subject and html where it has them
    languages: dict[str, tuple[str, Tree]]  # by language: the place and the words
    channel: str
    action: str

    @property
    def is_script(self) -> bool:
        return self.words["id"] == SCRIPT and self.action == "call"

    def spoken(self, language: str | None) -> Variant:
        """In this language, where the copy has it."""
        _, words = self.languages.get(language or "", ("", self.words))
        return Variant(
            str(self.words["id"]), str(words.get("text", "")), words.get("subject"), words.get("html")
        )


@dataclass(frozen=True, slots=True)
class PreviewedText:
    rendered: Rendered
    missing: tuple[str, ...]  # tokens without a value, where the fallback stands


class CompiledVariant(Protocol):
    """A variant parsed once. ``render`` never raises, hangs or grows without bound for a saved variant."""

    @property
    def names(self) -> frozenset[str]: ...  # the tokens that it prints or asks about

    def render(self, facts: Mapping[str, Any]) -> Rendered: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """The answer of ``cadenza campaigns apply``."""

    campaign: str
    version: int | None
    created: bool
    changes: tuple[str, ...]
    errors: tuple[dict[str, Any], ...]
    rejected: tuple[
        dict[str, Any], ...
    ] = ()  # rows of the contacts file that were not taken, as its import tells them
    warnings: tuple[dict[str, Any], ...] = ()  # kept although; what a launch would refuse


@dataclass(frozen=True, slots=True)
class ConditionFacts:
    """What is known about one person in one campaign when a step is due. Steps are named by their ids."""

    replied: bool = False
    intents: frozenset[str] = frozenset()  # of the replies so far
    delivered: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()  # by people; machines do not count
    clicked: frozenset[str] = frozenset()
    bounced: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()  # invitations
    connected: frozenset[str] = frozenset()  # calls that a person answered
    silent_days: float = 0  # world days since the person's last sign, else since the first touch
    score: float | None = None
    language: str | None = None
    country: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)  # custom fields of the contact
