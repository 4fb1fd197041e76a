"""Events in the book: owns the debit of an event, taking it back, and how far it is covered.

What an event emitted is decided elsewhere; its own retirement covers it, in `retirements`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_sync.server.carbon import book, settling
from control.carbon.postings import Stamp, event_account, event_debit, event_subject, reversal_of


@dataclass(frozen=True, slots=True)
class EventState:
    """What an event owes and what covers it, whole grams; `neutralised_at` once its last gram is covered."""

    owed_g: int
    covered_g: int
    neutralised_at: datetime | None


async def post_event(
    connection: Any, event_id: str, grams: int, *, at: datetime, author: str, reason: str, evidence: str = ""
) -> str:
    """The event owes `grams` from now on; the entry's id. Raises NotPosted for nothing, EntryRefused."""
    await book.lock(connection)
    number = 1 + await _debits(connection, event_id)
    stamp = Stamp(entry_id=f"debit:{event_subject(event_id)}:{number}", at=at, author=author, reason=reason)
    await book.post(connection, event_debit(stamp, event_id, grams, evidence=evidence))
    return stamp.entry_id


async def reverse_event(connection: Any, event_id: str, *, at: datetime, author: str, reason: str) -> bool:
    """Takes the event's debit back; what covered it joins the pool. Whether there was one."""
    await book.lock(connection)
    subject = event_subject(event_id)
    number = await _debits(connection, event_id)
    entry_id = f"debit:{subject}:{number}"
    posted = await book.entry_of(connection, entry_id)
    if posted is None or await book.reversed_by(connection, entry_id):
        return False
    await settling.release(connection, subject, at=at, author=author, reason=reason)
    stamp = Stamp(entry_id=f"reverse:{entry_id}", at=at, author=author, reason=reason)
    await book.post(connection, reversal_of(stamp, posted.entry))
    await settling.settle(connection, at=at)
    return True


async def event_state(db: Any, event_id: str) -> EventState:
    """How far an event is covered."""
    subject = event_subject(event_id)
    open_g = -await book.balance_g(db, event_account(event_id))
    row = await db.fetchrow(
        "SELECT coalesce(sum(to_g - from_g), 0)::bigint AS covered_g, max(at) AS at FROM covers"
        " WHERE visit_id = $1 AND freed_by IS NULL",
        subject,
    )
    whole = open_g == 0 and row["covered_g"] > 0
    return EventState(open_g + row["covered_g"], row["covered_g"], row["at"] if whole else None)


async def _debits(db: Any, event_id: str) -> int:
    return int(
        await db.fetchval(
            "SELECT count(*) FROM ledger_postings p JOIN ledger_entries e USING (seq)"
            " WHERE p.account = $1 AND e.kind = 'event_debit'",
            event_subject(event_id),
        )
    )
