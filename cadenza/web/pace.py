"""How fast a member may ask through the API: so many requests a minute, counted in the database for all processes."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.web.models import ApiPaceRow

_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pace:
    limit: int  # requests a minute
    used: int  # in this minute, the present one among them
    seconds: int  # until the next minute

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def first_too_many(self) -> bool:
        return self.used == self.limit + 1

    def headers(self) -> dict[str, str]:
        """The fields of the HTTP working group's RateLimit draft, as most clients read them."""
        found = {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(max(self.limit - self.used, 0)),
            "ratelimit-reset": str(self.seconds),
        }
        return found | ({"retry-after": str(self.seconds)} if self.exceeded else {})


async def count_request(unit: Unit, owner: UUID, limit: int) -> Pace:
    """One more request of this member. Commit it also when the request itself fails."""
    now = unit.machine.now()
    minute = now.replace(second=0, microsecond=0)
    row = insert(ApiPaceRow).values(
        workspace_id=unit.workspace_id, id=new_id(), owner=owner, minute=minute, requests=1
    )
    counted = row.on_conflict_do_update(
        index_elements=["workspace_id", "owner", "minute"], set_={"requests": ApiPaceRow.requests + 1}
    ).returning(ApiPaceRow.requests)
    used = (await unit.session.execute(counted)).scalar_one()
    if used == 1:
        await unit.session.execute(
            delete(ApiPaceRow).where(
                ApiPaceRow.workspace_id == unit.workspace_id,
                ApiPaceRow.owner == owner,
                ApiPaceRow.minute < minute - _KEPT,
            )
        )
    return Pace(limit, used, 60 - now.second)
