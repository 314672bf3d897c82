"""Connecting mailboxes through the API: presets, adding by password, testing, trying, pausing.

A token may add a mailbox by password, because that opens nothing that is here already; secrets never come out. Whatever hands an
existing mailbox over (another password or server, disconnecting) needs a fresh proof, and so a browser or the command line;
allowing it at a provider needs a browser anyway.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field

from cadenza.channels import repository
from cadenza.channels.access import test_stored_mailbox
from cadenza.channels.connecting import NewMailbox, add_tested
from cadenza.channels.contracts import MailboxState, Server, Tls
from cadenza.channels.endpoints import ServerShape
from cadenza.channels.providers import PRESETS, Opening
from cadenza.channels.service import mailbox, pause_sender, resume_sender
from cadenza.channels.trial import try_mailbox
from cadenza.identity.contracts import Action
from cadenza.identity.service import actor_of, authorize
from cadenza.web.api import Shape, api_router

router = api_router("channels", one_unit=False)


class PresetShape(Shape):
    key: str
    name: str
    smtp: ServerShape
    imap: ServerShape
    opening: Opening
    consent: str | None
    needs_imap: bool
    source: str
    as_of: date


class NewServer(Shape):
    host: Annotated[str, Field(min_length=1, max_length=253, examples=["mail.example.com"])]
    port: Annotated[int, Field(ge=1, le=65535, examples=[465])]
    tls: Annotated[Tls, Field(examples=["implicit"])]

    @property
    def server(self) -> Server:
        return Server(self.host, self.port, self.tls)


class NewSender(Shape):
    address: Annotated[str, Field(max_length=320, examples=["anna@example.com"])]
    smtp: NewServer
    imap: NewServer
    user: Annotated[str, Field(max_length=320, description="Left out, it is the address.")] = ""
    password: Annotated[str, Field(max_length=1000, examples=["the mailbox's password"])]
    display_name: Annotated[str, Field(max_length=200)] = ""


class TestShape(Shape):
    """What both servers said. ``sender`` is empty when nothing was kept."""

    sender: str
    address: str
    ok: bool
    detail: str


class ConnectionShape(Shape):
    id: UUID
    address: str
    state: MailboxState
    state_reason: str
    by: str  # "password", "google" or "microsoft"
    scopes: list[str]
    smtp: ServerShape
    imap: ServerShape


class NewTrial(Shape):
    to: Annotated[
        str | None,
        Field(max_length=320, description="An address of your own; left out, the member's.", examples=[None]),
    ] = None


class TrialShape(Shape):
    sender: str
    recipient: str
    ok: bool
    detail: str


@router.get("/senders/presets")
async def list_presets(request: Request) -> list[PresetShape]:
    """The servers of large mail providers, and how each lets a mail program in."""
    authorize(actor_of(request), Action.READ)
    return [PresetShape.model_validate(each) for each in PRESETS.values()]


@router.post("/senders")
async def add_sender(request: Request, new: NewSender) -> TestShape:
    """Add a mailbox by password, once both servers let us in; otherwise the answer says why, and nothing is kept."""
    box = NewMailbox(
        address=new.address, smtp=new.smtp.server, imap=new.imap.server, user=new.user or new.address,
        display_name=new.display_name,
    )  # fmt: skip
    tested = await add_tested(request.app.state.database, actor_of(request), box, new.password)
    return TestShape.model_validate(tested)


@router.get("/senders/{mailbox_id}/connection")
async def read_connection(request: Request, mailbox_id: UUID) -> ConnectionShape:
    """How a mailbox is reached and opened; no secret is in it."""
    actor = actor_of(request)
    authorize(actor, Action.READ)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        box = await mailbox(unit, mailbox_id)
        grant = await repository.grant_of(unit, box.id)
    return ConnectionShape(
        id=box.id, address=box.address, state=box.state, state_reason=box.state_reason,
        by=grant.provider if grant else "password", scopes=list(grant.scopes) if grant else [],
        smtp=ServerShape.model_validate(box.smtp), imap=ServerShape.model_validate(box.imap),
    )  # fmt: skip


@router.post("/senders/{mailbox_id}/test")
async def test_sender(request: Request, mailbox_id: UUID) -> TestShape:
    """Log in at both servers: the mailbox is broken from now on, or it is mended."""
    tested = await test_stored_mailbox(request.app.state.database, actor_of(request), mailbox_id)
    return TestShape.model_validate(tested)


@router.post("/senders/{mailbox_id}/pause")
async def pause(request: Request, mailbox_id: UUID) -> ConnectionShape:
    """Nothing leaves by it until it is resumed; its people wait."""
    actor = actor_of(request)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        await pause_sender(unit, actor, mailbox_id)
    return await read_connection(request, mailbox_id)


@router.post("/senders/{mailbox_id}/resume")
async def resume(request: Request, mailbox_id: UUID) -> ConnectionShape:
    """End a pause."""
    actor = actor_of(request)
    async with request.app.state.database.unit(actor.workspace_id) as unit:
        await resume_sender(unit, actor, mailbox_id)
    return await read_connection(request, mailbox_id)


@router.post("/senders/{mailbox_id}/try")
async def try_sender(request: Request, mailbox_id: UUID, trial: NewTrial) -> TrialShape:
    """Send a message to yourself; it is counted in no figure, and takes one of the mailbox's day."""
    done = await try_mailbox(request.app.state.database, actor_of(request), mailbox_id, to=trial.to)
    return TrialShape.model_validate(done)
