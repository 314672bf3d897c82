"""A running application with people, a launched campaign and conversations in it, and a real browser."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from cadenza.app.composition import web_app
from cadenza.core.clock import ManualClock
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Database
from cadenza.core.settings import Settings
from tests import conftest as base
from tests.web.seed import PASSWORD, Seeded, seed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """Where the application listens, and what is in it."""

    address: str
    seeded: Seeded
    database: Database


@pytest.fixture(scope="session")
async def site(
    server_url: str, template: str, secrets: SecretBox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    name = f"browser_{uuid4().hex}"
    base._admin(server_url, f"create database {name} template {template}")
    world = ManualClock(base.START)
    database = Database(
        base._named(server_url, name), secrets=secrets, machine=ManualClock(base.START), world=world
    )
    seeded = await seed(database)
    settings = Settings(home=tmp_path_factory.mktemp("home"), sandbox=True)
    port = _free_port()
    server = Server(
        web_app(database, settings),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    await _until_open(port)
    yield Site(f"http://127.0.0.1:{port}", seeded, database)
    server.stop()
    await serving
    await database.close()
    base._admin(server_url, f"drop database {name} with (force)")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def _until_open(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    pytest.fail("The application did not start.")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM:
        pytest.skip(
            "Chromium is not installed: the pages are not tried in a browser. Install it with .ci/run."
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@dataclass(slots=True)
class Visitor:
    """A person at a screen who is signed in. Collects what the browser complained about."""

    page: Page
    site: Site
    complaints: list[str]

    async def open(self, address: str) -> None:
        await self.page.goto(self.site.address + address, wait_until="load")


async def visit(
    chromium: Browser,
    site: Site,
    *,
    width: int = 1440,
    height: int = 900,
    theme: str = "light",
    locale: str = "en-GB",
) -> tuple[BrowserContext, Visitor]:
    """A new window of this size and theme, signed in as the owner."""
    context = await chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        locale=locale,
        has_touch=width < 600,
        reduced_motion="reduce",  # type: ignore[arg-type]
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    visitor = Visitor(page, site, complaints)
    await visitor.open("/login")
    await page.fill("#email", site.seeded.email)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(site.address + "/")
    return context, visitor


@pytest.fixture
async def visitor(chromium: Browser, site: Site) -> AsyncIterator[Visitor]:
    context, visitor = await visit(chromium, site)
    yield visitor
    await context.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where the screenshots of a run go; never part of the repository."""
    folder = Path("test-results")
    folder.mkdir(exist_ok=True)
    return folder
