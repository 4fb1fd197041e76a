"""The counter of a merchant: a code is used exactly once also through a lost connection, and acts give points."""

from __future__ import annotations

import asyncio
from dataclasses import replace
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
    carried_out = asyncio.Event()

    async def lose(route: Route) -> None:
        """The first request never arrives; the second is carried out and its answer is lost."""
        lost.append(route.request.headers["idempotency-key"])
        if len(lost) == 2:
            await route.fetch()
            carried_out.set()
        await route.abort("connectionfailed")

    await page.route(USE, lose)
    await page.fill("#redeem .code", code)
    await page.press("#redeem .code", "Enter")
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("交给顾客：海岛咖啡，一杯")
    await page.keyboard.press("Enter")
    await expect(page.locator("#waiting")).to_contain_text("等待网络")
    await expect(page.locator("#net")).to_have_text("未联网")
    await asyncio.wait_for(carried_out.wait(), timeout=60)
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
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("已在本店用过")
    await page.click("#tab-today")
    await expect(page.locator("#today .till-list li")).to_have_count(1)


async def test_acts_give_points_and_vouchers_are_spent(make_desk: Any, island: Any, scheme: str, entered: Any) -> None:
    desk = await make_desk(width=390, height=844)
    page, before, code = desk.page, await island.balance(), await island.person_code()
    await entered(page, desk.site.url, "merchant", "/till")
    await page.click("#tab-act")
    for answer in ("已给顾客", "兑换码已使用"):
        await page.fill("#act .code", code)
        await page.press("#act .code", "Enter")
        await expect(page.locator("#panel-act .till-card")).to_contain_text(answer)
    assert await island.balance() > before
    await page.keyboard.press("Tab")
    await page.locator("#tab-act").press("ArrowRight")
    await page.fill("#voucher .code", scheme)
    await page.fill("#voucher [name=amount]", "0")
    await page.press("#voucher [name=amount]", "Enter")
    await expect(page.locator("#panel-voucher .till-card")).to_contain_text("金额不对")
    await page.fill("#voucher [name=amount]", "20.5")
    await page.press("#voucher [name=amount]", "Enter")
    await expect(page.locator("#panel-voucher .till-card")).to_contain_text("已从券中扣 20.50 元")
    await expect(page.locator("#panel-voucher .till-card")).to_contain_text("还剩 29.50 元")
    await page.click("#tab-today")
    await expect(page.locator("#today .till-list li")).to_have_count(2)
    await expect(page.locator("#today .till-sum")).to_contain_text("20.50")
    await page.click("#panel-today a")
    await page.wait_for_url("**/till/statement**")
    await expect(page.locator(".till-sum")).to_contain_text("20.50")
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


async def test_the_shell_explains_itself_without_a_network(
    make_desk: Any, island: Any, entered: Any, line: Any
) -> None:
    """A tablet that is switched on without a network says so, keeps what waits, and goes on by itself."""
    desk = await make_desk(width=820, height=1180)
    desk.site = replace(desk.site, url=line.url)
    page, code = desk.page, await island.code()
    await entered(page, line.url, "merchant", "/till")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.fill("#redeem .code", code)
    await page.press("#redeem .code", "Enter")
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("交给顾客")
    await line.cut()
    await page.keyboard.press("Enter")
    await expect(page.locator("#waiting")).to_contain_text("等待网络")
    await page.reload()
    await expect(page.locator("h1")).to_have_text("现在没连上网络")
    await expect(page.locator("#kept li")).to_contain_text("海岛咖啡")
    assert await desk.axe() == []
    assert await island.used_redemptions() == []
    await line.mend()
    await expect(page.locator("#panel-redeem .till-card")).to_contain_text("已核销：海岛咖啡，一杯")
    assert len(await island.used_redemptions()) == 1
