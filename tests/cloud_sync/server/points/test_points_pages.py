"""Pages of points by HTTP: an organisation's vouchers, one person's entries at the office, a device's clock."""

from __future__ import annotations

from typing import Any

from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import add_board, add_organisation, give_points
from tests.cloud_sync.server.points.test_vouchers import scheme

ENGLISH = {"Accept-Language": "en"}
SCRIPT = {"Accept": "application/json"}


async def test_an_organisation_sees_its_own_vouchers(client: Any, given: Services, cafe: str) -> None:
    office = await client("office", Role.REVIEWER)
    for org_id in ("hotel", "other"):
        await add_organisation(given, org_id, "applicant")
    org = await client("org", Role.ORGANISATION, org_id="hotel")
    assert "No voucher can be spent now" in (await org.http.get("/vouchers/mine", headers=ENGLISH)).text
    made = await scheme(given, cafe)
    for holder, fen in (("hotel", 10_000), ("other", 5_000)):
        wish = {"scheme_id": made, "holder_id": holder, "amount_fen": fen}
        assert (await office.post("/vouchers", wish)).status_code == 201
    mine = (await org.get("/vouchers/mine")).json()
    shown = (await org.http.get("/vouchers/mine", headers=ENGLISH)).text
    assert mine[0]["code_grouped"] in shown
    assert mine[0]["svg"] in shown
    assert "100.00" in shown
    assert "50.00" not in shown
    assert 'href="/vouchers/mine"' in (await org.http.get("/account")).text
    assert (await office.http.get("/vouchers/mine")).status_code == 403


async def test_the_office_opens_a_persons_points_and_takes_back(client: Any, given: Services) -> None:
    ann, office = await client("ann"), await client("office", Role.REVIEWER)
    auditor = await client("auditor", Role.AUDITOR)
    await give_points(given, ann.user_id, 300)
    path = f"/points/people/{ann.user_id}"
    shown = (await auditor.http.get(path, headers=ENGLISH)).text
    assert "A•n" in shown
    assert "Ann" not in shown
    assert "take-back" not in shown
    assert "take-back?entry_id=earn%3Astart" in (await office.http.get(path)).text
    assert await given.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'points_opened'") == 2
    assert (await auditor.http.get("/points/people/nobody")).status_code == 404

    async def take_back(who: Any, why: str) -> Any:
        data = {"csrf_token": who.csrf_token, "why": why}
        return await who.http.post(f"{path}/take-back?entry_id=earn:start", data=data, headers=SCRIPT)

    assert (await take_back(auditor, "wrong")).status_code == 403
    assert (await take_back(office, "")).json()["code"] == "reason_missing"
    assert (await take_back(office, "a picture of a code")).json()["done"] == "points_reversed"
    assert (await take_back(office, "again")).status_code == 409
    after = (await office.http.get(path, headers=ENGLISH)).text
    assert "take-back" not in after
    assert "a picture of a code" in after
    assert await given.pool.fetchval("SELECT balance FROM point_balances WHERE person = $1", ann.user_id) == 0


async def test_an_engineer_says_that_a_clock_was_set(client: Any, given: Services) -> None:
    board = await add_board(given, "bins", "waste_sorting")
    await given.pool.execute("UPDATE point_devices SET clock_offset_s = 95")
    engineer, office = await client("engineer", Role.ENGINEER), await client("office", Role.REVIEWER)
    path = f"/points/devices/{board.device_id}/clock"
    assert path in (await engineer.http.get("/points/devices")).text
    assert path not in (await office.http.get("/points/devices")).text
    refused = await office.http.post(path, data={"csrf_token": office.csrf_token}, headers=SCRIPT)
    assert refused.status_code == 403
    done = await engineer.http.post(path, data={"csrf_token": engineer.csrf_token}, headers=SCRIPT)
    assert done.json()["done"] == "device_clock_set"
    assert await given.pool.fetchval("SELECT clock_offset_s FROM point_devices") == 0
    assert await given.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'device_clock_set'") == 1
