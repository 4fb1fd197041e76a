"""The navigation's groups fold: the page's own is open, what the reader chose stays, and no script is needed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server.console.nav import open_groups

GROUPS = ("permits", "energy", "carbon", "system")


@pytest.mark.parametrize(
    ("section", "cookie", "shown"),
    [
        ("/live", "", "permits energy carbon"),
        ("/audit", "", "permits system"),
        ("/audit", "system0.energy1", "permits energy system"),
        ("/ledger", "carbon0.permits0.energy0", "carbon"),
        ("/account", "system1", "permits energy carbon system"),
        ("/live", "permits0..x.energy2", "energy carbon"),
    ],
)
def test_which_groups_are_open(section: str, cookie: str, shown: str) -> None:
    is_open = open_groups(section, cookie)
    assert [group for group in GROUPS if is_open(group)] == shown.split()


async def kept(desk: Any, choice: str) -> None:
    """Waits until the browser has kept it: the page does so a frame after the group folded."""
    async with asyncio.timeout(60):
        while not any(choice in one["value"] for one in await desk.context.cookies() if one["name"] == "island_nav"):
            await asyncio.sleep(0.02)


@pytest.mark.asyncio(loop_scope="session")
async def test_groups_fold_by_key_and_stay_so(make_desk: Any, scene: Any) -> None:
    desk = await make_desk("en", "light", width=1440, height=900)
    await desk.sign_in("engineer")
    for path in ("/live", "/audit", "/ledger"):
        await desk.open(path)
        over = await desk.page.locator(".nav").evaluate("(nav) => nav.scrollHeight - nav.clientHeight")
        assert over <= 0, path
    energy, audit = desk.page.locator("[data-group=energy]"), desk.page.locator(".nav a[href='/audit']")
    await energy.locator("summary").focus()
    await desk.page.keyboard.press("Enter")
    await expect(energy).not_to_have_attribute("open", "")
    await expect(audit).to_be_hidden()
    await kept(desk, "energy0")
    await desk.open("/passages")
    await expect(energy).not_to_have_attribute("open", "")
    assert await desk.axe() == []
    await desk.open("/microgrid")
    await expect(energy).to_have_attribute("open", "")
    await desk.page.keyboard.type("ga")
    await desk.page.wait_for_url("**/audit")
    await expect(audit).to_be_visible()
    assert desk.seen.errors == []


@pytest.mark.asyncio(loop_scope="session")
async def test_groups_open_without_a_script(make_desk: Any, scene: Any, chromium: Any) -> None:
    desk = await make_desk()
    await desk.sign_in("engineer")
    plain = await chromium.new_context(java_script_enabled=False, storage_state=await desk.context.storage_state())
    try:
        page = await plain.new_page()
        await page.goto(f"{desk.site.url}/live")
        await page.locator("[data-group=system] summary").click()
        await expect(page.locator(".nav a[href='/audit']")).to_be_visible()
    finally:
        await plain.close()
