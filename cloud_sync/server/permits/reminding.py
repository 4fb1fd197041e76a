"""What time does to applications: owns beginning, ending and lapsing, and the rows that remind people.

Reminders are computed from the history; a row says that one was made, and that it is over when it no longer holds.
"""

from __future__ import annotations

from typing import Any

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import access, history, storing
from cloud_sync.server.permits.storing import Book, Held
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor
from control.permits.application import Application, Status
from control.permits.deadlines import due_step, reminders
from control.permits.transitions import take

_ACCOUNT = Actor("system")
BATCH = 200
# Those whose moment has come, and those whose terms were computed with other rules.
_DUE_SQL = "SELECT application_id FROM applications WHERE next_at <= $1 ORDER BY next_at, application_id LIMIT $2"
_OLD_RULES_SQL = (
    "SELECT application_id FROM applications WHERE next_at IS NOT NULL AND rules_version <> $1"
    " ORDER BY application_id LIMIT $2"
)


async def look(given: Services) -> int:
    """Every application whose moment has come, each in a transaction of its own; how many there were."""
    rules = await storing.book(given.pool)
    rows = await given.pool.fetch(_DUE_SQL, given.clock(), BATCH)
    rows += await given.pool.fetch(_OLD_RULES_SQL, rules.version, BATCH)
    for application_id in dict.fromkeys(row["application_id"] for row in rows):
        async with given.change() as connection:
            await _look_at(connection, given, application_id)
    return len(rows)


async def _look_at(connection: Any, given: Services, application_id: str) -> None:
    held = await storing.held(connection, application_id)
    if held is None:
        return
    rules = await storing.book(connection)
    for _ in Status:  # what has begun may have ended already
        moved = await _stepped(connection, given, held, rules)
        if moved is None:
            break
        held = moved
    await _remind(connection, given, held.application, rules)
    await storing.write_terms(connection, given, held.application, rules)


async def _stepped(connection: Any, given: Services, held: Held, rules: Book) -> Held | None:
    """After one step that time alone takes; None when there is none. What is not out yet does not begin."""
    application = held.application
    if application.status is Status.APPROVED and held.published_at is None:
        return None
    of_day = rules.of(application, given)
    step = due_step(application, given.clock(), of_day, system=history.SYSTEM.person_id)
    moved = None if step is None else take(application, step, of_day)
    if step is None or not isinstance(moved, Application):
        return None
    await storing.save(connection, given, held, moved, account=_ACCOUNT, details=history.details_of(step))
    return await storing.held(connection, application.application_id)


async def _remind(connection: Any, given: Services, application: Application, rules: Book) -> None:
    now = given.clock()
    due = reminders(application, now, rules.of(application, given))
    await connection.executemany(
        "INSERT INTO reminders (reminder_key, application_id, kind, term, to_office, due_at, entries_left, made_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (reminder_key) DO UPDATE SET over_at = NULL,"
        " entries_left = excluded.entries_left",
        [
            (
                *(one.key, application.application_id, one.kind.value, one.term.value if one.term else None),
                *(one.to_office, one.due_at, one.entries_left, now),
            )
            for one in due
        ],
    )
    await connection.execute(
        "UPDATE reminders SET over_at = $3 WHERE application_id = $1 AND over_at IS NULL"
        " AND reminder_key <> ALL($2::text[])",
        application.application_id,
        [one.key for one in due],
        now,
    )


async def seen(given: Services, user: CurrentUser, key: str) -> None:
    """Writes down who read a reminder first. Raises Problem `not_found` for one that is not this person's."""
    found = await given.pool.fetchval(
        "UPDATE reminders r SET seen_at = coalesce(seen_at, $2), seen_by = coalesce(seen_by, $3) FROM applications a"
        " WHERE a.application_id = r.application_id AND r.reminder_key = $1"
        " AND CASE WHEN r.to_office OR a.applicant_id = '' THEN $4"
        "   ELSE a.applicant_id = ANY($5::text[]) END RETURNING r.reminder_key",
        key,
        given.clock(),
        user.user_id,
        user.may(Can.REVIEW),
        list(access.owners_of(user)),
    )
    if found is None:
        raise Problem("not_found")
