"""What time does to points: owns the round of every minute (holds, expiry, unused codes, the island's events, heads).

One process does it at a time. Each person is a transaction of their own, so that a round may stop anywhere.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from cloud_sync.server.points import book, book_check, island_events, redemptions, reviews
from cloud_sync.server.points.parts import day_of, lock_person, midnight
from cloud_sync.server.services import Services
from control.points.ledger import Entry, PointsAccount

WORKER_LOCK = 7_301_017
ROUND_S = 60.0
PEOPLE_A_ROUND = 500
# Entries written just before midnight are committed by then.
HEAD_AFTER = timedelta(minutes=10)
CODES_KEPT = timedelta(days=1)
_AUTHOR, _WHY = "cloud", "their time is over"

log = structlog.get_logger()


async def run(given: Services) -> None:
    """For ever, a round each minute."""
    while True:
        done = await round_once(given)
        if any(done.values()):
            log.info("points_round", **done)
        await asyncio.sleep(ROUND_S)


async def round_once(given: Services) -> dict[str, int]:
    """One round; what was done, by name. Nothing where another process is at it."""
    async with given.change() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", WORKER_LOCK):
            return {}
        return {
            "released": await reviews.release_due(given),
            "returned": await redemptions.return_due(given),
            "expired": await expire_due(given),
            "collected": await island_events.collect(given),
            "heads": await publish_head(given),
            "codes_forgotten": await _forget_codes(given),
        }


async def expire_due(given: Services) -> int:
    """Writes the expiry of lots that have ended; how many people they were of."""
    due = await given.pool.fetch(
        "SELECT person FROM point_lots WHERE valid_until <= $1 GROUP BY person ORDER BY min(valid_until) LIMIT $2",
        *(given.clock(), PEOPLE_A_ROUND),
    )
    for one in due:
        async with given.change() as connection:
            await lock_person(connection, one["person"])
            await _expire(given, connection, one["person"])
    return len(due)


async def _expire(given: Services, connection: Any, person: str) -> None:
    now = given.clock()
    account = await book.account_of(connection, person)
    for due in account.expiries(now, author=_AUTHOR, reason=_WHY):
        about = due.about or ""

        def make(account: PointsAccount, at: Any, about: str = about) -> Entry:
            expiries = account.expiries(at, author=_AUTHOR, reason=_WHY)
            return next(one for one in expiries if one.about == about)

        await book.post(connection, person, now, make, ids=(about,))


async def publish_head(given: Services) -> int:
    """Publishes the head of everything before today, once a day."""
    now = given.clock()
    until = midnight(given, day_of(given, now))
    if now < until + HEAD_AFTER:
        return 0
    async with given.change() as connection:
        return int(await book_check.publish_head(connection, until, now) is not None)


async def _forget_codes(given: Services) -> int:
    """Codes that persons showed are forgotten a day after their end."""
    done = await given.pool.execute("DELETE FROM point_person_codes WHERE ends_at < $1", given.clock() - CODES_KEPT)
    return int(done.split()[-1])
