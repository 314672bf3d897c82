"""Custom fields of a workspace: what they are called, what they hold, whether pages show them."""

from collections.abc import Iterable

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.audience.columns import field_name
from cadenza.audience.contracts import CustomField, FieldKind
from cadenza.audience.models import CustomFieldRow
from cadenza.core.errors import CadenzaError, Kind, not_found
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import audit, authorize

_MOST = 200


async def define_fields(unit: Unit, names: Iterable[str]) -> None:
    """Make sure that these fields are known; new ones hold text."""
    rows = [
        {
            "workspace_id": unit.workspace_id, "id": new_id(), "name": name, "kind": FieldKind.TEXT.value, "shown": True,
            "created_at": unit.machine.now(),
        }
        for name in names
    ]  # fmt: skip
    if rows:
        await unit.session.execute(insert(CustomFieldRow).on_conflict_do_nothing(), rows)


async def fields(unit: Unit, actor: Actor) -> list[CustomField]:
    """All custom fields, by name."""
    authorize(actor, Action.READ)
    return await known_fields(unit)


async def known_fields(unit: Unit) -> list[CustomField]:
    query = select(CustomFieldRow).where(CustomFieldRow.workspace_id == unit.workspace_id)
    rows = await unit.session.scalars(query.order_by(CustomFieldRow.name))
    return [CustomField(row.name, FieldKind(row.kind), row.shown) for row in rows]


async def kinds_of(unit: Unit) -> dict[str, FieldKind]:
    return {field.name: field.kind for field in await known_fields(unit)}


async def set_field(unit: Unit, actor: Actor, name: str, *, kind: FieldKind, shown: bool) -> str:
    """Define a field or change what it is; its name in the form that templates write. Values that are stored stay.

    Raises ``CadenzaError`` for a name without letters and when there are too many.
    """
    authorize(actor, Action.IMPORT_CONTACTS)
    if not (plain := field_name(name)):
        raise CadenzaError("field_invalid", "A field needs a name.", fix="Use letters or digits.")
    known = await kinds_of(unit)
    if plain not in known and len(known) >= _MOST:
        raise CadenzaError("too_many_fields", f"There are {_MOST} fields already.", Kind.TOO_MANY)
    await define_fields(unit, [plain])
    mine = (CustomFieldRow.workspace_id == unit.workspace_id) & (CustomFieldRow.name == plain)
    await unit.session.execute(update(CustomFieldRow).where(mine).values(kind=kind.value, shown=shown))
    await audit(unit, actor, "field_changed", plain, kind=kind.value, shown=shown)
    return plain


_REMOVED = text("delete from custom_fields where workspace_id = :workspace and name = :name returning id")


async def remove_field(unit: Unit, actor: Actor, name: str) -> None:
    """Forget a definition; values that people have stay with them. Raises ``CadenzaError`` (not found)."""
    authorize(actor, Action.IMPORT_CONTACTS)
    given = {"workspace": unit.workspace_id, "name": name}
    if (await unit.session.execute(_REMOVED, given)).first() is None:
        raise not_found("field", name)
    await audit(unit, actor, "field_removed", name)
