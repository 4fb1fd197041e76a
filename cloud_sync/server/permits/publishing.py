"""From an approved application to the permit that the gates hold: owns publishing, taking back, and what is left.

A permit goes out when the seconds are over in which its approval can be taken back. What is left of its entries is the
most less what visits used, as a total: counting again changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloud_sync.server.permits import history, storing
from cloud_sync.server.permits.vehicles import confirm_by_approval
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, new_snapshot
from control.domain.plates import normalise
from control.permits.application import LIVE, Application, Status, permit_of
from control.permits.transitions import Action, Step, take

SYSTEM_ACCOUNT = Actor("system")
_DUE_SQL = (
    "SELECT application_id FROM applications WHERE publish_at <= $1 AND published_at IS NULL"
    " ORDER BY publish_at, application_id LIMIT 100"
)


async def publish_due(given: Services) -> int:
    """Publishes every approval whose seconds are over, each in a transaction of its own; how many there were."""
    due = await given.pool.fetch(_DUE_SQL, given.clock())
    for row in due:
        async with given.change() as connection:
            await _publish(connection, given, row["application_id"])
    return len(due)


async def _publish(connection: Any, given: Services, application_id: str) -> None:
    """Looks again under the lock: the approval may have been taken back, or another worker was quicker."""
    held, now = await storing.held(connection, application_id), given.clock()
    if held is None or held.published_at is not None or held.application.status not in LIVE:
        return
    application = held.application
    await connection.execute(
        "UPDATE applications SET published_at = $2, publish_at = NULL, next_at = $2 WHERE application_id = $1",
        application_id,
        now,
    )
    await _write_permit(connection, application, now)
    await confirm_by_approval(connection, application.applicant_id, normalise(application.form.plate), now)
    await recount(connection, given, [application_id])
    await new_snapshot(connection, now, SYSTEM_ACCOUNT, f"permit {application_id} published")


async def _write_permit(connection: Any, application: Application, now: datetime) -> None:
    """An appeal that was granted gives the same permit again."""
    permit, by = permit_of(application), application.approvals[-1].person_id
    assert permit is not None
    await connection.execute(
        "INSERT INTO permits (permit_id, plate, permit_class, valid_from, valid_until, gates, entries_left,"
        " entries_max, vehicle_type, holder, created_at, changed_at, created_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $10,"
        "   coalesce((SELECT username FROM users WHERE user_id = $11::text::uuid), ''))"
        " ON CONFLICT (permit_id) DO UPDATE SET revoked_at = NULL, revoked_by = NULL, revoked_why = NULL,"
        " changed_at = excluded.changed_at, plate = excluded.plate, permit_class = excluded.permit_class,"
        " valid_from = excluded.valid_from, valid_until = excluded.valid_until, gates = excluded.gates,"
        " entries_left = excluded.entries_left, entries_max = excluded.entries_max,"
        " vehicle_type = excluded.vehicle_type, holder = excluded.holder",
        permit.permit_id,
        permit.plate,
        permit.permit_class.value,
        permit.valid_from,
        permit.valid_until,
        sorted(permit.gates),
        application.entries_max,
        permit.vehicle_type,
        permit.holder,
        now,
        by,
    )


async def take_back(connection: Any, given: Services, application_id: str, *, account: Actor, why: str) -> None:
    """Ends a permit at the gates, before everything else that goes down. One that is not out yet never goes."""
    now = given.clock()
    row = await connection.fetchrow(
        "UPDATE permits SET revoked_at = $2, changed_at = $2, revoked_by = $3, revoked_why = $4"
        " WHERE permit_id = $1 AND revoked_at IS NULL RETURNING permit_id",
        application_id,
        now,
        account.username,
        why,
    )
    if row is not None:
        await new_snapshot(connection, now, account, f"permit {application_id} revoked", urgent=True)


async def recount(connection: Any, given: Services, permit_ids: list[str]) -> bool:
    """Entries of these permits and applications from visits, as totals; whether what the gates hold has changed."""
    changed = False
    for permit_id in sorted(permit_ids):
        used = await connection.fetchval(
            "SELECT count(*) FROM visits WHERE withdrawn_at IS NULL AND entry_arrival IS NOT NULL"
            " AND (application_id = $1 OR permit_id = $1)",
            permit_id,
        )
        await _count_on_application(connection, given, permit_id, used)
        row = await connection.fetchrow(
            "UPDATE permits SET entries_left = greatest(0, entries_max - $2), changed_at = $3 WHERE permit_id = $1"
            " AND entries_max IS NOT NULL"
            " AND entries_left <> greatest(0, entries_max - $2) RETURNING permit_id",
            permit_id,
            used,
            given.clock(),
        )
        changed = changed or row is not None
    return changed


async def _count_on_application(connection: Any, given: Services, application_id: str, used: int) -> None:
    """A permit that is not out yet has no entries to count; its publishing counts."""
    held = await storing.held(connection, application_id)
    if held is None or held.application.entries_used == used:
        return
    if held.application.status is Status.APPROVED and held.published_at is None:
        return
    step = Step(action=Action.COUNT_ENTRIES, by=history.SYSTEM, at=given.clock(), entries_used=used)
    rules = (await storing.book(connection)).of(held.application, given)
    moved = take(held.application, step, rules)
    if isinstance(moved, Application) and moved is not held.application:
        details = history.details_of(step)
        await storing.save(connection, given, held, moved, account=SYSTEM_ACCOUNT, details=details)
