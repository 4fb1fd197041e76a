"""What time means for an application: owns the next deadline to show, and when its worker has to look again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from control.permits import rules as keys
from control.permits.application import LIVE, Application, Status
from control.permits.deadlines import Deadline, Term, deadlines
from control.permits.rules import PermitRules

_JUST_AFTER = timedelta(milliseconds=1)  # a term is over after its last instant


@dataclass(frozen=True, slots=True)
class Terms:
    """`due` is the earliest duty that runs; `next_at` is when time alone changes something, None if it does not."""

    due: Deadline | None
    next_at: datetime | None


def of(application: Application, rules: PermitRules, *, now: datetime) -> Terms:
    """The terms of an application as they stand now. An appeal is a right and no duty: nobody is due."""
    running = deadlines(application, rules)
    duties = [one for one in running if one.term is not Term.APPEAL]
    moments = [at for at in _moments(application, running, rules) if at > now]
    return Terms(due=duties[0] if duties else None, next_at=min(moments, default=None))


def _moments(application: Application, running: tuple[Deadline, ...], rules: PermitRules) -> Iterator[datetime]:
    for one in running:
        yield one.due_at - rules.term(keys.REMIND_BEFORE_TERM)
        yield one.due_at + _JUST_AFTER
    form = application.form
    if application.status not in (*LIVE, Status.USED_UP):
        return
    if form.window_from is not None:
        yield form.window_from - rules.term(keys.REMIND_BEFORE_TERM)
        yield form.window_from
    if form.window_until is not None:
        yield form.window_until - rules.term(keys.REMIND_BEFORE_EXPIRY)
        yield form.window_until
