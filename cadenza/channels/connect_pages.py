"""Connecting a mailbox: choose its provider, enter what opens it or allow it there; tested before anything is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from cadenza.channels import oauth
from cadenza.channels.connecting import NewMailbox, add_tested
from cadenza.channels.contracts import SenderTest, Server, Tls
from cadenza.channels.oauth_providers import CONSENTS, is_registered
from cadenza.channels.providers import OTHER, PRESETS, Opening, Preset, preset
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.settings import settings
from cadenza.identity.contracts import Action, Actor
from cadenza.identity.service import actor_of, audit, authorize, is_fresh, proof_first, require_fresh
from cadenza.web.failures import STATUS, faults_of
from cadenza.web.service import PageUnit, address_of, egress_of, gettext, render, see, speak_to

router = APIRouter(include_in_schema=False)

Secret = Annotated[str, Form(max_length=1000)]
Address = Annotated[str, Form(max_length=320)]
Host = Annotated[str, Form(max_length=253)]
Port = Annotated[str, Form(max_length=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The part of a form that says how a mailbox is reached and by which name it is opened, as it was typed."""

    user: str = ""
    smtp_host: str = ""
    smtp_port: str = ""
    smtp_tls: str = Tls.IMPLICIT.value
    imap_host: str = ""
    imap_port: str = ""
    imap_tls: str = Tls.IMPLICIT.value

    @property
    def smtp(self) -> Server:
        return _server(self.smtp_host, self.smtp_port, self.smtp_tls)

    @property
    def imap(self) -> Server:
        return _server(self.imap_host, self.imap_port, self.imap_tls)


def _server(host: str, port: str, tls: str) -> Server:
    number = int(port) if port.isascii() and port.isdigit() else 0
    return Server(host.strip().strip("[]"), number, Tls(tls))


def typed_servers(
    user: Address = "",
    smtp_host: Host = "",
    smtp_port: Port = "",
    smtp_tls: Annotated[Tls, Form()] = Tls.IMPLICIT,
    imap_host: Host = "",
    imap_port: Port = "",
    imap_tls: Annotated[Tls, Form()] = Tls.IMPLICIT,
) -> Servers:
    return Servers(
        user=user.strip(), smtp_host=smtp_host, smtp_port=smtp_port, smtp_tls=smtp_tls.value, imap_host=imap_host,
        imap_port=imap_port, imap_tls=imap_tls.value,
    )  # fmt: skip


TypedServers = Annotated[Servers, Depends(typed_servers)]


def shown_servers(smtp: Server, imap: Server, user: str = "") -> Servers:
    """The form as it stands before anybody typed."""
    return Servers(
        user=user, smtp_host=smtp.host, smtp_port=str(smtp.port), smtp_tls=smtp.tls.value, imap_host=imap.host,
        imap_port=str(imap.port), imap_tls=imap.tls.value,
    )  # fmt: skip


def scope_words() -> Mapping[str, str]:
    """What each scope allows, said before anybody is sent to allow it (ASVS 10.2.3)."""
    whose = gettext("See which mailbox it is.")
    return {
        "openid": whose,
        "email": whose,
        "profile": whose,
        "offline_access": gettext("Stay connected while nobody is signed in, until you take it back."),
        "https://mail.google.com/": gettext(
            "Read, send, file and delete its mail. Google knows nothing smaller that lets a mail program in."
        ),
        "https://outlook.office.com/IMAP.AccessAsUser.All": gettext("Read, file and delete its mail."),
        "https://outlook.office.com/SMTP.Send": gettext("Send mail from it."),
    }


@router.get("/senders/+connect")
async def choose(request: Request, unit: PageUnit) -> Response:  # noqa: ARG001 - the unit sets the reader's language
    authorize(actor_of(request), Action.MANAGE_SENDERS)
    return render(request, "channels/choose_provider.html", presets=list(PRESETS.values()), other=OTHER)


@router.get("/senders/+connect/{key}")
async def ask(request: Request, unit: PageUnit, key: str) -> Response:
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    found = None if key == OTHER else preset(key)
    if not is_fresh(unit, actor):
        return proof_first(request)
    servers = shown_servers(found.smtp, found.imap) if found else Servers()
    return _form(request, found, servers=servers)


def _form(
    request: Request,
    found: Preset | None,
    *,
    servers: Servers,
    address: str = "",
    name: str = "",
    wrong: CadenzaError | None = None,
    tested: SenderTest | None = None,
) -> Response:
    consent = CONSENTS.get(found.consent) if found and found.consent else None
    words = scope_words()
    return render(
        request,
        "channels/connect.html",
        status_code=STATUS[wrong.kind] if wrong else 422 if tested else 200,
        preset=found,
        key=found.key if found else OTHER,
        by_password=found is None or found.opening is not Opening.CONSENT,
        app_password=found is not None and found.opening is Opening.APP_PASSWORD,
        consent=consent,
        allowed=list(dict.fromkeys(words[scope] for scope in consent.scopes)) if consent else [],
        registered=consent is not None and is_registered(settings(), consent.key),
        callback=address_of(request, oauth.CALLBACK),
        servers=servers,
        ways=list(Tls),
        address=address,
        name=name,
        wrong=wrong,
        faults=faults_of(wrong),
        tested=tested,
    )


@router.post("/senders/+connect/{key}")
async def save(
    request: Request,
    key: str,
    servers: TypedServers,
    address: Address = "",
    name: Annotated[str, Form(max_length=200)] = "",
    password: Secret = "",
) -> Response:
    """Logs in at both servers between two units; what they said stands on the page, and only what works is kept."""
    speak_to(request)
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    found = None if key == OTHER else preset(key)
    address = address.strip()
    try:
        new = NewMailbox(
            address=address, smtp=servers.smtp, imap=servers.imap, user=servers.user or address, display_name=name.strip()
        )  # fmt: skip
        tested = await _tried(request, actor, new, password)
    except CadenzaError as wrong:
        if wrong.code in _PASSED_ON:
            raise
        return _form(request, found, servers=servers, address=address, name=name, wrong=wrong)
    if not tested.ok:
        return _form(request, found, servers=servers, address=address, name=name, tested=tested)
    return see(f"/senders/{tested.sender}/connection", "connected")


_PASSED_ON = frozenset({"not_allowed", "proof_needed"})


async def _tried(request: Request, actor: Actor, new: NewMailbox, password: str) -> SenderTest:
    """What the test said; the mailbox is kept when both servers let us in."""
    database = request.app.state.database
    async with database.unit(actor.workspace_id) as unit:
        authorize(actor, Action.MANAGE_SENDERS)
        require_fresh(unit, actor)
    return await add_tested(database, actor, new, password)


@router.post("/senders/+connect/{key}/consent")
async def leave(request: Request, key: str, address: Address = "") -> Response:
    """To the provider, by a page that goes on by itself: a form may not lead to another site (form-action), a page may."""
    speak_to(request)
    actor = actor_of(request)
    authorize(actor, Action.MANAGE_SENDERS)
    found = preset(key)
    leaving = await oauth.begin(
        request.app.state.database, egress_of(request), actor, found.key, site=address_of(request, ""),
        address=address.strip().lower(),
    )  # fmt: skip
    return render(request, "channels/leaving.html", address=leaving, name=oauth.consent_of(found).name)


@router.get(oauth.CALLBACK)
async def come_back(
    request: Request, state: str = "", code: str = "", error: str = "", iss: str | None = None
) -> Response:
    """Like a sign-on's way back: a GET that changes something, because the protocol sends people by a link. Good once."""
    speak_to(request)
    database, actor = request.app.state.database, actor_of(request)
    try:
        connected = await oauth.finish(
            database, egress_of(request), actor, site=address_of(request, ""), state=state, code=code, error=error, issuer=iss
        )  # fmt: skip
    except CadenzaError as wrong:
        if wrong.code != "not_allowed":
            async with database.unit(actor.workspace_id) as unit:
                await audit(unit, actor, "mailbox_not_connected", wrong.code)
        # It is the provider's answer that is not believed; who brought it is signed in.
        kind = Kind.INVALID if wrong.kind is Kind.UNAUTHENTICATED else wrong.kind
        return render(request, "channels/not_connected.html", status_code=STATUS[kind], error=wrong)
    return see(f"/senders/{connected.mailbox.id}/connection", "connected")
