"""The second factor: codes of an authenticator (TOTP, RFC 6238) and recovery codes for when it is lost."""

import secrets
from base64 import b32encode
from dataclasses import dataclass
from uuid import UUID

import pyotp
import segno
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from cadenza.core.crypto import new_token, token_hash
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.identity.audit import audit
from cadenza.identity.contracts import INSTALLATION, Action, Actor, Member, Origin, Stage
from cadenza.identity.models import FactorRow, RecoveryCodeRow, SessionRow, WorkspaceRow
from cadenza.identity.rights import authorize, may_give, require_fresh

_STEP = 30  # seconds
_RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs: the secret in base32, the same as a QR code in SVG, and sealed for the way back."""

    secret: str
    picture: str
    sealed: str


def _place(user_id: UUID) -> str:
    return f"factor {user_id}"


def begin_enrolment(unit: Unit, actor: Actor, member: Member, sealed: str = "") -> Enrolment:
    """A new secret, or the one that was ``sealed`` before. Nothing is stored until a code of it is given."""
    require_fresh(unit, actor)
    if member.has_factor:
        raise CadenzaError("factor_exists", "You have a second factor already.", Kind.CONFLICT)
    secret = _open(unit, sealed, member.user_id) if sealed else pyotp.random_base32()
    sealed = unit.secrets.seal(secret, workspace_id=INSTALLATION, place=_place(member.user_id))
    address = pyotp.TOTP(secret).provisioning_uri(name=member.email, issuer_name="Cadenza")
    picture = segno.make(address, micro=False, error="m").svg_inline(
        scale=5, dark="#000", light="#fff", border=3
    )
    return Enrolment(secret, picture, sealed)


def _open(unit: Unit, sealed: str, user_id: UUID) -> str:
    return unit.secrets.open(sealed, workspace_id=INSTALLATION, place=_place(user_id))


async def confirm_enrolment(
    unit: Unit, actor: Actor, member: Member, sealed: str, code: str
) -> tuple[str, ...]:
    """Puts the factor in force and gives the recovery codes, shown once. Raises when the code is wrong."""
    require_fresh(unit, actor)
    secret = _open(unit, sealed, member.user_id)
    step = _step_of(unit, secret, code)
    if step is None:
        raise code_wrong()
    row = FactorRow(
        user_id=member.user_id, secret_sealed=sealed, confirmed_at=unit.machine.now(), last_step=step
    )
    unit.session.add(row)
    try:
        await unit.session.flush()
    except IntegrityError as twice:
        raise CadenzaError("factor_exists", "You have a second factor already.", Kind.CONFLICT) from twice
    await audit(unit, actor, "factor_added")
    return await _new_recovery_codes(unit, member.user_id)


async def renew_recovery_codes(unit: Unit, actor: Actor, member: Member) -> tuple[str, ...]:
    """New codes; the old ones are void."""
    require_fresh(unit, actor)
    if not member.has_factor:
        raise CadenzaError("factor_missing", "You have no second factor yet.", Kind.CONFLICT)
    await audit(unit, actor, "recovery_codes_renewed")
    return await _new_recovery_codes(unit, member.user_id)


async def _new_recovery_codes(unit: Unit, user_id: UUID) -> tuple[str, ...]:
    codes = tuple(_recovery_code() for _ in range(_RECOVERY_CODES))
    await unit.session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    unit.session.add_all(RecoveryCodeRow(code_hash=_recovery_hash(code), user_id=user_id) for code in codes)
    await unit.session.flush()
    return codes


def _recovery_code() -> str:
    """80 random bits in groups of four letters and digits."""
    letters = b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))


def _recovery_hash(code: str) -> bytes:
    return token_hash("".join(code.lower().split()).replace("-", ""))


async def recovery_codes_left(unit: Unit, user_id: UUID) -> int:
    query = select(func.count()).select_from(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id)
    return await unit.session.scalar(query) or 0


async def remove_factor(unit: Unit, actor: Actor, member: Member) -> None:
    """Refused where the workspace asks everybody for one."""
    require_fresh(unit, actor)
    workspace = await unit.session.get_one(WorkspaceRow, unit.workspace_id)
    if workspace.require_factor:
        raise CadenzaError(
            "factor_required", "This workspace asks everybody for a second factor.", Kind.NOT_ALLOWED
        )
    await _remove(unit, member.user_id)
    await audit(unit, actor, "factor_removed")


async def drop_lost_factor(unit: Unit, actor: Actor, member: Member) -> None:
    """For somebody who lost authenticator and recovery codes: only on the machine itself, after a look at who asks."""
    if actor.origin is not Origin.COMMAND_LINE:
        raise CadenzaError(
            "not_allowed", "Only whoever runs this installation can do this.", Kind.NOT_ALLOWED
        )
    authorize(actor, Action.MANAGE_MEMBERS)
    may_give(actor, member.role)
    await _remove(unit, member.user_id)
    await audit(unit, actor, "factor_dropped", member.email)


async def _remove(unit: Unit, user_id: UUID) -> None:
    await unit.session.execute(delete(FactorRow).where(FactorRow.user_id == user_id))
    await unit.session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))


async def require_factor(unit: Unit, actor: Actor, *, required: bool) -> None:
    """Whether every member needs a second factor. Who has none sees only the page that adds one, from now on."""
    authorize(actor, Action.MANAGE_SIGN_IN)
    await unit.session.execute(
        update(WorkspaceRow).where(WorkspaceRow.id == unit.workspace_id).values(require_factor=required)
    )
    await audit(unit, actor, "factor_required" if required else "factor_not_required")


async def take_code(unit: Unit, user_id: UUID, code: str) -> bool:
    """Whether this is the code of the current step or a recovery code. Either works once (ASVS 6.5.1)."""
    row = await unit.session.get(FactorRow, user_id)
    if row is None:
        return False
    return await _take_step(unit, row, code) or await _take_recovery_code(unit, user_id, code)


def _step_of(unit: Unit, secret: str, code: str) -> int | None:
    """The step of 30 seconds in which this code is good, if that is now."""
    step = int(unit.machine.now().timestamp()) // _STEP
    given = "".join(code.split())
    right = pyotp.TOTP(secret).at(step * _STEP)
    return step if given.isascii() and secrets.compare_digest(given, right) else None


async def _take_step(unit: Unit, row: FactorRow, code: str) -> bool:
    """Each step is used up by its first right code."""
    step = _step_of(unit, _open(unit, row.secret_sealed, row.user_id), code)
    taken = step is not None and await unit.session.scalar(
        update(FactorRow)
        .where(FactorRow.user_id == row.user_id, FactorRow.last_step < step)
        .values(last_step=step)
        .returning(FactorRow.user_id)
    )
    return bool(taken)


async def _take_recovery_code(unit: Unit, user_id: UUID, code: str) -> bool:
    taken = await unit.session.scalar(
        delete(RecoveryCodeRow)
        .where(RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.code_hash == _recovery_hash(code))
        .returning(RecoveryCodeRow.user_id)
    )
    return taken is not None


async def open_with_code(unit: Unit, actor: Actor, member: Member, code: str) -> str | None:
    """The second half of signing in: opens the session that owes a code, under a new token. None when the code is wrong."""
    if not await take_code(unit, member.user_id, code):
        await audit(unit, actor, "sign_in_failed", reason="code_wrong")
        return None
    token, now = new_token(), unit.machine.now()
    await unit.session.execute(
        update(SessionRow)
        .where(SessionRow.id == actor.session_id)
        .values(stage=Stage.OPEN.value, proved_at=now, token_hash=token_hash(token))
    )
    await audit(unit, actor, "signed_in", way="code")
    return token


def code_wrong() -> CadenzaError:
    return CadenzaError(
        "code_wrong",
        "This code is wrong, was used or is over.",
        Kind.UNAUTHENTICATED,
        fix="Wait for the next code of your authenticator.",
    )
