"""What the review desk looks up beside an application: owns today's figures, what can still be taken back, whose
account and papers are meant, and how the visits of a vehicle stand in the carbon book. Only reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.sql import Reader, in_list
from control.domain.plates import normalise
from control.permits.application import WITH_OFFICE, Paper, Status

EARLIER_ROWS = 3


@dataclass(frozen=True, slots=True)
class Today:
    """Applications that the office decided since the day began; `median_s` from hand-in, None without any."""

    decided: int
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Pending:
    """An approval whose seconds still run until `until`. `is_last` is false where another person has to approve too."""

    application_id: str
    plate: str
    until: datetime
    is_last: bool


@dataclass(frozen=True, slots=True)
class VisitCarbon:
    """How a visit stands in the carbon book. `problem` says why there is no figure; `tier` is 1 to 4."""

    owed_g: int
    covered_g: int
    tier: int | None
    problem: str

    @property
    def covered(self) -> bool:
        """Whether nothing of it is left to be offset."""
        return self.covered_g >= self.owed_g


@dataclass(frozen=True, slots=True)
class VisitBeside:
    """The arrival of a visit's exit and its place in the carbon book, as far as they are known."""

    exit_arrival: str | None
    carbon: VisitCarbon | None


@dataclass(frozen=True, slots=True)
class EarlierVisit:
    """One visit of a vehicle that began before. `carbon` is None until something was computed."""

    visit_id: str
    at: datetime
    state: str
    purpose: str
    purpose_text: str
    carbon: VisitCarbon | None


async def today(db: Reader, since: datetime) -> Today:
    """What was decided since `since`, and half of it within how long."""
    row = await db.fetchrow(
        "SELECT count(*) AS decided, percentile_cont(0.5) WITHIN GROUP (ORDER BY"
        " extract(epoch FROM decided_at - submitted_at))::float8 AS median_s"
        " FROM applications WHERE decided_at >= $1 AND submitted_at IS NOT NULL AND decided_at >= submitted_at",
        since,
    )
    assert row is not None
    return Today(row["decided"], row["median_s"])


async def pending(db: Reader, person_id: str, *, now: datetime, undo: timedelta) -> Pending | None:
    """This person's latest approval that can still be taken back, `undo` after it was given."""
    row = await db.fetchrow(
        "SELECT application_id, plate, decided_at, status FROM applications WHERE decided_at > $2"
        f" AND status IN {in_list(WITH_OFFICE | {Status.APPROVED})} AND published_at IS NULL"
        " AND approvals -> -1 ->> 'person_id' = $1 ORDER BY decided_at DESC LIMIT 1",
        person_id,
        now - undo,
    )
    if row is None:
        return None
    return Pending(row["application_id"], row["plate"], row["decided_at"] + undo, row["status"] == "approved")


async def applicant_named(db: Reader, username: str) -> str | None:
    """As whom an account applies: a member for the organisation, anybody else for themselves. None if nobody."""
    row = await db.fetchrow(
        "SELECT user_id::text AS user_id, org_id, role FROM users WHERE username = $1 AND enabled", username
    )
    if row is None:
        return None
    return str(row["org_id"] if row["role"] == "organisation" and row["org_id"] else row["user_id"])


async def papers_known(db: Reader, sha256s: Sequence[str]) -> tuple[Paper, ...]:
    """Stored documents by hash, with their type and size."""
    rows = await db.fetch(
        "SELECT sha256, media_type, size_bytes FROM documents WHERE sha256 = ANY($1::text[]) AND deleted_at IS NULL",
        list(sha256s),
    )
    known = {row["sha256"]: row for row in rows}
    return tuple(
        Paper(sha256, "other", known[sha256]["media_type"], known[sha256]["size_bytes"])
        for sha256 in sha256s
        if sha256 in known
    )


async def last_application(db: Reader, plate: str) -> str | None:
    """The newest application of a plate."""
    found: str | None = await db.fetchval(
        "SELECT application_id FROM applications WHERE plate = $1 ORDER BY application_id DESC LIMIT 1", plate
    )
    return found


async def earlier_visits(db: Reader, plate: str) -> tuple[int, tuple[EarlierVisit, ...]]:
    """How often the vehicle was here, and its latest visits with their figures."""
    text = normalise(plate)
    if not text:
        return 0, ()
    count = await db.fetchval("SELECT count(*) FROM visits WHERE plate = $1 AND withdrawn_at IS NULL", text)
    rows = await db.fetch(
        "SELECT v.visit_id, coalesce(v.entered_at, v.left_at) AS at, v.state, a.form ->> 'purpose' AS purpose,"
        " a.form ->> 'purpose_text' AS purpose_text, c.owed_g, c.covered_g, c.tier, c.problem"
        " FROM visits v LEFT JOIN applications a USING (application_id) LEFT JOIN visit_accounts c USING (visit_id)"
        " WHERE v.plate = $1 AND v.withdrawn_at IS NULL ORDER BY coalesce(v.entered_at, v.left_at) DESC LIMIT $2",
        text,
        EARLIER_ROWS,
    )
    return int(count or 0), tuple(_earlier(row) for row in rows)


def _earlier(row: Any) -> EarlierVisit:
    return EarlierVisit(
        row["visit_id"],
        row["at"],
        row["state"],
        row["purpose"] or "",
        row["purpose_text"] or "",
        None if row["owed_g"] is None else _carbon(row),
    )


async def beside_visits(db: Reader, visit_ids: Sequence[str]) -> dict[str, VisitBeside]:
    """Where these visits ended, and how they stand in the carbon book."""
    rows = await db.fetch(
        "SELECT v.visit_id, v.exit_arrival, c.owed_g, c.covered_g, c.tier, c.problem"
        " FROM visits v LEFT JOIN visit_accounts c USING (visit_id) WHERE v.visit_id = ANY($1::text[])",
        list(visit_ids),
    )
    return {
        row["visit_id"]: VisitBeside(row["exit_arrival"], None if row["owed_g"] is None else _carbon(row))
        for row in rows
    }


def _carbon(row: Any) -> VisitCarbon:
    return VisitCarbon(row["owed_g"], row["covered_g"], row["tier"], row["problem"])
