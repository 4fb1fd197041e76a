"""Whose is whose: members of an organisation share, everybody else sees nothing, visits follow applications."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloud_sync.server.permits import access, visit_queries
from cloud_sync.server.permits.visit_queries import VisitFilter


@pytest.fixture
def gateway(desk: Any, make_gateway: Any) -> Any:
    return make_gateway(desk.given)


async def joined(desk: Any, org_id: str, *roles: str) -> None:
    """These accounts become members of one organisation."""
    pool = desk.given.pool
    await pool.execute(
        "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ($1, 'applicant', 'Hongda', $2)",
        org_id,
        desk.clock(),
    )
    await pool.execute(
        "UPDATE users SET org_id = $1, role = 'organisation' WHERE username = ANY($2::text[])", org_id, list(roles)
    )


async def test_members_of_an_organisation_handle_its_applications_and_others_do_not(desk: Any) -> None:
    anna, bert, carl = [await desk.person(role) for role in ("organisation", "driver", "visitor")]
    await joined(desk, "org-1", "organisation", "driver")
    made = await desk.draft(anna)
    number = made["row"]["application_id"]
    assert (made["row"]["applicant_id"], made["row"]["applicant_name"]) == ("org-1", "Hongda")
    assert (await bert.post(f"/applications/{number}/submit")).status_code == 200
    assert (await carl.get(f"/applications/{number}")).status_code == 404
    await anna.post("/vehicles", {"plate": "琼C61K28", "drive": "diesel"})
    assert [one["owner_id"] for one in (await bert.get("/vehicles")).json()] == ["org-1"]
    history = (await anna.get(f"/applications/{number}")).json()["history"]
    assert [one["by_name"] for one in history] == ["Organisation", "Driver"]


async def went_in(desk: Any, gateway: Any, arrival: str, plate: str, **more: Any) -> None:
    at = desk.clock().isoformat(timespec="milliseconds")
    await gateway.send(
        gateway.decided(arrival, plate, verdict="fuel", at=at, **more),
        gateway.row("vehicle_passed", arrival_id=arrival, lane_id="e1", movement="passed", at=at),
    )
    await desk.turn(seconds=1)


async def test_visits_are_seen_by_whose_application_or_confirmed_vehicle_they_were(desk: Any, gateway: Any) -> None:
    driver, other, reviewer = [await desk.person(role) for role in ("driver", "visitor", "reviewer")]
    number = await desk.approved()
    await desk.turn(days=2)
    await went_in(desk, gateway, "a1", "琼C61K28", outcome="admit_under_permit", permit_id=number)
    await went_in(desk, gateway, "a2", "琼C77777")
    vehicle = (await other.post("/vehicles", {"plate": "琼C77777", "drive": "petrol"})).json()["vehicle_id"]
    assert (await other.get("/visits")).json()["items"] == []
    await reviewer.post(f"/vehicles/{vehicle}/confirm", {"confirmed": True})
    assert (await other.get("/visits")).json()["items"] == []
    await desk.turn(hours=1)
    await went_in(desk, gateway, "a3", "琼C77777")
    assert [one["visit_id"] for one in (await other.get("/visits")).json()["items"]] == ["a3"]
    assert [one["visit_id"] for one in (await driver.get("/visits")).json()["items"]] == ["a1"]
    assert (await driver.get("/visits/a3")).status_code == 404
    assert (await driver.get("/visits/a1")).json()["application_id"] == number
    everything = (await reviewer.get("/visits", params={"from": (desk.clock() - timedelta(days=1)).isoformat()})).json()
    assert [one["visit_id"] for one in everything["items"]] == ["a3", "a2", "a1"]
    assert (await driver.get("/visits", params={"cursor": "nonsense"})).json()["code"] == "bad_cursor"
    shown = (await driver.get(f"/applications/{number}")).json()
    assert (shown["entries_used"], shown["entries_left"]) == (1, 1)
    of_plate = await visit_queries.of_plate(desk.given.pool, "琼C·77777")
    assert [one.visit_id for one in of_plate] == ["a3", "a2"]
    mine = VisitFilter(application_id=number, owners=access.owners_of(await desk.user("driver")))
    assert len((await visit_queries.listed(desk.given.pool, mine)).items) == 1


async def test_nobody_who_is_not_signed_in_learns_what_exists(desk: Any, browser: Any) -> None:
    number = await desk.submitted()
    for path in (f"applications/{number}", f"applications/{number}/pass", "visits/a1", f"documents/{'a' * 64}"):
        assert (await browser.get(f"/api/v1/{path}")).status_code == 401
