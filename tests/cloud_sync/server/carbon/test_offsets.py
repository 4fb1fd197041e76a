"""Credits and retirements: two persons, whole tonnes, first in first out, no unit twice, and what others ask."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from cloud_sync.server.carbon import book, lots, medians, offsets, queries, retirements, worker
from cloud_sync.server.problems import Problem
from cloud_sync.server.store import Actor
from control.carbon.offset_reports import days_to_neutralisation
from control.carbon.offsets import Cover, Debit
from control.domain.vehicles import VehicleType
from control.permits.application import Drive, Form

FU, LIN = Actor("fu"), Actor("lin")


async def code_of(attempt: Any) -> str:
    with pytest.raises(Problem) as error:
        await attempt
    return error.value.code


async def test_one_proposes_and_another_confirms(ledger: Any) -> None:
    await ledger.buy(4)
    for number in range(3):
        await ledger.visit(f"v{number}", days_ago=5 - number, vehicle_type="crane")
    await ledger.turn()
    made = await retirements.propose(ledger.given, FU, tonnes=1, cancelled_for="October's visits")
    assert (await ledger.balances()).get("retired") is None
    assert await lots.available_tonnes(ledger.pool) == 3
    assert await code_of(retirements.confirm(ledger.given, FU, made, evidence="x")) == "same_person"
    assert await code_of(retirements.confirm(ledger.given, LIN, made, evidence=" ")) == "reason_missing"
    await retirements.confirm(ledger.given, LIN, made, evidence="CCER-1")
    assert await code_of(retirements.cancel(ledger.given, FU, made, why="too late")) == "not_pending"
    assert await code_of(retirements.confirm(ledger.given, LIN, made, evidence="again")) == "not_pending"
    accounts = [await ledger.account(f"v{number}") for number in range(3)]
    assert all(one["covered_g"] == one["owed_g"] for one in accounts)
    owed_g = sum(one["owed_g"] for one in accounts)
    assert await offsets.pooled_g(ledger.pool) == 1_000_000 - owed_g
    told = await ledger.pool.fetch("SELECT action, by FROM audit WHERE subject_id = $1 ORDER BY audit_id", made)
    assert [tuple(row) for row in told] == [("retirement_proposed", "fu"), ("retirement_confirmed", "lin")]
    assert (await book.verify(ledger.pool)).ok


async def test_the_database_too_wants_two_persons(ledger: Any) -> None:
    await ledger.buy(1)
    made = await retirements.propose(ledger.given, FU, tonnes=1, cancelled_for="x")
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.pool.execute(
            "UPDATE retirements SET state = 'confirmed', decided_by = 'fu', evidence = 'x' WHERE retirement_id = $1",
            made,
        )


async def test_a_cancelled_proposal_gives_its_units_back(ledger: Any) -> None:
    await ledger.buy(2)
    made = await retirements.propose(ledger.given, FU, tonnes=2, cancelled_for="x")
    assert await code_of(retirements.propose(ledger.given, FU, tonnes=1, cancelled_for="x")) == "too_few_units"
    await retirements.cancel(ledger.given, FU, made, why="another project")
    again = await ledger.retire(2)
    [row] = await retirements.listed(ledger.pool, limit=1)
    assert (row.retirement_id, row.units[0].serials) == (again, "CN-46-4117 – CN-46-4118")
    assert (await book.verify(ledger.pool)).ok


async def test_serial_numbers_stand_once(ledger: Any) -> None:
    lot_id = await ledger.buy(4)
    assert await code_of(ledger.buy(2, first=4120)) == "units_taken"
    await ledger.buy(2, first=4120, registry="VCS")
    await ledger.buy(2, first=4120, serial_prefix="CN-47-")
    assert await code_of(ledger.buy(1, first=-3)) == "invalid"
    await ledger.retire(1, lot_id=lot_id)
    assert await code_of(lots.take_back(ledger.given, FU, lot_id, why="typed wrongly")) == "units_in_use"


async def test_a_wrong_purchase_is_reversed_and_its_serials_are_free(ledger: Any) -> None:
    lot_id = await ledger.buy(4)
    await lots.take_back(ledger.given, FU, lot_id, why="typed wrongly")
    await ledger.buy(3)
    assert await lots.available_tonnes(ledger.pool) == 3
    assert (await book.verify(ledger.pool)).ok


async def test_the_database_refuses_a_unit_or_a_gram_twice(ledger: Any) -> None:
    await ledger.buy(4)
    await ledger.visit("v1", vehicle_type="crane")
    await ledger.turn()
    made = await ledger.retire(1)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await ledger.pool.execute(
            "INSERT INTO retirement_units (unit_id, retirement_id, place, lot_id, lot_no, serials)"
            " SELECT 'x', retirement_id, 2, lot_id, lot_no, serials FROM retirement_units"
        )
    with pytest.raises(asyncpg.ExclusionViolationError):
        await ledger.pool.execute(
            "INSERT INTO covers (entry_id, place, visit_id, unit_id, lot_id, lot_no, serial, from_g, to_g, at)"
            " SELECT entry_id, 9, 'other', unit_id, lot_id, lot_no, serial, from_g + 10, to_g, at FROM covers"
        )
    assert made


async def test_two_proposals_at_once_never_hold_the_same_unit(ledger: Any) -> None:
    await ledger.buy(6)

    async def propose() -> bool:
        try:
            await retirements.propose(ledger.given, FU, tonnes=2, cancelled_for="x")
        except Problem:
            return False
        return True

    done = await asyncio.gather(*(propose() for _ in range(6)))
    assert sum(done) == 3
    assert await lots.available_tonnes(ledger.pool) == 0


async def test_the_preview_says_what_will_happen(ledger: Any) -> None:
    await ledger.buy(4)
    for number in range(30):
        await ledger.visit(f"v{number:02}", days_ago=30 - number, vehicle_type="crane")
    await ledger.turn()
    now = ledger.given.clock()
    told = await retirements.preview(ledger.pool, tonnes=1, year=2026, now=now)
    assert told.part_visit_id is not None
    assert (told.most_tonnes, told.left_tonnes, told.pooled_after_g, told.covered_g) == (4, 3, 0, 1_000_000)
    await ledger.retire(1)
    covered = await ledger.pool.fetch("SELECT visit_id FROM visit_accounts WHERE covered_g = owed_g ORDER BY at")
    assert tuple(row["visit_id"] for row in covered) == told.visit_ids
    shown = await queries.summary(ledger.pool, year=2026, today=now.date(), zone=ledger.given.config.zone)
    assert shown.open_g == told.open_after_g
    assert shown.closure_frac == told.closure_after_frac
    assert (await retirements.preview(ledger.pool, tonnes=9, year=2026, now=now)).tonnes == 3


async def test_what_is_overdue_of_a_person_and_of_a_plate(ledger: Any) -> None:
    form = {"emission_class": "crane", "drive": "diesel"}
    await ledger.visit("old", days_ago=400, form=form, applicant_id="p1", plate="琼C11111")
    await ledger.visit("new", days_ago=4, form=form, applicant_id="p1", plate="琼C11111")
    await ledger.turn()
    today = ledger.given.clock().date()
    [late] = await offsets.overdue_for(ledger.pool, "p1", (), today)
    assert (late.visit_id, late.days_late, late.factor_id) == ("old", 35, "F145")
    assert [one.visit_id for one in await offsets.overdue_for(ledger.pool, "", ("琼C11111",), today)] == ["old"]
    assert await offsets.overdue_for(ledger.pool, "p2", ("琼C22222",), today) == ()
    assert await offsets.overdue_for(ledger.pool, "", ("",), today) == ()


async def test_an_estimate_of_a_form(ledger: Any) -> None:
    today = date(2026, 11, 21)
    assert await offsets.estimate(ledger.pool, Form(plate="琼C11111"), today) is None
    least, grams, most = await offsets.estimate(ledger.pool, Form(emission_class="crane", drive=Drive.DIESEL), today)
    assert 0 < least < grams < most
    by_type = await offsets.estimate(ledger.pool, Form(vehicle_type=VehicleType.CRANE), today)
    assert by_type == (least, grams, most)


async def test_a_statement_names_serials_and_parts(ledger: Any) -> None:
    await ledger.buy(2)
    await ledger.visit("v1", vehicle_type="crane")
    await ledger.turn()
    await ledger.retire(1)
    told = await offsets.statement(ledger.pool, "v1", ("v1",))
    assert told.neutralised
    [part] = told.parts
    assert (part.serials, part.from_g, part.grams) == ("CN-46-4117", 0, told.owed_g)


async def test_the_median_is_that_of_the_rules(ledger: Any) -> None:
    await ledger.buy(4)
    for number in range(4):
        await ledger.visit(f"v{number}", days_ago=3 + 7 * number)
    await ledger.turn()
    await ledger.retire(1)
    await medians.keep_medians(ledger.pool, now=ledger.given.clock())
    debits = [
        Debit(row["visit_id"], row["at"], row["owed_g"])
        for row in await ledger.pool.fetch("SELECT * FROM visit_accounts")
    ]
    covers = [
        Cover(row["visit_id"], row["unit_id"], row["lot_id"], row["serial"], row["from_g"], row["to_g"], row["at"])
        for row in await ledger.pool.fetch("SELECT * FROM covers")
    ]
    kept = await ledger.pool.fetchval("SELECT median_days FROM carbon_medians WHERE year = 2026")
    expected = days_to_neutralisation(debits, covers)
    assert expected is not None
    assert abs(float(kept) - float(expected)) < 1e-6


async def test_the_worker_posts_publishes_and_proves(ledger: Any) -> None:
    await ledger.visit("v1")
    await worker.turn(ledger.given)
    shown = await queries.last_check(ledger.pool)
    assert (shown.ok, shown.rows) == (True, 1)
    assert await ledger.pool.fetchval("SELECT length FROM chain_heads") == 1
    later = replace(ledger.given, clock=lambda: ledger.given.clock() + timedelta(days=1))
    await worker.turn(later)
    assert await ledger.pool.fetchval("SELECT count(*) FROM chain_heads") == 2
    assert await ledger.pool.fetchval("SELECT count(*) FROM ledger_checks") == 2


async def test_a_long_book_is_proven_in_a_process_of_its_own(ledger: Any, monkeypatch: Any) -> None:
    await ledger.visit("v1")
    await ledger.turn()
    monkeypatch.setattr(worker, "SMALL_ROWS", 1)
    proof = await worker.prove(ledger.given)
    assert (proof.ok, proof.rows, proof.book) == (True, 1, "carbon")
    assert (await queries.last_check(ledger.pool)).head_hash == proof.head_hash


async def test_the_summary_tells_what_is_past_its_term(ledger: Any) -> None:
    now, zone = ledger.given.clock(), ledger.given.config.zone
    today = now.astimezone(zone).date()
    for visit_id, days_ago in (("old", 400.0), ("older", 410.0), ("new", 1.0)):
        await ledger.visit(visit_id, days_ago=days_ago)
    await ledger.turn()
    told = await queries.summary(ledger.pool, year=today.year, today=today, zone=zone)
    owed = [(await ledger.account(one))["owed_g"] for one in ("old", "older")]
    assert (told.open_visits, told.overdue_visits, told.overdue_g) == (3, 2, sum(owed))
    due_on = (await ledger.account("new"))["due_on"]
    on_the_day = await queries.summary(ledger.pool, year=today.year, today=due_on, zone=zone)
    day_after = await queries.summary(ledger.pool, year=today.year, today=due_on + timedelta(days=1), zone=zone)
    assert (on_the_day.overdue_visits, day_after.overdue_visits) == (2, 3)
