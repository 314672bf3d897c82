"""Who somebody is in a line of a list: a name and a clock. One light query, where all that the engine needs would be two."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import case, literal, select

from cadenza.audience.contracts import Channel, Glance
from cadenza.audience.models import AccountRow, AddressRow, ContactRow
from cadenza.audience.places import clock_of
from cadenza.audience.segment_query import SAME_ACCOUNT, here
from cadenza.core.unit import Unit

_EMAIL = (
    select(AddressRow.value)
    .where(
        AddressRow.workspace_id == ContactRow.workspace_id,
        AddressRow.contact_id == ContactRow.id,
        AddressRow.channel == Channel.EMAIL.value,
    )
    .order_by(AddressRow.main.desc(), AddressRow.value)
    .limit(1)
    .correlate(ContactRow)
    .scalar_subquery()
)
_NAMELESS = ContactRow.first_name.is_(None) & ContactRow.last_name.is_(None)
_QUERY = select(
    ContactRow.id,
    ContactRow.first_name,
    ContactRow.last_name,
    case((_NAMELESS, _EMAIL), else_=literal(None)).label("email"),
    ContactRow.timezone,
    ContactRow.country,
    AccountRow.country.label("company_country"),
).outerjoin(AccountRow, SAME_ACCOUNT)


async def glances(unit: Unit, contact_ids: Collection[UUID]) -> dict[UUID, Glance]:
    """Name and time zone of each; unknown and removed people are left out. Their address only where they have no name."""
    if not contact_ids:
        return {}
    rows = await unit.session.execute(_QUERY.where(*here(unit), ContactRow.id.in_(set(contact_ids))))
    return {
        row.id: Glance(
            row.id,
            row.first_name,
            row.last_name,
            row.email,
            clock_of(row.timezone, row.country, row.company_country),
        )
        for row in rows
    }
