"""The book in the database: what it refuses, that one changed column is found, and that many may post at once."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from cloud_sync.server.carbon import book, corrections, events_book, retirements
from cloud_sync.server.problems import Problem
from cloud_sync.server.store import Actor
from control.carbon.ledger import ZONE, Account, AccountKind, Cause, Entry, EntryKind, Posting
from control.carbon.postings import Stamp, reversal_of, visit_account

FU, LIN = Actor("fu"), Actor("lin")


def debit(entry_id: str, visit_id: str, grams: int, at: Any) -> Entry:
    postings = (Posting(visit_account(visit_id), -grams), Posting(ZONE, grams))
    return Entry(
        entry_id=entry_id, kind=EntryKind.VISIT_DEBIT, at=at, postings=postings, author="fu", reason="left the island"
    )


async def post(ledger: Any, *entries: Entry) -> None:
    async with ledger.pool.acquire() as connection, connection.transaction():
        await book.post_many(connection, entries)


async def refused(ledger: Any, *entries: Entry) -> Cause:
    with pytest.raises(book.EntryRefused) as error:
        await post(ledger, *entries)
    return error.value.refusal.cause


async def test_what_the_rules_refuse_is_not_stored(ledger: Any) -> None:
    now = ledger.given.clock()
    first = debit("d1", "v1", 100, now)
    await post(ledger, first)
    assert await refused(ledger, first) is Cause.ID_TAKEN
    assert await refused(ledger, debit("d2", "v2", 5, now), debit("d2", "v3", 5, now)) is Cause.ID_TAKEN
    back = reversal_of(Stamp(entry_id="r1", at=now, author="fu", reason="wrong"), first)
    await post(ledger, back)
    twice = reversal_of(Stamp(entry_id="r2", at=now, author="fu", reason="wrong"), first)
    assert await refused(ledger, twice) is Cause.REVERSED_ALREADY
    credit = Account(AccountKind.CREDIT, "none")
    retired = Entry(
        entry_id="x",
        kind=EntryKind.RETIREMENT,
        at=now,
        postings=(Posting(credit, -1_000_000), Posting(Account(AccountKind.RETIRED), 1_000_000)),
        author="fu",
        reason="without credits",
    )
    assert await refused(ledger, retired) is Cause.OVERDRAWN
    assert await book.head(ledger.pool) == (
        2,
        (await ledger.pool.fetchval("SELECT hash FROM ledger_entries WHERE seq = 2")),
    )
    assert await ledger.balances() == {}


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_postings", "chain_heads", "visit_emissions"])
async def test_history_lets_nothing_be_changed(ledger: Any, table: str) -> None:
    await ledger.visit("v1")
    await ledger.turn()
    for statement in (f"UPDATE {table} SET seq = 9", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises((asyncpg.RaiseError, asyncpg.UndefinedColumnError)):
            await ledger.pool.execute(statement)


async def test_ten_writers_leave_one_chain(ledger: Any) -> None:
    now = ledger.given.clock()

    async def write(writer: int) -> None:
        for number in range(6):
            await post(ledger, debit(f"d{writer}-{number}", f"v{writer}-{number}", 10 + number, now))

    await asyncio.gather(*(write(writer) for writer in range(10)))
    length, _ = await book.head(ledger.pool)
    assert length == 60
    assert sum((await ledger.balances()).values()) == 0
    chained = await ledger.pool.fetchval(
        "SELECT count(*) FROM ledger_entries a JOIN ledger_entries b ON b.seq = a.seq + 1 AND b.prev_hash = a.hash"
    )
    assert chained == 59


# ---------------------------------------------------------------- one changed column is found


async def rich(ledger: Any) -> None:
    """A book with everything in it."""
    await ledger.buy(4)
    await ledger.buy(2, first=9000, registry="VCS", project="Solar", bought_on=date(2026, 2, 1))
    for number in range(6):
        await ledger.visit(f"v{number}", days_ago=9 - number, vehicle_type="crane")
    await ledger.turn()
    await ledger.retire(1)
    await ledger.revise("v1", vehicle_type="truck")
    await ledger.turn()
    await corrections.correct(ledger.given, FU, "v2", added_g=-500, why="half of it was another vehicle's")
    async with ledger.pool.acquire() as connection, connection.transaction():
        await events_book.post_event(
            connection, "EV-1", 1_200_000, at=ledger.given.clock(), author="fu", reason="the conference is over"
        )
    await ledger.retire(2, subject="event:EV-1")
    async with ledger.pool.acquire() as connection, connection.transaction():
        await book.publish_head(connection, day=date(2026, 11, 21), at=ledger.given.clock())
    await ledger.visit("v9", vehicle_type="truck")
    await ledger.turn()
    async with ledger.pool.acquire() as connection, connection.transaction():
        await events_book.post_event(
            connection, "EV-2", 40_000, at=ledger.given.clock(), author="fu", reason="not covered yet"
        )


CHANGES = (
    ("ledger_entries", "seq = seq + 100", "seq = (SELECT max(seq) FROM ledger_entries)"),
    ("ledger_entries", "entry_id = 'other'", "seq = 3"),
    ("ledger_entries", "kind = 'correction'", "seq = 3"),
    ("ledger_entries", "at = at + interval '1 microsecond'", "seq = 5"),
    ("ledger_entries", "author = 'nobody'", "seq = 5"),
    ("ledger_entries", "reason = reason || '.'", "seq = 5"),
    ("ledger_entries", "reverses = 'debit:v0:1'", "entry_id = 'reverse:debit:v1:1'"),
    ("ledger_entries", 'details = details || \'{"tier": "1"}\'', "entry_id = 'debit:v3:1'"),
    ("ledger_entries", "prev_hash = '\\x00'", "seq = 4"),
    ("ledger_entries", "hash = '\\x00'", "seq = 4"),
    ("ledger_postings", "seq = seq + 1000", "seq = 6 AND place = 1"),
    ("ledger_postings", "place = 7", "seq = 6 AND place = 1"),
    ("ledger_postings", "account = 'visit:v5'", "account = 'visit:v4'"),
    ("ledger_postings", "grams = grams + 1", "seq = 6 AND place = 0"),
    ("ledger_balances", "grams = grams - 1", "account = 'event:EV-2'"),
    ("ledger_balances", "account = 'visit:v77'", "account = 'event:EV-2'"),
    ("chain_heads", "length = length + 100", "true"),
    ("chain_heads", "length = length - 1", "true"),
    ("chain_heads", "head = '\\x01'", "true"),
    ("credit_series", "registry = 'GS'", "registry = 'VCS'"),
    ("credit_series", "serial_prefix = 'X-'", "registry = 'VCS'"),
    ("credit_lots", "project = 'Wind'", "project = 'Solar'"),
    ("credit_lots", "vintage = 2024", "project = 'Solar'"),
    ("credit_lots", "serials = '[9000,9003)'", "project = 'Solar'"),
    ("credit_lots", "bought_on = '2026-03-01'", "project = 'Solar'"),
    ("credit_lots", "evidence = 'none'", "project = 'Solar'"),
    ("credit_lots", "added_by = 'nobody'", "project = 'Solar'"),
    ("credit_lots", "added_at = added_at + interval '1 second'", "project = 'Solar'"),
    ("credit_lots", "voided_by = 'settle:v0:1'", "project = 'Solar'"),
    ("retirements", "evidence = 'other'", "tonnes = 1"),
    ("retirements", "cancelled_for = 'other'", "tonnes = 1"),
    ("retirements", "decided_at = decided_at + interval '1 second'", "tonnes = 1"),
    ("retirement_units", "serials = '[4120,4121)'", "serials = '[4117,4118)'"),
    ("retirement_units", "given_back = true", "serials = '[4117,4118)'"),
    ("covers", "place = 3", "visit_id = 'v0'"),
    ("covers", "visit_id = 'v9'", "visit_id = 'v0'"),
    ("covers", "serial = serial + 1000", "visit_id = 'v0'"),
    ("covers", "from_g = from_g + 1", "visit_id = 'v0'"),
    ("covers", "to_g = to_g - 1", "visit_id = 'v0'"),
    ("covers", "at = at + interval '1 second'", "visit_id = 'v0'"),
    ("covers", "lot_no = lot_no + 100", "visit_id = 'v0'"),
    ("covers", "freed_by = 'reverse:debit:v1:1'", "visit_id = 'v0'"),
    ("covers", "freed_by = NULL", "freed_by IS NOT NULL"),
    ("visit_emissions", "grams = grams + 1", "visit_id = 'v3'"),
    ("visit_emissions", "emission = emission || '{\"tier\": 1}'", "visit_id = 'v3'"),
    ("visit_emissions", 'evidence = evidence || \'{"fuel_used": "1"}\'', "visit_id = 'v3'"),
    ("visit_emissions", "at = at + interval '1 second'", "visit_id = 'v3'"),
    ("visit_emissions", "day = day + 1", "visit_id = 'v3'"),
    ("visit_emissions", "revision = 7", "visit_id = 'v3'"),
    ("visit_emissions", "factor_version = 'x'", "visit_id = 'v3'"),
    ("visit_emissions", "computed_at = computed_at + interval '1 second'", "visit_id = 'v3'"),
    ("visit_emissions", "entry_id = NULL", "visit_id = 'v3'"),
    ("visit_accounts", "owed_g = owed_g + 1", "visit_id = 'v3'"),
    ("visit_accounts", "covered_g = covered_g - 1", "visit_id = 'v0'"),
    ("carbon_days", "owed_g = owed_g + 1", "true"),
    ("carbon_days", "open_visits = open_visits + 1", "true"),
    ("pooled_parts", "to_g = to_g - 1", "true"),
)


async def test_one_changed_column_is_found(ledger: Any) -> None:
    """Each is tried on the same book, as somebody would who switches the triggers off, and put back."""
    await rich(ledger)
    whole = await book.verify(ledger.pool)
    assert whole.ok, whole
    connection = await asyncpg.connect(ledger.given.database_url)
    missed: list[str] = []
    try:
        await _without_guards(connection)
        for table, change, where in CHANGES:
            if not await _found(connection, f"UPDATE {table} SET {change} WHERE {where}"):
                missed.append(f"{table}: {change}")
        assert not missed
        assert (await book.verify(connection)).ok
    finally:
        await connection.close()


async def _found(connection: Any, statement: str) -> bool:
    """Whether the proof finds the change, or a constraint of the database already refuses it."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        done = await connection.execute(statement)
        return not done.endswith(" 0") and not (await book.verify(connection)).ok
    except asyncpg.IntegrityConstraintViolationError:
        return True
    finally:
        await attempt.rollback()


async def _without_guards(connection: Any) -> None:
    """In this session triggers and foreign keys are off; unique constraints stay."""
    await connection.execute("SET session_replication_role = replica")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM ledger_entries WHERE seq = 3", "stands where 3 is due"),
        ("DELETE FROM ledger_entries WHERE seq = (SELECT max(seq) FROM ledger_entries)", "postings"),
        ("DELETE FROM ledger_entries; DELETE FROM ledger_postings; DELETE FROM ledger_balances", "published"),
        ("DELETE FROM ledger_balances WHERE account = 'event:EV-2'", "missing"),
        ("DELETE FROM covers WHERE visit_id = 'v0'", "cover"),
        ("DELETE FROM visit_emissions WHERE visit_id = 'v3'", "figure"),
    ],
)
async def test_what_is_missing_is_told(ledger: Any, statement: str, told: str) -> None:
    await rich(ledger)
    connection = await asyncpg.connect(ledger.given.database_url)
    try:
        await _without_guards(connection)
        await connection.execute(statement)
        proof = await book.verify(connection)
    finally:
        await connection.close()
    assert not proof.ok
    assert told in proof.why


async def test_a_tail_that_was_cut_off_with_everything_that_it_did_is_found(ledger: Any) -> None:
    """Even when the book that is left is whole in itself: its published head was longer."""
    await ledger.visit("v1", days_ago=1)
    await ledger.turn()
    connection = await asyncpg.connect(ledger.given.database_url)
    try:
        async with connection.transaction():
            await book.publish_head(connection, day=date(2026, 11, 20), at=ledger.given.clock())
        await _without_guards(connection)
        for table in ("ledger_entries", "ledger_postings", "ledger_balances", "visit_accounts", "carbon_days"):
            await connection.execute(f"DELETE FROM {table}")
        proof = await book.verify(connection)
    finally:
        await connection.close()
    assert (proof.broken_seq, "was published" in proof.why) == (1, True)


async def test_heads_are_published_once_a_day(ledger: Any) -> None:
    day = date(2026, 11, 21)
    async with ledger.pool.acquire() as connection, connection.transaction():
        assert await book.publish_head(connection, day=day, at=ledger.given.clock())
        assert not await book.publish_head(connection, day=day, at=ledger.given.clock())
        assert await book.publish_head(connection, day=day + timedelta(days=1), at=ledger.given.clock())


async def test_an_event_is_covered_by_its_own_retirement(ledger: Any) -> None:
    await ledger.buy(4)
    await ledger.visit("v1", vehicle_type="crane")
    await ledger.turn()
    async with ledger.pool.acquire() as connection, connection.transaction():
        await events_book.post_event(
            connection, "EV-1", 1_200_000, at=ledger.given.clock(), author="fu", reason="the conference is over"
        )
    assert (await events_book.event_state(ledger.pool, "EV-1")).owed_g == 1_200_000
    await ledger.retire(2, subject="event:EV-1")
    state = await events_book.event_state(ledger.pool, "EV-1")
    assert (state.covered_g, state.neutralised_at) == (1_200_000, ledger.given.clock())
    account = await ledger.account("v1")
    assert account["covered_g"] == account["owed_g"]
    assert (await book.verify(ledger.pool)).ok
    async with ledger.pool.acquire() as connection, connection.transaction():
        assert await events_book.reverse_event(
            connection, "EV-1", at=ledger.given.clock(), author="fu", reason="counted wrongly"
        )
    assert (await ledger.balances())["retired"] == 2_000_000 - account["owed_g"]
    assert (await book.verify(ledger.pool)).ok


async def test_a_correction_cannot_owe_less_than_nothing(ledger: Any) -> None:
    await ledger.visit("v1")
    await ledger.turn()
    with pytest.raises(Problem) as error:
        await corrections.correct(ledger.given, FU, "v1", added_g=-10_000_000, why="too much")
    assert error.value.code == "entry_refused"
    assert retirements.share(1, 0) is None
