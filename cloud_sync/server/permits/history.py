"""The history of an application: owns its lines in the database, and the application that they add up to.

A line keeps what its step was made of, so that playing the steps again under the rules of their days gives the same
application: that is what makes the history complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from cloud_sync.server.permits import forms
from cloud_sync.server.sql import as_json
from control.domain.errors import IslandError
from control.permits.application import Actor, Application, Change, FieldChange, Remark, Role, Status
from control.permits.rules import PermitRules, PermitRuleSet
from control.permits.transitions import Action, Refused, Step, take

SYSTEM = Actor("system", Role.SYSTEM)
BEGINNINGS = frozenset({"create", "copy", "emergency_entry"})


class BrokenHistory(IslandError):
    """The lines do not add up to an application."""


def rules_of(application: Application, book: PermitRuleSet, *, now: datetime, zone: tzinfo) -> PermitRules:
    """The rules for what may follow: those of the local day on which the present state began."""
    since = application.state_since or now
    return rules_on(book, since.astimezone(zone).date())


def rules_on(book: PermitRuleSet, day: date) -> PermitRules:
    """The rules of a day; a gate whose clock is years behind names one on which there were none, and gets the first."""
    first: dict[str, date] = {}
    for row in book.rows:
        first[row.key] = min(row.valid_from, first.get(row.key, row.valid_from))
    return book.at(max(day, *first.values()))


def details_of(step: Step) -> dict[str, Any]:
    """What a step was made of beside what its line says anyway."""
    details: dict[str, Any] = {}
    if step.form is not None:
        details["form"] = forms.form_json(step.form)
    if step.evidence:
        details["evidence"] = [forms.paper_json(paper) for paper in step.evidence]
    if step.entries_used is not None:
        details["entries_used"] = step.entries_used
    if step.applicant_id:
        details["applicant_id"] = step.applicant_id
    if step.by.org_id:
        details["org_id"] = step.by.org_id
    return details


def beginning_of(application: Application) -> dict[str, Any]:
    """What the first line has to keep."""
    return {
        "form": forms.form_json(application.form),
        "applicant_id": application.applicant_id,
        "copied_from": application.copied_from,
        "entered_at": None if application.entered_at is None else application.entered_at.isoformat(),
    }


def change_of(row: Any) -> Change:
    """One line as the core knows it."""
    return Change(
        at=row["at"],
        by=Actor(row["by"], Role(row["role"])),
        action=row["action"],
        before=Status(row["before"]),
        after=Status(row["after"]),
        reason=row["reason"],
        remarks=tuple(Remark(**one) for one in as_json(row["remarks"])),
        fields=tuple(FieldChange(**one) for one in as_json(row["fields"])),
    )


def replayed(application_id: str, rows: Sequence[Any], book: PermitRuleSet, *, zone: tzinfo) -> Application:
    """The application after every line, in their order. Raises BrokenHistory naming the line that does not follow."""
    application = _begun(application_id, rows[0])
    for row in rows[1:]:
        step = _step_of(row)
        moved = take(application, step, rules_of(application, book, now=step.at, zone=zone))
        if isinstance(moved, Refused):
            raise BrokenHistory(f"{application_id} line {row['number']}: {step.action} is refused, {moved.why}")
        application = moved
    return application


def _begun(application_id: str, row: Any) -> Application:
    if row["action"] not in BEGINNINGS:
        raise BrokenHistory(f"{application_id} does not begin with its making but with {row['action']}")
    details = as_json(row["details"])
    entered_at = details["entered_at"]
    return Application(
        application_id=application_id,
        applicant_id=details["applicant_id"],
        form=forms.form_of(details["form"]),
        entered_at=None if entered_at is None else datetime.fromisoformat(entered_at),
        copied_from=details["copied_from"],
        history=(change_of(row),),
    )


def _step_of(row: Any) -> Step:
    details = as_json(row["details"])
    line = change_of(row)
    return Step(
        action=Action(line.action),
        by=Actor(line.by.person_id, line.by.role, details.get("org_id", "")),
        at=line.at,
        reason=line.reason,
        remarks=line.remarks,
        form=forms.form_of(details["form"]) if "form" in details else None,
        evidence=tuple(forms.paper_of(one) for one in details.get("evidence", ())),
        entries_used=details.get("entries_used"),
        applicant_id=details.get("applicant_id", ""),
    )
