"""A guard's seconds in a real browser: the keys, the question, the orders, what changes by itself."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import queries, store

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def last_order(desk: Any, arrival_id: str) -> Any:
    detail = await queries.passage_detail(desk.site.given.pool, arrival_id, now=desk.site.given.clock())
    assert detail is not None
    (order,) = detail.commands
    row = await desk.site.given.pool.fetchrow("SELECT * FROM commands WHERE command_id = $1", order.command_id)
    return row


async def test_two_readings_are_equals_before_anything_is_filled(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    card = desk.page.locator(".held.on")
    await expect(card.locator("[data-choice]")).to_have_count(2)
    assert await card.locator("[data-choice] .glyph").all_inner_texts() == ["8", "B"]
    await expect(card.locator('[data-act="permit"]')).to_be_hidden()
    await desk.page.keyboard.press("2")
    await expect(card.locator('[data-act="permit"]')).to_be_hidden()
    await desk.page.keyboard.press("1")
    await expect(card.locator('[data-act="permit"]')).to_contain_text("是 8，按许可放行")


async def test_the_chosen_reading_is_admitted_under_its_permit_with_one_key(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.page.keyboard.press("1")
    await desk.page.keyboard.press("p")
    await expect(desk.page.locator(".toast")).to_contain_text("按许可放行")
    order = await last_order(desk, "held-1")
    assert (order["outcome"], order["reason_code"]) == ("admit_under_permit", "permit_checked")
    assert order["corrected_plate"] == "琼C78083"
    assert order["permit_id"]
    await expect(desk.page.locator(".held.on")).to_contain_text("指令已发")


async def test_admitting_asks_why_and_keys_answer(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.page.keyboard.press("j")
    await expect(desk.page.locator(".held.on")).to_have_attribute("data-key", "held-2")
    await desk.page.keyboard.press("a")
    dialog = desk.page.locator("#decide-dialog")
    await expect(dialog).to_be_visible()
    await desk.page.keyboard.press("2")
    await desk.page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    order = await last_order(desk, "held-2")
    assert (order["outcome"], order["reason_code"]) == ("admit", "new_energy_confirmed")


async def test_refusing_without_a_reason_says_so_and_keeps_what_was_typed(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.page.keyboard.press("r")
    dialog = desk.page.locator("#decide-dialog")
    await dialog.locator("button.solid").click()
    await expect(dialog.locator(".problem")).to_be_focused()
    await dialog.locator("textarea").fill("车上有明火 <b>快</b>")
    await dialog.locator("button.solid").click()
    await expect(dialog).to_be_hidden()
    order = await last_order(desk, "held-1")
    assert (order["outcome"], order["reason_code"], order["note"]) == ("refuse", "other", "车上有明火 <b>快</b>")


async def test_a_decided_vehicle_leaves_the_queue_by_itself(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await expect(desk.page.locator("#live")).to_have_class("live num ok")
    await expect(desk.page.locator(".held")).to_have_count(2)
    async with scene.site.given.pool.acquire() as connection:
        await store.announce(connection, [store.Change("hold_decided", "held-1")])
    await scene.guard_decided("held-1", "admit_under_permit")
    await expect(desk.page.locator(".held")).to_have_count(1)
    await expect(desk.page.locator('.st[data-key="held-1"]')).to_be_visible()
    await expect(desk.page.locator('[data-live="nav-count"]')).to_contain_text("1")


async def test_a_new_held_vehicle_is_spoken_once_and_never_takes_a_key_meant_for_another(desk: Any, scene: Any) -> None:
    await scene.guard_decided("held-1", "admit")
    await scene.guard_decided("held-2", "refuse")
    await desk.sign_in()
    await desk.armed()
    await expect(desk.page.locator(".calm")).to_contain_text("现在没有车等你")
    await scene.vehicle("held-9", "琼AD0829", ago_s=1, outcome="hold", verdict="unsure", kind="small")
    await expect(desk.page.locator(".held.on")).to_have_attribute("data-key", "held-9")
    await expect(desk.page.locator("#announce")).to_contain_text("有车等你决定")
    await desk.page.evaluate(
        "import('/static/app.js').then((app) => { app.queueChanged();"
        " document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true})); })"
    )
    await expect(desk.page.locator("#decide-dialog")).to_be_hidden()
    await desk.armed()
    await desk.page.keyboard.press("a")
    await expect(desk.page.locator("#decide-dialog")).to_be_visible()


async def test_a_correction_keeps_the_raw_reading_beside_it(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.open("/passages/passed-0")
    await desk.page.keyboard.press("e")
    field = desk.page.locator("#correct-dialog input[name=plate]")
    await expect(field).to_have_value("琼AD31906")
    await field.fill("琼ad31986")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator(".fixes")).to_contain_text("相机读到")
    chips = desk.page.locator(".fixes .plate")
    assert [await chips.nth(at).get_attribute("aria-label") for at in (0, 1)] == ["琼A·D31906", "琼A·D31986"]
    await desk.open("/passages?plate=D31906")
    await expect(desk.page.locator("tbody tr")).to_have_count(1)
    await desk.open("/passages?plate=D31986")
    await expect(desk.page.locator("tbody tr")).to_contain_text("琼A·D31906")


async def test_a_plate_of_nonsense_is_refused_in_place(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.open("/passages/passed-0")
    await desk.page.keyboard.press("e")
    await desk.page.locator("#correct-dialog input[name=plate]").fill("x")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("#correct-dialog .problem")).to_contain_text("这不是车牌号")
    desk.seen.errors.clear()  # the browser notes the 422 itself


async def test_u_on_a_decided_passage_writes_a_revision_and_moves_no_barrier(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.open("/passages/passed-3")
    await desk.page.keyboard.press("u")
    dialog = desk.page.locator("#revise-dialog")
    await expect(dialog).to_contain_text("栏杆不会动")
    await dialog.locator("input[value=refuse]").check()
    await dialog.locator("input[value=plate_was_misread]").check()
    await dialog.locator("button.pri").click()
    await expect(desk.page.locator(".head .tag.refuse")).to_be_visible()
    assert await desk.site.given.pool.fetchval("SELECT count(*) FROM commands") == 0
    assert await desk.site.given.pool.fetchval("SELECT guard_outcome FROM passages WHERE arrival_id = 'passed-3'")


async def test_a_note_is_kept_as_text(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.open("/passages/held-1")
    await desk.page.keyboard.press("n")
    await desk.page.locator("#note-dialog textarea").fill("<img src=x onerror=alert(1)>司机去取许可")
    await desk.page.locator("#note-dialog button.pri").click()
    await expect(desk.page.locator(".notes")).to_contain_text("<img src=x onerror=alert(1)>司机去取许可")


async def test_zoom_shows_the_plate_closer(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.open("/passages/held-1")
    drawn = desk.page.locator("#stage svg[role=img]")
    await expect(desk.page.locator("#stage .note")).to_have_text("第 4 位存疑 0.54")
    wide = float((await drawn.get_attribute("viewBox") or "").split()[2])
    await desk.page.keyboard.press("z")
    await expect(desk.page.locator('[data-act="zoom"]')).to_have_attribute("aria-pressed", "true")
    near = float((await drawn.get_attribute("viewBox") or "").split()[2])
    assert near < wide * 0.6


async def test_the_whole_way_by_keys_alone(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.armed()
    await desk.page.keyboard.press("Enter")
    await desk.page.wait_for_url("**/passages/held-1")
    await desk.page.keyboard.press("j")
    await desk.page.wait_for_url("**/passages/held-2")
    await desk.page.keyboard.press("k")
    await desk.page.wait_for_url("**/passages/held-1")
    await desk.page.keyboard.press("Escape")
    await desk.page.wait_for_url("**/live")
    await desk.page.keyboard.type("gh")
    await desk.page.wait_for_url("**/passages")
    await desk.page.keyboard.press("j")
    await desk.page.keyboard.press("j")
    await expect(desk.page.locator("tr.sel")).to_have_count(1)
    await desk.page.keyboard.press("?")
    await expect(desk.page.locator("#keys-dialog")).to_be_visible()
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.locator("#keys-dialog")).to_be_hidden()
    await desk.page.keyboard.press("/")
    await desk.page.keyboard.type("D55093")
    await desk.page.keyboard.press("Enter")
    await desk.page.wait_for_url("**/passages?plate=D55093")
    await expect(desk.page.locator("tbody tr")).to_have_count(1)


async def test_single_keys_can_be_switched_off(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.open("/account")
    await desk.page.locator("input[name=keys][value=off]").check()
    await desk.page.locator("button.pri").click()
    await expect(desk.page.locator(".flash")).to_be_visible()
    await desk.open("/live")
    await desk.armed()
    await desk.page.keyboard.press("a")
    await expect(desk.page.locator("#decide-dialog")).to_be_hidden()


async def test_a_silent_line_looks_stale_then_lost(make_desk: Any, scene: Any) -> None:
    desk = await make_desk()
    await desk.page.clock.install()
    await desk.sign_in()
    await expect(desk.page.locator("#live")).to_have_class("live num ok")
    await desk.context.set_offline(True)
    await desk.page.route("**/api/v1/stream", lambda route: route.abort())
    await desk.page.evaluate("document.querySelectorAll('script').length")
    await desk.page.clock.fast_forward(7_000)
    await expect(desk.page.locator("#live")).to_have_class("live num stale")
    await desk.page.clock.fast_forward(30_000)
    await expect(desk.page.locator("#live")).to_have_class("live num lost")
    await expect(desk.page.locator("#lostbar")).to_contain_text("门岗照常工作")


async def test_an_order_that_the_server_did_not_take_is_said(make_desk: Any, scene: Any) -> None:
    desk = await make_desk("en", "dark")
    await desk.sign_in()
    await desk.armed()
    await scene.site.given.pool.execute("UPDATE passages SET guard_outcome = 'refuse', guard_by = 'hut'")
    await desk.page.keyboard.press("a")
    await desk.page.keyboard.press("1")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("#decide-dialog .problem")).to_contain_text("Somebody decided this vehicle already.")


@pytest.mark.parametrize("path", ["/passages/nobody", "/nowhere"])
async def test_what_is_not_there_is_said_in_a_page(make_desk: Any, scene: Any, path: str) -> None:
    desk = await make_desk()
    await desk.sign_in()
    await desk.open(path)
    await expect(desk.page.locator("main")).to_contain_text("这里什么也没有。")
    await expect(desk.page.locator("main")).to_contain_text("门岗照常工作")
    assert await desk.axe() == []
