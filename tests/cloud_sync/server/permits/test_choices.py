"""What a form offers: gates that exist, every code with its names, and the limits of the day."""

from __future__ import annotations

from typing import Any

from cloud_sync.server.permits import choices
from control.carbon.visit_types import EmissionClass
from control.domain.permits import PermitClass
from control.domain.vehicles import VehicleType


def test_everything_that_can_be_chosen_has_its_names() -> None:
    assert set(choices.CLASSES) == set(PermitClass)
    assert set(choices.VEHICLES) == set(VehicleType) - {VehicleType.UNKNOWN}
    assert set(choices.EMISSIONS) == set(EmissionClass)


async def test_a_form_offers_gates_that_exist_and_the_limits_of_the_day(desk: Any) -> None:
    driver = await desk.person("driver")
    offered = (await driver.get("/applications/choices")).json()
    assert [(one["code"], one["words"]["zh"]) for one in offered["gates"]] == [("east", "东门"), ("west", "西门")]
    special = next(one for one in offered["permit_classes"] if one["code"] == "special")
    assert "vehicle_licence" in special["papers"]
    assert (float(special["window_days_max"]), float(special["ahead_hours_least"])) == (7, 24)
    crane = next(one for one in offered["emission_classes"] if one["code"] == "crane")
    assert float(crane["usual_per_100km"]) > 0
    kinds = {one["code"] for one in offered["paper_kinds"]}
    assert all(set(one["papers"]) <= kinds for one in offered["permit_classes"])
    assert offered["appeal_papers_max"] == 3
    await desk.given.pool.execute(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ('g', 'n1', 'dock', 'in')"
    )
    offered = (await driver.get("/applications/choices")).json()
    assert {"code": "dock", "words": {"zh": "dock", "en": "dock"}} in offered["gates"]


async def test_a_form_is_checked_before_it_is_filed(desk: Any) -> None:
    driver, other = await desk.person("driver"), await desk.person("organisation")
    form = await desk.form(driver)
    found = (await driver.post("/applications/check", {"form": form})).json()
    assert found["problems"] == []
    assert {one["kind"] for one in found["ticks"]}
    wrong = (await driver.post("/applications/check", {"form": form | {"gates": ["moon"]}})).json()
    assert [(one["code"], one["field"]) for one in wrong["problems"]] == [("gate_unknown", "gates")]
    number = await desk.submitted()
    again = (await driver.post("/applications/check", {"form": form})).json()
    assert [one["code"] for one in again["problems"]] == ["overlaps"]
    same = (await driver.post("/applications/check", {"form": form, "application_id": number})).json()
    assert same["problems"] == []
    theirs = await other.post("/applications/check", {"form": form, "application_id": number})
    assert theirs.status_code == 404
    assert await desk.given.pool.fetchval("SELECT count(*) FROM applications") == 1
