"""The microgrid's live page in a real browser: what flows, what is planned and why; stale, unknown and taken over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import queries_energy

pytestmark = pytest.mark.asyncio(loop_scope="session")
RECT = "all => all.map(one => [one.getAttribute('class'), +one.getAttribute('height'), +one.getAttribute('x')])"
PAGES = ("", "/chargers", "/pv", "/alarms", "/history", "/settings")


async def test_the_page_shows_flow_figures_plan_and_reasons(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid")
    page = grid_desk.page
    await expect(page.locator("h1")).to_have_text("微电网")
    await expect(page.locator("#flow svg text.lb2")).to_have_count(7)
    await expect(page.locator("#flow")).to_contain_text("会议中心")
    figures = page.locator(".mg-kpis")
    for text in ("18gCO₂e", "95.0%", "64%", "5.1 / 8.0 MWh", "15:30 满", "4.6小时", "126kW", "1 串异常", "少发 38"):
        await expect(figures).to_contain_text(text)
    await expect(page.locator("#mg-age")).to_contain_text("实时")
    assert await page.locator("#day path.s-pv").count() == 2
    assert await page.locator("#day .band, #day .fan").count() == 2
    await expect(page.locator("#day .nowtext")).to_have_text("10:42")
    reasons = page.locator(".y")
    await expect(reasons).to_have_count(4)
    await expect(reasons.nth(0)).to_contain_text("用光伏充 462 kW")
    await expect(reasons.nth(0)).to_contain_text("光伏多出 336 kW")
    await expect(reasons.nth(0)).to_contain_text("−121")
    await expect(reasons.nth(3)).to_contain_text("tide_of_the_moon")
    await expect(page.locator(".mg-alarms")).to_contain_text("组串或逆变器没有出力")


async def test_widths_follow_powers_and_sides_follow_signs(grid_desk: Any, island: Any) -> None:
    await island.sample(kw={"pv": 1000.0, "storage": 500.0, "grid": -300.0, "load": 1250.0, "ev": -50.0})
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    rects = grid_desk.page.locator("#flow rect:not(.bus)")
    heights = await rects.evaluate_all(
        "all => all.map(one => [one.getAttribute('class'), +one.getAttribute('height'), +one.getAttribute('x')])"
    )
    pv, storage = (next(one for one in heights if one[0] == kind) for kind in ("e-pv", "e-storage"))
    grid, ev = (next(one for one in heights if one[0] == kind) for kind in ("e-grid", "e-ev"))
    assert pv[1] == pytest.approx(2 * storage[1], rel=0.01)
    assert pv[2] == storage[2] == ev[2] < grid[2]
    await expect(grid_desk.page.locator(".band.export")).to_have_count(1)
    await expect(grid_desk.page.locator("#flow")).to_contain_text("上网")
    await expect(grid_desk.page.locator("#flow")).to_contain_text("车辆回馈")


async def test_what_is_not_known_is_never_zero(grid_desk: Any, island: Any) -> None:
    await island.sample(kw={"pv": 2412.0, "load": 1790.0}, soc_frac=None, devices=False)
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    page = grid_desk.page
    figures = await page.locator(".mg-kpis .n1").all_inner_texts()
    assert [one.strip()[0] for one in figures] == ["—"] * 5
    assert await page.locator("#flow rect.unknown").count() == 2
    await expect(page.locator("#flow")).to_contain_text("—")
    await expect(page.locator(".mg-why")).to_contain_text("还没有计划")
    await expect(page.locator(".mg-kpis a.v")).to_have_class("v stale")
    await expect(page.locator(".mg-kpis a.v")).to_contain_text("还没判断")
    await expect(page.get_by_role("button", name="手动接管…")).to_have_count(0)


async def test_old_data_say_how_old_they_are(grid_desk: Any, island: Any) -> None:
    await island.sample(ago_s=40)
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    await expect(grid_desk.page.locator("#mg-age")).to_have_class("live num stale")
    await expect(grid_desk.page.locator("#mg-age")).to_contain_text("过期 4")
    await expect(grid_desk.page.locator("#flow")).to_have_class("mg-sankey old")
    await expect(grid_desk.page.locator(".mg-kpis > div.old")).to_have_count(6)


async def test_a_new_sample_is_drawn_by_itself(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    await expect(grid_desk.page.locator("#flow")).to_contain_text("2,412")
    await island.sample(ago_s=-10, kw={"pv": 3000.0, "grid": 0.0, "storage": -1000.0, "load": 1900.0, "ev": 100.0})
    await expect(grid_desk.page.locator("#flow")).to_contain_text("3,000")
    await expect(grid_desk.page.locator(".mg-kpis")).to_contain_text("100.0%")


async def test_the_unit_is_chosen_once_and_kept(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    await grid_desk.page.get_by_role("link", name="元", exact=True).click()
    await expect(grid_desk.page.locator(".mg-kpis")).to_contain_text("每度电的购电费")
    await grid_desk.open("/microgrid")
    await expect(grid_desk.page.locator(".mg-kpis")).to_contain_text("电网现价 1.05")
    await expect(grid_desk.page.locator(".y").nth(0)).to_contain_text("元")
    await expect(grid_desk.page.locator("#day")).to_contain_text("购电电价")


async def test_the_chart_says_what_stands_under_the_pointer_and_the_arrow_keys(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    page = grid_desk.page
    tip, chart = page.locator(".mg-tip"), page.locator("#day")
    await expect(chart.locator("svg")).to_be_visible()
    width = (await chart.bounding_box())["width"]
    await chart.hover(position={"x": 46 + (width - 54) * 0.25, "y": 80})
    for text in ("11-21 0", "实测", "光伏 ", "负荷 ", "荷电状态 62%"):
        await expect(tip).to_contain_text(text)
    await chart.hover(position={"x": 46 + (width - 54) * 0.75, "y": 80})
    for text in ("11-21 1", "预计", "储能放电 700\u2009kW", "("):
        await expect(tip).to_contain_text(text)
    await page.mouse.move(5, 5)
    await expect(tip).to_be_hidden()
    await chart.focus()
    await chart.press("ArrowRight")
    await expect(tip).to_contain_text("11-21 10:57 · 预计")
    await chart.press("Escape")
    await expect(tip).to_be_hidden()
    await page.locator(".mg-day summary").click()
    await expect(page.locator("[data-live=day-table] tbody tr", has_text="预计").first).to_contain_text("(")


async def test_yesterday_two_days_and_any_day(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    await grid_desk.page.get_by_role("link", name="48 h").click()
    await expect(grid_desk.page.locator("#day .nowtext")).to_have_text("10:42")
    await grid_desk.page.get_by_role("link", name="昨日").click()
    await expect(grid_desk.page.locator("#day .nowtext")).to_have_count(0)
    await expect(grid_desk.page.locator("#day path.s-load")).to_have_count(1)
    await grid_desk.open("/microgrid?at=2026-11-18")
    await expect(grid_desk.page.locator("#day-title")).to_have_text("11-18")
    await expect(grid_desk.page.locator("#day")).to_have_attribute("aria-label", "这段时间没有实测数据。")


async def test_a_person_takes_over_with_a_reason(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid")
    page = grid_desk.page
    await page.get_by_role("button", name="手动接管…").click()
    dialog = page.locator("#takeover-dialog")
    await dialog.get_by_text("按指定功率运行储能").click()
    await dialog.locator("[name=storage_kw]").fill("800")
    await dialog.locator("[name=direction]").select_option("charge")
    await dialog.locator("[name=minutes]").select_option("60")
    await dialog.get_by_role("button", name="发给网关").click()
    await expect(dialog.locator(".problem")).to_be_visible()
    await dialog.locator("[name=note]").fill("试验")
    assert await grid_desk.axe() == []
    await dialog.get_by_role("button", name="发给网关").click()
    await expect(page.locator(".flash")).to_contain_text("已发给网关")
    await expect(page.locator(".tag.hold")).to_contain_text("人工接管至 11:42")
    (made,) = await queries_energy.takeovers(island.given.pool, "gw-east")
    assert (made.mode, made.storage_kw, made.note, made.issued_by) == ("storage", -800.0, "试验", "operator")
    assert made.expires_at - made.issued_at == timedelta(hours=1)


async def test_chargers_strings_alarms_and_telemetry(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await island.session("s-9", "cp-05", phase="ended", ago_min=200, energy_kwh=31.0, fed_back_kwh=4.0)
    await grid_desk.sign_in("guard")
    page = grid_desk.page
    await grid_desk.open("/microgrid/chargers")
    await expect(page.locator("[data-live=chargers] tbody tr")).to_have_count(8)
    await expect(page.locator(".tot")).to_contain_text("286")
    await expect(page.locator("[data-live=sessions]")).to_contain_text("31.0")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="CSV").click()
    assert "s-9,cp-05" in (await (await waiting.value).path()).read_text(encoding="utf-8-sig")
    await grid_desk.open("/microgrid/pv")
    await expect(page.locator("[data-live=pv-alarms]")).to_contain_text("先检查逆变器，再检查组串的熔断器")
    await expect(page.locator("[data-live=pv] tbody tr").last).to_contain_text("组串或逆变器没有出力")
    await expect(page.locator(".facts")).to_contain_text("持续")
    await expect(page.locator("[data-live=pv] tbody tr", has_text="酒店 2")).to_contain_text("1 串异常")
    await expect(page.locator(".facts")).to_contain_text("152\u2009kW")
    await grid_desk.open("/microgrid/alarms")
    await expect(page.locator("tbody tr")).to_have_count(1)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="CSV").click()
    assert "pv_outage,warning,pv-2/s3" in (await (await waiting.value).path()).read_text(encoding="utf-8-sig")
    await grid_desk.open("/microgrid/history")
    await expect(page.locator("#day path.s-load")).to_have_count(1)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="CSV · 15 分").click()
    download = await waiting.value
    assert len((await download.path()).read_text().splitlines()) == 139


async def test_a_healthy_plant_says_so(grid_desk: Any, island: Any) -> None:
    await island.sample()
    await grid_desk.sign_in("guard")
    await grid_desk.open("/microgrid")
    await expect(grid_desk.page.locator(".mg-kpis")).to_contain_text("与预计相符")
    await grid_desk.open("/microgrid/pv")
    await expect(grid_desk.page.locator("[data-live=pv-alarms]")).to_contain_text("每一串都和日照相符")


@pytest.mark.parametrize(("language", "theme"), [("zh", "dark"), ("en", "light")])
async def test_axe_finds_nothing(make_grid_desk: Any, island: Any, language: str, theme: str) -> None:
    desk = await make_grid_desk(language, theme)
    await desk.sign_in("operator")
    found = {}
    if language == "en":
        await desk.open("/microgrid")
        found["nothing yet"] = await desk.axe()
    await island.full_day()
    for path in PAGES:
        await desk.open(f"/microgrid{path}")
        found[path] = await desk.axe()
    assert {path: problems for path, problems in found.items() if problems} == {}
    assert desk.seen.errors == []


@pytest.mark.parametrize("width", [1100, 390])
async def test_pages_fit_narrow_windows(make_grid_desk: Any, island: Any, width: int) -> None:
    desk = await make_grid_desk("en", width=width)
    await island.full_day()
    await desk.sign_in("operator")
    for path in ("", "/chargers", "/settings", "/what-if"):
        await desk.open(f"/microgrid{path}")
        beyond = await desk.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, path
