"""Random days at the ledger, through the database: sums stay zero, no gram is used twice, the chain holds."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from cloud_sync.proofs.carbon_rows import UNITS, cover_of, retirement_of
from cloud_sync.server.carbon import book, corrections, lots, retirements
from cloud_sync.server.problems import Problem
from cloud_sync.server.store import Actor
from control.carbon.ledger import ZONE, Entry, EntryKind, Posting
from control.carbon.offsets import Cover, Debit, match, units_of, used_twice
from control.carbon.postings import Stamp, reversal_of, visit_account

FU, LIN = Actor("fu"), Actor("lin")
KINDS = ("car", "crane", "truck", "fire_engine", "motorcycle")


class Day:
    """One random day after the other, by a seed: a failing seed is a test of its own."""

    def __init__(self, ledger: Any, seed: int) -> None:
        self.ledger, self.random = ledger, random.Random(seed)
        self.visits: list[str] = []
        self.pending: list[str] = []
        self.serial = 1

    async def act(self) -> None:
        """Something that may or may not be allowed; what is refused changes nothing."""
        acts = (self.leave, self.leave, self.leave, self.revise, self.withdraw, self.buy, self.propose, self.decide)
        try:
            await self.random.choice((*acts, self.correct, self.take_back))()
        except Problem as refused:
            if refused.code not in ("too_few_units", "entry_refused", "not_found", "units_in_use", "not_pending"):
                raise

    async def leave(self) -> None:
        visit_id = f"v{len(self.visits):03}"
        self.visits.append(visit_id)
        kind = self.random.choice(KINDS)
        await self.ledger.visit(visit_id, days_ago=self.random.uniform(0, 600), vehicle_type=kind)
        if self.random.random() < 0.7:
            await self.ledger.turn()

    async def revise(self) -> None:
        if self.visits:
            await self.ledger.revise(self.random.choice(self.visits), vehicle_type=self.random.choice(KINDS))
            await self.ledger.turn()

    async def withdraw(self) -> None:
        if self.visits and self.random.random() < 0.3:
            now = self.ledger.given.clock()
            await self.ledger.revise(self.random.choice(self.visits), withdrawn_at=now, is_over=False)
            await self.ledger.turn()

    async def buy(self) -> None:
        tonnes = self.random.randint(1, 4)
        await self.ledger.buy(tonnes, first=self.serial)
        self.serial += tonnes

    async def propose(self) -> None:
        tonnes = self.random.randint(1, 2)
        self.pending.append(await retirements.propose(self.ledger.given, FU, tonnes=tonnes, cancelled_for="x"))

    async def decide(self) -> None:
        if self.pending:
            made = self.pending.pop(self.random.randrange(len(self.pending)))
            if self.random.random() < 0.8:
                await retirements.confirm(self.ledger.given, LIN, made, evidence="registry")
            else:
                await retirements.cancel(self.ledger.given, LIN, made, why="x")

    async def correct(self) -> None:
        if self.visits:
            grams = self.random.choice((-40_000, -900, 900, 40_000))
            await corrections.correct(
                self.ledger.given, FU, self.random.choice(self.visits), added_g=grams, why="counted again"
            )

    async def take_back(self) -> None:
        rows = await lots.listed(self.ledger.pool)
        if rows:
            await lots.take_back(self.ledger.given, FU, self.random.choice(rows).lot_id, why="typed wrongly")


async def check(ledger: Any) -> None:
    """What has to hold after anything."""
    balances = await ledger.balances()
    assert sum(balances.values()) == 0
    rows = await ledger.pool.fetch("SELECT * FROM covers WHERE freed_by IS NULL")
    assert used_twice([cover_of(row) for row in rows]) is None
    open_visits = await ledger.pool.fetchval("SELECT count(*) FROM visit_accounts WHERE covered_g < owed_g")
    assert not (open_visits and balances.get("retired", 0))
    proof = await book.verify(ledger.pool)
    assert proof.ok, proof


@pytest.mark.parametrize("seed", range(5))
async def test_random_days(ledger: Any, seed: int) -> None:
    day = Day(ledger, seed)
    for _ in range(45):
        await day.act()
        ledger.given.clock.leap(minutes=7)
    await ledger.turn()
    await check(ledger)


async def test_covering_in_steps_is_covering_at_once(ledger: Any) -> None:
    """What the tables hold after several retirements is what one matching of everything gives."""
    draw = random.Random(3)
    await ledger.buy(6)
    for number in range(40):
        await ledger.visit(f"v{number:02}", days_ago=40 - number, vehicle_type=draw.choice(KINDS))
        if number % 9 == 8:
            await ledger.turn()
        if number in (15, 30):
            await ledger.retire(1)
            ledger.given.clock.leap(minutes=5)
    await ledger.turn()
    pool = ledger.pool
    debits = [
        Debit(row["visit_id"], row["at"], row["owed_g"]) for row in await pool.fetch("SELECT * FROM visit_accounts")
    ]
    units = await pool.fetch(UNITS)
    whole = match(debits, units_of(retirement_of(row) for row in units))
    rows = await pool.fetch("SELECT * FROM covers")

    def grams(covers: list[Cover]) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in covers:
            found[one.visit_id] = found.get(one.visit_id, 0) + one.grams
        return found

    assert grams([cover_of(row) for row in rows]) == grams(list(whole.covers))


async def test_ten_writers_who_post_and_reverse(ledger: Any) -> None:
    now = ledger.given.clock()

    async def write(writer: int) -> None:
        draw = random.Random(writer)
        posted: list[Entry] = []
        for number in range(8):
            entry = _debit(f"{writer}-{number}", draw.randint(1, 900), now + timedelta(seconds=number))
            if posted and draw.random() < 0.4:
                original = posted.pop()
                stamp = Stamp(entry_id=f"r-{original.entry_id}", at=now, author="fu", reason="counted wrongly")
                entry = reversal_of(stamp, original)
            else:
                posted.append(entry)
            async with ledger.pool.acquire() as connection, connection.transaction():
                await book.post(connection, entry)

    await asyncio.gather(*(write(writer) for writer in range(10)))
    assert sum((await ledger.balances()).values()) == 0
    rows = await ledger.pool.fetch("SELECT seq, prev_hash, hash FROM ledger_entries ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, 81))
    assert all(later["prev_hash"] == earlier["hash"] for earlier, later in pairwise(rows))
    sums = await ledger.pool.fetch("SELECT account, sum(grams)::bigint AS grams FROM ledger_postings GROUP BY account")
    assert {row["account"]: row["grams"] for row in sums if row["grams"]} == await ledger.balances()


def _debit(name: str, grams: int, at: Any) -> Entry:
    postings = (Posting(visit_account(name), -grams), Posting(ZONE, grams))
    return Entry(entry_id=name, kind=EntryKind.VISIT_DEBIT, at=at, postings=postings, author="fu", reason="left")
