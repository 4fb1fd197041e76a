"""Zero-carbon vouchers: a second approver, budgets, tills that ask again, statements that add up."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from cloud_sync.server.points.vouchers import SchemeWish, approve, propose
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor
from tests.cloud_sync.server.points.stand import OFFICE, add_organisation


async def scheme(given: Services, cafe: str, **more: Any) -> str:
    """A scheme in force; its id."""
    values: dict[str, Any] = {"amounts_fen": (5_000, 10_000), "budget_fen": 20_000, "validity_days": 90} | more
    wish = SchemeWish(
        name_zh="零碳奖励",
        name_en="Reward",
        valid_from=given.clock(),
        merchants=(cafe,),
        source="管理办法 art. 28",
        reason="first scheme",
        **{"in_parts": True, **values},
    )
    made = await propose(given, OFFICE, wish)
    await approve(given, Actor("second"), made)
    return made


@pytest.fixture
async def people(client: Any, given: Services, cafe: str) -> tuple[Any, Any, Any]:
    """An office worker, a till, and an organisation's account."""
    await add_organisation(given, "hotel", "applicant")
    return (
        await client("rev", Role.REVIEWER),
        await client("till", Role.MERCHANT, org_id=cafe),
        await client("org", Role.ORGANISATION, org_id="hotel"),
    )


async def test_a_scheme_needs_a_second_person(client: Any, given: Services, cafe: str) -> None:
    author, other = await client("author", Role.APPROVER), await client("other", Role.APPROVER)
    body = {
        **{"name_zh": "零碳奖励", "name_en": "Reward", "amounts_fen": [5_000], "budget_fen": 50_000},
        **{"validity_days": 30, "valid_from": given.clock().isoformat(), "merchants": [cafe]},
        **{"source": "art. 28", "reason": "first"},
    }
    made = (await author.post("/vouchers/schemes", body)).json()["scheme_id"]
    assert (await author.post(f"/vouchers/schemes/{made}/approve")).json()["code"] == "same_person"
    wish = {"scheme_id": made, "holder_id": "hotel", "amount_fen": 5_000}
    await add_organisation(given, "hotel", "applicant")
    assert (await author.post("/vouchers", wish)).json()["reason"] == "not_in_force"
    assert (await other.post(f"/vouchers/schemes/{made}/approve")).status_code == 204
    assert (await author.post("/vouchers", wish)).status_code == 201
    assert [one["state"] for one in (await author.get("/vouchers/schemes")).json()] == ["in_force"]
    assert (await other.post(f"/vouchers/schemes/{made}/end", {"why": "over"})).status_code == 204
    assert (await author.post("/vouchers", wish)).json()["reason"] == "not_in_force"
    assert (await author.post("/vouchers/schemes", {**body, "amounts_fen": [60_000]})).status_code == 422


async def test_issuing_keeps_to_budget_amounts_and_holders(given: Services, cafe: str, people: Any) -> None:
    office, _, _ = people
    made = await scheme(given, cafe)
    wish = {"scheme_id": made, "holder_id": "hotel", "amount_fen": 10_000}
    first = await office.post("/vouchers", wish, key="v1")
    assert (await office.post("/vouchers", wish, key="v1")).json() == first.json()
    assert (await office.post("/vouchers", {**wish, "amount_fen": 7_000})).json()["reason"] == "amount_not_allowed"
    person = {**wish, "holder_kind": "person", "holder_id": office.user_id}
    assert (await office.post("/vouchers", person)).json()["reason"] == "holder_not_allowed"
    asks = [office.post("/vouchers", {**wish, "amount_fen": 5_000}, key=f"n{n}") for n in range(5)]
    answers = await asyncio.gather(*asks)
    assert sorted(one.status_code for one in answers) == [201, 201, 409, 409, 409]
    assert await given.pool.fetchval("SELECT issued_fen FROM voucher_schemes") == 20_000


async def test_a_till_spends_in_parts_and_asks_again(given: Services, cafe: str, people: Any) -> None:
    office, till, org = people
    wish = {"scheme_id": await scheme(given, cafe), "holder_id": "hotel", "amount_fen": 10_000}
    assert (await office.post("/vouchers", wish)).status_code == 201
    code = (await org.get("/vouchers/mine")).json()[0]["code"]
    body = {"code": code, "amount_fen": 4_000, "request_id": "r1"}
    first = (await till.post("/merchant/vouchers/spend", body)).json()
    assert first["left_fen"] == 6_000
    assert (await till.post("/merchant/vouchers/spend", body)).json() == first
    differs = await till.post("/merchant/vouchers/spend", {**body, "amount_fen": 1})
    assert differs.json()["reason"] == "request_differs"
    asks = [
        till.post("/merchant/vouchers/spend", {"code": code, "amount_fen": 4_000, "request_id": f"c{n}"})
        for n in range(4)
    ]
    assert sorted(one.status_code for one in await asyncio.gather(*asks)) == [200, 409, 409, 409]
    assert (await till.post("/merchant/vouchers/check", {"code": code})).json()["left_fen"] == 2_000
    back = {"spend_id": first["spend_id"], "why": "wrong table"}
    taken = (await till.post("/merchant/vouchers/take-back", back)).json()
    assert (taken["amount_fen"], taken["left_fen"]) == (-4_000, 6_000)
    assert (await till.post("/merchant/vouchers/take-back", back)).json() == taken
    assert (await till.post("/merchant/vouchers/spend", body)).json()["reason"] == "reversed_already"
    for statement in ("UPDATE voucher_spends SET amount_fen = 1", "DELETE FROM voucher_spends"):
        with pytest.raises(asyncpg.PostgresError):
            await given.pool.execute(statement)


async def test_statements_add_up_and_are_compared(given: Services, clock: Any, cafe: str, people: Any) -> None:
    office, till, org = people
    wish = {"scheme_id": await scheme(given, cafe), "holder_id": "hotel", "amount_fen": 10_000}
    await office.post("/vouchers", wish)
    code = (await org.get("/vouchers/mine")).json()[0]["code"]
    began = given.clock()
    for number, fen in enumerate((1_050, 2_000, 300)):
        body = {"code": code, "amount_fen": fen, "request_id": f"=r{number}"}
        assert (await till.post("/merchant/vouchers/spend", body)).status_code == 200
        clock.leap(minutes=10)
    span = {"since": began.isoformat(), "until": given.clock().isoformat()}
    told = (await till.get("/merchant/statement", **span)).json()
    assert (told["total_fen"], len(told["lines"])) == (3_350, 3)
    halves = [
        (await till.get("/merchant/statement", since=a.isoformat(), until=b.isoformat())).json()["total_fen"]
        for a, b in ((began, began + timedelta(minutes=10)), (began + timedelta(minutes=10), given.clock()))
    ]
    assert sum(halves) == 3_350
    text = (await till.get("/merchant/statement.csv", **span)).text
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert [row[4] for row in rows[1:]] == ["10.50", "20.00", "3.00", "33.50"]
    assert rows[1][1] == "'=r0"
    lines = [{"request_id": "=r0", "amount_fen": 1_050}, {"request_id": "=r1", "amount_fen": 2_500}]
    found = (await office.post("/vouchers/reconcile", {"merchant": cafe, **span, "lines": lines})).json()
    assert {one["request_id"]: (one["ours_fen"], one["merchants_fen"]) for one in found} == {
        "=r1": (2_000, 2_500),
        "=r2": (300, None),
    }
    theirs = await office.get("/vouchers/statement", merchant=cafe, **span)
    assert theirs.json()["total_fen"] == 3_350


async def test_a_merchant_sees_and_takes_only_its_own(client: Any, given: Services, cafe: str, people: Any) -> None:
    office, till, org = people
    await add_organisation(given, "kiosk")
    kiosk = await client("kiosk", Role.MERCHANT, org_id="kiosk")
    await office.post("/vouchers", {"scheme_id": await scheme(given, cafe), "holder_id": "hotel", "amount_fen": 5_000})
    code = (await org.get("/vouchers/mine")).json()[0]["code"]
    body = {"code": code, "amount_fen": 100, "request_id": "r1"}
    assert (await kiosk.post("/merchant/vouchers/spend", body)).json()["reason"] == "other_merchant"
    spend_id = (await till.post("/merchant/vouchers/spend", body)).json()["spend_id"]
    other = await kiosk.post("/merchant/vouchers/take-back", {"spend_id": spend_id, "why": "mine"})
    assert other.status_code == 404
    wrong = await till.post("/merchant/vouchers/check", {"code": "0" * 12})
    assert (wrong.status_code, wrong.json()["reason"]) == (409, "wrong_code")
    stray = await client("stray", Role.MERCHANT)
    assert (await stray.post("/merchant/vouchers/check", {"code": code})).json()["code"] == "no_merchant"


async def test_a_holder_that_is_off_spends_nothing(people: tuple[Any, Any, Any], given: Services, cafe: str) -> None:
    office, till, holder = people
    wish = {"scheme_id": await scheme(given, cafe), "holder_id": "hotel", "amount_fen": 10_000}
    assert (await office.post("/vouchers", wish)).status_code == 201
    code = (await holder.get("/vouchers/mine")).json()[0]["code"]
    body = {"code": code, "amount_fen": 100, "request_id": "one"}
    assert (await till.post("/merchant/vouchers/spend", body)).status_code in (200, 201)
    await given.pool.execute("UPDATE organisations SET enabled = false WHERE org_id = 'hotel'")
    assert (await till.post("/merchant/vouchers/spend", body)).status_code in (200, 201)
    refused = await till.post("/merchant/vouchers/spend", body | {"request_id": "two"})
    assert refused.json()["reason"] == "holder_off"
