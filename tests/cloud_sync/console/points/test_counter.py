"""The counter of a merchant: a code is used exactly once also through a lost connection, and acts give points."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Route, expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
USE = "**/api/v1/merchant/redemptions/use"


async def test_a_code_is_used_once_though_the_answer_is_lost(make_desk: Any, island: Any, entered: Any) -> None:
    desk = await make_desk(width=820, height=1180)
    page, code = desk.page, await island.code()
    await entered(page, desk.site.url, "merchant", "/till")
    lost: list[str] = []

    async def lose(route: Route) -> None:
        """The first request never arrives; the second is carried out and its answer is lost."""
        lost.append(route.request.headers["idempotency-key"])
        if len(lost) == 2:
            await route.fetch()
        await route.abort("connectionfailed")

    await page.route(USE, lose)
    await page.fill("#redeem .code", code)
    await page.press("#redeem .code", "Enter")
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("交给顾客：海岛咖啡，一杯")
    await page.keyboard.press("Enter")
    await expect(page.locator("#waiting")).to_contain_text("等待网络")
    await expect(page.locator("#net")).to_have_text("未联网")
    await page.wait_for_function("() => document.querySelector('#waiting').textContent.includes('已试 2 次')")
    assert len(await island.used_redemptions()) == 1
    await page.unroute(USE)
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("已核销：海岛咖啡，一杯")
    await expect(page.locator("#waiting .till-card")).to_have_count(0)
    await expect(page.locator("#net")).to_have_text("已联网")
    used = await island.used_redemptions()
    assert [row["used_request"] for row in used] == [lost[0]]
    assert set(lost) == {lost[0]}
    await page.fill("#redeem .code", code)
    await page.press("#redeem .code", "Enter")
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("已用过")
    await page.click("#tab-today")
    await expect(page.locator("#today .till-list li")).to_have_count(1)
