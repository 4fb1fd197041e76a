"""How an application moves: owns the table of states and actions, who may do what, and every named refusal.

A step is either taken whole, with one line in the history, or refused with a reason; nothing is half done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum

from control.domain.permits import PermitClass
from control.domain.plates import normalise
from control.permits import rules as keys
from control.permits.application import (
    Actor,
    Appeal,
    Application,
    Change,
    EntryKind,
    FieldChange,
    Form,
    Paper,
    Remark,
    Role,
    Status,
)
from control.permits.rules import PermitRules


class Action(StrEnum):
    """What can be done with an application."""

    EDIT = "edit"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    REFUSE = "refuse"
    ACTIVATE = "activate"
    COUNT_ENTRIES = "count_entries"
    EXPIRE = "expire"
    REVOKE = "revoke"
    ASSIGN = "assign"
    UNDO_APPROVAL = "undo_approval"
    APPEAL = "appeal"
    GRANT_APPEAL = "grant_appeal"
    REJECT_APPEAL = "reject_appeal"


class StepRefusal(StrEnum):
    """Why a step is not taken."""

    NO_SUCH_STEP = "no_such_step"
    ROLE_MAY_NOT = "role_may_not"
    NOT_THE_APPLICANT = "not_the_applicant"
    OWN_APPLICATION = "own_application"
    FORM_HAS_PROBLEMS = "form_has_problems"
    REASON_MISSING = "reason_missing"
    REMARKS_MISSING = "remarks_missing"
    APPROVED_BY_THE_SAME = "approved_by_the_same"
    SECOND_MUST_BE_APPROVER = "second_must_be_approver"
    NOT_YET_TIME = "not_yet_time"
    WINDOW_IS_OVER = "window_is_over"
    COUNT_MISSING = "count_missing"
    APPEAL_TOO_LATE = "appeal_too_late"
    APPEAL_DECIDED_BEFORE = "appeal_decided_before"
    TOO_MUCH_EVIDENCE = "too_much_evidence"
    DECIDED_BY_THE_SAME = "decided_by_the_same"
    TIME_GOES_BACK = "time_goes_back"
    NOT_YOUR_APPROVAL = "not_your_approval"
    UNDO_TOO_LATE = "undo_too_late"
    NOBODY_NAMED = "nobody_named"
    EMERGENCY_STAYS_ONE = "emergency_stays_one"
    ENTERED_PLATE_STAYS = "entered_plate_stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action of one person. `form_problems` counts what `form_check.check` found at a submission.

    `entries_used` is the whole count so far, so that the same step taken twice changes nothing. `applicant_id` is whose
    application it becomes.
    """

    action: Action
    by: Actor
    at: datetime
    reason: str = ""
    remarks: tuple[Remark, ...] = ()
    form: Form | None = None
    form_problems: int = 0
    evidence: tuple[Paper, ...] = ()
    entries_used: int | None = None
    applicant_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The step was not taken; the application is as it was."""

    why: StepRefusal
    detail: str = ""


APPLICANTS = frozenset({Role.DRIVER, Role.ORGANISATION})
_FILERS = APPLICANTS | {Role.OFFICE}
_REVIEWERS = frozenset({Role.REVIEWER, Role.APPROVER})
_ONLY_APPROVER = frozenset({Role.APPROVER})
_ASSIGNERS = frozenset({Role.OFFICE, Role.SYSTEM})
_SYSTEM = frozenset({Role.SYSTEM})
_REVOKERS = frozenset({Role.APPROVER, Role.OFFICE})

_HAD_PERMIT = (Status.APPROVED, Status.ACTIVE, Status.USED_UP)
TABLE: Mapping[tuple[Status, Action], frozenset[Role]] = {
    (Status.DRAFT, Action.EDIT): _FILERS | _SYSTEM,
    (Status.RETURNED, Action.EDIT): _FILERS,
    (Status.DRAFT, Action.ASSIGN): _ASSIGNERS,
    (Status.RETURNED, Action.ASSIGN): _ASSIGNERS,
    (Status.DRAFT, Action.SUBMIT): _FILERS,
    (Status.RETURNED, Action.SUBMIT): _FILERS,
    (Status.RETURNED, Action.EXPIRE): _SYSTEM,
    (Status.SUBMITTED, Action.RETURN): _REVIEWERS,
    (Status.SUBMITTED, Action.APPROVE): _REVIEWERS,
    (Status.SUBMITTED, Action.REFUSE): _REVIEWERS,
    **{(status, Action.UNDO_APPROVAL): _REVIEWERS for status in (Status.SUBMITTED, Status.APPROVED, Status.APPEALED)},
    (Status.APPROVED, Action.ACTIVATE): _SYSTEM,
    **{(status, Action.EXPIRE): _SYSTEM for status in _HAD_PERMIT},
    **{(status, Action.REVOKE): _REVOKERS for status in _HAD_PERMIT},
    **{
        (status, Action.COUNT_ENTRIES): _SYSTEM
        for status in (*_HAD_PERMIT, Status.EXPIRED, Status.REVOKED, Status.APPEALED)
    },
    (Status.REFUSED, Action.APPEAL): _FILERS,
    (Status.REVOKED, Action.APPEAL): _FILERS,
    (Status.APPEALED, Action.GRANT_APPEAL): _ONLY_APPROVER,
    (Status.APPEALED, Action.REJECT_APPEAL): _ONLY_APPROVER,
}


def take(application: Application, step: Step, rules: PermitRules) -> Application | Refused:
    """The application after a step, with the step in its history; or why the step is refused.

    `rules` are those of the day on which the state that the step leaves began (`Application.state_since`).
    """
    allowed = TABLE.get((application.status, step.action))
    if allowed is None:
        return Refused(StepRefusal.NO_SUCH_STEP, f"{application.status} has no {step.action}")
    refusal = _who(application, step, allowed) or _when(application, step)
    if refusal is not None:
        return refusal
    moved = _STEPS[step.action](application, step, rules)
    if isinstance(moved, Refused):
        return moved
    after, changed = moved
    if step.action is Action.COUNT_ENTRIES and after == application:
        return application
    line = Change(
        step.at, step.by, step.action.value, application.status, after.status, step.reason, step.remarks, changed
    )
    return replace(after, history=(*application.history, line))


def _who(application: Application, step: Step, allowed: frozenset[Role]) -> Refused | None:
    if step.by.role not in allowed:
        return Refused(StepRefusal.ROLE_MAY_NOT, step.by.role)
    if step.by.role in APPLICANTS and application.applicant_id not in step.by.owns_as:
        return Refused(StepRefusal.NOT_THE_APPLICANT)
    if step.action in _JUDGED and step.by.owns_as & _filed_by(application):
        return Refused(StepRefusal.OWN_APPLICATION)
    return None


_JUDGED = frozenset({Action.RETURN, Action.APPROVE, Action.REFUSE, Action.GRANT_APPEAL, Action.REJECT_APPEAL})
_FILING = frozenset({"create", "copy", Action.EDIT, Action.SUBMIT, Action.APPEAL})


def _filed_by(application: Application) -> set[str]:
    """The applicant and whoever filed for them: none of them judges it, nor does a member of the applicant."""
    return {application.applicant_id} | {line.by.person_id for line in application.history if line.action in _FILING}


def _when(application: Application, step: Step) -> Refused | None:
    """A count may come late; whatever people and terms do follows what was done before."""
    if step.action is Action.COUNT_ENTRIES or not application.history:
        return None
    last = max(line.at for line in application.history)
    return Refused(StepRefusal.TIME_GOES_BACK, last.isoformat()) if step.at < last else None


_Moved = tuple[Application, tuple[FieldChange, ...]] | Refused


def _edit(application: Application, step: Step, _: PermitRules) -> _Moved:
    form = application.form if step.form is None else step.form
    return _entered(application, step, form) or (
        replace(application, form=form),
        changed_fields(application.form, form),
    )


def _entered(application: Application, step: Step, form: Form) -> Refused | None:
    """Who went in first was let in as an emergency with that plate; lead time and approvals are waived for that alone.

    The office and the gate's own correction may name the plate otherwise.
    """
    if application.entered_at is None:
        return None
    if form.permit_class is not PermitClass.EMERGENCY or form.entry_kind is not EntryKind.SINGLE:
        return Refused(StepRefusal.EMERGENCY_STAYS_ONE)
    if step.by.role in APPLICANTS and normalise(form.plate) != normalise(application.form.plate):
        return Refused(StepRefusal.ENTERED_PLATE_STAYS)
    return None


def changed_fields(before: Form, after: Form) -> tuple[FieldChange, ...]:
    """Every field that differs, in the form's order."""
    names = (one.name for one in fields(Form))
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return tuple(FieldChange(name, _shown(old), _shown(new)) for name, old, new in pairs if old != new)


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case tuple():
            return ", ".join(_shown_paper(one) if isinstance(one, Paper) else str(one) for one in value)
        case _:
            return str(value)


def _shown_paper(paper: Paper) -> str:
    until = "" if paper.valid_until is None else f" until {paper.valid_until.isoformat()}"
    return f"{paper.kind} {paper.sha256}{until}"


def _submit(application: Application, step: Step, rules: PermitRules) -> _Moved:
    edited = _edit(application, step, rules)
    if isinstance(edited, Refused):
        return edited
    application, changed = edited
    if application.status is Status.RETURNED and _over(application, Action.RETURN, keys.RESUBMIT_TERM, step, rules):
        return Refused(StepRefusal.WINDOW_IS_OVER, "the term for sending it again has ended")
    if step.form_problems:
        return Refused(StepRefusal.FORM_HAS_PROBLEMS, str(step.form_problems))
    return replace(application, status=Status.SUBMITTED, approvals=()), changed


def _over(application: Application, since: Action, term: str, step: Step, rules: PermitRules) -> bool:
    began = application.last(since.value)
    return began is not None and step.at > began.at + rules.term(term)


def _return(application: Application, step: Step, _: PermitRules) -> _Moved:
    if not any(remark.text.strip() for remark in step.remarks):
        return Refused(StepRefusal.REMARKS_MISSING)
    return replace(application, status=Status.RETURNED, approvals=()), ()


def _approve(application: Application, step: Step, rules: PermitRules) -> _Moved:
    """The second of two approvals is another person's, and an approver's."""
    if step.action is Action.APPROVE and _window_is_over(application, step.at):
        return Refused(StepRefusal.WINDOW_IS_OVER)
    if step.by.person_id in {one.person_id for one in application.approvals}:
        return Refused(StepRefusal.APPROVED_BY_THE_SAME)
    needed = rules.count(keys.approvals_key(application.form.permit_class))
    approvals = (*application.approvals, step.by)
    if len(approvals) < needed:
        return replace(application, approvals=approvals), ()
    if needed > 1 and step.by.role is not Role.APPROVER:
        return Refused(StepRefusal.SECOND_MUST_BE_APPROVER)
    return replace(application, status=Status.APPROVED, approvals=approvals), ()


def _undo_approval(application: Application, step: Step, rules: PermitRules) -> _Moved:
    """Who approved takes it back within the dated seconds; the application is where it was before."""
    given = application.last(Action.APPROVE.value, Action.GRANT_APPEAL.value)
    if given is None or not application.approvals or application.approvals[-1].person_id != step.by.person_id:
        return Refused(StepRefusal.NOT_YOUR_APPROVAL)
    if step.at > given.at + rules.term(keys.APPROVAL_UNDO):
        return Refused(StepRefusal.UNDO_TOO_LATE)
    return replace(application, status=given.before, approvals=application.approvals[:-1]), ()


def _assign(application: Application, step: Step, _: PermitRules) -> _Moved:
    if not step.applicant_id:
        return Refused(StepRefusal.NOBODY_NAMED)
    changed = FieldChange("applicant_id", application.applicant_id, step.applicant_id)
    return replace(application, applicant_id=step.applicant_id), (changed,)


def _window_is_over(application: Application, at: datetime) -> bool:
    """An emergency is approved after the fact; any other permit would be of no use."""
    until = application.form.window_until
    return until is None or (at >= until and application.form.permit_class is not PermitClass.EMERGENCY)


def _refuse(application: Application, step: Step, _: PermitRules) -> _Moved:
    return _reasoned(step) or (replace(application, status=Status.REFUSED, approvals=()), ())


def _reasoned(step: Step) -> Refused | None:
    return None if step.reason.strip() else Refused(StepRefusal.REASON_MISSING)


def _activate(application: Application, step: Step, _: PermitRules) -> _Moved:
    begins = application.form.window_from
    if begins is None or step.at < begins:
        return Refused(StepRefusal.NOT_YET_TIME)
    return _by_count(replace(application, status=Status.ACTIVE)), ()


def _by_count(application: Application) -> Application:
    """Active or used up, whichever the count says; other states stay."""
    if application.status not in (Status.ACTIVE, Status.USED_UP):
        return application
    return replace(application, status=Status.USED_UP if application.entries_left == 0 else Status.ACTIVE)


def _count(application: Application, step: Step, _: PermitRules) -> _Moved:
    if step.entries_used is None or step.entries_used < 0:
        return Refused(StepRefusal.COUNT_MISSING)
    counted = replace(application, entries_used=step.entries_used)
    if counted.status is Status.APPROVED and step.entries_used:
        counted = replace(counted, status=Status.ACTIVE)
    return _by_count(counted), ()


def _expire(application: Application, step: Step, rules: PermitRules) -> _Moved:
    if application.status is Status.RETURNED:
        over = _over(application, Action.RETURN, keys.RESUBMIT_TERM, step, rules)
    else:
        until = application.form.window_until
        over = until is not None and step.at >= until
    return (replace(application, status=Status.EXPIRED), ()) if over else Refused(StepRefusal.NOT_YET_TIME)


def _revoke(application: Application, step: Step, _: PermitRules) -> _Moved:
    return _reasoned(step) or (replace(application, status=Status.REVOKED), ())


def _appeal(application: Application, step: Step, rules: PermitRules) -> _Moved:
    if application.appeal is not None:
        return Refused(StepRefusal.APPEAL_DECIDED_BEFORE)
    if len(step.evidence) > rules.count(keys.APPEAL_EVIDENCE_MAX):
        return Refused(StepRefusal.TOO_MUCH_EVIDENCE, str(rules.count(keys.APPEAL_EVIDENCE_MAX)))
    decided = Action.REFUSE if application.status is Status.REFUSED else Action.REVOKE
    if _over(application, decided, keys.APPEAL_TERM, step, rules):
        return Refused(StepRefusal.APPEAL_TOO_LATE)
    appeal = Appeal(step.at, step.by, step.reason, application.status, step.evidence)
    return _reasoned(step) or (replace(application, status=Status.APPEALED, appeal=appeal, approvals=()), ())


def _same_judge(application: Application, step: Step) -> Refused | None:
    decided = application.last(Action.REFUSE.value, Action.REVOKE.value)
    same = decided is not None and decided.by.person_id == step.by.person_id
    return Refused(StepRefusal.DECIDED_BY_THE_SAME) if same else _reasoned(step)


def _grant(application: Application, step: Step, rules: PermitRules) -> _Moved:
    """An appeal that succeeds gives the permit; a class with two approvals needs them here as well."""
    return _same_judge(application, step) or _approve(application, step, rules)


def _reject(application: Application, step: Step, _: PermitRules) -> _Moved:
    assert application.appeal is not None
    return _same_judge(application, step) or (
        replace(application, status=application.appeal.against, approvals=()),
        (),
    )


_STEPS: Mapping[Action, Callable[[Application, Step, PermitRules], _Moved]] = {
    Action.EDIT: _edit,
    Action.SUBMIT: _submit,
    Action.RETURN: _return,
    Action.APPROVE: _approve,
    Action.REFUSE: _refuse,
    Action.ASSIGN: _assign,
    Action.UNDO_APPROVAL: _undo_approval,
    Action.ACTIVATE: _activate,
    Action.COUNT_ENTRIES: _count,
    Action.EXPIRE: _expire,
    Action.REVOKE: _revoke,
    Action.APPEAL: _appeal,
    Action.GRANT_APPEAL: _grant,
    Action.REJECT_APPEAL: _reject,
}
