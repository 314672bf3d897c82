"""Links that go to a person's own mailbox: a forgotten password, an invitation.

The link's secret is made when the letter is written, so that neither the queue of jobs nor a dump of it opens anything.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.jobs import enqueue
from cadenza.core.settings import Settings
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.account import LINK_LIFE
from cadenza.identity.audit import audit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.invitations import new_invitation
from cadenza.identity.models import InvitationRow, PasswordResetRow, UserRow
from cadenza.identity.pace import Pace, check_pace, remember_failure, tries

RESET_MAIL = "mail_reset_link"
INVITATION_MAIL = "mail_invitation"
_LETTERS = 3  # to one account within a quarter of an hour


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to whom: ``path`` ends in the link's secret."""

    to: str
    name: str
    locale: str
    path: str
    workspace: str = ""


def can_mail(settings: Settings) -> bool:
    """Whether this installation has a server for letters to its members."""
    return bool(settings.mail_server and settings.mail_from)


async def ask_for_reset(database: Database, email: str, source: str) -> None:
    """Puts a letter on its way when there is such an account. Says nothing of whether there is (ASVS 6.3.8).

    Raises ``CadenzaError`` (too many) for a source that asks again and again; an account gets three letters within a
    quarter of an hour, so that nobody's mailbox is filled by strangers.
    """
    email = email.strip().lower()
    pace = Pace.of(f"reset {source}", f"reset {email}")
    await check_pace(database, pace)
    letters = await tries(database, pace)
    await remember_failure(database, pace)
    async with database.installation() as session:
        user = await repository.user_by_email(session, email)
        if user is None or letters >= _LETTERS or not await repository.memberships(session, user.id):
            return
        await enqueue(session, RESET_MAIL, user_id=str(user.id))


async def reset_letter(database: Database, user_id: UUID) -> Letter | None:
    """The letter with a new link; links made before are void. None for an account that is gone."""
    token = new_token()
    async with database.installation() as session:
        user = await session.get(UserRow, user_id)
        everywhere = await repository.memberships(session, user_id)
        if user is None or not everywhere:
            return None
        await session.execute(delete(PasswordResetRow).where(PasswordResetRow.user_id == user_id))
        session.add(
            PasswordResetRow(
                token_hash=token_hash(token), user_id=user_id, expires_at=database.machine.now() + LINK_LIFE
            )
        )
        letter = Letter(user.email, user.name, user.locale, f"/reset/{token}")
    first = everywhere[0]
    async with database.unit(first.workspace_id) as unit:
        actor = Actor(first.workspace_id, first.role, Origin.JOB, first.id, first.name)
        await audit(unit, actor, "reset_link_mailed", first.name, member=str(first.id))
    return letter


async def invite_by_mail(unit: Unit, actor: Actor, *, email: str, name: str, role: Role, locale: str) -> None:
    """As ``invite``, but the link goes to the invited person alone."""
    invitation_id, _ = await new_invitation(unit, actor, email=email, name=name, role=role)
    workspace_id = str(unit.workspace_id)
    await enqueue(
        unit.session,
        INVITATION_MAIL,
        workspace_id=workspace_id,
        invitation_id=str(invitation_id),
        locale=locale,
    )


async def invitation_letter(
    database: Database, workspace_id: UUID, invitation_id: UUID, locale: str
) -> Letter | None:
    """The letter with a new link. None where the invitation was withdrawn, used, or is over."""
    token, now = new_token(), database.machine.now()
    async with database.unit(workspace_id) as unit:
        row = await unit.session.get(InvitationRow, (workspace_id, invitation_id))
        if row is None or row.used_at is not None or row.expires_at <= now:
            return None
        row.token_hash = token_hash(token)
        names = {each.id: each.name for each in await repository.workspaces(unit.session)}
        return Letter(row.email, row.name, locale, f"/join/{token}", names.get(workspace_id, ""))
