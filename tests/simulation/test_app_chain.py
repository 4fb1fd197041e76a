"""The whole chain by the app: a real window that is touched, the real cloud with its workers, the simulated island.

A visitor earns by the code on the simulated recycling machine's screen, loses the network, is thrown out of the app,
comes back, redeems, and shows the code without a network. A driver applies with a photo, gets the application back,
corrects it, and shows the pass; the picture of that screen is what the gate's scanner reads. Everything is waited for,
with limits that a busy machine keeps.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
import zxingcpp
from PIL import Image

from hw_sim.cloud_client import CloudClient
from hw_sim.island import Island
from hw_sim.permit_office import DRIVER, licence_picture
from hw_sim.permit_show import VISITOR
from hw_sim.site_files import GATE_ID


def _module(name: str, path: Path) -> ModuleType:
    """A module of the tests, whose folders are no packages."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


HERE = Path(__file__).parent
_window = _module("app_chain_window", HERE.parent / "mobile" / "ui" / "conftest.py")
_permits = _module("app_chain_permits", HERE / "test_permit_chain.py")
screen, stage, wire = _window.screen, _window.stage, _window.wire
PLATE = _permits.PLATE
MERCHANT = "demo-merchant"
REMARK = "请写明吊装地点"
HOURS_DOWN = 8
WITHIN_S = 120.0
TRIES = 40


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own folder, where the app's dialog begins, with a photo of the vehicle's licence."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "licence.png").write_bytes(licence_picture(PLATE))
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.mark.timeout(1500)
async def test_visitor_and_driver_by_the_app(
    island_folder: Path, stage: Any, wire: Any, photos: Path, tmp_path: Path
) -> None:
    async with _permits.running(island_folder) as (island, password):
        line = await wire(island.site.cloud_url)
        await visitor(island, password, stage, line, tmp_path)
        await driver(island, password, stage, line, tmp_path)


# ---------------------------------------------------------------- touches


async def signed_in(app: Any, username: str, password: str, then: str) -> None:
    await app.type(username, into="user")
    await app.type(password, into="password")
    await app.tap("sign-in")
    await app.wait_for(then, within_s=WITHIN_S)


async def found_by_pulling(app: Any, test_id: str) -> None:
    """Draw the list down until the server's news are in it."""
    for _ in range(TRIES):
        if test_id in await app.ids():
            return
        await app.swipe((195, 260), (195, 640), seconds=0.4)
        await app.wait_for("tab-permits")
    await app.wait_for(test_id)


async def opened(app: Any, button: str, then: str) -> None:
    """Press, and again where the list was drawn anew under the finger."""
    for _ in range(TRIES):
        ids = await app.ids()
        if then in ids:
            return
        if button in ids:
            await app.tap(button)
    await app.wait_for(then, within_s=WITHIN_S)


async def chosen(app: Any, field: str, code: str) -> None:
    """One of a list in a sheet."""
    await app.scroll_to(field)
    await app.tap(field)
    await app.scroll_to(f"{field}-option-{code}")
    await app.tap(f"{field}-option-{code}")
    await app.wait_for(f"{field}-sheet", gone=True)


def codes_of(picture: Path) -> list[str]:
    """What a reader sees on a picture of the screen."""
    with Image.open(picture) as opened:
        return [one.text for one in zxingcpp.read_barcodes(opened.convert("L"))]


# ---------------------------------------------------------------- the visitor


async def visitor(island: Island, password: str, stage: Any, line: Any, tmp_path: Path) -> None:
    """Earns twice, the second time without a network and through a kill; redeems; shows the code without a network."""
    machine = await put_up_machine(island)
    await offer(island)
    choices = {"server": line.url, "data_dir": tmp_path / "visitor", "language": "en", "theme": "light"}
    choices["camera"] = f"{island.site.sim_url}/points/{machine}/code.png"
    async with CloudClient(island.site.cloud_url) as account:
        await account.sign_in(VISITOR, password)
        await act(island, machine)
        app = await stage("visitor", **choices)
        await signed_in(app, VISITOR, password, "tab-home")
        await app.tap("tab-scan")
        await app.wait_for(text="Points earned", within_s=WITHIN_S)
        first = await points_of(account)
        assert first > 0
        assert f"+{first:,}" in await app.texts()

        await line.cut()
        await act(island, machine)
        for _ in range(TRIES):  # what the camera saw just before may be read once more
            await app.tap("scan-result-again")
            await app.wait_for("scan-result")
            if (await app.state())["waiting"] == 1:
                break
        await app.wait_state(waiting=1)
        app.kill()
        await app.gone()
        assert await points_of(account) == first

        app = await stage("visitor", **choices)
        await app.wait_state(waiting=1, signed_in=True)
        await line.mend()
        await app.wait_state(waiting=0, within_s=WITHIN_S)
        assert await points_of(account) == 2 * first
        await redeemed(app, line, stage, choices, tmp_path, island, password)
        assert await points_of(account) == 2 * first - PRICE


PRICE = 10


async def redeemed(
    app: Any, line: Any, stage: Any, choices: dict[str, Any], tmp_path: Path, island: Island, password: str
) -> None:
    """A code is bought, and shows after a kill and without a network; the shop takes it once."""
    await app.tap("tab-rewards")
    await app.wait_for(text="Coconut", within_s=WITHIN_S)
    await app.tap(text="Coconut")
    await app.wait_for("item-sheet")
    await app.tap("get-it")
    await app.wait_for("qr", within_s=WITHIN_S)
    await line.cut()
    app.kill()
    await app.gone()

    app = await stage("visitor", **choices)
    await app.tap("tab-rewards")
    await app.scroll_to("to-codes")
    await app.tap("to-codes")
    await app.tap(text="Coconut")
    await app.wait_for("qr")
    (code,) = codes_of(await app.shot(tmp_path / "reward.png"))
    async with CloudClient(island.site.cloud_url) as till:
        await till.sign_in(MERCHANT, password)
        used = await till.post("/api/v1/merchant/redemptions/use", {"code": code, "request_id": uuid4().hex})
    assert (used["ok"], used["name_en"]) == (True, "Coconut")
    await line.mend()
    await app.quit()


async def put_up_machine(island: Island) -> str:
    """A recycling machine of the cloud with its secret in the simulated one; its id. New accounts may spend."""
    rule = {"key": "account.new_hold", "value": "0", "source": "test", "reason": "one afternoon"}
    today = (datetime.now(UTC) + timedelta(hours=8)).date().isoformat()
    await island.office.approver.post("/api/v1/rules/points", rule | {"valid_from": today})
    wish = {"name": "回收机 Recycling machine", "place": "码头 Wharf", "keys": ["recycling.aluminium"]}
    made = await island.api.post("/api/v1/points/devices", wish | {"directions": ["act"], "makes_acts": True})
    await island.sim_post("/points", json.loads(made["file_text"]) | {"name": wish["name"]})
    return str(made["device_id"])


async def act(island: Island, machine: str) -> None:
    """Somebody puts cans into the machine; its screen shows the code of that."""
    await island.sim_post(f"/points/{machine}/acts", {"slot": 0, "amount": 100})


async def offer(island: Island) -> None:
    item = {"name_zh": "椰子", "name_en": "Coconut", "price_points": PRICE, "stock": 5, "person_max": 1}
    await island.office.reviewer.post("/api/v1/points/items", item | {"merchants": [MERCHANT]})


async def points_of(account: CloudClient) -> int:
    return int((await account.get("/api/v1/points/me"))["available"])


# ---------------------------------------------------------------- the driver


async def driver(island: Island, password: str, stage: Any, line: Any, tmp_path: Path) -> None:
    """Applies with a photo, corrects what was returned, and enters by the pass on the phone's screen."""
    choices = {"server": line.url, "data_dir": tmp_path / "driver", "language": "en", "theme": "light"}
    app = await stage("driver", **choices)
    await signed_in(app, DRIVER, password, "new")
    await opened(app, "new", "plate-field")
    await filled_in(app)
    await app.tap("next")
    number = await handed_in(island, "submitted")
    await app.wait_for("tab-permits", within_s=WITHIN_S)

    remark = {"reason": "", "remarks": [{"field": "purpose_text", "text": REMARK}]}
    await island.office.reviewer.post(f"/api/v1/applications/{number}/return", remark | {"reason": REMARK})
    await found_by_pulling(app, f"change-{number}")
    await corrected(app, number)
    assert await handed_in(island, "submitted") == number
    await island.office.reviewer.post(f"/api/v1/applications/{number}/approve", {"reason": "ok"})
    assert await handed_in(island, "active") == number

    await app.wait_for("tab-permits", within_s=WITHIN_S)
    await found_by_pulling(app, f"pass-{number}")
    await opened(app, f"pass-{number}", "qr")
    (text,) = codes_of(await app.shot(tmp_path / "pass.png"))
    await island.office.published([PLATE])
    body = {"dirt_frac": 0.9, "pass_text": text, "pass_place": "scanner", "pass_good": True}
    await _permits.passed(island, "east-in-1", body)
    assert (await app.state())["faults"] == 0


async def handed_in(island: Island, status: str) -> str:
    """The number of the driver's only application once it has this status."""

    async def there() -> Any:
        found = await island.office.driver.get("/api/v1/applications", {"mine": "true"})
        return [one["application_id"] for one in found["items"] if one["status"] == status]

    (number,) = await _permits.until(island, f"the application becomes {status}", there)
    return str(number)


async def filled_in(app: Any) -> None:
    """The form, page by page, as a thumb does it; it ends before handing in."""
    await app.tap("plate-field")
    for char in PLATE:
        await app.tap(f"key-{char}")
    await app.tap("key-done")
    await app.wait_for("plate-sheet", gone=True)
    await app.scroll_to("colour-yellow")
    await app.tap("colour-yellow")
    for field, code in (("vehicle_type", "crane"), ("emission_class", "crane"), ("drive", "diesel")):
        await chosen(app, field, code)
    await app.tap("next")
    await app.wait_for(text="2/5")

    await app.scroll_to("purpose-lifting")
    await app.tap("purpose-lifting")
    await app.tap("next")
    await app.wait_for(text="3/5")

    await app.scroll_to(f"gate-{GATE_ID}")
    await app.tap(f"gate-{GATE_ID}")
    await from_midnight(app)
    await until_tomorrow(app)
    await app.tap("next")
    await app.wait_for(text="4/5")

    await app.tap("add-vehicle_licence")
    await app.scroll_to("file-licence.png")
    await app.tap("file-licence.png")
    await app.wait_for("drop-vehicle_licence", within_s=WITHIN_S)
    await app.tap("next")
    await app.wait_for(text="Hand it in")


async def from_midnight(app: Any) -> None:
    """The window has begun, whatever hour it is."""
    await app.scroll_to("window_from")
    await app.tap("window_from")
    await app.wait_for("hour-less")
    for _ in range(HOURS_DOWN):
        await app.tap("hour-less")
    await app.tap("moment-done")
    await app.wait_for("moment-sheet", gone=True)


async def until_tomorrow(app: Any) -> None:
    today = datetime.now(UTC) + timedelta(hours=8)
    tomorrow = today + timedelta(days=1)
    await app.scroll_to("window_until")
    await app.tap("window_until")
    await app.wait_for("moment-done")
    if tomorrow.month != today.month:
        await app.tap("month+1")
    await app.tap(f"day-{tomorrow.date().isoformat()}")
    await app.tap("moment-done")
    await app.wait_for("moment-sheet", gone=True)


async def corrected(app: Any, number: str) -> None:
    """The office's words stand beside their field; everything else is there still."""
    await opened(app, f"change-{number}", "plate-field")
    await app.tap("next")
    await app.wait_for("remark-purpose_text")
    await app.scroll_to("text")
    await app.type("East of the conference centre", into="text")
    for step in ("3/5", "4/5", "5/5"):
        await app.tap("next")
        await app.wait_for(text=step)
    await app.wait_for(text="Hand it in")
    assert PLATE in " ".join(await app.texts())
    await app.tap("next")
