"""What a response changes: counts, what the program knows, what it learns, and whose sequence ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cadenza.audience.contracts import Suppression, SuppressionKind, SuppressionReason
from cadenza.campaigns.contracts import Definition
from cadenza.engine.contracts import PastTouch
from cadenza.lab.contracts import POSITIVE, Diary, Sign
from cadenza.lab.prospects import Prospect
from cadenza.sandbox.service import Reaction


@dataclass(frozen=True, slots=True)
class Touched:
    """A touch with what comes of it. ``place`` is where it stands in the person's history."""

    place: int
    reaction: Reaction
    luck: Mapping[str, float]
    links: bool = False


class Run(Protocol):
    """What a response can change."""

    definition: Definition
    accounts: dict[str, list[Prospect]]
    diary: Diary

    def learn(self, prospect: Prospect, past: PastTouch, response: str | None) -> None: ...


def _note(run: Run, who: Prospect, at: datetime, touched: Touched, what: str) -> PastTouch:
    """The person's history, the facts of conditions and the policy hear of it."""
    past = who.history[touched.place]
    noted = PastTouch(
        step=past.step, channel=past.channel, action=past.action, at=past.at, attributes=past.attributes,
        responses=past.responses | {what},
    )  # fmt: skip
    who.history[touched.place] = noted
    who.note(what, past.step)
    who.last_sign = at
    run.learn(who, noted, what)
    return noted


def _opened(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    """The world counts it anyway; the program sees it only where the campaign tracks opens."""
    run.diary.add("human_opens", who.number)
    if run.definition.track_opens:
        _note(run, who, at, touched, "opened")


def _clicked(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    run.diary.add("clicks", who.number)
    if run.definition.track_clicks:
        _note(run, who, at, touched, "clicked")


def _accepted(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    who.accepted = True
    _note(run, who, at, touched, "accepted")


def _connected(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    _note(run, who, at, touched, "connected")


def _replied(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    intent = who.nature.intent(touched.luck)
    run.diary.add("replies", who.number)
    who.replied = True
    who.intents.add(intent)
    _note(run, who, at, touched, "replied")
    if intent in POSITIVE:
        run.diary.add("positive_replies", who.number)
    _sign(run, who, at, "replied")
    if intent == "unsubscribe":
        _unsubscribed(run, who, at, touched)
    elif who.nature.meets(who.person, intent, touched.luck):
        _met(run, who, at, touched)


def _met(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    run.diary.add("meetings", who.number)
    run.learn(who, who.history[touched.place], "met")
    opportunity, won = who.nature.deal(who.person, touched.luck)
    run.diary.add("opportunities", who.number, float(opportunity))
    run.diary.add("won_value", who.number, won)
    _sign(run, who, at, "met")


def _unsubscribed(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    run.diary.add("unsubscribes", who.number)
    run.learn(who, who.history[touched.place], "unsubscribed")
    _suppress(who, at, SuppressionReason.OPT_OUT)
    _sign(run, who, at, "unsubscribed")


def _complained(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    run.diary.add("complaints", who.number)
    run.learn(who, who.history[touched.place], "complained")
    _suppress(who, at, SuppressionReason.COMPLAINT)
    _sign(run, who, at, "complained")


def _bounced(run: Run, who: Prospect, at: datetime, touched: Touched) -> None:
    who.note("bounced", who.history[touched.place].step)
    who.email_dead = True
    _suppress(who, at, SuppressionReason.BOUNCE)
    _sign(run, who, at, "bounced")


def _suppress(who: Prospect, at: datetime, reason: SuppressionReason) -> None:
    """The gate reads it at the next claim."""
    address = who.person.email
    who.suppression = Suppression(SuppressionKind.ADDRESS, address, reason, "the lab", at)


def _sign(run: Run, who: Prospect, at: datetime, what: str) -> None:
    """Note it for the independent check, and end the sequences that it ends."""
    run.diary.signs.append(Sign(who.number, at, what))
    word = {"replied": "reply", "met": "meeting"}.get(what)
    if word in run.definition.stop_person:
        who.over = True
    if word in run.definition.stop_account:
        for colleague in run.accounts[who.account]:
            colleague.over = True


Act = Callable[[Run, Prospect, datetime, Touched], None]
ACTS: Mapping[str, Act] = {
    "opened": _opened,
    "clicked": _clicked,
    "accepted": _accepted,
    "connected": _connected,
    "replied": _replied,
    "met": _met,
    "unsubscribe": _unsubscribed,
    "complaint": _complained,
    "bounced": _bounced,
}
