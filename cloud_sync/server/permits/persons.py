"""What permits hold about a person: owns the copy that they get, and what remains when their account is deleted.

An application that was handed in is evidence of an office's decision: it stays under the bare id until its retention is
over (PIPL art. 47 with the term of `permit_data`). So does an emergency entry, whose papers are still owed. Drafts,
vehicles and papers that belong to nothing go at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloud_sync.server.permits import forgetting
from cloud_sync.server.sql import Reader, as_json

ROWS_MAX = 10_000
_APPLICATIONS_SQL = (
    "SELECT application_id, status, form, appeal, entered_at, entries_used, created_at, submitted_at, decided_at"
    " FROM applications WHERE applicant_id = $1 ORDER BY application_id LIMIT $2"
)
_HISTORY_SQL = (
    "SELECT c.application_id, c.at, c.role, c.action, c.before, c.after, c.reason, c.remarks"
    " FROM application_changes c JOIN applications a USING (application_id) WHERE a.applicant_id = $1"
    " ORDER BY c.application_id, c.number LIMIT $2"
)
_PLAIN_SQL = {
    "vehicles": (
        "SELECT plate, plate_colour, vehicle_type, drive, emission_class, consumption_per_100km::text, name,"
        " created_at, confirmed_at FROM vehicles WHERE owner_id = $1 AND removed_at IS NULL ORDER BY plate LIMIT $2"
    ),
    "papers": (
        "SELECT u.sha256, d.media_type, d.size_bytes, u.at AS uploaded_at FROM document_uploads u"
        " JOIN documents d USING (sha256) WHERE u.user_id = $1 AND d.deleted_at IS NULL ORDER BY u.at LIMIT $2"
    ),
    "visits": (
        "SELECT v.visit_id, v.plate, v.application_id, v.gate_in, v.gate_out, v.entered_at, v.left_at, v.state, v.flags"
        " FROM visits v JOIN applications a USING (application_id) WHERE a.applicant_id = $1"
        " AND v.withdrawn_at IS NULL ORDER BY v.entered_at LIMIT $2"
    ),
}


async def collect(db: Reader, user_id: str) -> dict[str, Any]:
    """Applications with their history, vehicles, papers and visits of one person."""
    found: dict[str, Any] = {}
    rows = await db.fetch(_APPLICATIONS_SQL, user_id, ROWS_MAX)
    found["applications"] = [
        dict(row) | {"form": as_json(row["form"]), "appeal": as_json(row["appeal"])} for row in rows
    ]
    lines = await db.fetch(_HISTORY_SQL, user_id, ROWS_MAX)
    found["application_history"] = [dict(line) | {"remarks": as_json(line["remarks"])} for line in lines]
    for name, wanted in _PLAIN_SQL.items():
        found[name] = [dict(row) for row in await db.fetch(wanted, user_id, ROWS_MAX)]
    return found


async def erase(connection: Any, user_id: str, at: datetime) -> None:
    """Drafts, vehicles and uploads of an account that is deleted; what was decided stays under its bare id."""
    rows = await connection.fetch(
        "SELECT application_id FROM applications WHERE applicant_id = $1 AND submitted_at IS NULL"
        " AND entered_at IS NULL AND redacted_at IS NULL FOR UPDATE",
        user_id,
    )
    await forgetting.redact(connection, [row["application_id"] for row in rows], at)
    await connection.execute("DELETE FROM vehicles WHERE owner_id = $1", user_id)
    await connection.execute("DELETE FROM document_uploads WHERE user_id = $1", user_id)
