"""The ledger over HTTP: who may see and do what, evidence that changes a figure at once, pages of lists."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from cloud_sync.server.carbon import book, personal, visits

CRANE = {"emission_class": "crane", "drive": "diesel", "plate_colour": "yellow", "purpose": "lifting"}
LOT = {
    "registry": "CCER",
    "project": "mangroves",
    "vintage": 2025,
    "serial_prefix": "CN-",
    "first_serial": 1,
    "last_serial": 4,
    "bought_on": "2026-01-10",
    "evidence": "invoice 7",
}


@pytest.fixture
def ledger(app: FastAPI, make_ledger: Any) -> Any:
    """The ledger of the served application."""
    return make_ledger(app.state.services)


async def own_visit(ledger: Any, role: str, visit_id: str, **more: Any) -> None:
    user_id = await ledger.pool.fetchval("SELECT user_id::text FROM users WHERE username = $1", role)
    await ledger.visit(visit_id, form=CRANE, applicant_id=user_id, **more)
    await ledger.turn()


async def paper(ledger: Any, role: str) -> str:
    """A paper that somebody uploaded."""
    pool, sha256, now = ledger.pool, hashlib.sha256(role.encode()).hexdigest(), ledger.given.clock()
    user_id = await pool.fetchval("SELECT user_id::text FROM users WHERE username = $1", role)
    await pool.execute(
        "INSERT INTO documents (sha256, media_type, size_bytes, uploader, stored_at)"
        " VALUES ($1, 'image/png', 9, $2, $3)",
        *(sha256, user_id, now),
    )
    await pool.execute(
        "INSERT INTO document_uploads (sha256, user_id, size_bytes, at) VALUES ($1, $2, 9, $3)", sha256, user_id, now
    )
    return sha256


async def test_a_day_at_the_ledger(ledger: Any, sign_in: Any) -> None:
    office, approver = await sign_in("reviewer"), await sign_in("approver")
    for number in range(5):
        await ledger.visit(f"v{number}", days_ago=5 - number, vehicle_type="crane", plate=f"琼C0000{number}")
    await ledger.turn()
    assert (await office.post("/carbon/lots", LOT)).status_code == 201
    assert (await office.post("/carbon/lots", LOT)).json()["code"] == "units_taken"
    told = (await office.get("/carbon/preview", params={"tonnes": 1})).json()
    assert (told["visits"], told["left_tonnes"], told["units"][0]["serials"]) == (5, 3, "CN-1")
    made = (await office.post("/carbon/retirements", {"tonnes": 1, "cancelled_for": "this week"})).json()
    path = f"/carbon/retirements/{made['retirement_id']}"
    assert (await office.post(f"{path}/confirm", {"evidence": "x"})).status_code == 403
    assert (await approver.post(f"{path}/confirm", {"evidence": "CCER-9"})).status_code == 204
    shown = (await office.get("/carbon/summary")).json()
    assert (shown["open_visits"], shown["year_retired_g"], shown["closure_frac"]) == (0, 1_000_000, "1.0000")
    first = (await office.get("/carbon/visits", params={"limit": 3})).json()
    assert [one["visit_id"] for one in first["items"]] == ["v4", "v3", "v2"]
    rest = (await office.get("/carbon/visits", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert ([one["visit_id"] for one in rest["items"]], rest["next_cursor"]) == (["v1", "v0"], None)
    found = (await office.get("/carbon/visits", params={"plate": "琼C00003"})).json()["items"]
    assert [one["visit_id"] for one in found] == ["v3"]
    one = (await office.get("/carbon/visits/v3")).json()
    assert one["figure"]["total_g"] == one["row"]["owed_g"] == one["covers"][0]["to_g"] - one["covers"][0]["from_g"]
    assert {row["factor_id"] for row in one["figure"]["factors"]}
    entries = (await office.get("/carbon/entries", params={"kind": "settlement", "limit": 2})).json()
    assert [row["kind"] for row in entries["items"]] == ["settlement", "settlement"]
    assert (await office.get("/carbon/entries", params={"cursor": "x"})).status_code == 400
    assert (await office.get("/carbon/visits", params={"cursor": "e30="})).status_code == 400


async def test_the_driver_declares_litres_and_the_figure_follows(ledger: Any, sign_in: Any) -> None:
    driver = await sign_in("driver")
    await own_visit(ledger, "driver", "v1", days_ago=2)
    before = (await driver.get("/carbon/visits/v1")).json()
    assert (before["figure"]["tier"], before["evidence_until"]) == (4, "2026-12-03")
    receipt = await paper(ledger, "driver")
    body = {"fuel_used": "14.2", "papers": [receipt]}
    sent = await driver.send("POST", "/carbon/visits/v1/evidence", json=body)
    assert sent.status_code == 201
    after = (await driver.get("/carbon/visits/v1")).json()
    assert (after["figure"]["tier"], after["figure"]["fuel_amount"], after["row"]["revision"]) == (1, "14.200", 2)
    assert (await ledger.account("v1"))["owed_g"] == after["figure"]["total_g"]
    authors = {row["author"] for row in await ledger.pool.fetch("SELECT author FROM ledger_entries")}
    user_id = await ledger.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'driver'")
    assert authors == {"system", user_id}
    told = await personal.collect(ledger.pool, user_id)
    assert ([one["visit_id"] for one in told["visits"]], told["evidence"][0]["papers"]) == (["v1"], [receipt])
    withdrawn = await driver.send("POST", "/carbon/visits/v1/evidence", json={"fuel_used": None})
    assert withdrawn.status_code == 201
    assert (await ledger.account("v1"))["tier"] == 4
    assert (await book.verify(ledger.pool)).ok


async def test_the_same_key_declares_once(ledger: Any, sign_in: Any) -> None:
    driver = await sign_in("driver")
    await own_visit(ledger, "driver", "v1", days_ago=2)
    headers = {"X-CSRF-Token": driver.csrf_token, "Idempotency-Key": "a"}
    body = {"fuel_used": "9", "papers": [await paper(ledger, "driver")]}
    for _ in range(2):
        answer = await driver.http.post("/api/v1/carbon/visits/v1/evidence", json=body, headers=headers)
        assert answer.status_code == 201
    assert await ledger.pool.fetchval("SELECT count(*) FROM visit_evidence") == 1


async def test_after_the_term_only_the_office_declares(ledger: Any, sign_in: Any) -> None:
    driver, office = await sign_in("driver"), await sign_in("reviewer")
    await own_visit(ledger, "driver", "v1", days_ago=15)
    late = await driver.send("POST", "/carbon/visits/v1/evidence", json={"fuel_used": "9"})
    assert late.json()["code"] == "evidence_late"
    assert (await office.post("/carbon/visits/v1/evidence", {"fuel_used": "9"})).status_code == 201


async def test_what_is_somebody_elses_is_not_there(ledger: Any, sign_in: Any) -> None:
    driver, guard, auditor = await sign_in("driver"), await sign_in("guard"), await sign_in("auditor")
    await ledger.visit("v1", form=CRANE, applicant_id="somebody")
    await ledger.turn()
    assert (await driver.get("/carbon/visits")).json()["items"] == []
    assert (await driver.get("/carbon/visits/v1")).status_code == 404
    assert (await driver.send("POST", "/carbon/visits/v1/evidence", json={"fuel_used": "1"})).status_code == 404
    assert (await driver.get("/carbon/summary")).status_code == 403
    assert (await guard.get("/carbon/visits")).status_code == 403
    assert (await auditor.get("/carbon/visits/v1")).status_code == 200
    assert (await auditor.post("/carbon/visits/v1/evidence", {"fuel_used": "1"})).status_code == 403
    seen = await ledger.pool.fetch(
        "SELECT after ->> 'person_id' AS person FROM audit WHERE action = 'visit_opened' AND by = 'auditor'"
    )
    assert [row["person"] for row in seen] == ["somebody"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/carbon/visits/v1/evidence", {"fuel_used": "-1"}),
        ("/carbon/visits/v1/evidence", {"fuel_used": "NaN"}),
        ("/carbon/visits/v1/evidence", {"vehicle_class": "spaceship"}),
        ("/carbon/visits/v1/evidence", {"papers": ["../etc/passwd"]}),
        ("/carbon/visits/v1/evidence", {}),
        ("/carbon/visits/v1/correction", {"added_g": 0, "why": "x"}),
        ("/carbon/lots", LOT | {"last_serial": 0}),
        ("/carbon/lots", LOT | {"registry": " "}),
        ("/carbon/retirements", {"tonnes": 0, "cancelled_for": "x"}),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_posted(
    ledger: Any, sign_in: Any, path: str, body: dict[str, Any]
) -> None:
    office = await sign_in("reviewer")
    await ledger.visit("v1")
    await ledger.turn()
    assert (await office.post(path, body)).status_code == 422
    assert await ledger.pool.fetchval("SELECT count(*) FROM ledger_entries") == 1


async def test_a_driver_cannot_talk_a_debt_away(ledger: Any, sign_in: Any) -> None:
    driver, office = await sign_in("driver"), await sign_in("reviewer")
    await own_visit(ledger, "driver", "v1", days_ago=2)
    path = "/carbon/visits/v1/evidence"
    for told in ({"fuel_used": "0.001"}, {"odometer_in_km": "5", "odometer_out_km": "5"}, {"route_km": "0.001"}):
        bare = await driver.send("POST", path, json=told)
        assert (bare.status_code, bare.json()["code"]) == (422, "paper_missing")
    receipt = await paper(ledger, "driver")
    talked = await driver.send("POST", path, json={"fuel_used": "9", "papers": [receipt], "note": "call me: 139"})
    assert (talked.status_code, talked.json()["code"]) == (422, "invalid")
    assert await ledger.pool.fetchval("SELECT count(*) FROM visit_evidence") == 0
    assert (await office.post(path, {"fuel_used": "80", "note": "the card of the pump"})).status_code == 201
    owed_g = (await ledger.account("v1"))["owed_g"]
    assert (await driver.send("POST", path, json={"fuel_used": None})).status_code == 201
    assert (await driver.send("POST", path, json={"fuel_used": "0.001", "papers": [receipt]})).status_code == 201
    assert (await ledger.account("v1"))["owed_g"] == owed_g


async def test_a_correction_stays_when_the_figure_changes(ledger: Any, sign_in: Any) -> None:
    office = await sign_in("reviewer")
    await ledger.visit("v1", vehicle_type="crane")
    await ledger.turn()

    async def over_figure_g() -> int:
        """By how much the visit owes more than its figure."""
        grams = await ledger.pool.fetchval("SELECT grams FROM visit_emissions ORDER BY revision DESC LIMIT 1")
        assert (await book.verify(ledger.pool)).ok
        owed_g = (await ledger.account("v1"))["owed_g"]
        assert (await ledger.balances()).get("visit:v1", 0) == -owed_g
        return int(owed_g - grams)

    for added_g in (4_000, -1_500):
        body = {"added_g": added_g, "why": "half of the way was outside"}
        assert (await office.post("/carbon/visits/v1/correction", body)).status_code == 201
    for fuel in ("14.2", "30"):
        assert (await office.post("/carbon/visits/v1/evidence", {"fuel_used": fuel})).status_code == 201
        assert await over_figure_g() == 2_500
    rows = await ledger.pool.fetch(
        "SELECT entry_id, author, reason FROM ledger_entries WHERE starts_with(entry_id, 'again:') ORDER BY seq"
    )
    said = ("system", "half of the way was outside")
    assert [tuple(row) for row in rows] == [("again:debit:v1:2", *said), ("again:debit:v1:3", *said)]
    await ledger.revise("v1", withdrawn_at=ledger.given.clock())
    await ledger.turn()
    assert (await ledger.account("v1"))["owed_g"] == 0
    await ledger.revise("v1", withdrawn_at=None)
    await ledger.turn()
    assert await over_figure_g() == 2_500
    body = {"added_g": -2_500 - 50_000, "why": "another vehicle's"}
    assert (await office.post("/carbon/visits/v1/correction", body)).status_code == 201
    assert (await office.post("/carbon/visits/v1/evidence", {"fuel_used": "0.5"})).status_code == 201
    assert (await ledger.account("v1"))["owed_g"] == 0


async def test_a_correction_is_a_further_entry(ledger: Any, sign_in: Any) -> None:
    office = await sign_in("reviewer")
    await ledger.visit("v1", vehicle_type="crane")
    await ledger.turn()
    owed_g = (await ledger.account("v1"))["owed_g"]
    made = await office.post("/carbon/visits/v1/correction", {"added_g": -2_500, "why": "half of the way was outside"})
    assert made.status_code == 201
    assert (await ledger.account("v1"))["owed_g"] == owed_g - 2_500
    kinds = (await office.get("/carbon/entries", params=[("kind", "correction"), ("kind", "reversal")])).json()
    assert [row["reason"] for row in kinds["items"]] == ["half of the way was outside"]
    assert (await office.post("/carbon/visits/v1/evidence", {"fuel_used": "14.2"})).status_code == 201
    account = await ledger.account("v1")
    assert (await ledger.balances())["visit:v1"] == -account["owed_g"]
    assert (await ledger.balances())["correction"] == -2_500
    assert (await book.verify(ledger.pool)).ok


async def test_a_visit_that_is_not_over_gets_its_evidence_at_the_end(ledger: Any, sign_in: Any) -> None:
    office = await sign_in("reviewer")
    await ledger.visit("v1", state="inside", vehicle_type="crane")
    assert (await office.post("/carbon/visits/v1/evidence", {"fuel_used": "14.2"})).status_code == 201
    assert (await office.get("/carbon/visits/v1")).status_code == 404
    now = ledger.given.clock()
    await ledger.revise("v1", state="complete", is_over=True, left_at=now)
    await visits.turn(replace(ledger.given, clock=lambda: now + timedelta(minutes=1)))
    assert (await ledger.account("v1"))["tier"] == 1
