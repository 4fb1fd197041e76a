"""The office's desk of points: a held ride is released and the balance changes, devices, the catalogue, vouchers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
OFFICE_PAGES = (
    "/points",
    "/points/appeals",
    "/points/methods",
    "/points/devices",
    "/points/ways",
    "/points/catalogue",
    "/vouchers",
    "/vouchers/statements",
)


COUNTER_TABS = ("redeem", "act", "voucher", "today")


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
async def test_axe_finds_nothing(
    make_desk: Any, scheme: str, island: Any, entered: Any, language: str, theme: str
) -> None:
    desk, counter = await make_desk(language, theme), await make_desk(language, theme, width=390, height=844)
    found: dict[str, list[str]] = {}
    await entered(desk.page, desk.site.url, "reviewer", "/points")
    for path in (*OFFICE_PAGES, f"/points/people/{island.visitor}"):
        await desk.open(path)
        found[path] = await faults(desk)
    await desk.open("/points/catalogue")
    await desk.page.locator(".head [data-open]").click()
    found["new item"] = await faults(desk)
    await entered(counter.page, desk.site.url, "merchant", "/till")
    for tab in COUNTER_TABS:
        await counter.page.click(f"#tab-{tab}")
        await expect(counter.page.locator(f"#panel-{tab}")).to_be_visible()
        found[tab] = await faults(counter)
    await counter.open("/till/statement")
    found["statement"] = await faults(counter)
    await counter.context.clear_cookies(name="island_session")
    await entered(counter.page, desk.site.url, "organisation", "/vouchers/mine")
    await expect(counter.page.locator(".vouchers .qr svg")).to_be_visible()
    found["mine"] = await faults(counter)
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert desk.seen.errors == []
    assert counter.seen.errors == []


async def faults(desk: Any) -> list[str]:
    """What axe finds, and whether the page is wider than its window."""
    over = await desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*await desk.axe(), *([f"{over} px too wide"] if over > 0 else [])]


async def test_a_held_ride_is_released_and_taken_back_by_keys(make_desk: Any, island: Any, entered: Any) -> None:
    desk = await make_desk()
    page, before = desk.page, await island.balance()
    await island.ride("ride-4", ago_min=20, took_s=50, back=True)
    await entered(page, desk.site.url, "reviewer", "/points")
    side = page.locator("aside.context")
    await expect(side).to_contain_text("108 km/h · 可信上限 60 km/h")
    await expect(side.locator(".way li.on")).to_have_count(2)
    await expect(side.locator(".way .odd").first).to_contain_text("108 km/h")
    await expect(page.get_by_text("陈•龙").first).to_be_visible()
    await page.keyboard.press("j")
    await page.wait_for_url("**event=ride-4**")
    await page.keyboard.press("k")
    await page.wait_for_url("**event=ride-3**")
    await page.keyboard.press("r")
    await expect(page.locator("#release-dialog")).to_be_visible()
    await page.locator("#release-dialog button.pri").click()
    await expect(page.locator("#release-dialog .problem")).to_be_visible()
    await page.locator("#release-dialog input[value=seen_on_site]").check()
    await page.locator("#release-dialog button.pri").click()
    await page.wait_for_url("**released=ride-3**")
    await expect(page.locator(".flash")).to_contain_text("已放行")
    assert await island.balance() == before + 133
    await page.keyboard.press("u")
    await expect(page.locator(".flash")).to_contain_text("冲销")
    await page.wait_for_load_state()  # keys work from then on
    assert await island.balance() == before
    await page.keyboard.press("x")
    await page.locator("#refuse-dialog input[value=cannot_be]").check()
    await page.locator("#refuse-dialog button.solid").click()
    await expect(page.locator(".flash")).to_contain_text("已拒绝")
    await expect(page.locator(".pts-list .empty")).to_be_visible()
    assert await island.balance() == before
    why = await island.given.pool.fetchval("SELECT why FROM audit WHERE action = 'points_released'")
    assert why == "Somebody saw it on site"


async def test_a_day_of_the_office(make_desk: Any, island: Any, entered: Any) -> None:
    """A device with its secret, an item, a scheme that another person approves, a voucher, an answered appeal."""
    desk, second = await make_desk(), await make_desk()
    page = second.page
    await entered(page, desk.site.url, "engineer", "/points/devices")
    await page.locator(".head [data-open]").click()
    await page.fill("#add-dialog [name=name]", "码头站牌")
    await page.fill("#add-dialog [name=place]", "东屿岛码头")
    await page.locator("#add-dialog [name=keys][value=shuttle]").check()
    await page.select_option("#add-dialog [name=direction]", "either")
    await page.locator("#add-dialog button.pri").click()
    await expect(page.locator(".secret code")).to_contain_text("secret_hex")
    await expect(page.locator(".secret .qr svg")).to_be_visible()
    await second.open("/points/devices")
    await expect(page.locator(".secret")).to_have_count(0)
    row = page.locator("tr", has_text="码头站牌")
    await row.get_by_text("停用…").click()
    await page.fill("#off-dialog textarea", "检修")
    await page.locator("#off-dialog button.solid").click()
    await expect(row).to_contain_text("已停用")

    await second.context.clear_cookies(name="island_session")
    page = desk.page
    await entered(page, desk.site.url, "reviewer", "/points/catalogue")
    await page.locator("tr", has_text="海岛咖啡").get_by_text("修改…").click()
    await expect(page.locator("#change-dialog [name=stock]")).to_have_value("40")
    await page.fill("#change-dialog [name=stock]", "60")
    await page.fill("#change-dialog textarea", "补货")
    await page.locator("#change-dialog button.pri").click()
    await expect(page.locator(".flash")).to_contain_text("已修改")
    await expect(page.locator("tr", has_text="海岛咖啡")).to_contain_text("/ 60")

    await desk.open("/vouchers")
    await page.locator(".head .pri").click()
    fields = {
        "name_zh": "会务奖励",
        "name_en": "Event reward",
        "amounts": "50, 100",
        "budget": "3000",
        "source": "第 28 条",
    }
    for name, text in fields.items():
        await page.fill(f"#add-dialog [name={name}]", text)
    await page.fill("#add-dialog textarea", "首年")
    await page.locator("#add-dialog [name=merchants]").check()
    await page.locator("#add-dialog button.pri").click()
    await expect(page.locator("tr", has_text="会务奖励")).to_contain_text("需另一人批准")
    await entered(second.page, desk.site.url, "approver", "/vouchers")
    await second.page.locator("tr", has_text="会务奖励").get_by_role("button", name="批准").click()
    await expect(second.page.locator(".flash")).to_contain_text("可以发券")
    await second.page.wait_for_load_state()
    await second.page.locator(".head [data-open=issue-dialog]").click()
    await second.page.locator("#issue-dialog button.pri").click()
    await expect(second.page.locator(".flash")).to_contain_text("券已发放")
    assert await island.given.pool.fetchval("SELECT sum(amount_fen)::int FROM vouchers") == 5_000
    assert desk.seen.errors == []
    assert second.seen.errors == []


async def test_an_appeal_is_answered_and_a_statement_compared(
    make_desk: Any, island: Any, scheme: str, entered: Any
) -> None:
    desk = await make_desk()
    page, before = desk.page, await island.balance()
    await island.appeal("ride-3", "车牌识别的时间错了，我坐了四分钟。")
    await entered(page, desk.site.url, "reviewer", "/points/appeals")
    await expect(page.locator("aside.context")).to_contain_text("我坐了四分钟")
    await page.keyboard.press("r")
    await expect(page.locator("#grant-dialog [name=points]")).to_have_value("133")
    await page.fill("#grant-dialog textarea", "已核对站牌时钟。")
    await page.locator("#grant-dialog button.pri").click()
    await expect(page.locator(".flash")).to_contain_text("已补发积分")
    assert await island.balance() == before + 133

    await island.spend(scheme, 2_050, "till-0001")
    await island.spend(scheme, 950, "till-0002")
    await desk.open("/vouchers/statements")
    await expect(page.locator(".facts")).to_contain_text("30.00")
    await page.fill("textarea[name=lines]", "till-0001, 20.50\ntill-0003, 5")
    await page.locator(".recon button").click()
    await expect(page.locator("table", has_text="差额")).to_contain_text("till-0002")
    await expect(page.locator(".work")).to_contain_text("2 笔不一致")
    await page.fill("textarea[name=lines]", "till-0001, 20.50\ntill-0002\t9.50")
    await page.locator(".recon button").click()
    await expect(page.locator(".work")).to_contain_text("分毫不差")
    assert desk.seen.errors == []
