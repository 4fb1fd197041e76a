"""Vehicles: written down by anybody, confirmed for one account by the office or by an approval."""

from __future__ import annotations

from typing import Any

CRANE = {"plate": "琼C·61K28", "plate_colour": "yellow", "vehicle_type": "crane", "drive": "diesel"}


async def test_a_vehicle_is_added_described_anew_and_taken_off(desk: Any) -> None:
    driver = await desk.person("driver")
    made = (await driver.post("/vehicles", CRANE | {"consumption_per_100km": "38.5"})).json()
    assert (made["plate"], made["consumption_per_100km"], made["confirmed_at"]) == ("琼C61K28", "38.5", None)
    again = await driver.post("/vehicles", CRANE)
    assert (again.status_code, again.json()["code"]) == (409, "vehicle_known")
    words = {"drive": "plug_in", "name": "The small one"}
    changed = (await driver.send("PUT", f"/vehicles/{made['vehicle_id']}", json=words)).json()
    assert (changed["plate"], changed["drive"], changed["name"]) == ("琼C61K28", "plug_in", "The small one")
    assert (await driver.send("DELETE", f"/vehicles/{made['vehicle_id']}")).status_code == 204
    assert (await driver.get("/vehicles")).json() == []


async def test_another_s_vehicle_is_not_there(desk: Any) -> None:
    driver, other = await desk.person("driver"), await desk.person("visitor")
    made = (await driver.post("/vehicles", CRANE)).json()
    assert (await other.get("/vehicles")).json() == []
    path = f"/vehicles/{made['vehicle_id']}"
    assert (await other.send("PUT", path, json={"drive": "petrol"})).status_code == 404
    assert (await other.send("DELETE", path)).status_code == 404
    assert (await other.post(f"{path}/confirm", {"confirmed": True})).status_code == 403


async def test_one_account_at_a_time_has_a_plate_confirmed(desk: Any) -> None:
    driver, other, reviewer = [await desk.person(role) for role in ("driver", "organisation", "reviewer")]
    mine, theirs = [(await one.post("/vehicles", CRANE)).json()["vehicle_id"] for one in (driver, other)]
    assert len((await reviewer.get("/vehicles/unconfirmed")).json()) == 2
    assert (await reviewer.post(f"/vehicles/{mine}/confirm", {"confirmed": True})).status_code == 204
    second = await reviewer.post(f"/vehicles/{theirs}/confirm", {"confirmed": True})
    assert (second.status_code, second.json()["code"]) == (409, "vehicle_is_anothers")
    await reviewer.post(f"/vehicles/{mine}/confirm", {"confirmed": False})
    assert (await reviewer.post(f"/vehicles/{theirs}/confirm", {"confirmed": True})).status_code == 204


async def test_an_approved_application_confirms_the_applicant_s_vehicle(desk: Any) -> None:
    driver = await desk.person("driver")
    await driver.post("/vehicles", CRANE)
    await desk.approved()
    (vehicle,) = (await driver.get("/vehicles")).json()
    assert vehicle["confirmed_at"] is not None
    assert "confirmed_by" not in vehicle  # who of the office it was is the audit's, not the applicant's


async def test_another_drive_or_type_has_to_be_confirmed_anew(desk: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    vehicle = (await driver.post("/vehicles", CRANE)).json()["vehicle_id"]
    same = {name: value for name, value in CRANE.items() if name != "plate"}
    for words, stays in (({"name": "Big"}, True), ({"drive": "plug_in"}, False), ({"vehicle_type": "bus"}, False)):
        await driver.send("PUT", f"/vehicles/{vehicle}", json=same)
        assert (await reviewer.post(f"/vehicles/{vehicle}/confirm", {"confirmed": True})).status_code == 204
        changed = (await driver.send("PUT", f"/vehicles/{vehicle}", json=same | words)).json()
        assert (changed["confirmed_at"] is not None) == stays
