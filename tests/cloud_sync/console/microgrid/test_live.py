"""The microgrid's live page in a real browser: what flows, what is planned and why; stale, unknown and taken over."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_page_shows_flow_figures_plan_and_reasons(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await grid_desk.sign_in("office")
    await grid_desk.open("/microgrid")
    page = grid_desk.page
    await expect(page.locator("h1")).to_have_text("微电网")
    await expect(page.locator("#flow svg text.lb2")).to_have_count(7)
    await expect(page.locator("#flow")).to_contain_text("会议中心")
    await expect(page.locator(".mg-kpis")).to_contain_text("95.0%")
    await expect(page.locator(".mg-kpis")).to_contain_text("4.6小时")
    await expect(page.locator("#mg-age")).to_contain_text("实时")
    assert await page.locator("#day path.s-pv").count() >= 2
    await expect(page.locator("#day .nowtext")).to_have_text("10:42")
    await expect(page.locator(".y")).to_have_count(4)
    assert await grid_desk.axe() == []
