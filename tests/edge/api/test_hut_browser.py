"""The hut's page in a real browser: a guard signs in, sees the held vehicle, decides; nothing fails in axe."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from control.domain.readings import VehicleReading
from control.domain.vehicles import VehicleType

expect.set_options(timeout=60_000)
PIN = "402917"
ASSETS = Path(__file__).parents[2] / "assets"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def page(hut) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        page.set_default_timeout(60_000)
        foreign: list[str] = []
        page.on("request", lambda r: foreign.append(r.url) if not r.url.startswith((hut.url, "blob:")) else None)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        await browser.close()
        assert foreign == []
        assert faults == []


async def sign_in(page: Page, url: str) -> None:
    await page.goto(url)
    await page.fill("#name", "陈海龙")
    await page.fill("#pin", PIN)
    await page.click("button[type=submit]")
    await page.wait_for_selector("body[data-armed]")  # its script listens; a click before that is lost


async def violations(page: Page) -> list[str]:
    """What axe finds, rule by rule."""
    await page.evaluate((ASSETS / "axe.min.js").read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run(document)")
    return [f"{v['id']}: {n['target']} {n['failureSummary']}" for v in found["violations"] for n in v["nodes"]]


async def test_a_guard_reads_chooses_and_admits(hut, page, unsure) -> None:
    await page.goto(hut.url)
    assert await violations(page) == []
    await sign_in(page, hut.url)
    await expect(page.locator("#facts")).to_contain_text("没有车等你")
    await expect(page.locator("#keys")).to_have_text("按键 ?")
    assert await violations(page) == []

    await hut.hold(unsure)
    await expect(page.locator("#spoken")).to_contain_text("琼C·7B083")
    await expect(page.locator("#facts .plate .q")).to_have_count(1)
    choices = page.locator("#acts .choice")
    await expect(choices).to_have_count(2)
    await expect(page.locator("[data-act=permit]")).to_have_count(0)
    assert await violations(page) == []
    for part in ("[data-act=refuse]", "#recent", "#facts"):
        box = await page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 800, part

    await expect(page.locator("body[data-armed]")).to_be_visible()
    await page.keyboard.press("2")
    await expect(choices.nth(1)).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("[data-act=permit]")).to_contain_text("琼C·78083")
    assert await violations(page) == []
    await page.keyboard.press("p")
    await expect(page.locator("#toast")).to_contain_text("已放行 琼C·78083")
    assert [action for action, _ in hut.bench.barrier.pulses] == ["open"]


async def test_refusing_asks_for_a_reason(hut, page, unsure) -> None:
    await sign_in(page, hut.url)
    await hut.hold(unsure)
    await expect(page.locator("[data-act=refuse]")).to_be_visible()
    await expect(page.locator("body[data-armed]")).to_be_visible()
    await page.click("[data-act=refuse]")
    await expect(page.locator("#why")).to_be_visible()
    assert await violations(page) == []
    await page.locator("#why-reasons button", has_text="其他").click()
    await expect(page.locator("#why-trouble")).to_be_visible()
    await page.fill("#why-note", "等拖车")
    await page.locator("#why-reasons button", has_text="其他").click()
    await expect(page.locator("#facts")).to_contain_text("没有放行，车还在")
    (event,) = await hut.bench.events("guard_decided")
    assert (event["outcome"], event["reason_code"], event["note"]) == ("refuse", "other", "等拖车")
    assert hut.bench.barrier.pulses == []


async def test_dark_english_and_the_cloud_away(hut, page, unsure) -> None:
    await sign_in(page, hut.url)
    await page.click("#theme")
    await expect(page.locator("html[data-theme=dark]")).to_be_visible()
    await page.click("#lang")
    await page.wait_for_selector("html[data-lang=en][data-theme=dark]")
    hut.uplink.connected = False
    await hut.hold(unsure)
    await expect(page.locator("#banner")).to_contain_text("No cloud for")
    await expect(page.locator("#facts")).to_contain_text("Is it B or 8?")
    assert await violations(page) == []
    await page.set_viewport_size({"width": 640, "height": 900})
    assert await violations(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


# -------------------------------------------------------------------------------------------------- the vehicle's type


async def hold_car(hut, plate) -> None:
    """A held vehicle that looks like a car, or a minibus."""
    inference = hut.bench.inference
    read = inference.read
    car = VehicleReading(VehicleType.CAR, 0.83, (60.0, 20.0, 300.0, 200.0), ((VehicleType.MINIBUS, 0.1),))

    async def read_with_vehicle(lane_id, frame):
        inference.seen = replace(inference.seen, vehicles=(car,))
        return await read(lane_id, frame)

    inference.read = read_with_vehicle
    await hut.hold(plate)


async def named_types(hut) -> list[str]:
    """What people called vehicles, newest first."""
    return [row.body["corrected"] for row in await hut.gateway.parts.journal.recent(["vehicle_corrected"], 10)]


async def test_one_tap_names_the_vehicle(hut, page, unsure) -> None:
    await hold_car(hut, unsure)
    await sign_in(page, hut.url)
    row = page.locator("#typerow")
    await expect(row.get_by_role("button", name="轿车 83 %")).to_be_visible()
    assert await violations(page) == []
    await expect(page.locator("body[data-armed]")).to_be_visible()
    await row.get_by_role("button", name="面包车").click()
    await expect(page.locator("#toast")).to_contain_text("记下了：面包车")
    await expect(row.get_by_role("button", name="面包车")).to_have_attribute("aria-pressed", "true")
    assert await named_types(hut) == ["minibus"]


async def test_any_other_type_is_one_tap_further(hut, page, unsure) -> None:
    await hold_car(hut, unsure)
    await sign_in(page, hut.url)
    await expect(page.locator("#typerow")).to_be_visible()
    await expect(page.locator("body[data-armed]")).to_be_visible()
    await page.keyboard.press("t")
    everything = page.locator("#types-all")
    await expect(everything.get_by_role("button")).to_have_count(len(VehicleType))
    assert await violations(page) == []
    await everything.get_by_role("button", name="汽车起重机").click()
    crane = page.locator("#typerow").get_by_role("button", name="汽车起重机")
    await expect(crane).to_have_attribute("aria-pressed", "true")
    assert await named_types(hut) == ["crane"]
