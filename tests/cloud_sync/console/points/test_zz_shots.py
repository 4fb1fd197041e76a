from typing import Any
import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_shots(make_desk: Any, island: Any, scheme: str, entered: Any) -> None:
    d = await make_desk(width=390, height=844)
    p = d.page
    code = await island.code()
    await entered(p, d.site.url, "merchant", "/till")
    await p.fill("#redeem .code", code)
    await p.screenshot(path="/tmp/shots/t1.png")
    await p.press("#redeem .code", "Enter")
    await expect(p.locator("#panel-redeem .till-card")).to_contain_text("交给")
    await p.screenshot(path="/tmp/shots/t2.png")

    async def lose(r):
        await r.abort("connectionfailed")

    await p.route("**/redemptions/use", lose)
    await p.keyboard.press("Enter")
    await expect(p.locator("#waiting")).to_contain_text("等待网络")
    await p.screenshot(path="/tmp/shots/t3.png")
    await p.unroute("**/redemptions/use")
    await expect(p.locator("#panel-redeem .till-card")).to_contain_text("已核销")
    await p.screenshot(path="/tmp/shots/t4.png")
    await p.fill("#redeem .code", code)
    await p.press("#redeem .code", "Enter")
    await expect(p.locator("#panel-redeem .till-card")).to_contain_text("已用过")
    await p.screenshot(path="/tmp/shots/t5.png")
    await island.spend(scheme, 2_050, "till-0001")
    await p.click("#tab-today")
    await expect(p.locator("#today .till-list li")).to_have_count(2)
    await p.screenshot(path="/tmp/shots/t6.png")
    e = await make_desk()
    q = e.page
    await island.ride("ride-4", ago_min=20, took_s=50, back=True)
    await island.appeal("ride-4", "站牌的时钟慢了，我坐了四分钟，同行的人可以作证。")
    await entered(q, e.site.url, "reviewer", "/points/appeals")
    await q.screenshot(path="/tmp/shots/o1.png")
    await e.open("/points")
    await q.keyboard.press("r")
    await expect(q.locator("#release-dialog")).to_be_visible()
    await q.screenshot(path="/tmp/shots/o2.png")
    await e.open("/points/devices")
    await q.locator(".head [data-open]").click()
    await q.screenshot(path="/tmp/shots/o3.png")
    await q.fill("#add-dialog [name=name]", "码头站牌")
    await q.fill("#add-dialog [name=place]", "东屿岛码头")
    await q.locator("#add-dialog [name=keys][value=shuttle]").check()
    await q.select_option("#add-dialog [name=direction]", "either")
    await q.locator("#add-dialog button.pri").click()
    await expect(q.locator(".secret code")).to_be_visible()
    await island.given.pool.execute("UPDATE point_devices SET clock_offset_s=4000")
    await island.given.pool.execute(
        "INSERT INTO point_scans (scan_id,person,received_at,scanned_at,remote,state,reason,device_id) SELECT 's'||n, 'p', now()-n*interval '37 min', now(), '\\x00','refused', CASE WHEN n%3=0 THEN 'late' ELSE 'forged' END, (SELECT device_id FROM point_devices) FROM generate_series(1,40) n"
    )
    await q.screenshot(path="/tmp/shots/o4.png")
    await e.open("/points/devices")
    await q.screenshot(path="/tmp/shots/o5.png")
    await e.open("/vouchers/statements")
    await q.fill("textarea[name=lines]", "till-0001, 20.00\ntill-0003, 5")
    await q.locator(".recon button").click()
    await expect(q.locator(".work")).to_contain_text("不一致")
    await q.screenshot(path="/tmp/shots/o6.png")
