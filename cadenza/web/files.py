"""Static files. Those asked for by the name of their content may be kept by the browser for ever."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from cadenza.web.rendering import STATIC


class VersionedFiles(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        named_by_content = path.startswith("vendor/") or scope["query_string"].startswith(b"v=")
        if response.status_code in {200, 304} and named_by_content:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        elif response.status_code in {200, 304}:
            response.headers["cache-control"] = "public, max-age=60"
        return response
