"""A conference has an account, a footprint, a retirement of its own, and a certificate that verifies."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx

from cloud_sync.server.carbon import lots
from cloud_sync.server.store import Actor

EVENT = {"name": "零碳论坛", "name_en": "Zero-carbon forum", "organiser": "示范区办公室", "people": 300}
EVENT |= {"starts_on": "2026-11-10", "ends_on": "2026-11-12"}


async def test_an_event_goes_from_its_account_to_a_certificate(
    app: Any, sign_in: Any, browser: httpx.AsyncClient
) -> None:
    given = app.state.services
    await lots.buy(
        given,
        Actor("fu"),
        registry="CCER",
        project="琼海红树林修复",
        vintage=2025,
        serial_prefix="CN-46-",
        first_serial=1,
        last_serial=300,
        bought_on=date(2026, 1, 10),
        evidence="invoice 7",
    )
    office, other = await sign_in("reviewer"), await sign_in("approver")
    event_id = (await office.post("/events", EVENT)).json()["id"]
    assert (await office.post(f"/events/{event_id}/close")).json()["code"] == "event_empty"
    lines = [
        {"source": "plane", "amount": "480000", "measured": True, "note": "300 x 1600 km"},
        {"source": "room", "amount": "600"},
        {"source": "vegetarian_meal", "amount": "900", "measured": True},
        {"source": "electricity", "amount": "12000.5", "measured": True},
    ]
    made = [(await office.post(f"/events/{event_id}/lines", one)).json()["id"] for one in lines]
    extra = (await office.post(f"/events/{event_id}/lines", {"source": "car", "amount": "1"})).json()["id"]
    assert (await office.send("DELETE", f"/events/{event_id}/lines/{extra}")).status_code == 204
    before = (await office.get(f"/events/{event_id}")).json()
    assert len(before["lines"]) == len(made)
    grams = 72_000_000 + 18_000_000 + 1_080_000 + 4_377_782
    assert before["footprint"]["grams"] == grams
    assert (await office.post(f"/events/{event_id}/close")).json() == {"grams": grams}
    assert (await office.post(f"/events/{event_id}/lines", lines[0])).json()["code"] == "event_closed"
    early = await office.post("/papers", {"kind": "event", "subject": event_id})
    assert early.json()["code"] == "not_neutralised"
    retirement = (await office.post(f"/events/{event_id}/retirement")).json()["id"]
    shown = (await office.get(f"/events/{event_id}")).json()
    assert (shown["tonnes_needed"], shown["retirements"][0]["tonnes"]) == (0, 96)
    own = await office.send("POST", f"/carbon/retirements/{retirement}/confirm", json={"evidence": "CCER 17"})
    assert own.status_code in (403, 409)
    done = await other.post(f"/carbon/retirements/{retirement}/confirm", {"evidence": "CCER 17"})
    assert done.status_code < 300, done.text
    paper = await office.post("/papers", {"kind": "event", "subject": event_id, "language": "en"})
    assert paper.status_code == 201, paper.text
    code = await given.pool.fetchval("SELECT code FROM papers")
    told = (await browser.get(f"/api/v1/public/papers/{code}")).json()
    assert (told["genuine"], told["holds"], told["said"]["owed_g"]) == (True, True, grams)
    again = await office.send("POST", f"/events/{event_id}/reopen", json={"reason": "a bus was forgotten"})
    assert again.status_code == 204
    told = (await browser.get(f"/api/v1/public/papers/{code}")).json()
    assert (told["genuine"], told["holds"]) == (True, False)
    assert (await office.get(f"/events/{event_id}")).json()["row"]["state"] == "open"
    assert (await office.get("/events")).json()["items"][0]["event_id"] == event_id
