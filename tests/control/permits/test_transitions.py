"""The life of an application: the table of every state and action, who may do it, and each named refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.permits import PermitClass
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
    copy_of,
    emergency_entry,
    new_application,
    permit_of,
)
from control.permits.rules import PermitRules
from control.permits.transitions import TABLE, Action, Refused, Step, StepRefusal, take

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
DRIVER = Actor("driver", Role.DRIVER)
REVIEWER, APPROVER, OTHER = Actor("r1", Role.REVIEWER), Actor("a1", Role.APPROVER), Actor("a2", Role.APPROVER)
SYSTEM, OFFICE = Actor("island", Role.SYSTEM), Actor("o1", Role.OFFICE)
EVIDENCE = tuple(Paper(f"{number}" * 64, "other", "image/png", 1) for number in range(5))


def step(action: Action, by: Actor, *, h: float = 0, **more: Any) -> Step:
    return Step(action=action, by=by, at=AT + timedelta(hours=h), **more)


def done(application: Application, rules: PermitRules, *steps: Step) -> Application:
    for one in steps:
        moved = take(application, one, rules)
        assert isinstance(moved, Application), moved
        application = moved
    return application


def why(application: Application, rules: PermitRules, one: Step) -> StepRefusal:
    moved = take(application, one, rules)
    assert isinstance(moved, Refused)
    return moved.why


def submitted(draft: Application, rules: PermitRules) -> Application:
    return done(draft, rules, step(Action.SUBMIT, DRIVER))


def of_class(draft: Application, kind: PermitClass) -> Application:
    return replace(draft, form=replace(draft.form, permit_class=kind, entry_kind=EntryKind.STANDING, entries=None))


GOOD: dict[Action, tuple[Actor, dict[str, Any]]] = {
    Action.EDIT: (DRIVER, {}),
    Action.SUBMIT: (DRIVER, {}),
    Action.RETURN: (REVIEWER, {"remarks": (Remark("plate", "not legible"),)}),
    Action.APPROVE: (REVIEWER, {}),
    Action.REFUSE: (REVIEWER, {"reason": "no need"}),
    Action.ACTIVATE: (SYSTEM, {"h": 48}),
    Action.COUNT_ENTRIES: (SYSTEM, {"entries_used": 1}),
    Action.EXPIRE: (SYSTEM, {"h": 24 * 30}),
    Action.REVOKE: (APPROVER, {"reason": "misused"}),
    Action.APPEAL: (DRIVER, {"reason": "it is needed"}),
    Action.GRANT_APPEAL: (APPROVER, {"reason": "right"}),
    Action.REJECT_APPEAL: (APPROVER, {"reason": "wrong"}),
    Action.ASSIGN: (OFFICE, {"applicant_id": "driver"}),
    Action.UNDO_APPROVAL: (REVIEWER, {}),
}
# Where each allowed step leads from each state; whatever is not here is refused.
LEADS: dict[tuple[Status, Action], Status] = {
    (Status.DRAFT, Action.EDIT): Status.DRAFT,
    (Status.DRAFT, Action.SUBMIT): Status.SUBMITTED,
    (Status.RETURNED, Action.EDIT): Status.RETURNED,
    (Status.RETURNED, Action.SUBMIT): Status.SUBMITTED,
    (Status.RETURNED, Action.EXPIRE): Status.EXPIRED,
    (Status.SUBMITTED, Action.RETURN): Status.RETURNED,
    (Status.SUBMITTED, Action.APPROVE): Status.APPROVED,
    (Status.SUBMITTED, Action.REFUSE): Status.REFUSED,
    (Status.APPROVED, Action.ACTIVATE): Status.ACTIVE,
    (Status.APPROVED, Action.COUNT_ENTRIES): Status.ACTIVE,
    (Status.ACTIVE, Action.COUNT_ENTRIES): Status.ACTIVE,
    (Status.USED_UP, Action.COUNT_ENTRIES): Status.ACTIVE,
    (Status.EXPIRED, Action.COUNT_ENTRIES): Status.EXPIRED,
    (Status.REVOKED, Action.COUNT_ENTRIES): Status.REVOKED,
    (Status.APPEALED, Action.COUNT_ENTRIES): Status.APPEALED,
    (Status.APPROVED, Action.EXPIRE): Status.EXPIRED,
    (Status.ACTIVE, Action.EXPIRE): Status.EXPIRED,
    (Status.USED_UP, Action.EXPIRE): Status.EXPIRED,
    (Status.APPROVED, Action.REVOKE): Status.REVOKED,
    (Status.ACTIVE, Action.REVOKE): Status.REVOKED,
    (Status.USED_UP, Action.REVOKE): Status.REVOKED,
    (Status.REFUSED, Action.APPEAL): Status.APPEALED,
    (Status.REVOKED, Action.APPEAL): Status.APPEALED,
    (Status.APPEALED, Action.GRANT_APPEAL): Status.APPROVED,
    (Status.APPEALED, Action.REJECT_APPEAL): Status.REFUSED,
    (Status.DRAFT, Action.ASSIGN): Status.DRAFT,
    (Status.RETURNED, Action.ASSIGN): Status.RETURNED,
    (Status.SUBMITTED, Action.UNDO_APPROVAL): Status.SUBMITTED,
    (Status.APPROVED, Action.UNDO_APPROVAL): Status.SUBMITTED,
    (Status.APPEALED, Action.UNDO_APPROVAL): Status.APPEALED,
}


def in_state(draft: Application, status: Status, rules: PermitRules) -> Application:
    application = submitted(draft, rules) if status is Status.RETURNED else draft
    if status is Status.RETURNED:
        application = done(application, rules, step(Action.RETURN, REVIEWER, remarks=(Remark("plate", "blurred"),)))
    appeal = Appeal(AT, DRIVER, "x", Status.REFUSED) if status is Status.APPEALED else None
    used = 3 if status is Status.USED_UP else 0
    return replace(application, status=status, appeal=appeal, entries_used=used)


def approved_once(application: Application, by: Actor = REVIEWER) -> Application:
    """With one approval in its history, as one that can be taken back has."""
    action = Action.GRANT_APPEAL if application.status is Status.APPEALED else Action.APPROVE
    before = Status.SUBMITTED if application.status is Status.APPROVED else application.status
    line = Change(AT, by, action.value, before, application.status)
    return replace(application, approvals=(by,), history=(*application.history, line))


@pytest.mark.parametrize(("status", "action"), list(product(Status, Action)))
def test_every_state_and_action(draft: Application, rules: PermitRules, status: Status, action: Action) -> None:
    application = in_state(draft, status, rules)
    if action is Action.UNDO_APPROVAL:
        application = approved_once(application)
    by, more = GOOD[action]
    moved = take(application, step(action, by, **more), rules)
    leads = LEADS.get((status, action))
    if leads is None:
        assert isinstance(moved, Refused)
        assert moved.why is StepRefusal.NO_SUCH_STEP
        return
    assert isinstance(moved, Application)
    assert moved.status is leads
    line = moved.history[-1]
    assert (line.by, line.action, line.before, line.after) == (by, action.value, status, leads)
    assert moved.history[:-1] == application.history


def test_the_table_is_the_one_that_is_tested() -> None:
    assert TABLE.keys() == LEADS.keys()


@pytest.mark.parametrize(("status", "action", "role"), [(*key, role) for key in LEADS for role in Role])
def test_only_its_roles_take_a_step(
    draft: Application, rules: PermitRules, status: Status, action: Action, role: Role
) -> None:
    application = in_state(draft, status, rules)
    person = "driver" if role in (Role.DRIVER, Role.ORGANISATION) else "somebody"
    if action is Action.UNDO_APPROVAL:
        application = approved_once(application, Actor(person, role))
    moved = take(application, step(action, Actor(person, role), **GOOD[action][1]), rules)
    if role in TABLE[status, action]:
        assert isinstance(moved, Application)
    else:
        assert isinstance(moved, Refused)
        assert moved.why is StepRefusal.ROLE_MAY_NOT


def test_nobody_acts_for_another_applicant_or_judges_what_they_filed(draft: Application, rules: PermitRules) -> None:
    assert why(draft, rules, step(Action.SUBMIT, Actor("x", Role.DRIVER))) is StepRefusal.NOT_THE_APPLICANT
    by_office = done(draft, rules, step(Action.SUBMIT, OFFICE))
    for person in (Actor("o1", Role.REVIEWER), Actor("driver", Role.APPROVER)):
        assert why(by_office, rules, step(Action.APPROVE, person)) is StepRefusal.OWN_APPLICATION
        refused = step(Action.REFUSE, person, reason="x")
        assert why(by_office, rules, refused) is StepRefusal.OWN_APPLICATION


def test_a_returned_application_keeps_its_form_and_shows_what_changed(draft: Application, rules: PermitRules) -> None:
    remark = Remark("route", "which road?")
    returned = done(submitted(draft, rules), rules, step(Action.RETURN, REVIEWER, h=1, remarks=(remark,)))
    assert returned.form == draft.form
    assert returned.history[-1].remarks == (remark,)
    better = replace(draft.form, route="ring road", papers=draft.form.papers[:1])
    again = done(returned, rules, step(Action.SUBMIT, DRIVER, h=2, form=better))
    assert again.form == better
    changed = {one.field: one for one in again.history[-1].fields}
    assert changed["route"] == FieldChange("route", "", "ring road")
    assert set(changed) == {"route", "papers"}
    assert changed["papers"].before.count("a" * 64) == 1


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda: step(Action.RETURN, REVIEWER), StepRefusal.REMARKS_MISSING),
        (lambda: step(Action.RETURN, REVIEWER, remarks=(Remark("plate", " "),)), StepRefusal.REMARKS_MISSING),
        (lambda: step(Action.REFUSE, REVIEWER, reason=" "), StepRefusal.REASON_MISSING),
        (lambda: step(Action.APPROVE, REVIEWER, h=24 * 5), StepRefusal.WINDOW_IS_OVER),
        (lambda: step(Action.APPROVE, REVIEWER, h=-1), StepRefusal.TIME_GOES_BACK),
    ],
)
def test_steps_that_lack_something(
    draft: Application, rules: PermitRules, make: Callable[[], Step], refusal: StepRefusal
) -> None:
    assert why(submitted(draft, rules), rules, make()) is refusal


def test_a_form_with_problems_is_not_submitted(draft: Application, rules: PermitRules) -> None:
    assert why(draft, rules, step(Action.SUBMIT, DRIVER, form_problems=2)) is StepRefusal.FORM_HAS_PROBLEMS


@pytest.mark.parametrize("kind", [PermitClass.STANDING, PermitClass.EMERGENCY])
def test_two_different_people_approve(draft: Application, rules: PermitRules, kind: PermitClass) -> None:
    asked = submitted(of_class(draft, kind), rules)
    once = done(asked, rules, step(Action.APPROVE, APPROVER, h=1))
    assert once.status is Status.SUBMITTED
    assert permit_of(once) is None
    assert why(once, rules, step(Action.APPROVE, APPROVER, h=2)) is StepRefusal.APPROVED_BY_THE_SAME
    same_person = step(Action.APPROVE, Actor("a1", Role.REVIEWER), h=2)
    assert why(once, rules, same_person) is StepRefusal.APPROVED_BY_THE_SAME
    assert why(once, rules, step(Action.APPROVE, REVIEWER, h=2)) is StepRefusal.SECOND_MUST_BE_APPROVER
    twice = done(once, rules, step(Action.APPROVE, OTHER, h=2))
    assert twice.status is Status.APPROVED
    assert twice.approvals == (APPROVER, OTHER)
    # Returned in between, both approvals are asked for again.
    fixed = done(once, rules, step(Action.RETURN, OTHER, h=2, remarks=(Remark("route", "?"),)))
    assert done(fixed, rules, step(Action.SUBMIT, DRIVER, h=3)).approvals == ()


def test_the_resubmission_term(draft: Application, rules: PermitRules) -> None:
    returned = in_state(draft, Status.RETURNED, rules)
    last, over = 24 * 14, 24 * 14 + 1
    assert why(returned, rules, step(Action.EXPIRE, SYSTEM, h=last)) is StepRefusal.NOT_YET_TIME
    assert done(returned, rules, step(Action.SUBMIT, DRIVER, h=last)).status is Status.SUBMITTED
    assert why(returned, rules, step(Action.SUBMIT, DRIVER, h=over)) is StepRefusal.WINDOW_IS_OVER
    assert done(returned, rules, step(Action.EXPIRE, SYSTEM, h=over)).status is Status.EXPIRED


def approved(draft: Application, rules: PermitRules) -> Application:
    return done(submitted(draft, rules), rules, step(Action.APPROVE, REVIEWER, h=1))


def test_the_permit_begins_counts_and_ends(draft: Application, rules: PermitRules) -> None:
    waiting = approved(draft, rules)
    assert why(waiting, rules, step(Action.ACTIVATE, SYSTEM, h=47)) is StepRefusal.NOT_YET_TIME
    assert why(waiting, rules, step(Action.EXPIRE, SYSTEM, h=47)) is StepRefusal.NOT_YET_TIME
    active = done(waiting, rules, step(Action.ACTIVATE, SYSTEM, h=48))
    permit = permit_of(active)
    assert permit is not None
    assert (permit.entries_left, permit.gates, permit.vehicle_type) == (3, frozenset({"east"}), "crane")
    used = done(active, rules, step(Action.COUNT_ENTRIES, SYSTEM, h=49, entries_used=3))
    assert (used.status, used.entries_left, used.overused, permit_of(used)) == (Status.USED_UP, 0, False, None)
    # The same count again leaves no trace; a corrected one gives the entry back.
    assert done(used, rules, step(Action.COUNT_ENTRIES, SYSTEM, h=50, entries_used=3)) is used
    back = done(used, rules, step(Action.COUNT_ENTRIES, SYSTEM, h=50, entries_used=2))
    assert (back.status, back.entries_left) == (Status.ACTIVE, 1)
    over = done(used, rules, step(Action.COUNT_ENTRIES, SYSTEM, h=50, entries_used=4))
    assert (over.status, over.entries_left, over.overused) == (Status.USED_UP, 0, True)
    assert why(active, rules, step(Action.COUNT_ENTRIES, SYSTEM)) is StepRefusal.COUNT_MISSING


def test_single_and_standing_entry(draft: Application) -> None:
    single = replace(draft, form=replace(draft.form, entry_kind=EntryKind.SINGLE, entries=None))
    assert (single.entries_max, single.entries_left) == (1, 1)
    standing = of_class(draft, PermitClass.STANDING)
    assert (standing.entries_max, standing.entries_left, standing.overused) == (None, None, False)


def refused(draft: Application, rules: PermitRules) -> Application:
    return done(submitted(draft, rules), rules, step(Action.REFUSE, APPROVER, h=1, reason="no need"))


def test_an_appeal_is_decided_by_another_person_and_once(draft: Application, rules: PermitRules) -> None:
    no = refused(draft, rules)
    many = step(Action.APPEAL, DRIVER, h=2, reason="x", evidence=EVIDENCE[:4])
    assert why(no, rules, many) is StepRefusal.TOO_MUCH_EVIDENCE
    assert why(no, rules, step(Action.APPEAL, DRIVER, h=2)) is StepRefusal.REASON_MISSING
    late = step(Action.APPEAL, DRIVER, h=2 + 28 * 24, reason="x")
    assert why(no, rules, late) is StepRefusal.APPEAL_TOO_LATE
    open_ = done(no, rules, step(Action.APPEAL, DRIVER, h=1 + 28 * 24, reason="x", evidence=EVIDENCE[:3]))
    assert open_.appeal is not None
    assert open_.appeal.evidence == EVIDENCE[:3]
    decide = {"h": 2 + 28 * 24, "reason": "y"}
    same = step(Action.GRANT_APPEAL, APPROVER, **decide)
    assert why(open_, rules, same) is StepRefusal.DECIDED_BY_THE_SAME
    assert why(open_, rules, step(Action.REJECT_APPEAL, OTHER, h=2 + 28 * 24)) is StepRefusal.REASON_MISSING
    assert done(open_, rules, step(Action.GRANT_APPEAL, OTHER, **decide)).status is Status.APPROVED
    lost = done(open_, rules, step(Action.REJECT_APPEAL, OTHER, **decide))
    assert lost.status is Status.REFUSED
    again = step(Action.APPEAL, DRIVER, h=3 + 28 * 24, reason="z")
    assert why(lost, rules, again) is StepRefusal.APPEAL_DECIDED_BEFORE


def test_an_appeal_for_a_standing_permit_needs_two_people_as_well(draft: Application, rules: PermitRules) -> None:
    no = refused(of_class(draft, PermitClass.STANDING), rules)
    open_ = done(no, rules, step(Action.APPEAL, DRIVER, h=2, reason="x"))
    once = done(open_, rules, step(Action.GRANT_APPEAL, OTHER, h=3, reason="y"))
    assert once.status is Status.APPEALED
    third = Actor("a3", Role.APPROVER)
    assert done(once, rules, step(Action.GRANT_APPEAL, third, h=4, reason="y")).status is Status.APPROVED


def test_a_revoked_permit_can_come_back_by_appeal(draft: Application, rules: PermitRules) -> None:
    gone = done(approved(draft, rules), rules, step(Action.REVOKE, OFFICE, h=2, reason="seen elsewhere"))
    assert permit_of(gone) is None
    open_ = done(gone, rules, step(Action.APPEAL, DRIVER, h=3, reason="it was not me"))
    assert done(open_, rules, step(Action.REJECT_APPEAL, OTHER, h=4, reason="it was")).status is Status.REVOKED
    assert permit_of(done(open_, rules, step(Action.GRANT_APPEAL, OTHER, h=4, reason="right"))) is not None


def test_a_copy_starts_afresh(draft: Application, rules: PermitRules) -> None:
    copied = copy_of(approved(draft, rules), application_id="p2", by=DRIVER, at=AT)
    assert (copied.status, copied.copied_from, copied.entries_used) == (Status.DRAFT, "p1", 0)
    assert (copied.form.window_from, copied.form.papers, copied.form.plate) == (None, (), "琼C12345")


def test_an_emergency_is_approved_after_the_fact(form: Form, rules: PermitRules) -> None:
    entered = emergency_entry(application_id="e1", plate="琼x·1234应急", gate_id="east", entered_at=AT, by=SYSTEM)
    assert entered.form.plate == "琼X1234应急"
    filled = replace(entered.form, window_until=AT + timedelta(hours=2))
    filed = done(entered, rules, step(Action.SUBMIT, OFFICE, h=5, form=filled))
    both = done(filed, rules, step(Action.APPROVE, APPROVER, h=6), step(Action.APPROVE, OTHER, h=7))
    assert both.status is Status.APPROVED


def test_an_approval_is_taken_back_by_who_gave_it_within_the_seconds(draft: Application, rules: PermitRules) -> None:
    filed = submitted(draft, rules)
    first = done(filed, rules, step(Action.APPROVE, REVIEWER, h=1))
    soon = done(first, rules, step(Action.UNDO_APPROVAL, REVIEWER, h=1 + 8 / 3600))
    assert (soon.status, soon.approvals) == (Status.SUBMITTED, ())
    assert done(soon, rules, step(Action.APPROVE, OTHER, h=2)).status is Status.APPROVED
    assert why(first, rules, step(Action.UNDO_APPROVAL, OTHER, h=1)) is StepRefusal.NOT_YOUR_APPROVAL
    assert why(first, rules, step(Action.UNDO_APPROVAL, REVIEWER, h=1.01)) is StepRefusal.UNDO_TOO_LATE
    assert why(filed, rules, step(Action.UNDO_APPROVAL, REVIEWER)) is StepRefusal.NOT_YOUR_APPROVAL


def test_the_second_approval_alone_is_taken_back(draft: Application, rules: PermitRules) -> None:
    filed = submitted(of_class(draft, PermitClass.STANDING), rules)
    both = done(filed, rules, step(Action.APPROVE, REVIEWER), step(Action.APPROVE, APPROVER))
    assert why(both, rules, step(Action.UNDO_APPROVAL, REVIEWER)) is StepRefusal.NOT_YOUR_APPROVAL
    one = done(both, rules, step(Action.UNDO_APPROVAL, APPROVER))
    assert (one.status, one.approvals) == (Status.SUBMITTED, (REVIEWER,))


def test_a_draft_without_an_owner_is_given_to_one(form: Form, rules: PermitRules) -> None:
    entered = emergency_entry(application_id="e1", plate="琼X1234应急", gate_id="east", entered_at=AT, by=SYSTEM)
    assert why(entered, rules, step(Action.EDIT, DRIVER)) is StepRefusal.NOT_THE_APPLICANT
    assert why(entered, rules, step(Action.ASSIGN, OFFICE)) is StepRefusal.NOBODY_NAMED
    given_to = done(entered, rules, step(Action.ASSIGN, OFFICE, applicant_id="driver"))
    assert given_to.history[-1].fields == (FieldChange("applicant_id", "", "driver"),)
    assert done(given_to, rules, step(Action.EDIT, DRIVER)).applicant_id == "driver"


def test_every_member_of_an_organisation_handles_its_applications(form: Form, rules: PermitRules) -> None:
    anna, bert = (Actor(name, Role.ORGANISATION, "org-1") for name in ("anna", "bert"))
    made = new_application(application_id="p3", applicant_id="org-1", form=form, by=anna, at=AT)
    assert made.state_since == AT
    assert done(made, rules, step(Action.SUBMIT, bert)).status is Status.SUBMITTED
    foreign = Actor("carl", Role.ORGANISATION, "org-2")
    assert why(made, rules, step(Action.EDIT, foreign)) is StepRefusal.NOT_THE_APPLICANT
    nobody = Actor("dora", Role.ORGANISATION)
    assert why(replace(made, applicant_id=""), rules, step(Action.EDIT, nobody)) is StepRefusal.NOT_THE_APPLICANT


def test_a_state_begins_with_the_change_that_led_there(draft: Application, rules: PermitRules) -> None:
    filed = done(
        draft,
        rules,
        step(Action.SUBMIT, DRIVER, h=1),
        step(Action.RETURN, REVIEWER, h=2, remarks=(Remark("plate", "?"),)),
    )
    edited = done(filed, rules, step(Action.EDIT, DRIVER, h=3))
    assert edited.state_since == AT + timedelta(hours=2)
    assert draft.state_since is None


ACTORS = st.sampled_from([DRIVER, REVIEWER, APPROVER, OTHER, SYSTEM, OFFICE])
STEPS = st.builds(
    step,
    st.sampled_from(Action),
    ACTORS,
    h=st.integers(0, 24 * 40),
    reason=st.sampled_from(["", "because"]),
    remarks=st.sampled_from([(), (Remark("plate", "?"),)]),
    entries_used=st.sampled_from([None, 0, 2, 3, 4]),
)


@given(kind=st.sampled_from(PermitClass), steps=st.lists(STEPS, max_size=25))
def test_any_course_leaves_a_whole_history(
    form: Form, rules: PermitRules, kind: PermitClass, steps: list[Step]
) -> None:
    """Whatever is tried: lines join, each is in the table, and no permit stands on too few approvals."""
    application = Application(application_id="p", applicant_id="driver", form=replace(form, permit_class=kind))
    for one in steps:
        moved = take(application, one, rules)
        application = application if isinstance(moved, Refused) else moved
    status = Status.DRAFT
    for line in application.history:
        assert line.before is status
        assert line.by.role in TABLE[line.before, Action(line.action)]
        status = line.after
    assert status is application.status
    if permit_of(application) is not None:
        needed = 1 if kind is PermitClass.SPECIAL else 2
        assert len({one.person_id for one in application.approvals}) >= needed
        assert "driver" not in {one.person_id for one in application.approvals}


def test_a_member_of_the_applying_organisation_does_not_judge_for_it(draft: Application, rules: PermitRules) -> None:
    waiting = replace(draft, applicant_id="crane-ltd", status=Status.SUBMITTED)
    for action in (Action.APPROVE, Action.REFUSE, Action.RETURN):
        member = replace(REVIEWER, org_id="crane-ltd")
        assert why(waiting, rules, step(action, member, reason="known")) is StepRefusal.OWN_APPLICATION


def test_an_entry_stays_the_emergency_it_was(draft: Application, rules: PermitRules) -> None:
    entered = emergency_entry(
        application_id="e1", plate="琼C12345", gate_id="east", entered_at=AT, by=SYSTEM, applicant_id="driver"
    )
    other = replace(entered.form, permit_class=PermitClass.SPECIAL)
    for action in (Action.EDIT, Action.SUBMIT):
        assert why(entered, rules, step(action, DRIVER, form=other)) is StepRefusal.EMERGENCY_STAYS_ONE
        renamed = replace(entered.form, plate="琼C99999")
        assert why(entered, rules, step(action, DRIVER, form=renamed)) is StepRefusal.ENTERED_PLATE_STAYS
        assert done(entered, rules, step(action, OFFICE, form=renamed)).form.plate == "琼C99999"
    assert done(draft, rules, step(Action.EDIT, DRIVER, form=other)).form.permit_class is PermitClass.SPECIAL
