"""What happens to permits without a person: owns the turn of publishing, visits, terms, and when the next one is.

Everything that a turn does is read from the database and written in small transactions, so that a crash at any place is
made up for by the next turn, and two workers at once do no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import asyncpg

from cloud_sync.server.permits import applications, emergencies, outbox, publishing, reminding, visits
from cloud_sync.server.services import Services

LOOK_EVERY_S = 30.0
SOON_S = 0.05


async def turn(given: Services) -> None:
    """Once everything that is due now: visits, approvals to publish, drafts without an owner, terms."""
    while await visits.take_up(given) == visits.BATCH:
        pass
    await visits.close_unended(given)
    await publishing.publish_due(given)
    await emergencies.find_owners(given)
    while await reminding.look(given) >= reminding.BATCH:
        pass


async def run(given: Services) -> None:
    """For ever: a turn when something was put on the list or decided, when a term ends, and now and then."""
    wake = asyncio.Event()
    listener = await asyncpg.connect(given.database_url, timeout=5.0)
    try:
        for channel in (outbox.CHANNEL, applications.CHANNEL):
            await listener.add_listener(channel, lambda *_: wake.set())
        while not listener.is_closed():
            wake.clear()
            await turn(given)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(await _pause_s(given)):
                    await wake.wait()
    finally:
        listener.terminate()


async def _pause_s(given: Services) -> float:
    """Until the next approval goes out or the next term ends, and no longer than the slow look."""
    due: datetime | None = await given.pool.fetchval(
        "SELECT least((SELECT min(publish_at) FROM applications WHERE publish_at IS NOT NULL AND published_at IS NULL),"
        " (SELECT min(next_at) FROM applications WHERE next_at IS NOT NULL))"
    )
    if due is None:
        return LOOK_EVERY_S
    return min(max((due - given.clock()).total_seconds(), SOON_S), LOOK_EVERY_S)
