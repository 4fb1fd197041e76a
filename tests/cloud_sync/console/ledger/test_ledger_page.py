"""The ledger in a real browser: propose, review, see the covers; one visit's figure; credits. axe finds nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import expect

from cloud_sync.server.carbon import book

SLOW_MS = 120_000  # a paper takes half a second of an idle processor, and the machine may be busy
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_tonne_from_proposal_to_cover(make_desk: Any, ledger_scene: Any) -> None:
    desk = await make_desk()
    page = desk.page
    await desk.sign_in("reviewer")
    await desk.site.given.pool.execute("UPDATE visit_accounts SET due_on = day + 30")
    await desk.open("/ledger")
    await expect(page.locator("#chain")).to_contain_text("链已核验")
    await expect(page.locator("tr.cov").first).to_be_visible()
    await expect(page.locator("#overdue")).to_have_text(re.compile(r"逾期：\d+ 次，[\d,.]+ kg"))
    await expect(page.locator("#rows tr .tag.refuse").first).to_have_text(re.compile(r"逾期 \d+ 天"))
    assert await desk.axe() == []
    tinted = await page.locator("tr.cov").count()
    await page.get_by_role("button", name="多一吨").click()
    await expect(page.locator("#send")).to_contain_text("送李静复核 2 t")
    await expect(page.locator("#send")).to_be_visible()
    assert await page.locator("tr.cov").count() >= tinted
    await page.get_by_role("button", name="少一吨").click()
    await expect(page.locator("#send")).to_contain_text("送李静复核 1 t")
    await page.fill("#text", "近期燃油特种车进场")
    async with page.expect_navigation():
        await page.click("#send")
    await expect(page.locator(".pend")).to_contain_text("近期燃油特种车进场")
    await expect(page.locator(".pend")).not_to_contain_text("复核并注销")
    assert desk.seen.errors == []

    other = await make_desk("en", "dark")
    await other.sign_in("approver")
    await other.open("/ledger")
    assert await other.axe() == []
    await other.page.get_by_role("button", name="Review and retire…").click()
    await other.page.fill("#confirm-dialog [name=proof]", "CCER-2026-0091")
    async with other.page.expect_navigation():
        await other.page.locator("#confirm-dialog").get_by_role("button", name="Retire").click()
    await expect(other.page.locator(".flash")).to_contain_text("Retired")
    await expect(other.page.locator(".pend")).to_have_count(0)
    assert other.seen.errors == []
    assert (await book.verify(desk.site.given.pool)).ok


async def test_one_visit_says_how_its_figure_came_about(make_desk: Any, ledger_scene: Any, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.jpg"
    cv2.imwrite(str(receipt), np.full((480, 640, 3), 220, np.uint8))
    desk = await make_desk()
    page = desk.page
    await desk.sign_in("approver")
    await desk.open("/ledger?show=all")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/ledger/visits/"))
    await expect(page.locator(".formula")).to_contain_text("CO₂")
    await expect(page.locator("section[aria-labelledby=book-title]")).to_contain_text("进场结束")
    assert await desk.axe() == []
    await page.keyboard.press("e")
    await page.set_input_files("#evidence-dialog [type=file]", str(receipt))
    await expect(page.locator("#evidence-dialog [data-uploads]")).to_contain_text("receipt.jpg")
    assert await desk.axe() == []
    await page.fill("#evidence-dialog [name=fuel_used]", "9.5")
    await page.fill("#evidence-dialog [name=note]", "加油小票")
    async with page.expect_navigation():
        await page.locator("#evidence-dialog").get_by_role("button", name="添加", exact=True).click()
    await expect(page.locator(".lside .pend").last).to_contain_text("9.5")
    kept = await page.locator(".lside .pend a[href^='/api/v1/documents/']").last.get_attribute("href")
    used = await desk.site.given.pool.fetchrow("SELECT kind, sha256 FROM document_uses")
    assert (used["kind"], kept) == ("visit", f"/api/v1/documents/{used['sha256']}")
    await expect(page.locator(".lbig .tier")).to_have_text("1")
    await page.get_by_role("button", name="更正…").click()
    await page.fill("#correct-amount-dialog [name=added_kg]", "−2.5")
    await page.fill("#correct-amount-dialog [name=why]", "其中一段不在示范区")
    async with page.expect_navigation():
        await page.locator("#correct-amount-dialog").get_by_role("button", name="记入更正").click()
    await expect(page.locator(".c-hold")).to_contain_text("已更正")
    assert desk.seen.errors == []
    assert (await book.verify(desk.site.given.pool)).ok


async def test_the_office_issues_a_certificate_where_all_is_covered(make_desk: Any, ledger_scene: Any) -> None:
    desk = await make_desk("zh", "dark")
    page, pool = desk.page, desk.site.given.pool
    await desk.sign_in("reviewer")
    open_one = await pool.fetchval("SELECT visit_id FROM visit_accounts WHERE owed_g > covered_g LIMIT 1")
    whole = await pool.fetchval("SELECT visit_id FROM visit_accounts WHERE owed_g > 0 AND owed_g = covered_g LIMIT 1")
    await desk.open(f"/ledger/visits/{open_one}")
    await expect(page.get_by_role("button", name="证明")).to_have_count(0)
    await desk.open(f"/ledger/visits/{whole}")
    await expect(page.get_by_role("button", name="证明")).to_be_visible()
    assert await desk.axe() == []
    async with page.expect_navigation(url="**done=paper_issued", timeout=SLOW_MS):
        await page.get_by_role("button", name="证明").click(no_wait_after=True)
    link = page.locator("a[data-paper]")
    await expect(link).to_contain_text("ZH-")
    answer = await page.context.request.get(f"{desk.site.url}{await link.get_attribute('href')}")
    assert answer.headers["content-type"] == "application/pdf"
    assert await desk.axe() == []
    assert desk.seen.errors == []


async def test_credits_are_bought_and_a_wrong_purchase_is_reversed(make_desk: Any, ledger_scene: Any) -> None:
    desk = await make_desk("en", "dark")
    page = desk.page
    await desk.sign_in("reviewer")
    await desk.open("/ledger/credits")
    assert await desk.axe() == []
    await page.get_by_role("button", name="Enter a purchase").first.click()
    for name, value in (("registry", "VCS"), ("project", "Seagrass"), ("first_serial", "1"), ("last_serial", "12")):
        await page.fill(f"#buy-dialog [name={name}]", value)
    await page.fill("#buy-dialog [name=proof]", "invoice 12")
    async with page.expect_navigation():
        await page.locator("#buy-dialog").get_by_role("button", name="Enter a purchase").click()
    row = page.locator("tr", has_text="Seagrass")
    await row.get_by_role("button", name="Reverse…").click()
    await page.fill("#reverse-dialog [name=why]", "entered twice")
    async with page.expect_navigation():
        await page.locator("#reverse-dialog").get_by_role("button", name="Reverse").click()
    await expect(page.locator("tr.gone", has_text="Seagrass")).to_contain_text("reversed")
    await desk.open("/ledger?show=corrections")
    await expect(page.locator("#rows")).to_contain_text("entered twice")
    await desk.open("/ledger?show=all&tier=1")
    await expect(page.locator("#rows tbody tr").first).to_be_visible()
    assert desk.seen.errors == []
