"""Applications in the database: owns loading one for a change, and writing it with its new lines and its terms.

Whoever loads one for a change holds its row until the transaction ends, so that steps follow one another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.live import Change as Announced
from cloud_sync.server.live import announce
from cloud_sync.server.permits import forms, history, terms
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor as Account
from cloud_sync.server.store import write_audit
from control.domain.plates import normalise
from control.permits.application import Application, Change, Status
from control.permits.rules import PermitRules, PermitRuleSet

_ENDED = frozenset({Status.REFUSED, Status.REVOKED, Status.EXPIRED})
# Which moment a step is, for lists and figures.
_MOMENTS = {
    "submit": "submitted_at",
    **dict.fromkeys(("return", "approve", "refuse", "grant_appeal", "reject_appeal"), "decided_at"),
}
_PUBLISHED_ANEW = frozenset({"approve", "grant_appeal", "undo_approval", "revoke"})


@dataclass(frozen=True, slots=True)
class Held:
    """An application with what is known of its row."""

    application: Application
    version: int
    published_at: datetime | None
    arrival_id: str | None
    redacted: bool


@dataclass(frozen=True, slots=True)
class Book:
    """The rules of permits with all their days, and the version that they are."""

    rows: PermitRuleSet
    version: str

    def of(self, application: Application, given: Services) -> PermitRules:
        """The rules for what may follow."""
        return history.rules_of(application, self.rows, now=given.clock(), zone=given.config.zone)


async def book(db: Reader) -> Book:
    """The newest book of rules."""
    rows = await rule_books.permit_rules(db)
    number = await db.fetchval("SELECT max(version) FROM rule_books WHERE book = 'permits'")
    return Book(rows, f"{number or 0}/{rows.version}")


async def held(connection: Any, application_id: str, *, lock: bool = True) -> Held | None:
    """One application, its row locked until the transaction ends."""
    wanted = "SELECT * FROM applications WHERE application_id = $1"
    row = await connection.fetchrow(f"{wanted} FOR UPDATE" if lock else wanted, application_id)
    if row is None:
        return None
    lines = await connection.fetch(
        "SELECT * FROM application_changes WHERE application_id = $1 ORDER BY number", application_id
    )
    return Held(
        application=application_of(row, lines),
        version=row["version"],
        published_at=row["published_at"],
        arrival_id=row["arrival_id"],
        redacted=row["redacted_at"] is not None,
    )


def application_of(row: Any, lines: list[Any]) -> Application:
    """The application that a row and its lines stand for."""
    return Application(
        application_id=row["application_id"],
        applicant_id=row["applicant_id"],
        form=forms.form_of(as_json(row["form"])),
        status=Status(row["status"]),
        approvals=tuple(forms.actor_of(one) for one in as_json(row["approvals"])),
        entries_used=row["entries_used"],
        entered_at=row["entered_at"],
        appeal=forms.appeal_of(as_json(row["appeal"])),
        copied_from=row["copied_from"],
        history=tuple(history.change_of(line) for line in lines),
    )


async def new_number(connection: Any, year: int) -> str:
    """The next number of a year; the year's row serialises whoever asks at the same time."""
    last = await connection.fetchval(
        "INSERT INTO application_numbers (year, last) VALUES ($1, 1)"
        " ON CONFLICT (year) DO UPDATE SET last = application_numbers.last + 1 RETURNING last",
        year,
    )
    return f"XK-{year}-{last:06d}"


async def insert(
    connection: Any, given: Services, application: Application, *, account: Account, arrival_id: str | None = None
) -> None:
    """A new application with its first line. `filed_by` is who made it."""
    line = application.history[0]
    at = given.clock()
    await connection.execute(
        "INSERT INTO applications (application_id, applicant_id, filed_by, status, form, plate, permit_class,"
        " entered_at, arrival_id, copied_from, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5::jsonb, '', $6, $7, $8, $9, $10, $10, 1)",
        application.application_id,
        application.applicant_id,
        line.by.person_id,
        application.status.value,
        "{}",
        application.form.permit_class.value,
        application.entered_at,
        arrival_id,
        application.copied_from,
        at,
    )
    await _write_line(connection, application.application_id, 1, line, history.beginning_of(application))
    await _write(connection, given, application, version=1, at=at)
    await _tell(connection, application, line, account, at=at, before=None)


async def save(
    connection: Any,
    given: Services,
    before: Held,
    after: Application,
    *,
    account: Account,
    details: Mapping[str, Any] | None = None,
    publish_at: datetime | None = None,
) -> None:
    """The application after one step, with its new line, its terms and its audit row.

    `publish_at` is when an approval goes out; without it, a pending one is taken back by what is undone or revoked.
    """
    at, line, version = given.clock(), after.history[-1], before.version + 1
    await _write_line(connection, after.application_id, version, line, details or {})
    await _write(connection, given, after, version=version, at=at)
    if after.status is not before.application.status:
        await connection.execute(
            "UPDATE applications SET ended_at = $2 WHERE application_id = $1",
            after.application_id,
            at if after.status in _ENDED else None,
        )
    if line.action in _MOMENTS:
        column = _MOMENTS[line.action]
        await connection.execute(
            f"UPDATE applications SET {column} = $2 WHERE application_id = $1", after.application_id, at
        )
    if line.action in _PUBLISHED_ANEW and line.before is not line.after:
        await connection.execute(
            "UPDATE applications SET publish_at = $2, published_at = NULL WHERE application_id = $1",
            after.application_id,
            publish_at,
        )
    await _tell(connection, after, line, account, at=at, before=before.application.status)


async def _write_line(
    connection: Any, application_id: str, number: int, line: Change, details: Mapping[str, Any]
) -> None:
    await connection.execute(
        "INSERT INTO application_changes (application_id, number, at, by, role, action, before, after, reason, remarks,"
        " fields, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, $12::jsonb)",
        application_id,
        number,
        line.at,
        line.by.person_id,
        line.by.role.value,
        line.action,
        line.before.value,
        line.after.value,
        line.reason,
        _json([{"field": one.field, "text": one.text} for one in line.remarks]),
        _json([{"field": one.field, "before": one.before, "after": one.after} for one in line.fields]),
        _json(details),
    )


async def _write(connection: Any, given: Services, application: Application, *, version: int, at: datetime) -> None:
    form, rules = application.form, await book(connection)
    await connection.execute(
        "UPDATE applications SET applicant_id = $2, status = $3, form = $4::jsonb, plate = $5, permit_class = $6,"
        " window_from = $7, window_until = $8, approvals = $9::jsonb, entries_used = $10, appeal = $11::jsonb,"
        " updated_at = $12, version = $13 WHERE application_id = $1",
        application.application_id,
        application.applicant_id,
        application.status.value,
        _json(forms.form_json(form)),
        normalise(form.plate),
        form.permit_class.value,
        form.window_from,
        form.window_until,
        _json([forms.actor_json(one) for one in application.approvals]),
        application.entries_used,
        None if application.appeal is None else _json(forms.appeal_json(application.appeal)),
        at,
        version,
    )
    await write_terms(connection, given, application, rules, look_at=at)


async def write_terms(
    connection: Any, given: Services, application: Application, rules: Book, *, look_at: datetime | None = None
) -> None:
    """Who has to act by when, and when the worker looks next: at `look_at`, or when time alone does something."""
    found = terms.of(application, rules.of(application, given), now=given.clock())
    due = found.due
    await connection.execute(
        "UPDATE applications SET due_at = $2, due_term = $3, due_of_office = $4, next_at = $5, rules_version = $6"
        " WHERE application_id = $1",
        application.application_id,
        None if due is None else due.due_at,
        None if due is None else due.term.value,
        None if due is None else due.of_office,
        look_at or found.next_at,
        rules.version,
    )


async def _tell(
    connection: Any, application: Application, line: Change, account: Account, *, at: datetime, before: Status | None
) -> None:
    """The audit row says what was done and which fields; what stood in them is in the history alone."""
    after: dict[str, Any] = {"status": application.status.value}
    if line.fields:
        after["fields"] = [one.field for one in line.fields]
    if line.action == "count_entries":
        after["entries_used"] = application.entries_used
    await write_audit(
        connection,
        at=at,
        actor=account,
        action=f"application_{line.action}",
        subject=("application", application.application_id),
        before=None if before is None else {"status": before.value},
        after=after,
        why=line.reason,
    )
    await announce(connection, [Announced("application", application.application_id)])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
