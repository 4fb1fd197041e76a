"""The review desk in words: owns its tabs, queue, terms that press, the figures of today, and the toast that undoes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from cloud_sync.contract.look import plates
from cloud_sync.server.console import labels
from cloud_sync.server.console import permits_views as views
from cloud_sync.server.console.permits_labels import said, said_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.permits.desk import Pending, Today
from cloud_sync.server.permits.queries import ReviewCounts
from cloud_sync.server.permits.records import ApplicationRow, ReminderRecord
from control.permits import words as permit_words
from control.permits.deadlines import Term

# The states in which somebody's term runs out; an appeal that nobody has made is a right, and never overdue.
WAITING = frozenset({"draft", "submitted", "appealed", "returned"})
_OF_RETURNED = frozenset({Term.RESUBMIT, Term.EMERGENCY_COMPLETION})


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One application in the queue."""

    application_id: str
    chip: Markup
    title: str
    holder: str
    when: str
    soon: bool
    tag: str
    tag_tone: str


@dataclass(frozen=True, slots=True)
class TermLine:
    """A term that presses. `show` is the tab that its application stands in."""

    key: str
    application_id: str
    show: str
    plate: str
    what: str
    due: str
    is_overdue: bool
    is_seen: bool


@dataclass(frozen=True, slots=True)
class UndoToast:
    """An approval that can still be taken back."""

    application_id: str
    sentence: str
    left_s: int
    total_s: int


def tabs(words: Words, counts: ReviewCounts) -> list[tuple[str, str, int | None]]:
    """Key, name and number of each tab."""
    return [
        ("open", words.gettext("To review"), counts.open),
        ("returned", words.gettext("Waiting for correction"), counts.returned),
        ("done", words.gettext("Done"), None),
    ]


def queue(words: Words, rows: tuple[ApplicationRow, ...]) -> tuple[QueueLine, ...]:
    """The lines of one tab."""
    return tuple(_line(words, row) for row in rows)


def _line(words: Words, row: ApplicationRow) -> QueueLine:
    waiting = row.status in WAITING
    tag, tone = _tag(words, row)
    return QueueLine(
        application_id=row.application_id,
        chip=views.plate_chip(words, row.plate, row.plate_colour, "ps"),
        title=title(words, row),
        holder=row.holder or row.applicant_name,
        when=views.when(words, row.window_from) if waiting else decided(words, row),
        soon=waiting and views.is_soon(words, row.window_from),
        tag=tag,
        tag_tone=tone,
    )


def title(words: Words, row: ApplicationRow) -> str:
    """The vehicle, else what it is for."""
    if row.vehicle_type and row.vehicle_type != "unknown":
        return labels.label(words, "vehicle", row.vehicle_type)
    return row.purpose_text or said_of(words, permit_words.PURPOSES, row.purpose) or row.application_id


def decided(words: Words, row: ApplicationRow) -> str:
    """When it was decided."""
    return "" if row.decided_at is None else words.time(row.decided_at, seconds=False)


def _tag(words: Words, row: ApplicationRow) -> tuple[str, str]:
    """The one thing to know before opening it."""
    what = {"appealed": words.gettext("Appeal"), "draft": words.gettext("Emergency")}.get(row.status, "")
    if row.status in WAITING and row.due_at is not None and row.due_at < words.clock():
        overdue = words.gettext("Overdue")
        return f"{what} · {overdue}" if what else overdue, "refuse"
    if what:
        return what, "hold"
    if row.status != "submitted":
        return ("", "") if row.status == "returned" else (views.status(words, row.status), "plain")
    if row.approvals:
        return words.gettext("First approval given"), "permit"
    if row.permit_class == "emergency":
        return words.gettext("Emergency"), "hold"
    return (words.gettext("Sent again"), "plain") if row.was_returned else ("", "")


def terms(words: Words, found: Sequence[ReminderRecord]) -> tuple[TermLine, ...]:
    """Terms that press on the office: those that nobody has read first, each the earliest first."""
    lines = [_term(words, one) for one in found if one.term is not None]
    return tuple(sorted(lines, key=lambda line: line.is_seen))


def _term(words: Words, one: ReminderRecord) -> TermLine:
    return TermLine(
        key=one.key,
        application_id=one.application_id,
        show="returned" if one.term in _OF_RETURNED else "open",
        plate=plates.spoken(one.plate),
        what=said(words, (one.words.zh, one.words.en)),
        due=words.gettext("Due %(time)s") % {"time": words.time(one.due_at, seconds=False)},
        is_overdue=one.due_at is not None and one.due_at < words.clock(),
        is_seen=one.seen_at is not None,
    )


def sorted_line(words: Words, tab: str) -> str:
    """How the tab is sorted."""
    return {
        "open": words.gettext("By earliest entry"),
        "returned": words.gettext("By what is due first"),
    }.get(tab, words.gettext("By latest step"))


def empty_line(words: Words, tab: str) -> str:
    """What an empty tab says."""
    return {
        "open": words.gettext("Nothing waits to be reviewed."),
        "returned": words.gettext("Nothing waits for correction."),
    }.get(tab, words.gettext("Nothing was decided yet."))


def today_line(words: Words, today: Today) -> str:
    """How many were decided today, and half of them within how long."""
    if not today.decided or today.median_s is None:
        return words.gettext("None done today")
    text = words.gettext("%(n)s done today, half of them within %(time)s")
    return text % {"n": today.decided, "time": words.duration(today.median_s)}


def undo_toast(words: Words, found: Pending, *, now: datetime, total: timedelta) -> UndoToast:
    """What was approved, and how long it can be taken back."""
    text = words.gettext("Approved %(plate)s, issuing the pass")
    if not found.is_last:
        text = words.gettext("First approval of %(plate)s kept")
    return UndoToast(
        found.application_id,
        text % {"plate": plates.spoken(found.plate)},
        max(0, math.ceil((found.until - now).total_seconds())),
        math.ceil(total.total_seconds()),
    )
