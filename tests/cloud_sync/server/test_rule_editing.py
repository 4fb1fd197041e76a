"""Rules are changed row by row: from a day on, with source and reason, and what was stays."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cloud_sync.server import rule_books
from cloud_sync.server.rule_books import BookName

CHANGE = {
    "key": "review.term",
    "valid_from": "2026-12-01",
    "value": "5",
    "source": "Office order 12/2026",
    "reason": "Holidays",
    "version": 0,
}


async def test_a_new_value_from_a_day_ends_the_open_row(app: Any, sign_in: Any) -> None:
    approver = await sign_in("approver")
    shown = (await approver.post("/rules/permits/preview", CHANGE)).json()
    assert (shown["ends"]["valid_until"], shown["begins"]["valid_from"]) == ("2026-12-01", "2026-12-01")
    assert shown["changes"] == [["source", "policy value", "Office order 12/2026"], ["value", "3", "5"]]
    pool = app.state.services.pool
    assert await rule_books.newest_number(pool, BookName.PERMITS) == 0
    assert (await approver.post("/rules/permits", CHANGE)).status_code == 201
    rules = await rule_books.permit_rules(pool)
    assert rules.at(date(2026, 11, 30)).number("review.term") == 3
    assert rules.at(date(2026, 12, 1)).number("review.term") == 5
    book = (await approver.get("/rules/permits")).json()
    of_key = next(one for one in book["keys"] if one["key"] == "review.term")
    assert book["version"] == 1
    assert [(row["row_id"], row["state"], row["author"]) for row in of_key["rows"]] == [
        ("review.term@2026-12-01", "coming", "approver"),
        ("P001", "in_force", "delivered with the product"),
    ]
    versions = (await approver.get("/rules/permits/versions")).json()
    assert [(one["number"], one["author"], one["reason"], one["begun"]) for one in versions] == [
        (1, "approver", "Holidays", ["review.term@2026-12-01"]),
        (0, "", "", []),
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": " "}, "reason_missing"),
        ({"source": " "}, "rules_refused"),
        ({"source": ""}, "invalid"),
        ({"valid_from": "2026-11-20"}, "rules_refused"),
        ({"valid_from": "2020-01-01"}, "rules_refused"),
        ({"value": "many"}, "rules_refused"),
        ({"value": "4000"}, "rules_refused"),
        ({"value": None}, "rules_refused"),
        ({"value": None, "fields": {"unit": "h"}}, "rules_refused"),
        ({"key": "no.such"}, "not_found"),
        ({"version": 3}, "rules_moved"),
    ],
)
async def test_what_does_not_fit_is_refused(app: Any, sign_in: Any, change: dict[str, Any], code: str) -> None:
    approver = await sign_in("approver")
    for path in ("/rules/permits/preview", "/rules/permits"):
        assert (await approver.post(path, CHANGE | change)).json()["code"] == code, path
    assert await app.state.services.pool.fetchval("SELECT count(*) FROM rule_books") == 0


async def test_the_same_again_changes_nothing(sign_in: Any) -> None:
    approver = await sign_in("approver")
    same = CHANGE | {"value": "3", "source": "policy value"}
    assert (await approver.post("/rules/permits", same)).json()["code"] == "nothing_changed"


@pytest.mark.parametrize(
    ("key", "value", "book"),
    [
        ("block.overdue_offset", "false", BookName.PERMITS),
        ("papers.standing", "vehicle_licence, insurance", BookName.PERMITS),
        ("cap.day", "4000", BookName.POINTS),
        ("grid.hainan.co2", "0.35", BookName.FACTORS),
    ],
)
async def test_flags_lists_numbers_and_factors(app: Any, sign_in: Any, key: str, value: str, book: BookName) -> None:
    approver = await sign_in("approver")
    fields = {"data_year": "2024", "announcement": "2026-50"} if book is BookName.FACTORS else {}
    answer = await approver.post(f"/rules/{book}", CHANGE | {"key": key, "value": value, "fields": fields})
    assert answer.status_code == 201, answer.text
    assert answer.json()["begins"]["fields"] == fields
    assert answer.json()["begins"]["value"] == value


async def test_a_methodology_gets_its_next_version(app: Any, sign_in: Any) -> None:
    approver = await sign_in("approver")
    body = CHANGE | {"key": "shuttle", "value": None, "fields": {"project_g": "25", "cap_day_g": "1200"}}
    answer = await approver.post("/rules/methodologies", body)
    assert answer.status_code == 201, answer.text
    row = (await rule_books.methodologies(app.state.services.pool)).row("shuttle", date(2026, 12, 2))
    assert (row.version, row.cap_day_g, row.formula.project, row.formula.project_source) == (
        2,
        1200,
        25,
        "Office order 12/2026",
    )
    assert row.formula.baseline_source.startswith("DB11/T 3043-2024")
    wrong = body | {"version": 1, "valid_from": "2027-01-01", "fields": {"form": "per_act"}}
    assert (await approver.post("/rules/methodologies", wrong)).json()["code"] == "rules_refused"


async def test_who_may_read_and_who_may_write(sign_in: Any) -> None:
    guard, driver = await sign_in("guard"), await sign_in("driver")
    assert (await guard.get("/rules/factors")).status_code == 200
    assert (await guard.post("/rules/permits", CHANGE)).status_code == 403
    assert (await driver.get("/rules/factors")).status_code == 403
    assert (await guard.get("/rules/nothing")).status_code == 422
