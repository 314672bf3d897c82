"""The pages in a real browser: reachable for everybody, on every width, by keyboard alone, live."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from cadenza.ledger.contracts import EventKind, NewEvent
from cadenza.ledger.service import record_events
from tests.browser.conftest import Site, Visitor, visit
from tests.web.seed import CAMPAIGN

pytestmark = pytest.mark.browser

_RULES = {"rules": {"target-size": {"enabled": True}}}  # WCAG 2.2, which the checker leaves out unless asked
_NAMES = {"/": "today"}


def _file_name(address: str) -> str:
    return _NAMES.get(address) or re.sub(
        r"[^a-z0-9]+", "-", re.sub(r"[0-9a-f-]{36}", "one", address.lower())
    ).strip("-")


_WINDOWS = [
    ("light", 1440, "en-GB"), ("dark", 1440, "en-GB"), ("light", 390, "en-GB"), ("dark", 390, "de-DE"), ("light", 900, "de-DE"),
]  # fmt: skip


@pytest.fixture(params=_WINDOWS, ids=lambda window: "-".join(map(str, window)))
async def window(
    request: pytest.FixtureRequest, chromium: Browser, site: Site
) -> AsyncIterator[tuple[Visitor, str]]:
    theme, width, locale = request.param
    context, visitor = await visit(chromium, site, width=width, theme=theme, locale=locale)
    yield visitor, f"{theme}-{width}-{locale[:2]}"
    await context.close()


@pytest.mark.slow
async def test_every_page_is_accessible_and_fits(window: tuple[Visitor, str], pictures: Path) -> None:
    visitor, name = window
    problems: list[str] = []
    for address in visitor.site.seeded.pages:
        await visitor.open(address)
        await visitor.page.screenshot(path=pictures / f"{_file_name(address)}-{name}.png")
        assert await visitor.page.get_attribute("html", "lang") == name[-2:]
        results = await Axe().run(visitor.page, options=_RULES)
        for violation in results.response["violations"]:
            places = [node["html"][:160] for node in violation["nodes"][:3]]
            problems.append(f"{address}: {violation['id']}, {violation['help']}: {places}")
        overflow = await visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            problems.append(f"{address}: {overflow} px too wide")
    problems += [text for text in visitor.complaints if "404" not in text]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pages_for_strangers_are_accessible(chromium: Browser, site: Site, theme: str) -> None:
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=theme)  # type: ignore[arg-type]
    page = await context.new_page()
    for address in ("/login", "/u/not-ours"):
        await page.goto(site.address + address)
        results = await Axe().run(page)
        assert not results.response["violations"], results.generate_report()
    await context.close()


async def test_the_inbox_is_cleared_without_a_mouse(visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    await keys.press("g")
    await keys.press("i")
    await page.wait_for_url("**/inbox")
    await keys.press("j")
    await page.wait_for_url(re.compile(r"/inbox/[0-9a-f-]{36}"))
    first = page.url
    await keys.press("j")
    await page.wait_for_url(lambda url: url != first)
    await keys.press("k")
    await page.wait_for_url(first)
    await keys.press("r")
    await expect(page.locator("#words")).to_be_focused()
    await keys.type("Gern, am Donnerstag um 10. g i ? / e")
    await keys.press("Control+Enter")
    await expect(page.locator("#toasts")).to_contain_text("On its way, in the same thread.")
    await expect(page.locator("#thread")).to_contain_text("Our answer")
    await keys.press("e")
    await expect(page.locator("#toasts")).to_contain_text("Closed.")
    assert not visitor.complaints


async def test_the_panes_of_the_inbox_scroll_and_the_page_does_not(visitor: Visitor) -> None:
    await visitor.open("/inbox?view=all")
    longer = "[document.documentElement.scrollHeight - innerHeight, document.querySelector('.pane-body').scrollHeight - innerHeight]"
    page, pane = await visitor.page.evaluate(longer)
    assert page <= 0
    assert pane > 0


async def test_what_cannot_be_taken_back_asks_first(visitor: Visitor) -> None:
    page, here = visitor.page, f"/touches/{visitor.site.seeded.in_doubt}"
    await visitor.open(here)
    for name, words in (("Send again", "they get it twice"), ("Drop it", "never get this one")):
        await page.get_by_role("button", name=name).click()
        dialog = page.get_by_role("alertdialog")
        await expect(dialog).to_contain_text(words)
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
    await expect(page).to_have_url(visitor.site.address + here)
    await expect(page.locator("h1 + .badge")).to_have_text("In doubt")
    await page.get_by_role("button", name="Drop it").click()
    await page.route("**/settle", lambda route: route.abort())
    async with page.expect_request("**/settle") as request:
        await page.get_by_role("alertdialog").get_by_role("button", name="Drop it").click()
    assert "decision=drop" in ((await request.value).post_data or "")


async def test_shortcuts_are_listed_and_can_be_switched_off(visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    await keys.press("?")
    await expect(page.locator("#shortcuts")).to_be_visible()
    await page.locator("[data-keys-switch]").uncheck()
    await keys.press("Escape")
    await expect(page.locator("#shortcuts")).to_be_hidden()
    await keys.press("/")
    await expect(page.locator("#search")).to_be_hidden()
    await page.evaluate("localStorage.removeItem('keys')")
    await page.reload()
    await keys.press("/")
    await expect(page.locator("#search-words")).to_be_focused()
    await keys.type("Giulia")
    await keys.press("Enter")
    await page.wait_for_url("**/contacts?q=Giulia")
    await expect(page.locator("tbody tr")).to_have_count(1)


async def test_the_palette_finds_and_does_by_keyboard_alone(visitor: Visitor) -> None:
    """Pages, commands of this page, campaigns and people by their names; also where single keys are off."""
    page, keys = visitor.page, visitor.page.keyboard
    await page.evaluate("localStorage.setItem('keys', 'off')")
    await page.reload()
    await keys.press("Control+k")
    field = page.locator("#search-words")
    await expect(field).to_be_focused()
    await keys.type("out")
    await keys.press("ArrowDown")
    await expect(page.locator("[role=option][aria-selected=true]")).to_have_text("Outbox")
    await keys.press("Enter")
    await page.wait_for_url("**/outbox")
    await keys.press("Control+k")
    await keys.type("Giulia")
    person = page.locator("#palette-found [role=option]")
    await expect(person).to_have_count(1)
    results = await Axe().run(page, options=_RULES)
    assert results.response["violations"] == []
    await keys.press("ArrowUp")
    assert await field.get_attribute("aria-activedescendant") == await person.get_attribute("id")
    await keys.press("Enter")
    await page.wait_for_url("**/contacts/*")
    await keys.press("Control+k")
    await keys.type(CAMPAIGN[:4])
    await page.locator("#palette-found [role=option]", has_text=CAMPAIGN).first.click()
    await page.wait_for_url(f"**/campaigns/{quote(CAMPAIGN)}")
    await keys.press("Control+k")
    await keys.press("Escape")
    await expect(page.locator("#search")).to_be_hidden()
    await page.evaluate("localStorage.removeItem('keys')")


async def test_the_palette_presses_what_the_page_offers(visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    await visitor.open(f"/campaigns/{CAMPAIGN}/live")
    await keys.press("/")
    await keys.type("stop")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog", name="Stop Spring")).to_be_visible()
    await keys.press("Escape")


async def test_pointing_at_a_claim_lights_its_words(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open(f"/inbox/{visitor.site.seeded.conversation}?view=all")
    chip = page.locator(".chip", has_text="15,000 EUR")
    letter = await chip.get_attribute("data-ev")
    mark = page.locator(f'mark[data-ev="{letter}"]').first
    await expect(mark).to_contain_text("etwa 15.000 Euro")
    plain = await mark.evaluate("m => getComputedStyle(m).backgroundColor")
    await chip.hover()
    await expect(mark).not_to_have_css("background-color", plain)


async def test_figures_move_without_reloading(visitor: Visitor) -> None:
    page, site = visitor.page, visitor.site
    await visitor.open(f"/campaigns/{CAMPAIGN}/live")
    figure = page.locator("[data-moves=unsubscribed]")
    before = int(await figure.inner_text())
    await page.locator("#live details summary").click()
    await page.locator("#live a", has_text="Beat Zurbriggen").first.focus()
    await page.evaluate("window.stillHere = true")
    async with site.database.unit(site.seeded.actor.workspace_id) as unit:
        campaign_id = await _campaign_id(site)
        await record_events(
            unit,
            [
                NewEvent(
                    kind=EventKind.UNSUBSCRIBED, origin="test", at=unit.world.now() + timedelta(seconds=1),
                    contact_id=site.seeded.contacts[4], campaign_id=campaign_id, step="intro", variant="a",
                )
            ],
        )  # fmt: skip
    await expect(figure).to_have_text(str(before + 1))
    await expect(figure).to_have_class("moved")
    assert await page.evaluate("window.stillHere")
    await expect(page.locator("#live details table")).to_be_visible()
    await expect(page.locator("#live a", has_text="Beat Zurbriggen").first).to_be_focused()
    assert not visitor.complaints


async def _campaign_id(site: Site) -> object:
    from cadenza.campaigns.service import campaign  # noqa: PLC0415

    async with site.database.unit(site.seeded.actor.workspace_id) as unit:
        return (await campaign(unit, site.seeded.actor, CAMPAIGN)).id


async def test_the_theme_is_remembered(visitor: Visitor) -> None:
    page = visitor.page
    await page.locator("[data-theme-toggle]").first.click()
    await page.locator("[data-theme-toggle]").first.click()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.asvs("14.3.3")
async def test_the_browser_keeps_nothing_of_anybody(visitor: Visitor) -> None:
    """Only how the reader likes the pages; no page, no name, no draft stays in the browser's own storage."""
    page = visitor.page
    for address in (
        "/",
        "/contacts",
        f"/inbox/{visitor.site.seeded.conversation}?view=all",
        f"/campaigns/{CAMPAIGN}/live",
    ):
        await visitor.open(address)
    await page.locator("[data-theme-toggle]").first.click()
    kept = await page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]")
    assert set(kept[0]) <= {"theme", "keys"}
    assert kept[1] == []
    assert await page.evaluate("indexedDB.databases().then((all) => all.length)") == 0
    assert await page.evaluate("window.caches ? caches.keys().then((all) => all.length) : 0") == 0


async def test_pages_work_before_any_script(chromium: Browser, site: Site) -> None:
    context, visitor = await visit(chromium, site)
    state = await context.storage_state()
    await context.close()
    plain = await chromium.new_context(java_script_enabled=False, storage_state=state)
    page = await plain.new_page()
    await page.goto(f"{visitor.site.address}/campaigns/{CAMPAIGN}/live")
    await expect(page.locator("h1")).to_have_text(CAMPAIGN)
    await page.goto(f"{visitor.site.address}/inbox/{site.seeded.robot}?view=all")
    await page.locator("#assign").select_option(index=1)
    await page.locator("noscript button, button:has-text('Assign')").first.click()
    await expect(page.locator("#toasts")).to_contain_text("Assigned.")
    await plain.close()
