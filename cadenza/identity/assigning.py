"""Who should take this? A pure choice: the same people and the same question give the same answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cadenza.identity.contracts import Action, Member
from cadenza.identity.rights import may


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be given to somebody. Country and region are ISO 3166 (DE, BY), the language ISO 639-1; empty is unknown."""

    country: str = ""
    region: str = ""
    language: str = ""
    industry: str = ""
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The choice, why it was made, and who else could have been chosen, the best first."""

    member: Member | None
    reason: str
    fitting: tuple[Member, ...] = ()


def choose(
    question: Question,
    members: Sequence[Member],
    *,
    now: datetime,
    present: frozenset[UUID] | set[UUID] = frozenset(),
    load: Mapping[UUID, int] | None = None,
) -> Assignment:
    """The member who fits best; among equals whoever has the smallest share of their limit in use.

    Nobody is chosen who may not answer, is away or full, or whose territories or languages are named and do not fit.
    Then count, in this order: a named region or country, a named language, the industry, being there now, load.
    """
    load = load or {}
    fitting = list(members)
    for fits, complaint in _filters(question, now, load):
        left = [member for member in fitting if fits(member)]
        if not left:
            return Assignment(None, complaint)
        fitting = left
    ranked = sorted(fitting, key=lambda member: _rank(question, member, present, load))
    return Assignment(ranked[0], _reason(question, ranked[0], present, load), tuple(ranked))


def _filters(
    question: Question, now: datetime, load: Mapping[UUID, int]
) -> tuple[tuple[Callable[[Member], bool], str], ...]:
    place = question.country + (f"-{question.region}" if question.region else "")
    return (
        (lambda m: m.active and may(m.role, Action.ANSWER), "No member may answer."),
        (lambda m: question.team_id in (None, m.team_id), "Nobody in this team may answer."),
        (lambda m: not place or not m.territories or _covers(m, question) > 0, f"Nobody covers {place}."),
        (
            lambda m: not question.language or not m.languages or question.language in m.languages,
            f"Nobody of those who cover this speaks {question.language}.",
        ),
        (lambda m: m.away_until is None or m.away_until <= now, "Everybody who fits is away."),
        (
            lambda m: m.most_open is None or load.get(m.id, 0) < m.most_open,
            "Everybody who fits has as much open as they can take.",
        ),
    )


def _covers(member: Member, question: Question) -> int:
    """2 for the very region, 1 for its country, 0 for neither."""
    if question.region and f"{question.country}-{question.region}" in member.territories:
        return 2
    return int(question.country in member.territories)


def _knows(member: Member, question: Question) -> bool:
    return question.industry.lower() in {each.lower() for each in member.industries}


def _rank(
    question: Question, member: Member, present: frozenset[UUID] | set[UUID], load: Mapping[UUID, int]
) -> tuple[object, ...]:
    return (
        -_covers(member, question),
        question.language not in member.languages,
        not _knows(member, question),
        member.id not in present,
        load.get(member.id, 0) / (member.most_open or 50),
        load.get(member.id, 0),
        member.id.bytes,
    )


def _reason(
    question: Question, member: Member, present: frozenset[UUID] | set[UUID], load: Mapping[UUID, int]
) -> str:
    place = f"{question.country}-{question.region}" if _covers(member, question) == 2 else question.country
    parts = [
        f"covers {place}" if _covers(member, question) else "",
        f"speaks {question.language}" if question.language in member.languages else "",
        f"knows {question.industry}" if _knows(member, question) else "",
        "is here now" if member.id in present else "",
        f"has {load.get(member.id, 0)} open",
    ]
    return f"{member.name} " + ", ".join(part for part in parts if part) + "."
