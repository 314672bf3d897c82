"""Senders through the API. No secret of theirs ever comes out."""

from uuid import UUID

from fastapi import Request

from cadenza.channels.contracts import MailboxState, Tls
from cadenza.channels.service import mailboxes
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import ApiUnit, Shape, api_router

router = api_router("channels")


class ServerShape(Shape):
    host: str
    port: int
    tls: Tls


class SenderShape(Shape):
    id: UUID
    address: str
    display_name: str
    smtp: ServerShape
    imap: ServerShape
    state: MailboxState
    state_reason: str
    daily_limit: int
    aliases: list[str]


@router.get("/senders")
async def list_senders(request: Request, unit: ApiUnit) -> list[SenderShape]:
    """Every mailbox with its state and its limit."""
    authorize(actor_of(request), Action.READ)
    return [SenderShape.model_validate(each) for each in await mailboxes(unit)]
