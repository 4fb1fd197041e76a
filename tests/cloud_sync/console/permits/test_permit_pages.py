"""Every page of permits: axe in both languages and themes, nothing sideways; filing at the office; visits."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server.permits import publishing

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def filled(office: Any) -> tuple[str, ...]:
    """One of each state; the paths of every page that shows them."""
    waiting, given = await office.filed(papers=4), office.site.given
    returned = await office.filed(plate="琼B33Z07")
    await office.returned(returned, {"holder": "与行驶证上的单位不一致"})
    approved = await office.filed("other", plate="琼C40R16")
    await office.approved(approved, "second")
    await given.pool.execute("UPDATE applications SET publish_at = publish_at - $1::interval", timedelta(hours=1))
    await publishing.publish_due(given)
    await visited(office, approved)
    return (
        f"/reviews/{waiting}",
        "/reviews?show=returned",
        "/reviews?show=done",
        "/reviews/new",
        f"/applications/{returned}",
        f"/applications/{returned}/edit",
        f"/applications/{approved}/pass",
        "/visits",
        "/visits?show=unread",
    )


async def visited(office: Any, application_id: str) -> None:
    """Two visits of a vehicle, one of them in the carbon book, and a passage that nobody could read."""
    pool, now = office.site.given.pool, datetime.now(UTC)
    for number, (state, over) in enumerate((("complete", True), ("inside", False))):
        await pool.execute(
            "INSERT INTO visits (visit_id, plate, permit_id, application_id, gate_in, gate_out, entered_at, left_at,"
            " entry_arrival, exit_arrival, state, flags, vehicle_type, revision, is_over, updated_at)"
            " VALUES ($1, '琼C40R16', $2, $2, 'east', $3, $4, $5, $1, $6, $7, $8, 'crane', 1, $9, $10)",
            f"visit-{number}",
            application_id,
            "north" if over else None,
            now - timedelta(days=9 - number, hours=3),
            now - timedelta(days=9 - number) if over else None,
            "exit-0" if over else None,
            state,
            ["other_gate_out"] if over else [],
            over,
            now,
        )
    await pool.execute(
        "INSERT INTO visit_accounts (visit_id, revision, visit_revision, at, day, owed_g, covered_g, tier)"
        " VALUES ('visit-0', 1, 1, $1, $2, 14790, 0, 4)",
        now,
        now.date(),
    )
    await pool.execute(
        "INSERT INTO visit_passages (arrival_id, gateway_id, plate, gate_id, direction, movement, at, hlc, tailgated,"
        " complete_after) VALUES ('unread-1', 'gw-east', '', 'east', 'in', 'passed', $1, 1, false, false)",
        now,
    )


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
async def test_axe_finds_nothing_and_nothing_goes_sideways(
    office_desk: Any, office: Any, language: str, theme: str
) -> None:
    pages = await filled(office)
    desk = await office_desk("second", language, theme, width=1280, height=800)
    found, wide = {}, {}
    for path in pages:
        await desk.open(path)
        found[path] = await desk.axe()
        wide[path] = await desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    for key, place in (("d", "#refuse-dialog"), ("b", ".case.returning")):
        await desk.open(pages[0])
        await expect(desk.page.locator(".case[data-armed]")).to_be_visible()
        await desk.page.keyboard.press(key)
        await expect(desk.page.locator(place)).to_be_visible()
        found[key] = await desk.axe()
    await desk.open(pages[0])
    await desk.page.locator("[data-paper]").first.click()
    await expect(desk.page.locator("#paper-dialog img")).to_be_visible()
    found["paper"] = await desk.axe()
    await desk.page.set_viewport_size({"width": 390, "height": 844})
    for path in pages if language == "zh" else ():
        await desk.open(path)
        wide[f"{path} 390"] = await desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert {path: over for path, over in wide.items() if over > 0} == {}
    assert desk.seen.errors == []


async def test_visits_say_what_is_known_and_what_is_not(office_desk: Any, office: Any) -> None:
    await filled(office)
    desk = await office_desk("auditor")
    await desk.open("/visits?plate=40R16")
    over = desk.page.locator("tbody tr", has_text="已离岛")
    await expect(over).to_contain_text("从另一门岗离岛")
    await expect(over).to_contain_text("14.79")
    await expect(over.locator("a", has_text="出口")).to_have_attribute("href", "/passages/exit-0")
    inside = desk.page.locator("tbody tr", has_text="在岛内")
    await expect(inside).to_contain_text("还在岛内")
    await desk.page.locator(".seg a", has_text="待补车牌").click()
    await expect(desk.page.locator("tbody a")).to_have_attribute("href", "/passages/unread-1")
    # The vehicle's next application shows the visit, and an auditor is told why there is nothing to press.
    number = await office.filed("other", plate="琼C40R16", window_from=later(4), window_until=later(5))
    await desk.open(f"/reviews/{number}")
    await expect(desk.page.locator(".before")).to_contain_text("14.8")
    await expect(desk.page.locator(".before")).to_contain_text("待抵消")
    await expect(desk.page.locator(".decide-bar")).to_contain_text("你的角色只能查看")
    await expect(desk.page.locator(".head a[href='/reviews/new']")).to_have_count(0)
    assert desk.seen.errors == []


def later(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


async def test_the_office_files_for_somebody_and_nothing_typed_is_lost(office_desk: Any, office: Any) -> None:
    desk = await office_desk("reviewer")
    await desk.page.keyboard.press("n")
    await desk.page.wait_for_url("**/reviews/new")
    page, answer = desk.page, desk.page.locator("[data-plate-answer]")
    await page.fill("#f-plate", "琼C61K2")
    await expect(answer).to_contain_text("不是已知的车牌格式")
    await page.fill("#f-plate", "琼c61k28")
    await expect(answer).to_contain_text("选颜色才能确认")
    await page.select_option("#f-plate_colour", "yellow")
    await expect(answer).to_contain_text("大型汽车")
    await page.fill("#f-consumption_per_100km", "thirty")
    await page.fill("#f-applicant", "nobody-there")
    picture = {"name": "行驶证.png", "mimeType": "image/png", "buffer": office.sheet()}
    await page.set_input_files("#f-papers", picture)
    await expect(page.locator("[data-upload-said]")).to_have_text("已上传")
    await expect(page.locator(".uploads select")).to_have_value("vehicle_licence")
    licence_until = f"{later(400):%Y-%m-%d}"
    await page.fill(".uploads input[type=date]", licence_until)
    await page.locator("button[value=submit]").click()
    summary = page.locator("[data-summary]")
    await expect(summary).to_be_focused()
    await expect(summary).to_contain_text("没有这个登录名")
    await expect(summary).to_contain_text("油耗应为正数")
    await expect(page.locator("#f-plate")).to_have_value("琼c61k28")
    await expect(page.locator(".uploads li")).to_have_count(1)
    await expect(page.locator(".uploads input[type=date]")).to_have_value(licence_until)
    assert await office.site.given.pool.fetchval("SELECT count(*) FROM applications") == 0
    for name, text in (
        ("consumption_per_100km", "38"),
        ("applicant", "driver"),
        ("holder", "海南宏达吊装有限公司"),
        ("window_from", f"{later(3):%Y-%m-%dT%H:%M}"),
        ("window_until", f"{later(4):%Y-%m-%dT%H:%M}"),
    ):
        await page.fill(f"#f-{name}", text)
    for name, code in (("emission_class", "crane"), ("drive", "diesel"), ("purpose", "lifting")):
        await page.select_option(f"#f-{name}", code)
    await page.locator("input[name=gates][value=east]").check()
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/applications/XK-*")
    await expect(page.locator(".flash")).to_contain_text("已提交")
    await expect(page.locator(".case-head")).to_contain_text("王立强 · 林晓 代录")
    row = await office.site.given.pool.fetchrow("SELECT status, applicant_id, form FROM applications")
    assert (row["status"], row["applicant_id"]) == ("submitted", office.users["driver"].user_id)
    assert [one["kind"] for one in json.loads(row["form"])["papers"]] == ["vehicle_licence"]
    assert [one for one in desk.seen.errors if "422" not in one] == []
