"""A merchant's month of vouchers is settled once, when it is over; what differs is listed with it or after it."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import CAFE, add_organisation
from tests.cloud_sync.server.points.test_vouchers import scheme

MONTH = "2026-11"
PAGE = f"/vouchers/statements?merchant={CAFE}&month={MONTH}"


@pytest.fixture
async def spent(client: Any, given: Services, cafe: str) -> tuple[Any, Any, dict[str, Any]]:
    """An approver and a till, and what it took in this month: 20.50 CNY and 9.50 CNY; the last spend."""
    await add_organisation(given, "hotel", "applicant")
    office, till = await client("approver", Role.APPROVER), await client("till", Role.MERCHANT, org_id=cafe)
    org = await client("org", Role.ORGANISATION, org_id="hotel")
    wish = {"scheme_id": await scheme(given, cafe), "holder_id": "hotel", "amount_fen": 10_000}
    assert (await office.post("/vouchers", wish)).status_code == 201
    code = (await org.get("/vouchers/mine")).json()[0]["code"]
    last: dict[str, Any] = {}
    for number, fen in enumerate((2_050, 950)):
        body = {"code": code, "amount_fen": fen, "request_id": f"till-{number}"}
        last = (await till.post("/merchant/vouchers/spend", body)).json()
    return office, till, {**last, "code": code}


async def settle(office: Any, lines: str, month: str = MONTH, why: str = "") -> Any:
    """The form of the page."""
    data = {"csrf_token": office.csrf_token, "merchant": CAFE, "month": month, "lines": lines, "why": why}
    return await office.http.post("/vouchers/statements/settle", data=data, headers={"Accept": "application/json"})


AGREES = "till-0, 20.50\r\ntill-1, 9.50"


async def test_a_month_is_settled_once_when_it_is_over_and_agrees(given: Services, clock: Any, spent: Any) -> None:
    office, till, _ = spent
    assert (await settle(office, AGREES)).json()["code"] == "month_not_over"
    clock.leap(days=14)
    for one in (office, till):
        await one.sign_in()
    assert (await settle(office, "till-0, 20.50")).json()["code"] == "till_differs"
    assert (await settle(office, AGREES, "2026-13")).status_code == 422
    assert await given.pool.fetchval("SELECT count(*) FROM voucher_settlements") == 0
    compared = {"csrf_token": office.csrf_token, "merchant": CAFE, "month": MONTH, "lines": AGREES}
    shown = (await office.http.post("/vouchers/statements/compare", data=compared)).text
    assert 'action="/vouchers/statements/settle"' in shown
    assert (await settle(office, AGREES)).json()["done"] == "month_settled"
    row = await given.pool.fetchrow("SELECT * FROM voucher_settlements")
    assert (row["merchant"], row["month"], row["amount_fen"], row["lines"]) == (CAFE, MONTH, 3_000, 2)
    audited = await given.pool.fetchrow("SELECT * FROM audit WHERE action = 'vouchers_settled'")
    assert (audited["subject_id"], row["settled_by"]) == (CAFE, "approver")
    assert (await settle(office, AGREES)).json()["code"] == "month_settled"
    again = (await office.http.post("/vouchers/statements/compare", data=compared)).text
    assert 'action="/vouchers/statements/settle"' not in again
    for statement in ("UPDATE voucher_settlements SET amount_fen = 1", "DELETE FROM voucher_settlements"):
        with pytest.raises(asyncpg.PostgresError):
            await given.pool.execute(statement)


async def test_a_month_is_settled_by_a_button_without_a_list(given: Services, clock: Any, spent: Any) -> None:
    office, _, _ = spent
    assert 'action="/vouchers/statements/settle"' not in (await office.http.get(PAGE)).text
    clock.leap(days=14)
    await office.sign_in()
    assert 'action="/vouchers/statements/settle"' in (await office.http.get(PAGE)).text
    assert (await settle(office, "")).json()["done"] == "month_settled"
    row = await given.pool.fetchrow("SELECT amount_fen, compared, differences::text FROM voucher_settlements")
    assert tuple(row) == (3_000, False, "[]")


async def test_differences_are_settled_with_a_reason_and_stay_listed(given: Services, clock: Any, spent: Any) -> None:
    office, _, _ = spent
    clock.leap(days=14)
    await office.sign_in()
    assert (await settle(office, "till-0, 20.50", why=" ")).json()["code"] == "till_differs"
    why = "The till was replaced on the 20th"
    assert (await settle(office, "till-0, 20.50", why=why)).json()["done"] == "month_settled"
    assert await given.pool.fetchval("SELECT amount_fen FROM voucher_settlements") == 3_000
    assert await given.pool.fetchval("SELECT why FROM audit WHERE action = 'vouchers_settled'") == why
    shown = (await office.http.get(PAGE, headers={"Accept-Language": "en"})).text
    table = shown[shown.index("Differences that it was settled with") :]
    assert why in table
    assert "till-1" in table
    assert "−9.50" in table


async def test_the_api_settles_under_the_same_rules(client: Any, given: Services, clock: Any, spent: Any) -> None:
    office, _, _ = spent
    reviewer = await client("reviewer", Role.REVIEWER)
    clock.leap(days=14)
    for one in (office, reviewer):
        await one.sign_in()
    lines = [{"request_id": "till-0", "amount_fen": 2_050}, {"request_id": "till-1", "amount_fen": 950}]
    body = {"merchant": CAFE, "month": MONTH, "lines": lines}
    assert (await reviewer.post("/vouchers/settlements", body)).status_code == 403
    assert (await office.post("/vouchers/settlements", {**body, "merchant": "hotel"})).status_code == 404
    assert (await office.post("/vouchers/settlements", body)).json()["amount_fen"] == 3_000
    assert (await office.post("/vouchers/settlements", body)).json()["code"] == "month_settled"


async def test_what_comes_afterwards_is_shown_as_a_difference(given: Services, clock: Any, spent: Any) -> None:
    office, till, last = spent
    spent_at = clock.at
    clock.leap(days=14)
    for one in (office, till):
        await one.sign_in()
    assert (await settle(office, AGREES)).status_code == 200
    office.http.cookies.set("lang", "en")
    before = (await office.http.get(PAGE, headers={"Accept-Language": "en"})).text
    assert "Differences since it was settled" not in before
    back = {"spend_id": last["spend_id"], "why": "wrong table"}
    assert (await till.post("/merchant/vouchers/take-back", back)).status_code == 200
    settled_at, clock.at = clock.at, spent_at
    late = {"code": last["code"], "amount_fen": 100, "request_id": "till-9"}
    assert (await till.post("/merchant/vouchers/spend", late)).status_code == 200
    clock.at = settled_at
    shown = (await office.http.get(PAGE, headers={"Accept-Language": "en"})).text
    table = shown[shown.index("Differences since it was settled") :]
    assert "till-9" in table
    assert "−9.50" in table
    assert "+1.00" in table
    assert "−8.50 CNY came for this month afterwards" in table
    assert await given.pool.fetchval("SELECT amount_fen FROM voucher_settlements") == 3_000
