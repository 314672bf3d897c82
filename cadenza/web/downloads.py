"""Long files that are written while they are sent: a few at a time, so that pages stay quick and memory bounded.

The ceiling is that of one web process; an installation with more of them takes as many more. Whoever comes in vain is
told when to ask again, and nothing is counted against them.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import StreamingResponse

from cadenza.core.clock import monotonic
from cadenza.core.errors import CadenzaError, Kind
from cadenza.web.catalogue import gettext as _

MOST_AT_ONCE, MOST_OF_A_WORKSPACE = 4, 2
LONGEST = 600.0  # seconds: who reads more slowly is cut off, and does not keep others waiting for ever
_AGAIN_AFTER = 15  # seconds


class Downloads:
    """The files that are on their way out of this process: whose they are, and when they began."""

    def __init__(self) -> None:
        self._running: dict[object, tuple[UUID, float]] = {}

    def take(self, workspace_id: UUID) -> object:
        """A place, to be given back. Raises ``CadenzaError`` where there is none."""
        now = monotonic()
        self._running = {key: each for key, each in self._running.items() if now - each[1] < LONGEST}
        if sum(owner == workspace_id for owner, _ in self._running.values()) >= MOST_OF_A_WORKSPACE:
            raise _busy(
                Kind.TOO_MANY,
                _("%(count)s files of this workspace are being written already."),
                MOST_OF_A_WORKSPACE,
            )
        if len(self._running) >= MOST_AT_ONCE:
            raise _busy(Kind.TEMPORARY, _("%(count)s files are being written just now."), MOST_AT_ONCE)
        place = object()
        self._running[place] = workspace_id, now
        return place

    def give_back(self, place: object) -> None:
        self._running.pop(place, None)

    def late(self, place: object) -> bool:
        return place not in self._running or monotonic() - self._running[place][1] >= LONGEST


def _busy(kind: Kind, message: str, count: int) -> CadenzaError:
    fix = _("Nothing was written or counted. Ask again in a quarter of a minute.")
    return CadenzaError("downloads_busy", message % {"count": count}, kind, fix=fix, retry_after=_AGAIN_AFTER)


class _Download(StreamingResponse):
    """Gives its place back when it has been sent, or when nobody reads it any more."""

    gives_back: Callable[[], None]

    async def __call__(self, *given: object) -> None:
        try:
            await super().__call__(*given)  # type: ignore[arg-type]
        finally:
            self.gives_back()


async def download(
    request: Request,
    workspace_id: UUID,
    name: str,
    media_type: str,
    begin: Callable[[], Awaitable[AsyncIterable[str]]],
) -> StreamingResponse:
    """An answer that a browser saves under ``name``, which is one of ours (ASVS 5.4.2).

    ``begin`` is called once there is a place for it, and gives the pieces; none of them may hold a unit open between two.
    Raises ``CadenzaError`` where too many files are being written (429 for the workspace, 503 for the process).
    """
    running: Downloads = request.app.state.downloads
    place = running.take(workspace_id)
    try:
        answer = _Download(_in_time(running, place, await begin()), media_type=media_type)
    except BaseException:
        running.give_back(place)
        raise
    answer.gives_back = lambda: running.give_back(place)
    answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    answer.headers["x-accel-buffering"] = "no"
    return answer


async def _in_time(running: Downloads, place: object, pieces: AsyncIterable[str]) -> AsyncIterator[str]:
    async for piece in pieces:
        if running.late(place):
            raise TimeoutError("A download was read too slowly.")
        yield piece
