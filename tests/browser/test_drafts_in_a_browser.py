"""An answer that is being written is kept while somebody types, and goes on after the session has ended."""

import re

import pytest
from playwright.async_api import Browser, expect

from cadenza.identity.service import log_out
from tests.browser.conftest import Site, visit
from tests.web.seed import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 1440])
async def test_what_is_typed_is_there_again_and_outlives_the_session(
    chromium: Browser, site: Site, width: int
) -> None:
    context, visitor = await visit(chromium, site, width=width)
    page, address = visitor.page, f"/inbox/{site.seeded.conversation}"
    await visitor.open(address)
    await page.locator("textarea").press_sequentially("Tuesday at ten")
    await expect(page.locator("#draft-state")).to_have_text("Saved")
    await visitor.open(address)
    await expect(page.locator("textarea")).to_have_value("Tuesday at ten")
    await expect(page.locator("#draft-state")).to_contain_text("Draft, saved")
    token = next(c["value"] for c in await context.cookies() if "session" in c["name"])
    await log_out(site.database, token)
    await page.locator("textarea").press_sequentially(f" suits me, {width}")
    await expect(page.locator("#draft-state")).to_contain_text("Not saved: you are signed out")
    words = await page.locator("textarea").input_value()
    await page.keyboard.press("Control+Enter")
    await page.fill("#email", site.seeded.email)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Send it now?")
    await expect(page.locator("article")).to_have_text(words)
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(re.escape(address)))
    await expect(page.locator("textarea")).to_have_value("")
    await expect(page.locator("main")).to_contain_text(words)
    assert not [text for text in visitor.complaints if "401" not in text]
    await context.close()
