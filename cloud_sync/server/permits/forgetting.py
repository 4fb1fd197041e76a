"""How long permits stay: owns what the daily run forgets of applications, papers, visits and vehicles.

A decision stays for good: which number, when, who decided, from which state to which. What it says about a person and a
vehicle goes when the time is over for which it is evidence. Each kind has its dated row in `retention_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.permits import forms
from cloud_sync.server.services import Services
from cloud_sync.server.sql import in_list
from control.domain.permits import PermitClass
from control.permits.application import WITH_APPLICANT, Form

CHUNK = 500
KINDS = ("permit_data", "permit_drafts", "permit_papers", "loose_papers", "visit_plates", "removed_vehicles")

_ENDED_SQL = "SELECT application_id FROM applications WHERE redacted_at IS NULL AND ended_at < $1 LIMIT $2"
_LEFT_LYING_SQL = (
    f"SELECT application_id FROM applications WHERE redacted_at IS NULL AND status IN {in_list(WITH_APPLICANT)}"
    " AND updated_at < $1 LIMIT $2"
)
# A paper stays as long as one thing that it belongs to; one of the carbon book counts from when it was put there.
_OLD_PAPERS_SQL = """
SELECT d.sha256 FROM documents d WHERE d.deleted_at IS NULL AND EXISTS (
  SELECT 1 FROM document_uses u WHERE u.sha256 = d.sha256)
AND NOT EXISTS (
  SELECT 1 FROM document_uses u
  LEFT JOIN applications a ON u.kind = 'application' AND a.application_id = u.subject_id
  LEFT JOIN visits v ON u.kind = 'visit' AND v.visit_id = u.subject_id
  WHERE u.sha256 = d.sha256 AND coalesce(CASE u.kind
    WHEN 'application' THEN CASE WHEN a.redacted_at IS NOT NULL THEN '-infinity' ELSE a.ended_at END
    WHEN 'visit' THEN coalesce(v.left_at, v.entered_at, u.at)
    ELSE u.at END, 'infinity') >= $1)
LIMIT $2
"""
_LOOSE_PAPERS_SQL = """
SELECT d.sha256 FROM documents d WHERE d.deleted_at IS NULL AND d.stored_at < $1
AND NOT EXISTS (SELECT 1 FROM document_uses u WHERE u.sha256 = d.sha256)
AND NOT EXISTS (SELECT 1 FROM document_uploads u WHERE u.sha256 = d.sha256 AND u.at >= $1) LIMIT $2
"""


async def forget(given: Services, now: datetime, days: Mapping[str, int]) -> int:
    """One run by the rows that hold now; how many things were forgotten. Safe to repeat after a crash."""
    before = {what: now - timedelta(days=days[what]) for what in KINDS if what in days}
    count = 0
    for what, wanted in (("permit_data", _ENDED_SQL), ("permit_drafts", _LEFT_LYING_SQL)):
        if what in before:
            count += await _applications(given, wanted, before[what], now)
    for what, wanted in (("permit_papers", _OLD_PAPERS_SQL), ("loose_papers", _LOOSE_PAPERS_SQL)):
        if what in before:
            count += await _papers(given, wanted, before[what], now)
    if "visit_plates" in before:
        count += await _visits(given, before["visit_plates"], now)
    if "removed_vehicles" in before:
        done = await given.pool.execute("DELETE FROM vehicles WHERE removed_at < $1", before["removed_vehicles"])
        count += int(done.split()[-1])
    return count


async def _applications(given: Services, wanted: str, before: datetime, now: datetime) -> int:
    count = 0
    while True:
        async with given.change() as connection:
            rows = await connection.fetch(wanted, before, CHUNK)
            await redact(connection, [row["application_id"] for row in rows], now)
        count += len(rows)
        if len(rows) < CHUNK:
            return count


async def redact(connection: Any, application_ids: Sequence[str], now: datetime) -> None:
    """Takes out of these applications what tells about people and vehicles; what was done with them stays."""
    ids = list(application_ids)
    for permit_class in PermitClass:
        await connection.execute(
            "UPDATE applications SET form = $2::jsonb, plate = '', appeal = NULL, next_at = NULL,"
            " due_at = NULL, due_term = NULL, due_of_office = NULL, redacted_at = $3"
            " WHERE application_id = ANY($1::text[]) AND permit_class = $4",
            ids,
            forms.dumped(Form(permit_class=permit_class)),
            now,
            permit_class.value,
        )
    for statement in (
        "UPDATE application_changes SET reason = '', remarks = '[]', fields = '[]', details = '{}', redacted_at = $2"
        " WHERE application_id = ANY($1::text[]) AND redacted_at IS NULL",
        "UPDATE reminders SET over_at = coalesce(over_at, $2) WHERE application_id = ANY($1::text[])",
        "UPDATE permits SET plate = '', holder = '', revoked_why = left(revoked_why, 0), changed_at = $2"
        " WHERE permit_id = ANY($1::text[])",
    ):
        await connection.execute(statement, ids, now)
    await connection.execute(
        "UPDATE audit SET why = '' WHERE subject_kind IN ('application', 'permit') AND subject_id = ANY($1::text[])",
        ids,
    )


async def _papers(given: Services, wanted: str, before: datetime, now: datetime) -> int:
    """The row is locked while its file goes: the same paper handed in again at that moment is written again."""
    count = 0
    while True:
        rows = await given.pool.fetch(wanted, before, CHUNK)
        for row in rows:
            async with given.change() as connection:
                await connection.execute("UPDATE documents SET deleted_at = $2 WHERE sha256 = $1", row["sha256"], now)
                await given.permits.documents.remove(row["sha256"])
        count += len(rows)
        if len(rows) < CHUNK:
            return count


async def _visits(given: Services, before: datetime, now: datetime) -> int:
    """Plates of visits that are long over, and the passages that they were made of."""
    async with given.change() as connection:
        rows = await connection.fetch(
            "UPDATE visits SET plate = '', anonymised_at = $2, updated_at = $2 WHERE anonymised_at IS NULL AND is_over"
            " AND coalesce(left_at, entered_at) < $1 RETURNING entry_arrival, exit_arrival",
            before,
            now,
            timeout=300.0,
        )
        arrivals = [one for row in rows for one in (row["entry_arrival"], row["exit_arrival"]) if one is not None]
        await connection.execute(
            "DELETE FROM visit_passages WHERE arrival_id = ANY($1::text[]) OR (plate = '' AND at < $2)",
            arrivals,
            before,
            timeout=300.0,
        )
    return len(rows)
