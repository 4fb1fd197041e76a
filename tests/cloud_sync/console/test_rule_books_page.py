"""Rule books on the console: looked at by many, changed row by row by approvers, without a mouse if need be."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import rule_books
from cloud_sync.server.console.rule_words import FIELDS, TERMS
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.rule_editing import editable

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATHS = (
    "/rule-books",
    "/rule-books?book=factors&key=grid.hainan.co2",
    "/rule-books?book=methodologies",
    "/rule-books?q=nothing-like-it",
    "/rule-books?book=gate&key=list.alert",
    "/rule-books?book=gate&key=consistency.coach",
    "/rule-books/retention",
    "/rules",
    "/rule-books/versions",
)


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
async def test_axe_finds_nothing_in_the_books(make_desk: Any, language: str, theme: str) -> None:
    desk = await make_desk(language, theme)
    await desk.sign_in("approver")
    found = {}
    for path in PATHS:
        await desk.open(path)
        found[path] = await desk.axe()
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert desk.seen.errors == []


async def test_an_approver_writes_a_new_row_with_the_keyboard(desk: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/rule-books?book=permits&q=审核")
    await desk.page.keyboard.press("j")
    await desk.page.keyboard.press("k")
    await desk.page.keyboard.press("Enter")
    await desk.page.wait_for_url("**key=review.term**")
    today = await desk.page.input_value("input[name=valid_from]")
    await desk.page.fill("input[name=value]", "900")
    await desk.page.fill("input[name=source]", "办公室 2026 年第 12 号")
    await expect(desk.page.locator("[data-preview]")).to_contain_text("超出范围")
    await desk.page.fill("input[name=value]", "5")
    await expect(desk.page.locator("[data-preview] ins").last).to_have_text("5")
    await expect(desk.page.locator("[data-preview]")).to_contain_text(today)
    await desk.page.fill("textarea[name=why]", "年底材料多")
    await desk.page.keyboard.press("Tab")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator(".flash")).to_be_visible()
    await expect(desk.page.locator(".rulerow.in_force .rulevalue")).to_contain_text("5")
    await expect(desk.page.locator(".rulerow.over .rulevalue")).to_contain_text("3")
    assert await rule_books.newest_number(desk.site.given.pool, BookName.PERMITS) == 1
    await desk.open("/rule-books/versions?book=permits")
    await expect(desk.page.locator("tbody tr").first).to_contain_text("年底材料多")


async def test_lists_are_chosen_and_never_typed(desk: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/rule-books?book=gate&key=consistency.trailer")
    picks = desk.page.locator(".picks input[type=checkbox]")
    for box in await picks.all():
        await box.uncheck()
    await desk.page.get_by_label("环卫车").check()
    await desk.page.get_by_label("三轮车").check()
    await desk.page.fill("input[name=source]", "办公室 2026 年第 13 号")
    await expect(desk.page.locator("[data-preview] ins").last).to_have_text("环卫车、三轮车")
    await desk.page.fill("textarea[name=why]", "岛上的车")
    await desk.page.locator("[data-rule-form] button.pri").click()
    await expect(desk.page.locator(".rulerow.in_force .rulevalue")).to_contain_text("环卫车、三轮车")
    await desk.open("/rule-books?book=permits&key=papers.emergency")
    await expect(desk.page.get_by_label("任务单")).to_be_visible()
    typed = desk.page.locator("[data-rule-form] input[name=value]:not([type=checkbox], [type=hidden])")
    await expect(typed).to_have_count(0)
    assert desk.seen.errors == []


async def test_a_guard_reads_and_is_offered_nothing_to_write(desk: Any) -> None:
    await desk.sign_in("guard")
    await desk.open("/rule-books")
    await expect(desk.page.locator("[data-rule-form]")).to_have_count(0)
    await expect(desk.page.locator(".context")).to_contain_text("由审批人修改")


async def test_every_term_of_the_delivered_books_has_words() -> None:
    for name in BookName:
        mapping = rule_books.as_mapping(name, rule_books.delivered(name))
        rows = next(value for value in mapping.values() if isinstance(value, list))
        terms = {term for row in rows for term in row["key"].split(".")}
        if name is BookName.GATE:  # its keys have names of their own, their groups are terms
            terms = {row["key"].split(".")[0] for row in rows}
        assert {term for term in terms if not term.isdigit()} <= TERMS.keys()
        assert {field for row in rows for field in editable(row)} <= FIELDS.keys()


async def test_a_gate_rule_is_chosen_in_words(desk: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/rules")
    await desk.page.click("a[href='/rule-books?book=gate']")
    await desk.page.click("a[href*='key=list.alert']")
    await desk.page.wait_for_url("**key=list.alert**")
    await desk.page.select_option("select[name=value]", label="放行并登记")
    await desk.page.fill("input[name=source]", "办公室 2026 年第 13 号")
    await desk.page.fill("textarea[name=why]", "只提醒，不拦车")
    await desk.page.click("[data-rule-form] button.pri")
    await expect(desk.page.locator(".flash")).to_be_visible()
    await expect(desk.page.locator(".rulerow.in_force .rulevalue")).to_contain_text("放行并登记")
    await desk.open("/rules")
    await expect(desk.page.locator("tbody")).to_contain_text("只提醒，不拦车")


async def test_days_of_retention_are_changed_from_a_day_on(desk: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/rule-books")
    await desk.page.click("a[href='/rule-books/retention']")
    await desk.page.click("a[href*='rule=sign_ins']")
    await desk.page.wait_for_url("**rule=sign_ins**")
    await desk.page.fill("input[name=keep_days]", "30")
    await desk.page.fill("input[name=source]", "办公室 2026 年第 14 号")
    await desk.page.fill("textarea[name=why]", "核查需要一个月")
    await desk.page.click(".ruleform button.pri")
    await expect(desk.page.locator(".flash")).to_be_visible()
    await expect(desk.page.locator(".rulerow.in_force .rulevalue")).to_contain_text("30")
    await expect(desk.page.locator(".rulerow.over .rulevalue")).to_contain_text("7")
