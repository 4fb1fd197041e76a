"""Changing the microgrid in a real browser: sliders, the replay, staging, in force, back; and every setting."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import energy_settings, store
from control.energy.settings import EnergySettings

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def answer(island: Any, version: int, outcome: str, detail: str = "") -> None:
    at = island.now.isoformat()
    body = {"version": version, "outcome": outcome, "detail": detail, "effective_at": at, "at": at}
    await island.send("energy_settings_taken", **body)


async def compared(page: Any) -> None:
    """Waits until the newest replay stands there."""
    await expect(page.locator("#wi-result[data-source]")).to_be_visible()
    await expect(page.locator(".wi-busy")).to_have_count(0)


async def test_from_a_slider_to_what_is_in_force(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid/what-if")
    page = grid_desk.page
    await compared(page)
    await expect(page.locator(".wi-headline")).to_have_text("全年没有变化。")
    await expect(page.locator("#wi-source")).to_have_text("与现行 v0 相比，实测不足一年，用模拟年回放")
    await page.locator("summary", has_text="更多限值和权衡").click()
    await page.fill("#v-import_max_kw", "4000")
    box = page.locator("[data-slider]", has=page.locator("#v-import_max_kw"))
    await expect(box).to_have_class("sl changed")
    await expect(box.locator("[data-was]")).to_contain_text("现行 8000 kW")
    await expect(page.locator(".wi-headline")).to_contain_text("一年")
    row = page.locator(".wi-table tbody tr", has_text="最高购电")
    await expect(row.locator("td").nth(1)).to_have_text("4,000")
    await expect(row.locator("td").nth(2)).to_have_class("r good")
    await expect(page.locator(".wi-bar")).to_contain_text("没守住")
    await expect(page.locator(".m-draft")).to_have_count(12)
    await expect(page.locator(".steps .on")).to_contain_text("比较")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="导出对比").click()
    rows = list(csv.reader((await (await waiting.value).path()).read_text(encoding="utf-8-sig").splitlines()))
    assert ["import_max_kw", "kW", "8000.0", "4000.0"] in rows
    await page.get_by_role("button", name="暂存 v1…").click()
    await page.fill("#stage-dialog [name=reason]", "变压器检修")
    assert await grid_desk.axe() == []
    async with page.expect_navigation():
        await page.locator("#stage-dialog").get_by_role("button", name="暂存").click()
    await expect(page.locator("#staged")).to_contain_text("变压器检修")
    await expect(page.locator(".steps .on")).to_contain_text("暂存")
    assert (await energy_settings.desk(island.given.pool, "gw-east")).staged is not None
    async with page.expect_navigation():
        await page.get_by_role("button", name="现在生效").click()
    await expect(page.locator("#underway")).to_contain_text("正发往网关")
    async with page.expect_navigation():  # the page takes it up by itself; another way there would be crossed by that
        await answer(island, 1, "used")
    await expect(page.locator(".wi-last")).to_contain_text("变压器检修")
    await page.get_by_role("button", name="退回 v0").click()
    await page.fill("#reason-dialog [name=reason]", "检修结束")
    await page.locator("#reason-dialog").get_by_role("button", name="发给网关").click()
    await expect(page.locator("#underway")).to_contain_text("v2")
    desk = await energy_settings.desk(island.given.pool, "gw-east")
    assert (desk.versions[0].source, desk.versions[0].settings.import_max_kw) == ("rollback to v0", 8000.0)


async def staged_and_sent(desk: Any, island: Any) -> None:
    """Version 1 with another ride-through, on its way; the window is at the what-if page."""
    given = island.given
    settings = replace(EnergySettings(), ride_through_h=3.0)
    await energy_settings.stage(given, store.Actor("operator"), "gw-east", settings, reason="台风")
    await energy_settings.release(given, store.Actor("operator"), "gw-east", 1)
    await desk.sign_in("operator")
    await desk.open("/microgrid/what-if")
    await expect(desk.page.locator("#underway")).to_contain_text("台风")
    await compared(desk.page)


async def test_a_refusal_by_the_gateway_is_shown_with_its_reason_and_kept(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await staged_and_sent(grid_desk, island)
    await answer(island, 1, "refused", "storage lfp cannot hold 3 h")
    page = grid_desk.page
    refused = page.locator(".staged", has_text="网关拒绝了 v1")
    await expect(refused).to_contain_text("storage lfp cannot hold 3 h")
    await expect(page.locator("#underway")).to_have_count(0)
    await expect(page.locator(".tag.plain")).to_contain_text("草案 v2")
    assert (await energy_settings.desk(island.given.pool, "gw-east")).in_force == 0
    await grid_desk.open("/microgrid/settings")
    row = page.locator("[data-live=versions] tbody tr").first
    for text in ("已拒绝", "storage lfp cannot hold 3 h"):
        await expect(row).to_contain_text(text)
    await grid_desk.context.clear_cookies(name="island_session")
    await grid_desk.sign_in("engineer")
    await grid_desk.open("/audit")
    await expect(page.locator("main")).to_contain_text("台风")


async def test_when_it_comes_in_force_the_page_takes_it_up_by_itself(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await staged_and_sent(grid_desk, island)
    await answer(island, 1, "used")
    await expect(grid_desk.page.locator("#v-ride_through_h")).to_have_attribute("data-now", "3")
    await expect(grid_desk.page.locator(".wi-last")).to_contain_text("台风")
    await compared(grid_desk.page)


async def test_what_is_on_its_way_can_be_cancelled(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await staged_and_sent(grid_desk, island)
    page = grid_desk.page
    await page.get_by_role("button", name="取消它…").click()
    await page.fill("#cancel-dialog [name=reason]", "台风转向")
    await page.locator("#cancel-dialog").get_by_role("button", name="发给网关").click()
    await expect(page.locator("#underway")).to_contain_text("v2")
    newest = (await energy_settings.desk(island.given.pool, "gw-east")).versions[0]
    assert (newest.source, newest.settings.ride_through_h) == ("cancels v1", 2.0)
    await compared(page)


async def test_nonsense_is_said_and_the_draft_comes_back(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid/what-if")
    page = grid_desk.page
    await compared(page)
    await page.fill("#v-import_target_kw", "9000")
    await expect(page.locator("#wi-problem")).to_contain_text("import_target_kw is above import_max_kw")
    await page.fill("#v-import_target_kw", "2000")
    await expect(page.locator("#wi-problem")).to_be_hidden()
    await compared(page)
    await grid_desk.open("/microgrid/what-if")
    await expect(page.locator("#v-import_target_kw")).to_have_value("2000")
    await page.get_by_role("button", name="恢复现行").click()
    await expect(page.locator("#v-import_target_kw")).to_have_value("2500")
    grid_desk.seen.errors.clear()  # the browser notes the 422 that was wanted


async def test_every_setting_and_the_tariff_go_into_the_draft(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid/settings")
    page = grid_desk.page
    await page.fill("#s-reserve_frac", "30")
    await page.uncheck("#s-v2g")
    last = page.locator(".tariff tbody tr").last
    for name, value in (("name", "夏峰"), ("from_hour", "10"), ("to_hour", "22"), ("import_per_kwh", "1.4")):
        await last.locator(f"[name=tariff_{name}]").fill(value)
    await last.locator("[name=tariff_export_per_kwh]").fill("0.3")
    await last.locator("[name=tariff_months]").fill("6-8, 12")
    await page.get_by_role("button", name="存为草案并比较").click()
    await page.wait_for_url("**/what-if**")
    await compared(page)
    await expect(page.locator(".wi-left")).to_contain_text("草案还改了电价")
    desk = await energy_settings.desk(island.given.pool, "gw-east")
    draft = await energy_settings.draft(island.given.pool, "gw-east", "operator", desk)
    assert (draft.reserve_frac, draft.v2g, len(draft.tariff)) == (0.3, False, 7)
    assert (draft.tariff[-1].name, draft.tariff[-1].months) == ("夏峰", (6, 7, 8, 12))
    await page.get_by_role("button", name="暂存 v1…").click()
    await page.fill("#stage-dialog [name=reason]", "夏季")
    await page.fill("#stage-dialog [name=effective_at]", "2026-11-22T00:00")
    await page.locator("#stage-dialog").get_by_role("button", name="暂存").click()
    await expect(page.locator("#underway")).to_be_visible()
    await answer(island, 1, "waiting")
    desk = await energy_settings.desk(island.given.pool, "gw-east")
    assert desk.underway is not None
    assert desk.underway.effective_at == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    await grid_desk.open("/microgrid/settings")
    first = page.locator("[data-live=versions] tbody tr").first
    for text in ("v1", "已定时", "夏季", "15%", "30%", "7 个时段"):
        await expect(first).to_contain_text(text)


async def test_published_prices_are_seen_before_they_are_staged(grid_desk: Any, island: Any, tmp_path: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid/settings")
    page, day = grid_desk.page, "2026-11-22"
    await expect(page.locator(".day-ahead")).to_contain_text("没有：每天都按电价表。")
    sheet = tmp_path / "prices.csv"
    sheet.write_text("at,import_price\n" + "\n".join(f"{day}T{h:02d}:00,{0.2 + h / 100:.2f}" for h in range(24)))
    await page.set_input_files("#da-file", sheet)
    await expect(page.locator("#da-text")).to_have_value(sheet.read_text())
    await page.fill("#da-source", "交易中心")
    await page.fill("#da-text", sheet.read_text().replace(",0.25", ",cheap"))
    await page.get_by_role("button", name="放进草案").click()
    await expect(page.locator("#day-ahead-form .problem")).to_contain_text("Line 7: a price is no number.")
    await page.fill("#da-text", sheet.read_text())
    await page.get_by_role("button", name="放进草案").click()
    row = page.locator(".day-ahead > tbody > tr").first
    for text in (day, "24", "0.200 … 0.430", "按电价表", "交易中心", "在你的草案里"):
        await expect(row).to_contain_text(text)
    await page.locator(".day-ahead summary").click()
    await expect(page.locator(".day-ahead details tbody tr").nth(10)).to_contain_text("0.3000")
    assert await grid_desk.axe() == []
    desk = await energy_settings.desk(island.given.pool, "gw-east")
    assert desk.settings.day_ahead == ()
    draft = await energy_settings.draft(island.given.pool, "gw-east", "operator", desk)
    assert [(one.day.isoformat(), one.source) for one in draft.day_ahead] == [(day, "交易中心")]
    await grid_desk.open("/microgrid/what-if")
    await compared(page)
    await expect(page.locator(".wi-left")).to_contain_text("草案还改了日前电价")
    await grid_desk.open("/microgrid/settings")
    await page.get_by_role("button", name=f"去掉 {day}").click()
    await expect(page.locator(".day-ahead")).to_contain_text("没有：每天都按电价表。")
    grid_desk.seen.errors.clear()  # the browser notes the 422 that was wanted


async def test_a_guard_may_try_and_change_nothing(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid/what-if")
    await compared(grid_desk.page)
    await expect(grid_desk.page.get_by_role("button", name="暂存 v1…")).to_have_count(0)
    await grid_desk.open("/microgrid/settings")
    await expect(grid_desk.page.locator("#s-reserve_frac")).to_be_disabled()
    await expect(grid_desk.page.get_by_text("由办公室和工程师更改")).to_be_visible()


async def test_what_if_in_english_dark_has_no_violation(make_grid_desk: Any, island: Any) -> None:
    desk = await make_grid_desk("en", "dark")
    await island.sample()
    await desk.sign_in("operator")
    await desk.open("/microgrid/what-if")
    await compared(desk.page)
    assert await desk.axe() == []
