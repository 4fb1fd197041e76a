"""Terms and reminders: when each begins and ends, and what time alone does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from control.permits.application import Actor, Application, EntryKind, Remark, Role, Status, emergency_entry
from control.permits.deadlines import ReminderKind, Term, deadlines, due_step, reminders
from control.permits.rules import PermitRules
from control.permits.transitions import Action, Step, take

DRIVER, REVIEWER, OTHER = Actor("driver", Role.DRIVER), Actor("r", Role.REVIEWER), Actor("a", Role.APPROVER)


@pytest.fixture(scope="session")
def course(draft: Application, rules: PermitRules, now: datetime) -> Any:
    """The application after some actions, one hour apart."""

    def make(*actions: Action) -> Application:
        application = draft
        for hour, action in enumerate(actions):
            by = {Action.SUBMIT: DRIVER, Action.APPEAL: DRIVER, Action.REVOKE: OTHER}.get(action, REVIEWER)
            step = Step(
                action=action, by=by, at=now + timedelta(hours=hour), reason="x", remarks=(Remark("plate", "?"),)
            )
            moved = take(application, step, rules)
            assert isinstance(moved, Application)
            application = moved
        return application

    return make


@pytest.mark.parametrize(
    ("actions", "term", "due_h", "of_office"),
    [
        ((Action.SUBMIT,), Term.REVIEW, 72, True),
        ((Action.SUBMIT, Action.RETURN), Term.RESUBMIT, 1 + 14 * 24, False),
        ((Action.SUBMIT, Action.REFUSE), Term.APPEAL, 1 + 28 * 24, False),
        ((Action.SUBMIT, Action.APPROVE, Action.REVOKE), Term.APPEAL, 2 + 28 * 24, False),
        ((Action.SUBMIT, Action.REFUSE, Action.APPEAL), Term.APPEAL_REVIEW, 2 + 14 * 24, True),
    ],
)
def test_each_term_and_its_reminders(
    course: Any, rules: PermitRules, now: datetime, actions: tuple[Action, ...], term: Term, due_h: int, of_office: bool
) -> None:
    application = course(*actions)
    (running,) = deadlines(application, rules)
    due_at = now + timedelta(hours=due_h)
    assert (running.term, running.due_at, running.of_office) == (term, due_at, of_office)
    minute = timedelta(minutes=1)

    def kinds(at: datetime) -> list[tuple[ReminderKind, bool]]:
        return [(one.kind, one.to_office) for one in reminders(application, at, rules) if one.term is term]

    assert kinds(due_at - timedelta(hours=24) - minute) == []
    assert kinds(due_at - timedelta(hours=24)) == [(ReminderKind.TERM_ENDS_SOON, of_office)]
    assert not running.overdue(due_at)
    missed = [] if term is Term.APPEAL else [(ReminderKind.TERM_IS_OVER, of_office)]
    assert kinds(due_at + minute) == missed


def test_an_emergency_entry_is_overdue_until_its_papers_come(rules: PermitRules, now: datetime) -> None:
    by = Actor("island", Role.SYSTEM)
    entry = emergency_entry(application_id="e", plate="琼X1234应急", gate_id="east", entered_at=now, by=by)
    (running,) = deadlines(entry, rules)
    assert (running.term, running.due_at) == (Term.EMERGENCY_COMPLETION, now + timedelta(hours=24))
    late = now + timedelta(hours=25)
    (reminder,) = reminders(entry, late, rules)
    assert (reminder.kind, reminder.term) == (ReminderKind.TERM_IS_OVER, Term.EMERGENCY_COMPLETION)
    assert deadlines(replace(entry, status=Status.SUBMITTED), rules) == ()


def test_window_and_entries(course: Any, rules: PermitRules) -> None:
    waiting = course(Action.SUBMIT, Action.APPROVE)
    begins, ends = waiting.form.window_from, waiting.form.window_until

    def kinds(application: Application, at: datetime) -> list[ReminderKind]:
        return [one.kind for one in reminders(application, at, rules)]

    assert kinds(waiting, begins - timedelta(hours=25)) == []
    assert ReminderKind.WINDOW_BEGINS_SOON in kinds(waiting, begins - timedelta(hours=24))
    active = replace(waiting, status=Status.ACTIVE)
    assert kinds(active, ends - timedelta(days=3)) == [ReminderKind.WINDOW_ENDS_SOON]
    assert kinds(active, ends) == []
    used = replace(active, entries_used=1)
    assert ReminderKind.FEW_ENTRIES_LEFT in kinds(used, begins)
    single = replace(used, form=replace(used.form, entry_kind=EntryKind.SINGLE, entries=None))
    assert ReminderKind.FEW_ENTRIES_LEFT not in kinds(single, begins)


def test_a_reminder_keeps_its_key_while_it_is_the_same(course: Any, rules: PermitRules, now: datetime) -> None:
    application = course(Action.SUBMIT)
    soon = [reminders(application, now + timedelta(hours=hour), rules)[0].key for hour in (49, 60, 72)]
    over = reminders(application, now + timedelta(hours=73), rules)[0].key
    assert len(set(soon)) == 1
    assert over not in soon


@pytest.mark.parametrize(
    ("status", "when", "action"),
    [
        (Status.APPROVED, "before", None),
        (Status.APPROVED, "inside", Action.ACTIVATE),
        (Status.APPROVED, "after", Action.EXPIRE),
        (Status.ACTIVE, "inside", None),
        (Status.ACTIVE, "after", Action.EXPIRE),
        (Status.USED_UP, "after", Action.EXPIRE),
        (Status.REFUSED, "after", None),
        (Status.RETURNED, "inside", None),
    ],
)
def test_what_time_alone_does(
    course: Any, rules: PermitRules, status: Status, when: str, action: Action | None
) -> None:
    history = course(Action.SUBMIT, Action.RETURN) if status is Status.RETURNED else course(Action.SUBMIT)
    application = replace(history, status=status)
    begins, ends = application.form.window_from, application.form.window_until
    now = {"before": begins - timedelta(minutes=1), "inside": begins, "after": ends}[when]
    step = due_step(application, now, rules, system="island")
    assert (None if step is None else step.action) == action
    if step is not None:
        assert isinstance(take(application, step, rules), Application)
        assert due_step(take(application, step, rules), now, rules, system="island") is None  # type: ignore[arg-type]


def test_a_returned_application_lapses(course: Any, rules: PermitRules, now: datetime) -> None:
    returned = course(Action.SUBMIT, Action.RETURN)
    step = due_step(returned, now + timedelta(days=15), rules, system="island")
    assert step is not None
    moved = take(returned, step, rules)
    assert isinstance(moved, Application)
    assert moved.status is Status.EXPIRED
