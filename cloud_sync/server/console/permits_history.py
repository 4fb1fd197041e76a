"""The history of an application as the desk tells it: owns the sentence of each step, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cloud_sync.server.console import labels
from cloud_sync.server.console import permits_views as views
from cloud_sync.server.console.permits_labels import STEP_TONES, STEPS, class_name, field_name, said, said_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.permits.records import ApplicationRecord, ApplicationRow, ChangeRecord, DeadlineRecord
from control.permits import words as permit_words


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the history."""

    at: str
    title: str
    text: str = ""
    tone: str = ""
    remarks: tuple[tuple[str, str], ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()


def history(
    words: Words, record: ApplicationRecord, *, automatic: str = "", now_line: tuple[str, str] | None = None
) -> tuple[Moment, ...]:
    """The steps, the earliest first; the automatic check stands after the last submission, and what is due at the end.

    Once it was handed in, its beginning says nothing more. `now_line` is what is waited for, and until when.
    """
    handed_in = any(change.action == "submit" for change in record.history)
    told = [one for one in record.history if not (handed_in and one.action == "create")]
    found = [_moment(words, record, change) for change in told]
    submitted = [at for at, change in enumerate(told) if change.action == "submit"]
    if submitted:
        at = submitted[-1]
        found[at] = replace(found[at], text=views.papers_line(words, len(record.form.papers)))
        if automatic:
            found.insert(at + 1, Moment(found[at].at, words.gettext("Automatic check"), automatic))
    if now_line is not None:
        found.append(Moment(words.gettext("now"), *now_line, tone="now"))
    return tuple(found)


def _moment(words: Words, record: ApplicationRecord, change: ChangeRecord) -> Moment:
    step = words.gettext(STEPS[change.action]) if change.action in STEPS else f"%(who)s {change.action}"
    return Moment(
        at=words.time(change.at, seconds=False),
        title=step % {"who": who(words, record.row, change)},
        text=views.quoted(words, change.reason) if change.action != "copy" else change.reason,
        tone=STEP_TONES.get(change.action, ""),
        remarks=tuple((field_name(words, one["field"]), one["text"]) for one in change.remarks),
        changes=tuple(_changed(words, one) for one in change.fields),
    )


def _changed(words: Words, one: Mapping[str, str]) -> tuple[str, str, str]:
    name = one["field"]
    return (
        field_name(words, name),
        shown_value(words, name, one.get("before", "")),
        shown_value(words, name, one.get("after", "")),
    )


def who(words: Words, row: ApplicationRow, change: ChangeRecord) -> str:
    """A person's name, else as whom they acted. The applicant's stands with the application."""
    own = row.applicant_name if change.role in ("driver", "organisation") else ""
    return change.by_name or own or said_of(words, permit_words.ROLES, change.role)


_VALUE_TABLES = {
    "purpose": permit_words.PURPOSES,
    "drive": permit_words.DRIVES,
    "entry_kind": permit_words.ENTRY_KINDS,
}
_LABEL_TABLES = {"plate_colour": "colour", "permit_class": "permit_class", "vehicle_type": "vehicle"}


def shown_value(words: Words, field: str, text: str) -> str:
    """A field's value in the history, as people read it."""
    if not text:
        return ""
    if field in _VALUE_TABLES:
        return said_of(words, _VALUE_TABLES[field], text)
    if field in _LABEL_TABLES:
        return labels.label(words, _LABEL_TABLES[field], text)
    if field == "emission_class":
        return class_name(words, text)
    if field in ("window_from", "window_until"):
        return words.time(datetime.fromisoformat(text), seconds=False)
    if field == "papers":
        kinds = [one.split()[0] for one in text.split(", ")]
        return ", ".join(said_of(words, permit_words.PAPER_KINDS, kind) for kind in kinds)
    return text


def deadline_line(words: Words, due: DeadlineRecord) -> str:
    """Until when something has to be done, or that it should have been."""
    text = words.gettext("%(term)s overdue since %(time)s") if due.overdue else words.gettext("%(term)s %(time)s")
    return text % {"term": said(words, (due.words.zh, due.words.en)), "time": words.time(due.due_at, seconds=False)}


def counted_marks(words: Words, marks: Sequence[str]) -> str:
    """How many checks passed, and how many point at something."""
    passed = sum(one == "good" for one in marks)
    pointed = sum(one in ("warn", "bad") for one in marks)
    first = words.ngettext("%(num)s check passed", "%(num)s checks passed", passed) % {"num": passed}
    if not pointed:
        return first
    second = words.ngettext("%(num)s points at something", "%(num)s point at something", pointed) % {"num": pointed}
    return f"{first}{'，' if words.language == 'zh' else ', '}{second}"
