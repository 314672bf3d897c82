"""Members through the API. Whoever may invite, change or disable them does it in Settings."""

from uuid import UUID

from fastapi import Request

from cadenza.identity.contracts import Role
from cadenza.identity.service import actor_of, members
from cadenza.web.api import ApiUnit, Shape, api_router

router = api_router("identity")


class MemberShape(Shape):
    id: UUID
    email: str
    name: str
    role: Role
    active: bool
    timezone: str
    locale: str


@router.get("/members")
async def list_members(request: Request, unit: ApiUnit) -> list[MemberShape]:
    """Everybody of the workspace, by name."""
    return [MemberShape.model_validate(each) for each in await members(unit, actor_of(request))]
