"""Members: given another role, disabled, let in again."""

from uuid import UUID

from sqlalchemy import delete, select, update

from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.unit import Unit
from cadenza.identity import repository
from cadenza.identity.audit import audit
from cadenza.identity.contracts import Action, Actor, Member, Role
from cadenza.identity.models import MemberRow, SessionRow
from cadenza.identity.rights import authorize, may_give


async def change_role(unit: Unit, actor: Actor, member_id: UUID, role: Role) -> None:
    """In force with the next request; open event streams end within their next turn."""
    authorize(actor, Action.MANAGE_MEMBERS)
    member = await found_member(unit, member_id)
    may_give(actor, role, member.role)
    if member.role is Role.OWNER and role is not Role.OWNER:
        await _keep_an_owner(unit, member_id)
    await update_member(unit, member_id, role=role.value)
    await audit(unit, actor, "role_changed", member.email, before=member.role.value, after=role.value)


async def set_active(unit: Unit, actor: Actor, member_id: UUID, *, active: bool) -> None:
    """Disables somebody, which ends their sessions here, or lets them in again. Nothing of theirs is deleted."""
    authorize(actor, Action.MANAGE_MEMBERS)
    member = await found_member(unit, member_id)
    may_give(actor, member.role)
    if not active:
        await _keep_an_owner(unit, member_id)
        await unit.session.execute(
            delete(SessionRow).where(
                SessionRow.user_id == member.user_id, SessionRow.workspace_id == unit.workspace_id
            )
        )
    await update_member(unit, member_id, active=active)
    await audit(unit, actor, "member_enabled" if active else "member_disabled", member.email)


async def found_member(unit: Unit, member_id: UUID) -> Member:
    member = await repository.member_by_id(unit.session, unit.workspace_id, member_id)
    if member is None:
        raise not_found("member", member_id)
    return member


async def _keep_an_owner(unit: Unit, leaving: UUID) -> None:
    """Locks the owners, so that of two who let each other go at once, one stays."""
    owners = await unit.session.scalars(
        select(MemberRow.id)
        .where(
            MemberRow.workspace_id == unit.workspace_id,
            MemberRow.role == Role.OWNER.value,
            MemberRow.active,
        )
        .order_by(MemberRow.id)
        .with_for_update()
    )
    remaining = [each for each in owners if each != leaving]
    member = await found_member(unit, leaving)
    if member.role is Role.OWNER and not remaining:
        raise CadenzaError(
            "last_owner",
            "The last owner cannot leave.",
            Kind.CONFLICT,
            fix="Make somebody else an owner first.",
        )


async def update_member(unit: Unit, member_id: UUID, **values: object) -> None:
    await unit.session.execute(
        update(MemberRow)
        .where(MemberRow.workspace_id == unit.workspace_id, MemberRow.id == member_id)
        .values(**values)
    )
