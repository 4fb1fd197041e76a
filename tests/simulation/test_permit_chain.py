"""The whole chain of a permit with real parts: cloud with PostgreSQL and broker, gateway, simulated gate, Chromium.

A driver applies, the office returns it and then approves it, the vehicle with its dirty plate enters by the pass behind
its windscreen and leaves, its emission is posted, a tonne is retired by two people, and the certificate's code says
that it is genuine. What the office does, it does on the console's pages. Everything is waited for, with limits that a
busy machine keeps.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from playwright.async_api import Page, async_playwright, expect

from control.domain.permits import Permit, PermitClass
from hw_sim.guard import ScriptedGuard
from hw_sim.island import Island
from hw_sim.permit_office import APPROVER, REVIEWER, form_of, licence_picture
from hw_sim.site_files import GATE_ID, DemoOptions, make_site

PLATE = "琼C61K28"
OPTIONS = DemoOptions(seed=5, speed=1.5, hour=10.0)
TRIES = 3
WAIT_S = 150.0
WAIT_MS = 90_000


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Island, str]]:
    """The island without any papers, and the password of everybody."""
    async with Island(make_site(folder, OPTIONS), lambda text: None, undo_s=0) as island:
        _, password = await island.start(seed=OPTIONS.seed, papers=False)
        yield island, password


@asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(WAIT_MS)
        yield page
        await browser.close()


@asynccontextmanager
async def another(page: Page) -> AsyncIterator[Page]:
    """Another person's browser."""
    assert page.context.browser is not None
    context = await page.context.browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        made = await context.new_page()
        made.set_default_timeout(WAIT_MS)
        yield made
    finally:
        await context.close()


async def until(island: Island, what: str, look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` gives once it is something; the programs must live meanwhile."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + WAIT_S
    while loop.time() < ends_s:
        island.check_alive()
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.25)
    raise AssertionError(f"{what}: not within {WAIT_S:.0f} s; gateway: {island.edge.log_tail()}")


@pytest.mark.timeout(1200)
async def test_from_the_application_to_the_certificate(island_folder: Path) -> None:
    async with running(island_folder) as (island, password), browser_page() as page:
        number = await applied(island)
        await sign_in(page, island, password)
        await returned(page, island, number)
        await handed_in_again(island, number)
        await approved(page, island, number)
        await entered_by_pass(island)
        visit_id = await left(island, number)
        grams = await posted(island, visit_id)
        await retired(page, island, password, visit_id)
        await certified(page, island, visit_id, grams)


async def status_of(island: Island, number: str) -> str:
    found = await island.office.driver.get(f"/api/v1/applications/{number}")
    return str(found["row"]["status"])


async def applied(island: Island) -> str:
    """The driver files an application with a paper."""
    driver = island.office.driver
    now = datetime.now(UTC)
    wish = Permit("", PLATE, PermitClass.SPECIAL, now, now + timedelta(days=1), vehicle_type="crane", holder="海岛起重")
    paper = await driver.upload(licence_picture(PLATE), "image/png")
    form = form_of(wish, gate_id=GATE_ID, sha256=paper["sha256"], now=now)
    made = await driver.post("/api/v1/applications", form)
    number = str(made["row"]["application_id"])
    await driver.post(f"/api/v1/applications/{number}/submit", {})
    assert await status_of(island, number) == "submitted"
    return number


async def sign_in(page: Page, island: Island, password: str, username: str = REVIEWER) -> None:
    await page.goto(f"{island.site.cloud_url}/sign-in")
    await page.fill("input[name=username]", username)
    await page.fill("input[name=password]", password)
    await page.click("form[action='/sign-in'] button")
    await page.wait_for_url(lambda url: "/sign-in" not in url)


async def returned(page: Page, island: Island, number: str) -> None:
    """The office returns it with a remark."""
    await page.goto(f"{island.site.cloud_url}/reviews/{number}")
    await page.click("[data-return-start]")
    await page.fill("#remark-general", "请写明吊装地点")
    async with page.expect_navigation():  # the page goes on to the queue, and nothing may come in between
        await page.click("#return-form button.pri")

    async def back() -> bool:
        return await status_of(island, number) == "returned"

    await until(island, "the return", back)


async def handed_in_again(island: Island, number: str) -> None:
    """The driver reads the remark, puts it right and hands it in again."""
    driver = island.office.driver
    found = await driver.get(f"/api/v1/applications/{number}")
    remarks = [remark["text"] for change in found["history"] for remark in change["remarks"]]
    assert remarks == ["请写明吊装地点"]
    edit = {"version": found["row"]["version"], "form": {"purpose_text": "会议中心东侧，更换幕墙玻璃"}}
    await driver.patch(f"/api/v1/applications/{number}", edit)
    await driver.post(f"/api/v1/applications/{number}/submit", {})


async def approved(page: Page, island: Island, number: str) -> None:
    await page.goto(f"{island.site.cloud_url}/reviews/{number}")
    await expect(page.locator(".case[data-armed]")).to_be_visible(timeout=WAIT_MS)  # what decides rests at first
    async with page.expect_navigation():
        await page.click("[data-approve]")

    async def given() -> bool:
        return await status_of(island, number) == "active"

    await until(island, "the approval", given)


async def passed(island: Island, lane_id: str, body: dict[str, Any]) -> None:
    """Send a vehicle to a lane until it is through: a driver who waited too long comes once more.

    A guard is there: where a busy machine saw the plate so late that it is doubted, he compares it with the pass.
    """
    guard = ScriptedGuard(island.site, island.http, permits_only=True)

    async def ended() -> Any:
        await guard.look()
        rows = await island.sim_get("/truth")
        return next((row["outcome"] for row in rows if row["vehicle_id"] == sent["vehicle_id"]), "")

    for _ in range(TRIES):
        sent = await island.sim_post("/vehicles", {"lane": lane_id, "plate": PLATE, "vehicle_type": "crane", **body})
        if await until(island, f"the passage of {lane_id}", ended) == "passed":
            return
    raise AssertionError(await island.api.passages())


async def entered_by_pass(island: Island) -> None:
    """Nobody can read the plate; the lane's camera reads the pass behind the windscreen."""
    text = await island.office.pass_of(PLATE)
    assert text is not None
    await passed(island, "east-in-1", {"dirt_frac": 0.9, "pass_text": text, "pass_good": True})

    async def told() -> Any:
        mine = [one for one in await island.api.passages() if one["lane_id"] == "east-in-1"]
        return [one for one in mine if one["movement"] == "passed"]

    (passage, *_) = await until(island, "the passage in the cloud", told)
    assert passage["final_outcome"] == "admit_under_permit"


async def left(island: Island, number: str) -> str:
    """The vehicle leaves with its plate washed; entry and exit are one visit."""
    await passed(island, "east-out-1", {"dirt_frac": 0.0})
    await named(island)

    async def over() -> Any:
        page = await island.office.driver.get("/api/v1/visits", {"application_id": number})
        return [one for one in page["items"] if one["is_over"]]

    (visit,) = await until(island, "the visit", over)
    assert (visit["plate"], visit["permit_id"], visit["gate_in"], visit["gate_out"]) == (PLATE, number, "east", "east")
    return str(visit["visit_id"])


async def named(island: Island) -> None:
    """Where a busy machine's camera missed the plate at the exit, the office names it, as it would any day."""

    async def told() -> Any:
        mine = [one for one in await island.api.passages() if one["lane_id"] == "east-out-1"]
        return [one for one in mine if one["movement"] == "passed"]

    (exit_, *_) = await until(island, "the exit in the cloud", told)
    if exit_["raw_plate"] != PLATE or len(exit_["reasons"]) > 1:
        await island.api.post(f"/api/v1/passages/{exit_['arrival_id']}/correction", {"plate": PLATE})


async def ledger_visit(island: Island, visit_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await island.office.driver.get(f"/api/v1/carbon/visits/{visit_id}")
    return found


async def posted(island: Island, visit_id: str) -> int:
    """The emission is posted as a debit; gives what the visit owes."""

    async def owed() -> Any:
        page = await island.office.driver.get("/api/v1/carbon/visits")
        return [one["owed_g"] for one in page["items"] if one["visit_id"] == visit_id and one["owed_g"]]

    (grams,) = await until(island, "the debit", owed)
    kinds = [entry["kind"] for entry in (await ledger_visit(island, visit_id))["entries"]]
    assert kinds == ["visit_debit"]
    assert 0 < grams < 1_000_000
    return int(grams)


async def retired(page: Page, island: Island, password: str, visit_id: str) -> None:
    """One of the office proposes on the ledger's page, another confirms there, and the visit is covered."""
    lot = {
        "registry": "CCER",
        "project": "红树林 mangroves",
        "vintage": datetime.now(UTC).year - 1,
        "first_serial": 1,
        "last_serial": 5,
        "bought_on": datetime.now(UTC).date().isoformat(),
        "evidence": "contract 17",
    }
    await island.office.reviewer.post("/api/v1/carbon/lots", lot)
    await page.goto(f"{island.site.cloud_url}/ledger")
    await page.fill("#text", "博鳌近零碳示范区 2026")
    async with page.expect_navigation(url="**done=retirement_proposed"):
        await page.click("#send")
    await expect(page.locator(".pend")).to_contain_text("博鳌近零碳示范区 2026", timeout=WAIT_MS)
    await expect(page.locator("[data-open=confirm-dialog]")).to_have_count(0, timeout=WAIT_MS)
    async with another(page) as second:
        await sign_in(second, island, password, APPROVER)
        await second.goto(f"{island.site.cloud_url}/ledger")
        await second.click("[data-open=confirm-dialog]")
        await second.fill("#confirm-dialog [name=proof]", "CCER-2026-11-21-0001")
        async with second.expect_navigation(url="**done=retirement_confirmed"):
            await second.click("#confirm-dialog .dlg-foot button:not([data-close])")

    async def covered() -> Any:
        return (await ledger_visit(island, visit_id))["neutralised_at"]

    await until(island, "the cover of the visit", covered)


async def certified(page: Page, island: Island, visit_id: str, grams: int) -> None:
    """The office issues the certificate on the visit's page; its code leads to a public page that calls it genuine."""
    await page.goto(f"{island.site.cloud_url}/ledger/visits/{visit_id}")
    async with page.expect_navigation(url="**done=paper_issued"):
        await page.click("form[action='/reports/papers'] button", no_wait_after=True)
    number = await page.get_attribute("a[data-paper]", "href")
    answer = await page.context.request.get(f"{island.site.cloud_url}{number}")
    assert answer.headers["content-type"] == "application/pdf"
    picture = await asyncio.to_thread(first_page, await answer.body())
    (url,) = [code.text for code in zxingcpp.read_barcodes(picture) if "/verify/" in code.text]
    code = url.rsplit("/", 1)[1]
    checked = await island.office.driver.get(f"/api/v1/public/papers/{code}")
    assert (checked["genuine"], checked["holds"]) == (True, True)
    await page.context.clear_cookies()
    await page.goto(f"{island.site.cloud_url}/verify/{code}")
    await expect(page.locator(".verdict")).to_have_class("verdict admit", timeout=WAIT_MS)
    assert PLATE not in await page.content()
    assert grams > 0


def first_page(content: bytes) -> Any:
    """The certificate as it would be printed."""
    return pypdfium2.PdfDocument(content)[0].render(scale=2.2, grayscale=True).to_numpy()
