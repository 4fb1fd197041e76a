"""Terms that press on the desk, an emergency entry completed by the office, and evidence that came with an appeal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server.permits import applications, reminding, storing
from cloud_sync.server.store import Actor
from control.permits.application import Actor as Person
from control.permits.application import Role, emergency_entry

pytestmark = pytest.mark.asyncio(loop_scope="session")
ENGINE = "琼X1234应急"
SCHEMES = (("zh", "light"), ("en", "dark"))


async def entered(office: Any, *, hours_ago: float) -> str:
    """The draft that a fire engine left when it went in; nobody has it yet."""
    given, number = office.site.given, "XK-2026-000901"
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    by = Person("system", Role.SYSTEM)
    draft = emergency_entry(application_id=number, plate=ENGINE, gate_id="east", entered_at=at, by=by)
    async with given.pool.acquire() as connection, connection.transaction():
        await storing.insert(connection, given, draft, account=Actor("system"), arrival_id="f1")
    return number


async def due_since(office: Any, application_id: str, action: str, days: int) -> None:
    """Moves a step into the past, and looks at the clock again."""
    pool = office.site.given.pool
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "UPDATE application_changes SET at = at - $3::interval WHERE application_id = $1 AND action = $2",
            application_id,
            action,
            timedelta(days=days),
        )
        await connection.execute(
            "UPDATE applications SET due_at = due_at - $2::interval, next_at = $3 WHERE application_id = $1",
            application_id,
            timedelta(days=days),
            datetime.now(UTC),
        )


async def pressing(office: Any) -> tuple[str, str, str]:
    """A review that ends today, an appeal too old, and an emergency entry without papers for more than a day."""
    review = await office.filed(plate="琼C61K28")
    await due_since(office, review, "submit", 2)
    appealed = await office.filed("other", plate="琼B33Z07")
    await applications.refuse(office.site.given, office.users["reviewer"], appealed, reason="材料不能说明事由")
    await applications.appeal(office.site.given, office.users["other"], appealed, reason="任务单上有日期")
    await due_since(office, appealed, "appeal", 15)
    emergency = await entered(office, hours_ago=25)
    await reminding.look(office.site.given)
    return review, appealed, emergency


async def test_terms_that_press_stand_on_the_desk_until_they_are_done(office_desk: Any, office: Any) -> None:
    review, appealed, emergency = await pressing(office)
    desk = await office_desk("reviewer", width=1280, height=800)
    strip, page = desk.page.locator(".terms"), desk.page
    await expect(strip.locator("summary")).to_contain_text("临期事项 3 件")
    await expect(strip.locator("summary")).to_contain_text("逾期 2 件")
    lines = {
        "琼B·33Z07": ("申诉裁定期限：已逾期", appealed, "open"),
        "琼X·1234": ("应急进岛补办期限：已逾期", emergency, "returned"),
        "琼C·61K28": ("审核期限：期限将到", review, "open"),
    }
    for plate, (what, number, show) in lines.items():
        line = strip.locator("li", has_text=plate)
        await expect(line).to_contain_text(what)
        await expect(line).to_contain_text("截止")
        await expect(line.locator("a")).to_have_attribute("href", f"/reviews/{number}?show={show}")
    # The queue goes by the due time in every state.
    await expect(page.locator(".qrow", has_text="33Z07").locator(".tag")).to_have_text("申诉 · 已逾期")
    await expect(page.locator(".qrow", has_text="61K28").locator(".tag")).to_have_count(0)
    await strip.locator("li", has_text="琼X·1234").locator("a").click()
    await page.wait_for_url(f"**/reviews/{emergency}?show=returned")
    await expect(page.locator(".qrow .tag")).to_have_text("应急 · 已逾期")
    # Seen: the line stays until the thing is done.
    await strip.locator("li", has_text="琼X·1234").get_by_role("button", name="已看").click()
    await expect(strip.locator("li.seen")).to_contain_text("琼X·1234")


@pytest.mark.parametrize(("language", "theme"), SCHEMES)
async def test_axe_finds_nothing_on_the_strip_and_in_the_appeal(
    office_desk: Any, office: Any, language: str, theme: str
) -> None:
    await pressing(office)
    refused = await office.filed(plate="琼C40R16")
    await applications.refuse(office.site.given, office.users["reviewer"], refused, reason="材料不能说明事由")
    desk = await office_desk("second", language, theme, width=1280, height=800)
    await expect(desk.page.locator(".terms li")).to_have_count(3)
    assert await desk.axe() == []
    await desk.open(f"/applications/{refused}")
    await desk.page.locator("[data-open=appeal-dialog]").click()
    await desk.page.set_input_files("#f-papers", sheets(office, 1))
    await expect(desk.page.locator(".uploads li")).to_have_count(1)
    assert await desk.axe() == []
    assert desk.seen.errors == []


def sheets(office: Any, count: int) -> list[dict[str, Any]]:
    """Files as somebody brings them; a picture with bytes behind its end is another file."""
    return [
        {"name": f"证据{number}.jpg", "mimeType": "image/jpeg", "buffer": office.sheet() + bytes(number)}
        for number in range(count)
    ]


async def test_an_appeal_at_the_office_takes_as_many_papers_as_the_rules_say(office_desk: Any, office: Any) -> None:
    number = await office.filed()
    await applications.refuse(office.site.given, office.users["second"], number, reason="材料不能说明事由")
    desk = await office_desk("reviewer")
    await desk.open(f"/applications/{number}")
    await desk.page.locator("[data-open=appeal-dialog]").click()
    dialog = desk.page.locator("#appeal-dialog")
    await expect(dialog).to_contain_text("证据最多 3 份")
    await desk.page.set_input_files("#f-papers", sheets(office, 4))
    await expect(dialog.locator("[data-upload-said]")).to_contain_text("最多 3 份")
    await expect(dialog.locator(".uploads li")).to_have_count(3)
    await dialog.locator("[data-remove]").last.click()
    await expect(dialog.locator(".uploads li")).to_have_count(2)
    await dialog.locator("textarea").fill("任务单上有日期")
    await dialog.locator("button.pri").click()
    await expect(desk.page.locator(".flash")).to_contain_text("申诉")
    await expect(desk.page.locator("[aria-labelledby=appeal-title] img")).to_have_count(2)
    assert desk.seen.errors == []


async def test_the_office_completes_an_emergency_entry_for_its_driver(office_desk: Any, office: Any) -> None:
    number = await entered(office, hours_ago=1)
    desk = await office_desk("reviewer")
    page = desk.page
    await desk.open(f"/applications/{number}")
    await page.keyboard.press("e")
    await page.wait_for_url("**/edit")
    until = (datetime.now(UTC) + timedelta(hours=12)).astimezone(office.site.given.config.zone)
    for name, text in (("holder", "琼海消防"), ("applicant", "driver"), ("window_until", f"{until:%Y-%m-%dT%H:%M}")):
        await page.fill(f"#f-{name}", text)
    for name, code in (
        ("vehicle_type", "fire_engine"),
        ("emission_class", "fire_engine"),
        ("drive", "diesel"),
        ("purpose", "rescue"),
    ):
        await page.select_option(f"#f-{name}", code)
    await page.set_input_files("#f-papers", {**sheets(office, 1)[0], "name": "出警任务单.jpg"})
    await expect(page.locator(".uploads select")).to_have_value("duty_order")
    async with page.expect_navigation(url=f"**/applications/{number}?done=application_submitted"):
        await page.keyboard.press("Control+Enter")
    await expect(page.locator(".case-head")).to_contain_text("王立强")
    row = await office.site.given.pool.fetchrow("SELECT * FROM applications WHERE application_id = $1", number)
    assert (row["status"], row["applicant_id"]) == ("submitted", office.users["driver"].user_id)
    lines = await office.site.given.pool.fetch(
        "SELECT action FROM application_changes WHERE application_id = $1 ORDER BY number", number
    )
    assert [line["action"] for line in lines] == ["emergency_entry", "edit", "assign", "submit"]
    assert desk.seen.errors == []
