"""What members are good at, where they belong and whether they are there: what assigning looks at."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from cadenza.core.errors import CadenzaError, Kind, Problem, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.audit import audit
from cadenza.identity.contracts import Action, Actor, Team
from cadenza.identity.members import found_member, update_member
from cadenza.identity.models import MemberRow, SessionRow, TeamRow
from cadenza.identity.rights import authorize, require_write

_SEEN = timedelta(minutes=5)  # without a click, after which somebody counts as gone
_TERRITORY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skills:
    """What conversations somebody should get. Empty means any; ``most_open`` None means without a limit.

    Territories are ISO 3166 countries or regions (DE, DE-BY), languages ISO 639-1 codes, industries free words.
    """

    team_id: UUID | None = None
    territories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    most_open: int | None = None


async def set_skills(unit: Unit, actor: Actor, member_id: UUID, skills: Skills) -> None:
    authorize(actor, Action.MANAGE_MEMBERS)
    member = await found_member(unit, member_id)
    _check(skills)
    if skills.team_id is not None and skills.team_id not in {team.id for team in await teams(unit, actor)}:
        raise not_found("team", skills.team_id)
    await update_member(
        unit, member_id, team_id=skills.team_id, territories=list(skills.territories),
        languages=list(skills.languages), industries=list(skills.industries), most_open=skills.most_open,
    )  # fmt: skip
    await audit(unit, actor, "skills_changed", member.email)


def _check(skills: Skills) -> None:
    wrong = [
        *(
            Problem(f"{t} is no country or region.", key="territories")
            for t in skills.territories
            if not _TERRITORY.fullmatch(t)
        ),
        *(
            Problem(f"{x} is no language.", key="languages")
            for x in skills.languages
            if not _LANGUAGE.fullmatch(x)
        ),
        *(
            Problem("An industry has 1 to 60 characters.", key="industries")
            for i in skills.industries
            if not 0 < len(i) <= 60
        ),
    ]
    if skills.most_open is not None and not 0 <= skills.most_open <= 10_000:
        wrong.append(Problem("The limit is a number from 0 to 10,000.", key="most_open"))
    if wrong:
        raise CadenzaError(
            "skills_invalid", "Some of this cannot be read.",
            fix="Countries as DE or DE-BY, languages as de, each separated by a comma.", problems=tuple(wrong),
        )  # fmt: skip


async def set_away(unit: Unit, actor: Actor, until: datetime | None) -> None:
    """One's own absence: until then nothing new is given to one. None is back again."""
    if actor.member_id is None:
        raise CadenzaError("no_account", "Only a member can be away.", Kind.NOT_ALLOWED)
    require_write(actor)
    await update_member(unit, actor.member_id, away_until=until)
    await audit(unit, actor, "away" if until else "back", until=until.isoformat() if until else None)


async def seen(unit: Unit) -> dict[UUID, datetime]:
    """When each member last clicked, of those who are signed in."""
    rows = await unit.session.execute(
        select(MemberRow.id, func.max(SessionRow.used_at))
        .join(SessionRow, SessionRow.user_id == MemberRow.user_id)
        .where(MemberRow.workspace_id == unit.workspace_id, SessionRow.workspace_id == unit.workspace_id)
        .group_by(MemberRow.id)
    )
    return {member_id: at for member_id, at in rows}


async def present(unit: Unit) -> set[UUID]:
    """Who has clicked within the last minutes."""
    since = unit.machine.now() - _SEEN
    return {member_id for member_id, at in (await seen(unit)).items() if at >= since}


async def teams(unit: Unit, actor: Actor) -> list[Team]:
    authorize(actor, Action.READ)
    rows = await unit.session.scalars(
        select(TeamRow).where(TeamRow.workspace_id == unit.workspace_id).order_by(TeamRow.name)
    )
    return [Team(row.id, row.name) for row in rows]


async def add_team(unit: Unit, actor: Actor, name: str) -> Team:
    authorize(actor, Action.MANAGE_MEMBERS)
    name = " ".join(name.split())
    if not 0 < len(name) <= 100:
        raise CadenzaError("team_name", "A team's name has 1 to 100 characters.")
    if name in {team.name for team in await teams(unit, actor)}:
        raise CadenzaError("team_exists", f"There is a team {name} already.", Kind.CONFLICT)
    row = TeamRow(workspace_id=unit.workspace_id, id=new_id(), name=name)
    unit.session.add(row)
    await audit(unit, actor, "team_added", name)
    return Team(row.id, row.name)


async def remove_team(unit: Unit, actor: Actor, team_id: UUID) -> None:
    """Its members stay members, without a team."""
    authorize(actor, Action.MANAGE_MEMBERS)
    row = await unit.session.get(TeamRow, (unit.workspace_id, team_id))
    if row is None:
        raise not_found("team", team_id)
    await unit.session.execute(
        update(MemberRow)
        .where(MemberRow.workspace_id == unit.workspace_id, MemberRow.team_id == team_id)
        .values(team_id=None)
    )
    await unit.session.delete(row)
    await audit(unit, actor, "team_removed", row.name)
