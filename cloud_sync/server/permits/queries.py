"""Reads of permits: owns the SQL over applications, their history, reminders and visits.

Pages and API call the same functions. An owner is a person's or an organisation's id (`access.owners_of`); without
owners everything is read, which is for staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from cloud_sync.server.permits import forms, history, storing
from cloud_sync.server.permits.records import (
    AppealRecord,
    ApplicationPage,
    ApplicationRecord,
    ApplicationRow,
    ApprovalRecord,
    ChangeRecord,
    DeadlineRecord,
    ReminderRecord,
    Words,
)
from cloud_sync.server.permits.where import Where
from cloud_sync.server.sql import Reader, as_json, in_list, like_pattern
from control.domain.plates import normalise
from control.permits import rules as keys
from control.permits.application import WITH_OFFICE, Application, EntryKind, Status
from control.permits.deadlines import ReminderKind, Term, deadlines
from control.permits.words import REMINDERS, TERMS

# Names are looked up for the rows that are shown alone. `applicant_name` is the person's or the organisation's;
# history and approvals name people alone.
_ROW_SQL = """
SELECT a.application_id, a.applicant_id, a.filed_by, a.status, a.form, a.plate, a.permit_class, a.window_from,
  a.window_until, a.approvals, a.entries_used, a.entered_at, a.due_at, a.due_term, a.due_of_office, a.submitted_at,
  a.decided_at, a.publish_at, a.published_at, a.created_at, a.updated_at, a.version, a.appeal, a.copied_from,
  coalesce(u.name, o.name, '') AS applicant_name,
  EXISTS (SELECT 1 FROM application_changes c WHERE c.application_id = a.application_id AND c.action = 'return')
    AS was_returned
FROM (SELECT * FROM applications a WHERE {where} ORDER BY {order} LIMIT {limit}) a
LEFT JOIN users u ON u.user_id = CASE WHEN a.applicant_id ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'
  THEN a.applicant_id::uuid END
LEFT JOIN organisations o ON o.org_id = a.applicant_id
ORDER BY {order}
"""
# Thrown away by its applicant, or left lying too long: an empty number, with nothing in it to show or to do.
_FORGOTTEN_DRAFT = "(a.status = 'draft' AND a.redacted_at IS NOT NULL)"
_OPEN = f"a.status IN {in_list(WITH_OFFICE)}"
_RETURNED = "(a.status = 'returned' OR (a.status = 'draft' AND a.entered_at IS NOT NULL))"
_TABS = {
    "open": (_OPEN, "a.window_from NULLS LAST, a.application_id"),
    "returned": (_RETURNED, "a.due_at NULLS LAST, a.application_id"),
    "done": (
        f"a.decided_at IS NOT NULL AND a.status NOT IN {in_list(WITH_OFFICE | {Status.RETURNED})}",
        "a.decided_at DESC",
    ),
}


@dataclass(frozen=True, slots=True)
class ReviewCounts:
    """How much waits, and how quick today was; `minutes_mean` is None before the first decision of the day."""

    open: int
    returned: int
    done_today: int
    minutes_mean: int | None


def as_fields(value: Any) -> list[dict[str, str]]:
    """The changed fields of one line."""
    found: list[dict[str, str]] = as_json(value)
    return found


async def listed(
    db: Reader,
    *,
    statuses: Sequence[str] = (),
    owners: tuple[str, ...] | None = None,
    plate: str = "",
    cursor: str | None = None,
    limit: int = 50,
) -> ApplicationPage:
    """Applications, the newest number first; `plate` may be partial."""
    where = Where(f"NOT {_FORGOTTEN_DRAFT}")
    if statuses:
        where.add("a.status = ANY({}::text[])", list(statuses))
    if owners is not None:
        where.add("a.applicant_id = ANY({}::text[])", list(owners))
    if plate:
        where.add("a.plate LIKE {}", f"%{like_pattern(normalise(plate))}%")
    if cursor is not None:
        where.add("a.application_id < {}", cursor)
    wanted = _ROW_SQL.format(where=where.text, order="a.application_id DESC", limit=limit + 1)
    rows = await db.fetch(wanted, *where.values)
    items = tuple(_row(row) for row in rows[:limit])
    return ApplicationPage(items, items[-1].application_id if len(rows) > limit else None)


async def applicant_of(db: Reader, application_id: str) -> str | None:
    """Whose an application is: empty while it is nobody's, None where there is none."""
    found: str | None = await db.fetchval(
        "SELECT applicant_id FROM applications WHERE application_id = $1", application_id
    )
    return found


async def reviews(db: Reader, *, tab: str = "open", limit: int = 200) -> tuple[ApplicationRow, ...]:
    """What the office works on: `open` and `returned` by what is due first, `done` with the newest decision first.

    An emergency entry whose papers are still to come waits for its applicant, as a returned one does.
    """
    where, order = _TABS[tab]
    rows = await db.fetch(_ROW_SQL.format(where=where, order=order, limit="$1"), limit)
    return tuple(_row(row) for row in rows)


async def review_counts(db: Reader, *, today_from: datetime) -> ReviewCounts:
    """The numbers beside the tabs."""
    row = await db.fetchrow(
        f"SELECT (SELECT count(*) FROM applications a WHERE {_OPEN}) AS open,"
        f" (SELECT count(*) FROM applications a WHERE {_RETURNED}) AS returned,"
        " (SELECT count(*) FROM applications WHERE decided_at >= $1) AS done_today,"
        " (SELECT round(extract(epoch FROM avg(decided_at - submitted_at)) / 60)::int FROM applications"
        "   WHERE decided_at >= $1 AND submitted_at <= decided_at) AS minutes_mean",
        today_from,
    )
    return ReviewCounts(**row)


def _row(row: Any) -> ApplicationRow:
    form = forms.form_of(as_json(row["form"]))
    seen = Application(application_id="", applicant_id="", form=form, entries_used=row["entries_used"])
    return ApplicationRow(
        application_id=row["application_id"],
        applicant_id=row["applicant_id"],
        applicant_name=row["applicant_name"],
        status=row["status"],
        plate=row["plate"],
        plate_colour=form.plate_colour.value,
        permit_class=row["permit_class"],
        entry_kind=form.entry_kind.value,
        vehicle_type=form.vehicle_type.value,
        purpose="" if form.purpose is None else form.purpose.value,
        purpose_text=form.purpose_text,
        holder=form.holder,
        gates=form.gates,
        window_from=row["window_from"],
        window_until=row["window_until"],
        entries_left=None if form.entry_kind is EntryKind.STANDING else seen.entries_left,
        is_emergency_entry=row["entered_at"] is not None,
        was_returned=row["was_returned"],
        approvals=len(as_json(row["approvals"])),
        due_at=row["due_at"],
        due_term=row["due_term"],
        due_of_office=row["due_of_office"],
        submitted_at=row["submitted_at"],
        decided_at=row["decided_at"],
        publish_at=row["publish_at"],
        published_at=row["published_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


async def application(db: Reader, application_id: str, *, now: datetime, zone: tzinfo) -> ApplicationRecord | None:
    """Everything about one application."""
    wanted = _ROW_SQL.format(where="a.application_id = $1", order="a.application_id", limit=1)
    row = await db.fetchrow(wanted, application_id)
    if row is None:
        return None
    lines = await db.fetch(
        "SELECT * FROM application_changes WHERE application_id = $1 ORDER BY number", application_id
    )
    known = storing.application_of(row, lines)
    book = await storing.book(db)
    rules = history.rules_of(known, book.rows, now=now, zone=zone)
    names = await _names(db, {row["filed_by"], *(line["by"] for line in lines)})
    return ApplicationRecord(
        row=_row(row),
        form=known.form,
        filed_by=row["filed_by"],
        filed_by_name=names.get(row["filed_by"], ""),
        approvals=tuple(
            ApprovalRecord(one.person_id, names.get(one.person_id, ""), one.role.value) for one in known.approvals
        ),
        approvals_needed=rules.count(keys.approvals_key(known.form.permit_class)),
        entries_used=known.entries_used,
        entries_max=known.entries_max,
        entries_left=known.entries_left,
        overused=known.overused,
        entered_at=known.entered_at,
        appeal=_appeal(known),
        copied_from=known.copied_from,
        created_at=row["created_at"],
        deadlines=tuple(
            DeadlineRecord(one.term.value, one.due_at, one.of_office, one.overdue(now), Words(*TERMS[one.term]))
            for one in deadlines(known, rules)
        ),
        history=tuple(_line(line, names) for line in lines),
        undo_until=row["publish_at"] if known.status is Status.APPROVED and row["published_at"] is None else None,
    )


def _appeal(known: Application) -> AppealRecord | None:
    found = known.appeal
    if found is None:
        return None
    evidence = tuple(paper.sha256 for paper in found.evidence)
    return AppealRecord(found.at, found.by.person_id, found.reason, found.against.value, evidence)


def _line(row: Any, names: dict[str, str]) -> ChangeRecord:
    return ChangeRecord(
        number=row["number"],
        at=row["at"],
        by=row["by"],
        by_name=names.get(row["by"], ""),
        role=row["role"],
        action=row["action"],
        before=row["before"],
        after=row["after"],
        reason=row["reason"],
        remarks=tuple(as_json(row["remarks"])),
        fields=tuple(as_json(row["fields"])),
    )


async def _names(db: Reader, ids: set[str]) -> dict[str, str]:
    """Names of people by id; the system has none."""
    people = [one for one in ids if one != history.SYSTEM.person_id]
    rows = await db.fetch("SELECT user_id::text, name FROM users WHERE user_id = ANY($1::text[]::uuid[])", people)
    return {row["user_id"]: row["name"] for row in rows}


# ---------------------------------------------------------------- reminders


async def reminders(
    db: Reader, *, owners: tuple[str, ...] = (), office: bool = False, limit: int = 100
) -> tuple[ReminderRecord, ...]:
    """What has to be acted upon, the earliest first: by the office, or by these owners.

    What nobody owns yet, as an emergency entry before it is assigned, is the office's.
    """
    rows = await db.fetch(
        "SELECT r.*, a.plate FROM reminders r JOIN applications a USING (application_id) WHERE r.over_at IS NULL"
        " AND CASE WHEN $1 THEN r.to_office OR a.applicant_id = ''"
        "   ELSE NOT r.to_office AND a.applicant_id = ANY($2::text[]) END"
        " ORDER BY r.due_at NULLS LAST, r.reminder_key LIMIT $3",
        office,
        list(owners),
        limit,
    )
    return tuple(_reminder(row) for row in rows)


def _reminder(row: Any) -> ReminderRecord:
    what = REMINDERS[ReminderKind(row["kind"])]
    term = TERMS[Term(row["term"])] if row["term"] else None
    told = what if term is None else (f"{term[0]}：{what[0]}", f"{term[1]}: {what[1]}")
    return ReminderRecord(
        key=row["reminder_key"],
        application_id=row["application_id"],
        plate=row["plate"],
        kind=row["kind"],
        term=row["term"],
        to_office=row["to_office"],
        due_at=row["due_at"],
        entries_left=row["entries_left"],
        made_at=row["made_at"],
        seen_at=row["seen_at"],
        words=Words(*told),
    )
