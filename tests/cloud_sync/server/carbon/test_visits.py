"""Visits into the book: posted once, revised by reversing, recomputed to the gram, covered first in, first out."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.server import rule_books
from cloud_sync.server.carbon import book, figures
from cloud_sync.server.carbon.evidence import Declaration, merged
from cloud_sync.server.sql import as_json
from control.carbon.visit_types import VisitEmission

CRANE = {"emission_class": "crane", "drive": "diesel", "vehicle_type": "crane"}


async def test_a_visit_is_posted_once(ledger: Any) -> None:
    await ledger.visit("v1")
    await ledger.visit("v2", state="inside")
    await ledger.turn()
    await ledger.turn()
    account = await ledger.account("v1")
    assert account["owed_g"] > 1000
    assert (account["tier"], account["entry_id"], account["problem"]) == (4, "debit:v1:1", "")
    assert await ledger.account("v2") is None
    assert await ledger.balances() == {"visit:v1": -account["owed_g"], "zone": account["owed_g"]}
    assert await ledger.pool.fetchval("SELECT count(*) FROM ledger_entries") == 1
    assert (await book.verify(ledger.pool)).ok


async def test_the_form_says_more_than_the_camera(ledger: Any) -> None:
    await ledger.visit("v1", vehicle_type="truck", form=CRANE)
    await ledger.turn()
    assert (await ledger.account("v1"))["vehicle_class"] == "crane"


async def test_a_revision_reverses_and_posts_anew(ledger: Any) -> None:
    await ledger.visit("v1", vehicle_type="car")
    await ledger.turn()
    first = await ledger.account("v1")
    await ledger.revise("v1", vehicle_type="fire_engine")
    await ledger.turn()
    second = await ledger.account("v1")
    assert second["owed_g"] > first["owed_g"]
    entries = await ledger.pool.fetch("SELECT entry_id, reverses FROM ledger_entries ORDER BY seq")
    assert [(row["entry_id"], row["reverses"]) for row in entries] == [
        ("debit:v1:1", None),
        ("reverse:debit:v1:1", "debit:v1:1"),
        ("debit:v1:2", None),
    ]
    assert await ledger.balances() == {"visit:v1": -second["owed_g"], "zone": second["owed_g"]}
    assert (await book.verify(ledger.pool)).ok


async def test_a_revision_that_changes_nothing_posts_nothing(ledger: Any) -> None:
    await ledger.visit("v1")
    await ledger.turn()
    await ledger.revise("v1", flags=["clone"])
    await ledger.turn()
    assert (await ledger.account("v1"))["visit_revision"] == 2
    assert await ledger.pool.fetchval("SELECT count(*) FROM ledger_entries") == 1


async def test_a_withdrawn_visit_owes_nothing_and_its_cover_is_free(ledger: Any) -> None:
    await ledger.buy()
    await ledger.visit("v1", days_ago=2)
    await ledger.visit("v2", days_ago=1)
    await ledger.turn()
    await ledger.retire()
    owed_g = (await ledger.account("v2"))["owed_g"]
    await ledger.revise("v1", withdrawn_at=ledger.at(0), is_over=False)
    await ledger.turn()
    account = await ledger.account("v1")
    assert (account["owed_g"], account["covered_g"], account["problem"]) == (0, 0, "withdrawn")
    assert (await ledger.balances())["retired"] == 1_000_000 - owed_g
    assert (await book.verify(ledger.pool)).ok


async def test_a_covered_visit_is_covered_again_after_its_revision(ledger: Any) -> None:
    await ledger.buy()
    for number in range(3):
        await ledger.visit(f"v{number}", days_ago=9 - number)
    await ledger.turn()
    await ledger.retire()
    await ledger.revise("v0", vehicle_type="crane")
    await ledger.turn()
    accounts = [await ledger.account(f"v{number}") for number in range(3)]
    assert all(one["covered_g"] == one["owed_g"] and one["neutralised_at"] for one in accounts)
    freed = await ledger.pool.fetchval("SELECT count(*) FROM covers WHERE freed_by IS NOT NULL")
    assert freed == 1
    assert (await book.verify(ledger.pool)).ok


async def test_nothing_known_is_a_problem_and_no_figure(ledger: Any) -> None:
    await ledger.visit("v1", vehicle_type=None)
    await ledger.turn()
    account = await ledger.account("v1")
    assert (account["problem"], account["owed_g"], account["entry_id"]) == ("nothing_known", 0, None)
    assert await ledger.pool.fetchval("SELECT count(*) FROM ledger_entries") == 0


async def test_a_plug_in_hybrid_is_information_only(ledger: Any) -> None:
    form = {"emission_class": "petrol_car", "drive": "plug_in"}
    await ledger.visit("v1", form=form)
    await ledger.turn()
    account = await ledger.account("v1")
    assert account["information"]
    assert (account["owed_g"], account["entry_id"]) == (0, None)
    assert await ledger.pool.fetchval("SELECT grams FROM visit_emissions WHERE visit_id = 'v1'") > 0
    assert (await book.verify(ledger.pool)).ok


@pytest.mark.parametrize("vehicle_type", ["car", "truck", "fire_engine", "motorcycle"])
async def test_an_old_visit_recomputes_to_the_same_grams(ledger: Any, vehicle_type: str) -> None:
    await ledger.visit("v1", vehicle_type=vehicle_type, days_ago=400)
    await ledger.turn()
    row = await ledger.pool.fetchrow("SELECT * FROM visit_emissions WHERE visit_id = 'v1'")
    factors = await rule_books.factors(ledger.pool)
    again = figures.figure(as_json(row["evidence"]), factors.at(row["day"]))
    assert isinstance(again, VisitEmission)
    assert again == figures.of_mapping(as_json(row["emission"]))
    assert again.total_g == row["grams"]


def told(by_office: bool, **values: str | None) -> Declaration:
    return Declaration(by_office, values)


@pytest.mark.parametrize("by_office", [False, True])
async def test_the_newest_declaration_of_a_field_holds(by_office: bool) -> None:
    said = [
        told(by_office, fuel_used="5", route_km="9"),
        told(by_office, fuel_used="6"),
        told(by_office, route_km=None),
    ]
    assert merged(said) == {"fuel_used": "6"}


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ([told(True, fuel_used="80"), told(False, fuel_used="0.001")], {"fuel_used": "80"}),
        ([told(True, fuel_used="80"), told(False, fuel_used=None)], {"fuel_used": "80"}),
        ([told(False, fuel_used="1"), told(True, fuel_used="80"), told(False, fuel_used=None)], {"fuel_used": "80"}),
        ([told(False, fuel_used="1"), told(True, fuel_used=None)], {}),
        ([told(True, fuel_used="80"), told(False, idle_min="3")], {"fuel_used": "80", "idle_min": "3"}),
        ([told(True, fuel_used="80"), told(True, fuel_used=None), told(False, fuel_used="9")], {"fuel_used": "9"}),
    ],
)
async def test_what_the_office_declared_holds_against_the_applicant(
    said: list[Declaration], holds: dict[str, str]
) -> None:
    assert merged(said) == holds


async def test_many_visits_go_in_batches(ledger: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("cloud_sync.server.carbon.visits.BATCH_MAX", 3)
    for number in range(8):
        await ledger.visit(f"v{number}", days_ago=number)
    await ledger.turn()
    assert await ledger.pool.fetchval("SELECT count(*) FROM visit_accounts WHERE owed_g > 0") == 8
    assert (await book.verify(ledger.pool)).ok


async def test_a_form_that_was_made_anonymous_changes_no_figure(ledger: Any) -> None:
    await ledger.visit("v1", vehicle_type="truck", form=CRANE)
    await ledger.turn()
    before = await ledger.account("v1")
    await ledger.pool.execute("UPDATE applications SET form = '{}', redacted_at = $1", ledger.at(0))
    await ledger.revise("v1", flags=["clone"])
    await ledger.turn()
    after = await ledger.account("v1")
    assert (after["vehicle_class"], after["owed_g"], after["revision"]) == ("crane", before["owed_g"], 1)
    assert after["visit_revision"] == 2
