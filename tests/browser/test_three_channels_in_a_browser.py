"""A sequence on three channels, built in the editor, launched in the sandbox, and one person followed in one thread."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.app.test_up import Up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]

_STEPS = (("intro", "send"), ("visit", "view_profile"), ("talk", "call"))
_WORDS = "Hello {{ contact.first_name | default: 'there' }}, one question about your plant."
_EDIT = "/campaigns/On%20three%20channels/edit"
_SCRIPT = "Ask {{ contact.first_name | default: 'them' }} about stoppages."


@pytest.fixture
async def sandbox(chromium: Browser) -> AsyncIterator[Page]:
    """A page of a sandbox of its own, signed in."""
    with tempfile.TemporaryDirectory(prefix="cadenza-channels-") as folder:
        Path(folder).chmod(0o755)  # the database's user must enter it
        up = Up(Path(folder))
        try:
            address, email, password = await asyncio.to_thread(up.ready)
            context = await chromium.new_context(base_url=address, locale="en-GB", reduced_motion="reduce")
            page = await context.new_page()
            await page.goto("/login")
            await page.fill("#email", email)
            await page.fill("#password", password)
            await page.press("#password", "Enter")
            await page.wait_for_url(address + "/")
            yield page
            await context.close()
        finally:
            up.process.terminate()
            await asyncio.to_thread(up.process.wait, 40)


async def _build(page: Page) -> None:
    """By the pages alone: a new campaign, and its steps in the editor."""
    await page.goto("/campaigns/+new")
    await page.fill("#name", "On three channels")
    await page.click("form[action='/campaigns/+new'] button[type=submit]")
    await page.wait_for_url("**/edit**")
    before = "intro"
    for name, action in _STEPS:
        await page.goto(f"{_EDIT}?step={before}")
        if await page.locator(f"a[href*='step={name}']").count() == 0:
            await page.fill("#new_id", name)
            await page.select_option("#new_action", action)
            await page.click("button[formaction$='/add-step']")
            await page.wait_for_url(f"**step={name}**")
        before = name
        if action == "call":
            await page.fill("textarea[name$='.script']", _SCRIPT)
        await page.fill("input[name$='.after.days']", "0")
        if action == "send":
            await page.fill("input[name$='.subject']", "A question")
            await page.fill("textarea[name$='.text']", _WORDS)
        await page.click("#editor button[data-kind=primary]")
        await page.wait_for_load_state()
    await page.goto(_EDIT)
    await page.click("details:has(#window\\.from) > summary")
    await page.fill("input[name='caps.per_person_per_week']", "5")
    await page.click("#editor button[data-kind=primary]")
    await page.wait_for_load_state()


async def _launch(page: Page) -> None:
    await page.goto("/campaigns/On%20three%20channels/live")
    await page.click("button[popovertarget=launch]")
    await page.click("#launch button[type=submit]")
    await page.wait_for_selector("text=Running")


async def _thread(page: Page) -> set[str]:
    """What the lines of a conversation say in which somebody called back; empty while there is none."""
    await page.goto("/inbox?view=all")
    row = page.locator("a[data-row]", has_text="I missed your call").first
    if await row.count() == 0:
        return set()
    await row.click()
    await page.wait_for_selector("#thread .timeline")
    return {line.strip() for line in await page.locator("#thread .timeline p.clip").all_inner_texts()}


async def test_a_person_is_followed_over_three_channels_in_one_thread(sandbox: Page) -> None:
    await _build(sandbox)
    await _launch(sandbox)
    for _ in range(150):
        await asyncio.sleep(1)
        if told := await _thread(sandbox):
            break
    assert {"Profile visited on LinkedIn", "A question", "Call", "Voicemail"} <= told
