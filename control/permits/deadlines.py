"""Terms of an application: owns when each one ends, what is overdue, what to remind of, and what time itself does.

Everything is computed from the history at a given time; nothing is stored, so a changed rule changes open terms only
for who asks with the new rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from control.permits import rules as keys
from control.permits.application import LIVE, WITH_APPLICANT, Actor, Application, EntryKind, Role, Status
from control.permits.rules import PermitRules
from control.permits.transitions import Action, Step


class Term(StrEnum):
    """What has to be done in time, and whose it is."""

    REVIEW = "review"
    RESUBMIT = "resubmit"
    APPEAL = "appeal"
    APPEAL_REVIEW = "appeal_review"
    EMERGENCY_COMPLETION = "emergency_completion"


class ReminderKind(StrEnum):
    """What somebody is reminded of."""

    TERM_ENDS_SOON = "term_ends_soon"
    TERM_IS_OVER = "term_is_over"
    WINDOW_BEGINS_SOON = "window_begins_soon"
    WINDOW_ENDS_SOON = "window_ends_soon"
    FEW_ENTRIES_LEFT = "few_entries_left"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A term that runs now. `of_office` is true where the office has to act, false where the applicant has."""

    term: Term
    due_at: datetime
    of_office: bool

    def overdue(self, now: datetime) -> bool:
        """Whether the time is up."""
        return now > self.due_at


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing to tell one side. `key` is the same as long as it is the same reminder: it is sent once."""

    key: str
    kind: ReminderKind
    to_office: bool
    due_at: datetime | None
    term: Term | None = None
    entries_left: int | None = None


def deadlines(application: Application, rules: PermitRules) -> tuple[Deadline, ...]:
    """The terms that run in the application's state, the earliest first."""
    found = [made for make in _TERMS for made in [make(application, rules)] if made is not None]
    return tuple(sorted(found, key=lambda one: one.due_at))


def reminders(application: Application, now: datetime, rules: PermitRules) -> tuple[Reminder, ...]:
    """Every reminder that is due at `now`, in a fixed order. Which have been sent already is for the caller, by key."""
    due = [_of_term(application, one, now, rules) for one in deadlines(application, rules)]
    due += [_window_ends(application, now, rules), _window_begins(application, now, rules)]
    due.append(_entries(application, rules))
    return tuple(one for one in due if one is not None)


def due_step(application: Application, now: datetime, rules: PermitRules, *, system: str) -> Step | None:
    """What time alone does to an application now: begin, end, or let a returned one lapse; None if nothing."""
    form = application.form
    action: Action | None = None
    if application.status is Status.RETURNED:
        running = _since(application, Action.RETURN, keys.RESUBMIT_TERM, rules)
        action = Action.EXPIRE if running is not None and now > running else None
    elif application.status in (*LIVE, Status.USED_UP):
        if form.window_until is not None and now >= form.window_until:
            action = Action.EXPIRE
        elif application.status is Status.APPROVED and form.window_from is not None and now >= form.window_from:
            action = Action.ACTIVATE
    return None if action is None else Step(action=action, by=Actor(system, Role.SYSTEM), at=now)


def _since(application: Application, action: Action, term: str, rules: PermitRules) -> datetime | None:
    began = application.last(action.value)
    return None if began is None else began.at + rules.term(term)


def _made(status: Status, action: Action, term: Term, key: str, *, of_office: bool) -> _Maker:
    """A term that runs in one state from the action that led there."""

    def make(application: Application, rules: PermitRules) -> Deadline | None:
        ends = _since(application, action, key, rules) if application.status is status else None
        return None if ends is None else Deadline(term, ends, of_office)

    return make


def _appeal_open(application: Application, rules: PermitRules) -> Deadline | None:
    decided = {Status.REFUSED: Action.REFUSE, Status.REVOKED: Action.REVOKE}.get(application.status)
    if decided is None or application.appeal is not None:
        return None
    ends = _since(application, decided, keys.APPEAL_TERM, rules)
    return None if ends is None else Deadline(Term.APPEAL, ends, of_office=False)


def _completion(application: Application, rules: PermitRules) -> Deadline | None:
    """Runs from the gate until the papers are handed in."""
    if application.entered_at is None or application.status not in WITH_APPLICANT:
        return None
    ends = application.entered_at + rules.term(keys.EMERGENCY_COMPLETION)
    return Deadline(Term.EMERGENCY_COMPLETION, ends, of_office=False)


_Maker = Callable[[Application, PermitRules], Deadline | None]
_TERMS: tuple[_Maker, ...] = (
    _made(Status.SUBMITTED, Action.SUBMIT, Term.REVIEW, keys.REVIEW_TERM, of_office=True),
    _made(Status.RETURNED, Action.RETURN, Term.RESUBMIT, keys.RESUBMIT_TERM, of_office=False),
    _made(Status.APPEALED, Action.APPEAL, Term.APPEAL_REVIEW, keys.APPEAL_REVIEW_TERM, of_office=True),
    _appeal_open,
    _completion,
)

# An appeal is a right and no duty: nobody is told that it has been missed.
_NEVER_OVERDUE = frozenset({Term.APPEAL})


def _of_term(application: Application, deadline: Deadline, now: datetime, rules: PermitRules) -> Reminder | None:
    if deadline.overdue(now):
        kind = ReminderKind.TERM_IS_OVER
        if deadline.term in _NEVER_OVERDUE:
            return None
    elif now >= deadline.due_at - rules.term(keys.REMIND_BEFORE_TERM):
        kind = ReminderKind.TERM_ENDS_SOON
    else:
        return None
    key = _key(application, kind, deadline.term, deadline.due_at)
    return Reminder(key, kind, deadline.of_office, deadline.due_at, deadline.term)


def _window_ends(application: Application, now: datetime, rules: PermitRules) -> Reminder | None:
    until = application.form.window_until
    if until is None or application.status not in LIVE:
        return None
    return _window(application, ReminderKind.WINDOW_ENDS_SOON, until, rules.term(keys.REMIND_BEFORE_EXPIRY), now)


def _window_begins(application: Application, now: datetime, rules: PermitRules) -> Reminder | None:
    begins = application.form.window_from
    if begins is None or application.status is not Status.APPROVED:
        return None
    return _window(application, ReminderKind.WINDOW_BEGINS_SOON, begins, rules.term(keys.REMIND_BEFORE_TERM), now)


def _window(
    application: Application, kind: ReminderKind, edge: datetime, before: timedelta, now: datetime
) -> Reminder | None:
    if not edge - before <= now < edge:
        return None
    return Reminder(_key(application, kind, edge), kind, to_office=False, due_at=edge)


def _entries(application: Application, rules: PermitRules) -> Reminder | None:
    """Only where there were more entries to begin with: a single entry needs no counting down."""
    left = application.entries_left
    counted = application.form.entry_kind is EntryKind.COUNTED and application.status in LIVE
    if not counted or left is None or left > rules.count(keys.REMIND_ENTRIES_LEFT) or not application.entries_used:
        return None
    key = _key(application, ReminderKind.FEW_ENTRIES_LEFT)
    return Reminder(key, ReminderKind.FEW_ENTRIES_LEFT, to_office=False, due_at=None, entries_left=left)


def _key(application: Application, kind: ReminderKind, *more: Term | datetime) -> str:
    parts = (one.isoformat() if isinstance(one, datetime) else str(one) for one in more)
    return "/".join((application.application_id, kind.value, *parts))
