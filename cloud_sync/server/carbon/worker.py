"""What the ledger does by itself: owns posting visits as they end, publishing heads, proving the book, the medians.

A proof of a long book takes a minute of a processor, so that it runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import date, datetime, timedelta

import asyncpg
import structlog

from cloud_sync.proofs.__main__ import URL
from cloud_sync.proofs.carbon import verify
from cloud_sync.proofs.proof import Proof
from cloud_sync.server.carbon import book, visits
from cloud_sync.server.carbon.medians import keep_medians
from cloud_sync.server.services import Services
from control.domain.errors import IslandError

CHANNEL = "island_visits"
LISTENER = "island ledger"  # as the database lists the connection
TURN_S = 60.0
LOOK_BACK = timedelta(minutes=10)
PROVE_EVERY = timedelta(hours=1)
SMALL_ROWS = 5_000  # a book that is proven in a moment needs no process of its own

log = structlog.get_logger()


class ProofFailed(IslandError):
    """The process that proves a book did not say what it found."""


async def run(given: Services) -> None:
    """For ever: at every notice of a visit, and each minute; at its start everything is looked at once."""
    woken = asyncio.Event()
    named = {"application_name": LISTENER}
    listener = await asyncpg.connect(given.database_url, timeout=5.0, server_settings=named)
    try:
        await listener.add_listener(CHANNEL, lambda *_: woken.set())
        since: datetime | None = None
        while not listener.is_closed():
            woken.clear()
            began = given.clock()
            await turn(given, since=since)
            since = began - LOOK_BACK
            try:
                async with asyncio.timeout(TURN_S):
                    await woken.wait()
            except TimeoutError:
                await listener.execute("SELECT 1", timeout=5.0)
    finally:
        listener.terminate()


async def turn(given: Services, *, since: datetime | None = None) -> None:
    """One turn: visits, medians, the day's head, and a proof when the last one is an hour old or the book is young."""
    posted = await visits.turn(given, since=since)
    now = given.clock()
    await keep_medians(given.pool, now=now)
    await publish(given, now.astimezone(given.config.zone).date(), now)
    if await _due(given, now, posted=posted):
        await prove(given)


async def publish(given: Services, day: date, now: datetime) -> None:
    """The head of the book, once a day."""
    if await given.pool.fetchval("SELECT 1 FROM chain_heads WHERE book = $1 AND day = $2", book.BOOK_ID, day):
        return
    async with given.change() as connection:
        await book.publish_head(connection, day=day, at=now)


async def _due(given: Services, now: datetime, *, posted: int) -> bool:
    last = await given.pool.fetchrow(
        "SELECT at, rows FROM ledger_checks WHERE book = $1 ORDER BY check_id DESC LIMIT 1", book.BOOK_ID
    )
    if last is None or now - last["at"] >= PROVE_EVERY:
        return True
    return bool(posted) and last["rows"] < SMALL_ROWS


async def prove(given: Services) -> Proof:
    """Computes the whole book again and writes down what came of it."""
    length, _ = await book.head(given.pool)
    proof = await (verify(given.pool) if length < SMALL_ROWS else _elsewhere(given.database_url))
    await given.pool.execute(
        "INSERT INTO ledger_checks (book, at, rows, head_hash, broken_seq, why) VALUES ($1, $2, $3, $4, $5, $6)",
        proof.book,
        given.clock(),
        proof.rows,
        proof.head_hash,
        proof.broken_seq,
        proof.why,
    )
    if not proof.ok:
        log.error("ledger_broken", book=proof.book, row=proof.broken_seq, why=proof.why)
    return proof


async def _elsewhere(database_url: str) -> Proof:
    """In a process of its own, so that the pages go on; it ends with this task."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cloud_sync.proofs"),
        env={**os.environ, URL: database_url},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        told, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise ProofFailed(f"The proof of the ledger ended with status {child.returncode}; see the lines above.")
    return Proof(**json.loads(told))
