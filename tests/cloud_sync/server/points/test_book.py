"""The ledger in the store: it says the same as the account in memory, is append-only, and tampering is found."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from cloud_sync.proofs.points import verify
from cloud_sync.proofs.points_rows import by_key
from cloud_sync.server.points import book, book_check, worker
from cloud_sync.server.points.parts import lock_person
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from control.points.ledger import Entry, EntryKind, PointsAccount, SealedEntry
from tests.cloud_sync.server.points.stand import add_person, give_points, holds

K = EntryKind


async def post(given: Services, account: PointsAccount, entry: Entry, *ids: str) -> bool:
    """Appends to both; whether they agree that it is taken, and on the row."""
    expected, refused = account.append(entry), ""
    try:
        async with given.change() as connection:
            await lock_person(connection, entry.account_id)
            ids = (entry.entry_id, *ids)
            sealed = await book.post(connection, entry.account_id, entry.at, lambda _, at: entry, ids=ids)
    except Problem as problem:
        refused = problem.more["reason"]
    if isinstance(expected, SealedEntry):
        assert (sealed, refused) == (expected, "")
    else:
        assert refused == expected.cause.value
    return not refused


async def agree(given: Services, account: PointsAccount, at: datetime) -> None:
    """What the store holds open is what the entries make."""
    async with given.pool.acquire() as connection:
        stored = await book.account_of(connection, account.account_id)
        assert (stored.head, len(stored), stored.debt) == (account.head, len(account), account.debt)
        assert by_key(stored.lots()) == by_key(account.lots())
        assert stored.available(at) == account.available(at)


def entry(person: str, kind: EntryKind, number: int, points: int, at: datetime, **more: Any) -> Entry:
    made: dict[str, Any] = {"author": "cloud", "reason": "测试"} | more
    return Entry(entry_id=f"{kind}:{number}", account_id=person, kind=kind, at=at, points=points, **made)


@pytest.mark.parametrize("seed", range(4))
async def test_random_lives_are_the_same_in_store_and_memory(services: Services, seed: int) -> None:
    draw, at = random.Random(seed), services.clock()
    person = await add_person(services, "ann")
    account = PointsAccount(person)
    redeemed: list[Entry] = []
    given: list[Entry] = []
    for number in range(40):
        at += timedelta(days=draw.randrange(0, 9), seconds=draw.randrange(60))
        match draw.choice(["earn", "earn", "redeem", "return", "reverse", "expire", "adjust"]):
            case "earn":
                ends = at + timedelta(days=draw.choice([5, 20, 20, 60]))
                made = entry(person, K.EARN, number, draw.randrange(1, 90), at, valid_until=ends, details={"键": "值"})
                given += [made] * await post(services, account, made)
            case "redeem":
                made = entry(person, K.REDEEM, number, -draw.randrange(1, 120), at)
                redeemed += [made] * await post(services, account, made)
            case "return" if redeemed:
                about = draw.choice(redeemed)
                ends = at + timedelta(days=10)
                made = entry(person, K.RETURN, number, -about.points, at, about=about.entry_id, valid_until=ends)
                await post(services, account, made, about.entry_id)
            case "reverse" if given:
                about = draw.choice(given)
                made = entry(person, K.REVERSE, number, -account.reversible(about.entry_id) or -1, at)
                made = Entry(**{**{n: getattr(made, n) for n in made.__slots__}, "about": about.entry_id})
                await post(services, account, made, about.entry_id)
            case "expire":
                for due in account.expiries(at, author="cloud", reason="ended"):
                    assert await post(services, account, due, due.about or "")
            case _:
                made = entry(person, K.ADJUST, number, -draw.randrange(1, 40), at)
                await post(services, account, made)
        await agree(services, account, at)
    assert (await holds(services)).holds


async def test_the_same_entry_again_is_the_row_that_is_there(services: Services) -> None:
    ann = await add_person(services, "ann")
    await give_points(services, ann, 10)
    await give_points(services, ann, 10)
    assert await services.pool.fetchval("SELECT count(*) FROM point_entries") == 1
    with pytest.raises(Problem):
        await give_points(services, ann, 11)


async def test_entries_are_never_changed(services: Services) -> None:
    ann = await add_person(services, "ann")
    await give_points(services, ann, 10)
    for statement in ("UPDATE point_entries SET points = 99", "DELETE FROM point_entries", "TRUNCATE point_entries"):
        with pytest.raises(asyncpg.PostgresError):
            await services.pool.execute(statement)


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE point_entries SET points = 99 WHERE seq = 2", "entry 2"),
        ("UPDATE point_entries SET hash = prev_hash WHERE seq = 1", "entry 1"),
        ("DELETE FROM point_entries WHERE seq = 1", "entry 2"),
        ("DELETE FROM point_entries WHERE seq = 3", "balance"),
        ("DELETE FROM point_entries WHERE person = (SELECT min(person) FROM point_entries)", "no entry"),
        ("UPDATE point_balances SET balance = balance + 1", "balance"),
        ("DELETE FROM point_lots WHERE seq = 2", "lots"),
        ("UPDATE point_lots SET points_left = 1", "lots"),
    ],
)
async def test_tampering_is_found(services: Services, statement: str, word: str) -> None:
    for name in ("ann", "bob"):
        person = await add_person(services, name)
        for number in range(3):
            await give_points(services, person, 10, entry_id=f"earn:{number}")
    assert (await holds(services)).holds
    async with services.pool.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement)
        await connection.execute("SET session_replication_role = origin")
    found = await holds(services)
    assert word in found.broken, found
    async with services.pool.acquire() as connection:
        told = await verify(connection)
    assert not told.ok
    assert word in told.why


async def test_a_published_head_misses_what_was_cut_off(services: Services, clock: Any) -> None:
    people = [await add_person(services, name) for name in ("ann", "bob")]
    for person in people:
        await give_points(services, person, 10)
        await give_points(services, person, 10, entry_id="earn:2")
    clock.leap(days=1)
    assert (await worker.round_once(services))["heads"] == 1
    assert await worker.publish_head(services) == 0
    await give_points(services, people[0], 10, entry_id="earn:later")
    clock.leap(days=1)
    assert await worker.publish_head(services) == 1
    assert (await holds(services)).holds
    published = await book_check.heads(services.pool)
    assert [(one.accounts, one.entries) for one in published] == [(2, 5), (2, 4)]
    async with services.pool.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        for table in ("point_entries", "point_lots", "point_balances"):
            await connection.execute(f"DELETE FROM {table} WHERE person = $1", people[1])
        await connection.execute("SET session_replication_role = origin")
    found = await holds(services)
    assert "published" in found.broken


async def test_what_has_ended_expires(services: Services, clock: Any) -> None:
    ann = await add_person(services, "ann")
    await give_points(services, ann, 30)
    clock.leap(days=100)
    await give_points(services, ann, 40, entry_id="earn:2")
    clock.leap(days=700)
    done = await worker.round_once(services)
    assert done["expired"] == 1
    assert (await worker.round_once(services))["expired"] == 0
    row = await services.pool.fetchrow("SELECT balance, length FROM point_balances")
    assert (row["balance"], row["length"]) == (40, 3)
    assert (await holds(services)).holds
