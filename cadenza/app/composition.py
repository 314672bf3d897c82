"""Which routes, jobs and loops there are: every room's part, put together."""

from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from starlette.requests import Request

from cadenza.analytics.service import keep_counts
from cadenza.audience.service import BULK_JOB, IMPORT_JOB, run_change, run_import
from cadenza.channels.channel_reading import read_channels
from cadenza.channels.member_mail import mail_invitation, mail_reset_link
from cadenza.core.addresses import read_networks
from cadenza.core.database import Database
from cadenza.core.holding import keep_watch
from cadenza.core.jobs import Job
from cadenza.core.room import keep_room
from cadenza.core.settings import Settings
from cadenza.engine.service import dispatch, file_sent_copies, keep_house, watch_senders
from cadenza.identity.contracts import SESSION_COOKIE, Action
from cadenza.identity.middleware import SessionMiddleware
from cadenza.identity.service import INVITATION_MAIL, RESET_MAIL, authorize
from cadenza.inbox.analysis import analyse
from cadenza.inbox.channel_intake import take_channel_news
from cadenza.inbox.intake import ANALYSE
from cadenza.inbox.service import read_mail_boxes
from cadenza.ledger.delivering import deliver
from cadenza.operations.service import compare_when_held, watch_health
from cadenza.web.api import PREFIX
from cadenza.web.contracts import Edge
from cadenza.web.service import allowed, install

Loop = Callable[[Database, Settings], Coroutine[Any, Any, None]]

JOBS: Mapping[str, Job] = {
    ANALYSE: analyse,
    IMPORT_JOB: run_import,
    BULK_JOB: run_change,
    RESET_MAIL: mail_reset_link,
    INVITATION_MAIL: mail_invitation,
}
LOOPS: tuple[Loop, ...] = (
    keep_watch,
    keep_room,
    compare_when_held,
    watch_health,
    dispatch,
    keep_house,
    watch_senders,
    keep_counts,
    file_sent_copies,
    read_mail_boxes,
    read_channels,
    take_channel_news,
    deliver,
)

PAGES = (
    "cadenza.identity.pages",
    "cadenza.identity.account_pages",
    "cadenza.identity.member_pages",
    "cadenza.identity.sign_on_pages",
    "cadenza.identity.audit_pages",
    "cadenza.ledger.pages",
    "cadenza.audience.pages",
    "cadenza.channels.connect_pages",
    "cadenza.channels.access_pages",
    "cadenza.channels.accounts_pages",
    "cadenza.channels.channel_hooks",
    "cadenza.channels.pages",
    "cadenza.engine.launch_pages",
    "cadenza.engine.trial_pages",
    "cadenza.engine.pages",
    "cadenza.engine.tracking_endpoints",
    "cadenza.inbox.answer_pages",
    "cadenza.inbox.pages",
    "cadenza.operations.setup_pages",
    "cadenza.operations.pages",
)
ENDPOINTS = (  # a room's narrower addresses stand before those that a name or an id would take
    "cadenza.identity.endpoints",
    "cadenza.identity.audit_endpoints",
    "cadenza.identity.audit_endpoints:whole",
    "cadenza.audience.people_endpoints",
    "cadenza.audience.people_endpoints:files",
    "cadenza.audience.endpoints",
    "cadenza.audience.import_endpoints",
    "cadenza.audience.import_endpoints:files",
    "cadenza.audience.segment_endpoints",
    "cadenza.channels.connect_endpoints",
    "cadenza.channels.accounts_endpoints",
    "cadenza.channels.endpoints",
    "cadenza.channels.sender_endpoints",
    "cadenza.ledger.endpoints",
    "cadenza.campaigns.endpoints",
    "cadenza.campaigns.edit_endpoints",
    "cadenza.engine.trial_endpoints",
    "cadenza.engine.endpoints",
    "cadenza.engine.preview_endpoints",
    "cadenza.inbox.endpoints",
    "cadenza.operations.endpoints",
    "cadenza.app.assistant_endpoints",
)
SANDBOX_PAGES = ("cadenza.sandbox.pages",)


def web_app(database: Database, settings: Settings) -> FastAPI:
    """The application that serves pages and API. Sandbox routes exist in the sandbox only (ASVS 13.4.2)."""
    app = FastAPI(
        title="Cadenza",
        version=version("cadenza"),
        description="Everything that a page can do. Errors are problem details (RFC 9457) with a stable `code`. "
        "Send `Idempotency-Key` with a change to have it made once (all but downloads and what concerns the whole "
        "installation, which may simply be asked for again); lists go on with `after`.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.database = database
    app.state.settings = settings
    for name in (*PAGES, *ENDPOINTS, *(SANDBOX_PAGES if settings.sandbox else ())):
        app.include_router(_router(name))

    @app.get("/healthz", include_in_schema=False)
    async def health() -> PlainTextResponse:
        async with database.installation():
            return PlainTextResponse("ok")

    app.add_middleware(SessionMiddleware, database=database, settings=settings)
    install(app, _edge(settings))
    return app


def _router(place: str) -> APIRouter:
    """``MODULE``, or ``MODULE:NAME`` for one that is not called router."""
    module, _, name = place.partition(":")
    router: APIRouter = getattr(import_module(module), name or "router")
    return router


def _edge(settings: Settings) -> Edge:
    return Edge(
        SESSION_COOKIE,
        settings.public_url,
        settings.sandbox,
        _may_speed,
        proxies=read_networks(settings.trusted_proxies),
        https_only=settings.secure and not settings.sandbox,
        crossing=("/u/",),
    )


def _may_speed(request: Request) -> bool:
    actor = getattr(request.state, "actor", None)
    return actor is not None and allowed(authorize, actor, Action.RUN_CAMPAIGNS)
