"""The hut's page and passes: what was shown, whether it holds, and admitting under the permit that it proves."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from cloud_sync.contract.signed import KeyPair

PIN = "402917"
AXE = Path(__file__).parents[2] / "assets" / "axe.min.js"


@pytest.fixture
async def guard(hut) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=hut.url, timeout=30) as client:
        await client.post("/api/sign-in", json={"name": "陈海龙", "pin": PIN})
        csrf = (await client.get("/")).text.split('"csrf": "')[1].split('"')[0]
        client.headers["X-Island-CSRF"] = csrf
        yield client


@pytest.fixture
async def page(hut) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        yield page
        await browser.close()


async def hold_of(client: httpx.AsyncClient) -> dict:
    (hold,) = (await client.get("/api/state")).json()["holds"]
    return hold


async def decided(hut, count: int) -> None:
    """Wait until the gate has decided so often about the vehicle."""
    await hut.until(lambda: hut.bench.lane.arrival is not None and hut.bench.lane.arrival.passes_taken == count)
    await hut.until(lambda: not hut.bench.lane.arrival.pass_is_new)


async def shown(hut, count: int, **kind: object) -> None:
    """Hold a pass to the scanner until so many were taken for the vehicle: a scan soon after another is not heard."""
    await hut.until(lambda: hut.bench.lane.arrival.passes_taken >= count or bool(hut.scan("琼C12345", **kind)))


async def says(page: Page, where: str, text: str) -> None:
    await expect(page.locator(where)).to_contain_text(text, timeout=60_000)


async def test_a_vehicle_without_a_plate_is_admitted_under_its_pass_by_a_person(guard, hut) -> None:
    arrival_id = await hut.hold()
    assert (await hold_of(guard))["pass"] is None
    hut.scan("琼C12345")
    await decided(hut, 1)
    hold = await hold_of(guard)
    assert hold["pass"]["valid"]
    assert (hold["pass"]["plate"], hold["pass"]["entries_left"]) == ("琼C12345", 2)
    assert [(one["text"], one["permit"]["permit_id"]) for one in hold["readings"]] == [("琼C12345", "XK-2026-000529")]
    body = {"outcome": "admit", "reason_code": "permit_checked", "reading": "琼C12345", "under_permit": True}
    answer = await guard.post(f"/api/holds/{arrival_id}/decision", json=body)
    assert answer.status_code == 204
    (event,) = await hut.bench.events("guard_decided")
    assert (event["permit_id"], event["corrected_plate"]) == ("XK-2026-000529", "琼C12345")
    assert [action for action, _ in hut.bench.barrier.pulses] == ["open"]


async def test_a_permit_that_is_revoked_while_the_vehicle_waits_is_offered_no_more(guard, hut) -> None:
    arrival_id = await hut.hold()
    hut.scan("琼C12345")
    await decided(hut, 1)
    assert (await hold_of(guard))["pass"]["valid"]
    policy = hut.bench.desk.policy
    hut.bench.desk.policy = replace(policy, snapshot=replace(policy.snapshot, revoked=frozenset({"XK-2026-000529"})))
    hold = await hold_of(guard)
    assert (hold["pass"]["valid"], hold["pass"]["problem"]["code"]) == (False, "revoked")
    assert hold["readings"] == []
    body = {"outcome": "admit", "reason_code": "permit_checked", "reading": "琼C12345", "under_permit": True}
    answer = await guard.post(f"/api/holds/{arrival_id}/decision", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (409, "no_permit")


async def test_a_guard_is_told_what_a_pass_says_in_the_browser(hut, page) -> None:
    await page.goto(hut.url)
    await page.fill("#name", "陈海龙")
    await page.fill("#pin", PIN)
    await page.click("button[type=submit]")
    await says(page, "#facts", "没有车等你")  # the page hears the gate
    hut.scan("琼C12345")
    await says(page, "#facts .passrow", "通行码有效：琼C·12345")
    await hut.hold()
    await says(page, "#facts", "没看到车牌")
    await shown(hut, 1, key=STRANGER)
    await says(page, "#facts .passrow", "通行码不能用：通行码由不认识的密钥签发")
    await shown(hut, 2)
    await says(page, "#facts .passrow", "还剩 2 次")
    permit = page.locator("[data-act=permit]")
    await expect(permit).to_contain_text("琼C·12345", timeout=60_000)
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run(document)")
    assert [violation["id"] for violation in found["violations"]] == []
    await expect(page.locator("body[data-armed]")).to_be_visible()
    await permit.click()
    await says(page, "#toast", "已放行")
    assert [action for action, _ in hut.bench.barrier.pulses] == ["open"]


STRANGER = KeyPair.generate()
