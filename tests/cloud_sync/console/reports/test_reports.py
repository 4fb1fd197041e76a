"""The office reads a year with its gaps, proves green power, issues a report, and anybody verifies it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import expect

from cloud_sync.server.carbon import feed, lots, retirements, visits
from cloud_sync.server.store import Actor

SLOW_MS = 120_000  # a paper takes half a second of an idle processor, and the machine may be busy
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def quarters(zone: Any, *, days: int, without: range = range(0)) -> None:
    """Quarter hours of the days before today, 10 kWh each from the grid."""
    midnight = zone.now.replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=1 + days)
    await zone.given.pool.executemany(
        "INSERT INTO energy_samples (gateway_id, period_s, at, mode, pv_kwh, load_kwh, ev_kwh, charged_kwh,"
        " discharged_kwh, imported_kwh, exported_kwh, good_frac, binding, settings_version)"
        " VALUES ('gw-east', 900, $1, 'grid_tied', 20, 24, 2, 0, 0, 10, 4, 1, 'value_curve', 0)",
        [(midnight + timedelta(minutes=15 * one),) for one in range(96 * days) if one not in without],
    )
    await zone.send(zone.gateway.health(at=midnight.isoformat()))
    await zone.given.pool.execute("DELETE FROM events WHERE kind = 'gateway_health'")
    await zone.given.pool.executemany(
        "INSERT INTO events (gateway_id, epoch, lane, seq, uuid, hlc, wall_at, boot_id, kind, body, raw, hash)"
        " VALUES ('gw-east', 7, 2, $1, gen_random_uuid(), $1, $2, 'boot', 'gateway_health', '{}', '', '')",
        [(one + 1, midnight + timedelta(hours=one)) for one in range(24 * days)],
    )


async def test_a_year_with_gaps_its_evidence_and_a_report_that_verifies(
    make_desk: Any, zone: Any, people: None, tmp_path: Path
) -> None:
    await quarters(zone, days=81, without=range(0, 12))  # September has a gap, October is whole, November runs
    picture = tmp_path / "certificate.jpg"
    cv2.imwrite(str(picture), np.full((480, 640, 3), 200, np.uint8))
    await feed.write_rows(zone.given)  # nothing was told of the ten hours since midnight
    desk = await make_desk("zh", "light")
    await desk.sign_in("approver")
    page = desk.page
    await desk.open("/reports")
    october = page.locator("table.list tr", has_text="2026-10")
    await expect(october).to_contain_text("100%")
    await expect(october.locator("td").nth(6)).to_have_text("11,904")  # 96 quarters of 31 days, 4 kWh each
    await expect(october.locator("td").nth(7)).to_have_text("0")
    await expect(page.locator("table.list tr", has_text="2026-09")).to_contain_text("缺")
    await expect(page.locator(".lead2")).to_contain_text("个月有缺口")
    told = page.locator("#feed-told tr", has_text="用电")
    assert (await told.locator("td").all_inner_texts())[1:] == ["840 / 840", "10", "98.8%"]
    await page.click("button[data-open=green-dialog]")
    await page.fill("#green-dialog [name=month]", "2026-10")
    await page.fill("#green-dialog [name=kwh]", "12000")
    await page.fill("#green-dialog [name=reference]", "GEC 2026-44")
    await page.set_input_files("#green-dialog [name=document]", str(picture))
    async with page.expect_navigation(url="**done=green_power_added"):
        await page.click("#green-dialog button.pri")
    await expect(october.locator("td").nth(4)).to_have_text("12,000")
    await expect(page.locator(".halves")).to_contain_text("GEC 2026-44")
    async with page.expect_navigation(url="**done=paper_issued", timeout=SLOW_MS):
        await october.locator("form button").click(no_wait_after=True)
    number = await page.locator("#papers a.rowlink").first.inner_text()
    assert number.startswith("YB-20261121-")
    assert await desk.axe() == []
    code = await zone.given.pool.fetchval("SELECT code FROM papers WHERE paper_id = $1", number)
    await desk.open("/verify")
    await page.fill("input[name=code]", code.lower())
    await page.press("input[name=code]", "Enter")
    await expect(page.locator(".verdict")).to_contain_text("真实有效")
    await expect(page.locator(".said")).to_contain_text("2026-10")
    assert await desk.axe() == []
    assert desk.seen.errors == []


async def test_the_office_issues_a_statement_of_a_drivers_visits(make_desk: Any, zone: Any, people: None) -> None:
    await zone.account("driver")
    driver = await zone.given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'driver'")
    left = zone.now - timedelta(days=3)
    await zone.given.pool.execute(
        "INSERT INTO applications (application_id, applicant_id, filed_by, status, form, plate, permit_class,"
        " created_at, updated_at, version)"
        " VALUES ('XK-2026-000001', $1, 'fu', 'active', '{}', '琼C66E02', 'special', $2, $2, 1)",
        *(driver, left),
    )
    await zone.given.pool.execute(
        "INSERT INTO visits (visit_id, plate, application_id, gate_in, gate_out, entered_at, left_at, state,"
        " vehicle_type, revision, is_over, updated_at)"
        " VALUES ('v1', '琼C66E02', 'XK-2026-000001', 'east', 'east', $1, $2, 'complete', 'car', 1, true, $2)",
        *(left - timedelta(minutes=40), left),
    )
    await visits.turn(zone.given)
    desk = await make_desk("zh", "light")
    await desk.sign_in("reviewer")
    page = desk.page
    await desk.open("/reports")
    await page.click("button[data-open=paper-dialog]")
    await expect(page.locator("#paper-dialog [name=since]")).to_be_hidden()
    await page.check("#paper-dialog [value=visits]")
    await expect(page.locator("#paper-dialog [name=since]")).to_be_visible()
    assert await desk.axe() == []
    await page.fill("#paper-dialog [name=subject]", "nobody")
    await page.click("#paper-dialog button.pri")
    await expect(page.locator("#paper-dialog .problem")).to_contain_text("没有这个人")
    await page.fill("#paper-dialog [name=subject]", "driver")
    await page.fill("#paper-dialog [name=since]", "2026-11-01")
    await page.fill("#paper-dialog [name=until]", "2026-11-20")
    async with page.expect_navigation(url="**done=paper_issued", timeout=SLOW_MS):
        await page.click("#paper-dialog button.pri", no_wait_after=True)
    row = await zone.given.pool.fetchrow("SELECT kind, subject, facts::text AS facts, issued_for FROM papers")
    assert (row["kind"], row["subject"], row["issued_for"]) == ("visits", driver, driver)
    assert '"to": "2026-11-20"' in row["facts"]
    await expect(page.locator("#papers a.rowlink").first).to_contain_text("DZ-")


async def test_an_engineer_lets_a_platform_read_and_the_token_is_shown_once(
    make_desk: Any, zone: Any, people: None
) -> None:
    desk = await make_desk("en", "dark")
    await desk.sign_in("engineer")
    page = desk.page
    await desk.open("/reports")
    await expect(page.locator(".lead2")).to_contain_text("Nothing is known")
    await page.click("button[data-open=token-dialog]")
    await page.fill("#token-dialog [name=name]", "Footprint platform")
    await page.click("#token-dialog button.pri")
    token = await page.locator("#fresh-token").inner_text()
    assert len(token) == 43
    assert await desk.axe() == []
    await desk.open("/reports")
    await expect(page.locator("tr", has_text="Footprint platform")).to_contain_text("—")
    assert await page.locator("#fresh-token").count() == 0
    async with page.expect_navigation(url="**done=feed_token_revoked"):
        await page.click("tr:has-text('Footprint platform') button")
    await expect(page.locator("tr", has_text="Footprint platform")).to_contain_text("Revoked")


async def test_a_conference_becomes_neutral(make_desk: Any, zone: Any, people: None) -> None:
    await lots.buy(
        zone.given,
        Actor("fu"),
        registry="CCER",
        project="琼海红树林修复",
        vintage=2025,
        serial_prefix="CN-46-",
        first_serial=1,
        last_serial=90,
        bought_on=date(2026, 1, 10),
        evidence="invoice 7",
    )
    desk = await make_desk("zh", "light")
    await desk.sign_in("reviewer")
    page = desk.page
    await desk.open("/events")
    await page.click("button[data-open=event-dialog]")
    for name, value in (("name", "零碳论坛"), ("name_en", "Zero-carbon forum"), ("organiser", "示范区办公室")):
        await page.fill(f"#event-dialog [name={name}]", value)
    await page.fill("#event-dialog [name=people]", "300")
    async with page.expect_navigation(url="**/events/HD-*done=event_opened"):
        await page.click("#event-dialog button.pri")
    for source, value in (("plane", "280000"), ("room", "600"), ("vegetarian_meal", "900")):
        rows = await page.locator("#lines tbody tr").count()
        await page.select_option("form.add-line [name=source]", source)
        await page.fill("form.add-line [name=amount]", value)
        async with page.expect_navigation():
            await page.click("form.add-line button")
        await expect(page.locator("#lines tbody tr")).to_have_count(rows + 1)
    await expect(page.locator("#footprint")).to_have_text("61.08")
    async with page.expect_navigation(url="**done=event_closed"):
        await page.click("button:has-text('结算账户')")
    async with page.expect_navigation(url="**done=retirement_proposed"):
        await page.click("button:has-text('提交注销 62 吨')")
    made = await zone.given.pool.fetchval("SELECT retirement_id FROM retirements")
    await retirements.confirm(zone.given, Actor("approver"), made, evidence="CCER cancellation 17")
    await page.reload()
    await expect(page.locator(".lead2")).to_contain_text("已全部抵消")
    async with page.expect_navigation(url="**done=paper_issued", timeout=SLOW_MS):
        await page.click("button:has-text('签发证明')", no_wait_after=True)
    await expect(page.locator(".halves")).to_contain_text("HD-20261121-")
    assert await desk.axe() == []
    dark = await make_desk("en", "dark")
    await dark.sign_in("approver")
    await dark.open("/events")
    await expect(dark.page.locator("table")).to_contain_text("Zero-carbon forum")
    assert await dark.axe() == []
    await dark.page.click("a.rowlink")
    await expect(dark.page.locator(".steps li.past")).to_have_count(3)
    assert await dark.axe() == []
    assert desk.seen.errors + dark.seen.errors == []
