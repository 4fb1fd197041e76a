"""The zone's public page: everybody reads it, without an account, without scripts, in both languages and themes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_zone_speaks_and_nothing_is_hidden_from_anybody(make_desk: Any, zone: Any) -> None:
    await zone.electricity(without=range(12, 15))
    await zone.vehicles()
    desk = await make_desk("zh", "light")
    await desk.open("/zone")
    page = desk.page
    await expect(page.locator("h1")).to_contain_text("此刻岛上用一度电")
    await expect(page.locator(".live")).to_contain_text("实时 · 11-21 10:42")
    await expect(page.locator("#vehicles .big")).to_contain_text("6")
    assert await page.locator("#vehicles dd").all_inner_texts() == ["5", "1"]
    assert await page.locator(".ring .gap").count() == 3
    await expect(page.locator("#year")).to_contain_text("11,300")
    await expect(page.locator("footer")).to_contain_text("缺的数据写明“缺”")
    assert "琼" not in await page.locator("body").inner_text()
    await page.click("#rules summary")
    await expect(page.locator("#rules tr", has_text="时间窗 · 特种作业 · 最多")).to_contain_text("天")
    await expect(page.locator("#rules tr", has_text="所需材料 · 特种作业")).to_contain_text("行驶证")
    await expect(page.locator("#rules tr", has_text="换算 · 每分克数")).to_contain_text("1 克/分")
    assert await desk.axe() == []
    await page.click("header button[name=lang]")
    await page.wait_for_url("**/zone")
    await expect(page.locator("h1")).to_contain_text("A kWh on the island now")
    dark = await make_desk("en", "dark", 390, 844)
    await dark.open("/zone")
    await expect(dark.page.locator("h1")).to_contain_text("A kWh on the island now")
    for summary in await dark.page.locator("summary").all():
        await summary.click()
    assert await dark.axe() == []
    wide = await dark.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


async def test_an_island_that_told_nothing_says_so(make_desk: Any, zone: Any) -> None:
    desk = await make_desk("zh", "dark")
    await desk.open("/zone")
    await expect(desk.page.locator("h1")).to_contain_text("还不知道")
    await expect(desk.page.locator(".ring .share")).to_contain_text("未知")
    await expect(desk.page.locator("#vehicles .big")).to_contain_text("缺")
    await expect(desk.page.locator("footer")).to_contain_text("完整度 0.0%")
