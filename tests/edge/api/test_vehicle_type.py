"""A guard names a held vehicle's type, over HTTP."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from control.domain.readings import Unavailable, VehicleReading
from control.domain.vehicles import VehicleType
from edge.api.words import VEHICLE_WORDS, WORDS
from vision.head_shelf import SHIPPED

CAR = VehicleReading(VehicleType.CAR, 0.83, (60.0, 20.0, 300.0, 200.0), ((VehicleType.MINIBUS, 0.1),))


async def hold(hut, plate, *, vehicle=CAR) -> str:
    """A vehicle before the barrier of which plate and type were seen."""
    inference = hut.bench.inference
    read = inference.read

    async def read_with_vehicle(lane_id, frame):
        if isinstance(inference.seen, Unavailable):
            return inference.seen
        vehicles = () if vehicle is None else (vehicle,)
        inference.seen = replace(inference.seen, vehicles=vehicles)
        return await read(lane_id, frame)

    inference.read = read_with_vehicle
    return await hut.hold(plate)


async def name(client: httpx.AsyncClient, arrival_id: str, kind: str) -> httpx.Response:
    return await client.post(f"/api/holds/{arrival_id}/vehicle", json={"type": kind})


async def held(client: httpx.AsyncClient) -> dict:
    return (await client.get("/api/state")).json()["holds"][0]


async def events(hut) -> list[dict]:
    return [row.body for row in await hut.gateway.parts.journal.recent(["vehicle_corrected"], 10)]


@pytest.fixture
async def guard(hut):
    async with httpx.AsyncClient(base_url=hut.url, trust_env=False, timeout=60) as client:
        assert (await client.post("/api/sign-in", json={"name": "陈海龙", "pin": "402917"})).status_code == 204
        page = await client.get("/")
        boot = page.text.split('<script id="boot" type="application/json">')[1].split("</script>")[0]
        client.headers["X-Island-CSRF"] = json.loads(boot)["csrf"]
        yield client


def test_every_type_has_its_words() -> None:
    assert set(VEHICLE_WORDS) == set(VehicleType)
    assert all(WORDS[f"t_{kind}"] for kind in VehicleType)


async def test_the_type_is_shown_with_what_else_it_may_be(guard, hut, unsure) -> None:
    await hold(hut, unsure)
    seen = (await held(guard))["vehicle"]
    assert (seen["type"], seen["confidence"], seen["others"][0], seen["named"]) == ("car", 0.83, "minibus", None)


async def test_a_word_is_kept_told_and_learnt_from(guard, hut, unsure) -> None:
    arrival_id = await hold(hut, unsure)
    await hut.until(lambda: hut.gateway.parts.vehicles.told)
    answer = await name(guard, arrival_id, "pickup")
    assert (answer.status_code, answer.json()) == (200, {"learnt_from": True})
    assert (await held(guard))["vehicle"]["named"] == "pickup"
    (told,) = await events(hut)
    assert told["corrected"] == "pickup"
    assert (told["predicted"], told["predicted_confidence"], told["head"]) == ("car", 0.83, SHIPPED)
    assert (told["by"], told["source"], told["crop_kept"]) == ("陈海龙", "hut", True)
    (crop,) = hut.gateway.parts.vehicles.store.read()
    assert (crop.label, crop.predicted) == ("pickup", "car")
    assert crop.crop.startswith(b"\xff\xd8")


async def test_the_guard_may_think_again(guard, hut, unsure) -> None:
    arrival_id = await hold(hut, unsure)
    await name(guard, arrival_id, "pickup")
    await name(guard, arrival_id, "truck")
    assert [crop.label for crop in hut.gateway.parts.vehicles.store.read()] == ["truck"]
    assert len(await events(hut)) == 2


async def test_a_vehicle_that_was_not_found_can_be_named_but_not_learnt_from(guard, hut, unsure) -> None:
    arrival_id = await hold(hut, unsure, vehicle=None)
    assert (await held(guard))["vehicle"] == {"type": "unknown", "confidence": None, "others": [], "named": None}
    assert (await name(guard, arrival_id, "golf_cart")).json() == {"learnt_from": False}
    (told,) = await events(hut)
    assert (told["predicted"], told["head"], told["crop_kept"]) == ("", "", False)
    assert hut.gateway.parts.vehicles.store.read() == []


async def test_a_picture_whose_plates_nobody_can_find_is_not_kept(guard, hut, unsure) -> None:
    arrival_id = await hold(hut, unsure)
    hut.bench.inference.seen = Unavailable(0.0, "reader_down")
    assert (await name(guard, arrival_id, "pickup")).json() == {"learnt_from": False}


async def test_nobody_else_may_say_and_nonsense_is_refused(guard, hut, unsure) -> None:
    arrival_id = await hold(hut, unsure)
    assert (await name(guard, arrival_id, "spaceship")).status_code == 422
    gone = await name(guard, "another", "car")
    assert (gone.status_code, gone.json()["detail"]) == (410, "vehicle_gone")
    del guard.headers["X-Island-CSRF"]
    assert (await name(guard, arrival_id, "car")).status_code == 403
    guard.cookies.clear()
    assert (await name(guard, arrival_id, "car")).status_code == 401
    assert await events(hut) == []


async def test_a_store_that_fails_does_not_lose_the_word(guard, hut, unsure) -> None:
    hut.gateway.parts.vehicles.store.path.write_bytes(b"no database" * 50)
    arrival_id = await hold(hut, unsure)
    assert (await name(guard, arrival_id, "pickup")).json() == {"learnt_from": False}
    assert len(await events(hut)) == 1


async def test_health_tells_the_head_and_what_there_is_to_learn(guard, hut, unsure) -> None:
    desk = hut.gateway.parts.vehicles
    await hut.until(lambda: desk.told)
    assert desk.told == {"in_use": SHIPPED, "before": None, "problem": "", "corrections": {}, "versions": []}
    await name(guard, await hold(hut, unsure), "pickup")
    desk.told = await asyncio.to_thread(desk._tell)
    assert desk.told["corrections"] == {"pickup": 1}
