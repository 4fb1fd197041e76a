"""The review desk in a browser: an office worker's whole task with the keyboard alone, and a return that comes back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server.permits import applications, publishing

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def rested(desk: Any, sentence: str) -> None:
    """The page says so, and the keys that decide work again."""
    await expect(desk.page.locator("main")).to_contain_text(sentence)
    await expect(desk.page.locator(".case[data-armed]")).to_be_visible()


async def status_of(office: Any, application_id: str) -> str:
    """As it stands in the database."""
    found = await office.site.given.pool.fetchval(
        "SELECT status FROM applications WHERE application_id = $1", application_id
    )
    return str(found)


async def test_a_days_work_with_the_keyboard_alone(office_desk: Any, office: Any) -> None:
    first = await office.filed(plate="琼C61K28")
    second = await office.filed("other", plate="琼A7Q530", holder="南网琼海供电局")
    third = await office.filed("other", plate="琼CA8812", holder="琼海市人民医院")
    desk = await office_desk("reviewer")
    keys = desk.page.keyboard
    await rested(desk, "海南宏达吊装有限公司")
    # J and K go through the queue; the badge says how much waits.
    await expect(desk.page.locator("[data-badge]")).to_contain_text("3")
    await keys.press("j")
    await desk.page.wait_for_url(f"**/reviews/{second}?*")
    await keys.press("k")
    await desk.page.wait_for_url(f"**/reviews/{first}?*")
    await rested(desk, first)
    # Enter approves; the next one opens, and U takes the approval back.
    await keys.press("Enter")
    await desk.page.wait_for_url(f"**/reviews/{second}?*")
    await expect(desk.page.locator("[data-undo]")).to_contain_text("已批准 琼C·61K28，正在签发")
    assert await status_of(office, first) == "approved"
    await keys.press("u")
    await rested(desk, "已撤销批准")
    assert await status_of(office, first) == "submitted"
    # B writes remarks beside the fields; Enter goes on to the next field, Ctrl Enter sends.
    await keys.press("b")
    await expect(desk.page.locator("#remark-holder")).to_be_focused()
    await keys.press("Control+Enter")
    await expect(desk.page.locator("[data-return-form] .problem")).to_contain_text("至少写一条")
    await keys.type("与行驶证上的单位不一致")
    await keys.press("Enter")
    await expect(desk.page.locator("#remark-plate")).to_be_focused()
    await keys.press("Control+Enter")
    await rested(desk, "已退回")
    assert await status_of(office, first) == "returned"
    # D asks for a reason from the list, and takes a text with it.
    await desk.page.wait_for_url(f"**/reviews/{second}?*")
    await keys.press("d")
    await expect(desk.page.locator("#refuse-dialog")).to_be_visible()
    await keys.press("4")
    await keys.press("Tab")
    await keys.type("任务单上没有日期")
    await keys.press("Tab")
    await keys.press("Tab")
    await keys.press("Enter")
    await rested(desk, "已不予许可")
    assert await status_of(office, second) == "refused"
    reason = await office.site.given.pool.fetchval(
        "SELECT reason FROM application_changes WHERE application_id = $1 AND action = 'refuse'", second
    )
    assert reason == "材料不能说明事由：任务单上没有日期"
    # The last one; then nothing waits.
    await keys.press("Enter")
    await expect(desk.page.locator("main")).to_contain_text("没有等待审核的申请")
    assert await status_of(office, third) == "approved"
    await desk.page.wait_for_load_state()
    await keys.press("?")
    await expect(desk.page.locator("#keys-dialog")).to_contain_text("退回补正，意见写在各栏旁")
    assert desk.seen.errors == []


async def test_remarks_stand_beside_the_fields_until_it_is_sent_again(office_desk: Any, office: Any) -> None:
    number = await office.filed()
    await office.returned(number, {"holder": "与行驶证上的单位不一致", "papers": "看不清到期日", "": "其余没有问题"})
    desk = await office_desk("reviewer")
    await desk.open("/reviews?show=returned")
    await expect(desk.page.locator(".f", has_text="海南宏达")).to_contain_text("与行驶证上的单位不一致")
    await expect(desk.page.locator("[aria-labelledby=papers-title]")).to_contain_text("看不清到期日")
    # The office changes it for the applicant: what was wrong stands beside the field.
    await desk.open(f"/applications/{number}/edit")
    await expect(desk.page.locator(".field", has=desk.page.locator("#f-holder"))).to_contain_text("行驶证上的单位")
    await expect(desk.page.locator(".notebox")).to_contain_text("其余没有问题")
    await desk.page.fill("#f-holder", "")
    await desk.page.keyboard.press("Control+Enter")
    await expect(desk.page.locator("[data-summary]")).to_contain_text("请填写")
    await expect(desk.page.locator("[data-summary]")).to_be_focused()
    await expect(desk.page.locator("#f-purpose_text")).to_have_value(re.compile("换幕墙"))
    await desk.page.fill("#f-holder", "宏达吊装（海南）有限公司")
    await desk.page.keyboard.press("Control+Enter")
    await desk.page.wait_for_url(f"**/applications/{number}")
    await expect(desk.page.locator(".flash")).to_contain_text("已提交")
    await expect(desk.page.locator(".tl")).to_contain_text("林晓退回补正")
    await desk.page.locator(".tl summary").first.click()
    await expect(desk.page.locator(".tl .diff")).to_contain_text("宏达吊装（海南）有限公司")
    # Who filed it does not decide it, and is told why; somebody else does.
    await desk.open(f"/reviews/{number}")
    await expect(desk.page.locator(".decide-bar")).to_contain_text("不能审批自己提交的申请")
    await expect(desk.page.locator("[data-approve]")).to_have_count(0)
    await expect(desk.page.locator(".qrow")).to_contain_text("补正后重交")
    other = await office_desk("second")
    await rested(other, "林晓")
    await other.page.keyboard.press("Enter")
    await expect(other.page.locator("[data-undo]")).to_contain_text("正在签发")
    assert await status_of(office, number) == "approved"
    assert [one for one in desk.seen.errors + other.seen.errors if "422" not in one] == []


async def test_a_second_approval_names_the_first_and_the_pass_can_be_shown(office_desk: Any, office: Any) -> None:
    number = await office.standing()
    await office.approved(number)
    given = office.site.given
    desk = await office_desk("reviewer")
    await expect(desk.page.locator(".decide-bar")).to_contain_text("第二次批准须由另一人作出")
    await expect(desk.page.locator("[data-approve]")).to_be_disabled()
    other = await office_desk("second")
    await expect(other.page.locator(".notebox")).to_contain_text("林晓 已作第一次批准")
    await rested(other, "第二次批准")
    await other.page.keyboard.press("Enter")
    await expect(other.page.locator("[data-undo]")).to_contain_text("正在签发")
    await given.pool.execute("UPDATE applications SET publish_at = publish_at - $1::interval", timedelta(hours=1))
    assert await publishing.publish_due(given) == 1
    await other.open(f"/applications/{number}")
    await other.page.keyboard.press("q")
    await other.page.wait_for_url("**/pass")
    await expect(other.page.locator(".qr svg")).to_be_visible()
    await expect(other.page.locator(".passcard")).to_contain_text("东门")
    # It is taken back with a reason, and the office writes down what the holder says against it.
    await other.open(f"/applications/{number}")
    await other.page.keyboard.press("r")
    await other.page.locator("#revoke-dialog textarea").fill("车已报废")
    await other.page.locator("#revoke-dialog button.solid").click()
    await expect(other.page.locator(".flash")).to_contain_text("许可已撤销")
    await other.page.wait_for_load_state()  # its buttons work from then on
    await other.page.get_by_role("button", name="登记申诉").click()
    await other.page.locator("#appeal-dialog textarea").fill("报废的是另一辆")
    await other.page.locator("#appeal-dialog button.pri").click()
    await expect(other.page.locator("[aria-labelledby=appeal-title]")).to_contain_text("报废的是另一辆")
    assert await status_of(office, number) == "appealed"
    assert [one for one in desk.seen.errors + other.seen.errors if "422" not in one] == []


async def test_an_appeal_is_decided_by_another_approver(office_desk: Any, office: Any) -> None:
    number = await office.filed()
    given = office.site.given
    await applications.refuse(given, office.users["reviewer"], number, reason="材料不能说明事由")
    evidence = await office.paper(office.users["driver"], 3)
    await applications.appeal(
        given, office.users["driver"], number, reason="任务单上有日期", evidence=[evidence.sha256]
    )
    desk = await office_desk("second")
    await rested(desk, "申诉中")
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.method))
    await desk.page.keyboard.press("Enter")
    await desk.page.evaluate("new Promise((after) => requestAnimationFrame(after))")
    assert "POST" not in sent
    assert await status_of(office, number) == "appealed"  # Enter decides no appeal
    await desk.open(f"/applications/{number}")
    await expect(desk.page.locator("[aria-labelledby=appeal-title] img")).to_have_count(1)
    await rested(desk, "任务单上有日期")
    await desk.page.keyboard.press("b")
    await desk.page.locator("#grant-dialog textarea").fill("日期在背面")
    await desk.page.locator("#grant-dialog button.pri").click()
    await expect(desk.page.locator(".flash")).to_contain_text("已支持申诉")
    assert await status_of(office, number) == "approved"
    assert desk.seen.errors == []
