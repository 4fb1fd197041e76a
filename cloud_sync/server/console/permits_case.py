"""One application on the review desk: owns what the page is given, and which acts it offers to whom.

Whether somebody may take a step is asked of `control.permits.transitions` by trying it on a copy, so that the page and
the server cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.console import permits_history
from cloud_sync.server.console import permits_views as views
from cloud_sync.server.console.permits_history import Moment
from cloud_sync.server.console.permits_labels import said, said_of
from cloud_sync.server.console.permits_views import FieldLine, Mark, Notice, PaperCard
from cloud_sync.server.console.words import Words
from cloud_sync.server.permits import access
from cloud_sync.server.permits.desk import EarlierVisit
from cloud_sync.server.permits.records import ApplicationRecord, CheckRecord, Tick
from cloud_sync.server.roles import Can
from control.permits import words as permit_words
from control.permits.application import Actor, Appeal, Application, Change, Form, Remark, Role, Status
from control.permits.rules import PermitRules
from control.permits.transitions import Action, Refused, Step, StepRefusal, take

_FINE = Mark("good")
_TONES = {"ok": "good", "warn": "warn", "wrong": "bad", "unknown": "none"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected emission of one visit in kilograms, as text, with its range."""

    value: str
    low: str
    high: str
    how: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier visit of the vehicle. `amount` is in kilograms, None where nothing was computed."""

    day: str
    title: str
    state: str
    tone: str
    icon: str
    amount: str | None


@dataclass(frozen=True, slots=True)
class AppealView:
    """An appeal with its evidence."""

    by: str
    at: str
    reason: str
    against: str
    evidence: tuple[PaperCard, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the server knows beside it. `undo_s`: to take an approval back; `evidence_max`: papers of an appeal."""

    check: CheckRecord | None = None
    estimate: Estimate | None = None
    pooled_g: int = 0
    visits: tuple[Earlier, ...] = ()
    visits_count: int = 0
    evidence: tuple[PaperCard, ...] = ()
    undo_s: int = 0
    evidence_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Everything that the page of one application shows."""

    application_id: str
    version: int
    plate: str
    chip: Markup
    title: str
    subline: str
    status: str
    status_tone: str
    status_icon: str
    left: tuple[FieldLine, ...]
    right: tuple[FieldLine, ...]
    papers: tuple[PaperCard, ...]
    papers_line: str
    papers_mark: Mark
    papers_remark: str
    estimate: Estimate | None
    estimate_missing: str
    pooled: str
    pooled_missing: str
    history: tuple[Moment, ...]
    visits: tuple[Earlier, ...]
    visits_count: int
    notices: tuple[Notice, ...]
    facts: tuple[tuple[str, str], ...]
    appeal: AppealView | None
    evidence_max: int
    tip: str
    approve_words: str
    may_decide: bool
    may_approve: bool
    may_decide_appeal: bool
    may_review: bool
    may_edit: bool
    may_copy: bool
    may_revoke: bool
    may_appeal: bool
    has_pass: bool


# ---------------------------------------------------------------- what this person may do


@dataclass(frozen=True, slots=True)
class Acts:
    """Why each step would be refused; None where it may be taken."""

    refused: Mapping[Action, StepRefusal | None] = field(default_factory=dict)

    def may(self, action: Action) -> bool:
        """Whether the step may be taken now."""
        return action in self.refused and self.refused[action] is None


def acts_of(record: ApplicationRecord, user: CurrentUser, rules: PermitRules, now: datetime) -> Acts:
    """Every act of this person, tried on a copy of the application."""
    application = application_of(record)
    tried: dict[Action, StepRefusal | None] = {}
    for action, actor in _actors(user).items():
        step = Step(action=action, by=actor, at=now, reason="-", remarks=(Remark("", "-"),))
        moved = take(application, step, rules)
        tried[action] = moved.why if isinstance(moved, Refused) else None
    return Acts(tried)


def _actors(user: CurrentUser) -> dict[Action, Actor]:
    """As whom this person takes each act; acts that their role does not know are left out."""
    if not user.may(Can.REVIEW):
        return {}
    judged = (Action.APPROVE, Action.RETURN, Action.REFUSE, Action.GRANT_APPEAL, Action.REJECT_APPEAL)
    filed = (Action.EDIT, Action.APPEAL)
    return {
        **dict.fromkeys(judged, access.judge(user)),
        **dict.fromkeys(filed, access.filer(user)),
        Action.REVOKE: access.revoker(user),
    }


def application_of(record: ApplicationRecord, *, form: Form | None = None) -> Application:
    """The application as the core knows it, as far as steps and checks ask; with another form where one is given."""
    appeal = record.appeal
    return Application(
        application_id=record.row.application_id,
        applicant_id=record.row.applicant_id,
        form=form or record.form,
        status=Status(record.row.status),
        approvals=tuple(Actor(one.person_id, Role(one.role)) for one in record.approvals),
        entries_used=record.entries_used,
        entered_at=record.entered_at,
        appeal=appeal and Appeal(appeal.at, Actor(appeal.by, Role.DRIVER), appeal.reason, Status(appeal.against)),
        history=tuple(
            Change(one.at, Actor(one.by, Role(one.role)), one.action, Status(one.before), Status(one.after))
            for one in record.history
        ),
    )


# ---------------------------------------------------------------- checks


def marks_of(words: Words, check: CheckRecord | None) -> dict[str, Mark]:
    """What the automatic checks say of each field. A tick that is wrong gives way to the problems of its fields."""
    found: dict[str, Mark] = {}
    if check is None:
        return found
    for tick in check.ticks:
        if tick.state != "wrong":
            mark = Mark(_TONES[tick.state], said(words, (tick.words.zh, tick.words.en)))
            found |= dict.fromkeys(_FIELDS_OF_TICK.get(tick.kind, (tick.kind,)), mark)
    for problem in check.problems:
        found[problem.field] = Mark("bad", said(words, (problem.words.zh, problem.words.en)))
    return found


_FIELDS_OF_TICK = {"vehicle": ("vehicle_type", "plate"), "window": ("window_from",), "overdue": ("",)}


def check_lines(words: Words, check: CheckRecord | None) -> tuple[FieldLine, ...]:
    """Checks that stand for no field of the form have a line of their own."""
    names = {
        "vehicle_licence": words.gettext("Licence"),
        "insurance": words.gettext("Insurance"),
        "overdue": words.gettext("Owed offsets"),
    }
    ticks = {tick.kind: tick for tick in check.ticks} if check is not None else {}
    found = [(name, ticks[kind]) for kind, name in names.items() if kind in ticks]
    return tuple(_check_line(words, name, tick) for name, tick in found)


def _check_line(words: Words, name: str, tick: Tick) -> FieldLine:
    text = said(words, (tick.words.zh, tick.words.en))
    return FieldLine("", name, text, _TONES[tick.state], verdict=text)


# ---------------------------------------------------------------- the page


def case_view(words: Words, record: ApplicationRecord, user: CurrentUser, acts: Acts, known: Known) -> CaseView:
    """Everything about one application, for this reader."""
    row, form = record.row, record.form
    marks = marks_of(words, known.check)
    left, right = views.fields(words, record, marks, check_lines(words, known.check))
    papers = views.paper_cards(words, form.papers, marks)
    judging = row.status == "submitted"
    return CaseView(
        application_id=row.application_id,
        version=row.version,
        plate=form.plate,
        chip=views.chip(words, form, "pl"),
        title=views.title(words, form),
        subline=subline(words, record),
        status=views.status(words, row.status),
        status_tone=views.status_tone(row.status),
        status_icon=views.status_icon(row.status),
        left=left,
        right=right,
        papers=papers,
        papers_line=views.papers_line(words, len(papers)),
        papers_mark=marks.get("papers", Mark("")),
        papers_remark=views.open_remarks(record).get("papers", ""),
        estimate=known.estimate,
        estimate_missing=words.gettext("It is estimated when class and fuel are given"),
        pooled=f"{views.kilograms(known.pooled_g)} kg" if known.pooled_g else "",
        pooled_missing=words.gettext("Nothing has been retired in advance"),
        history=permits_history.history(
            words, record, automatic=automatic_line(words, known), now_line=now_line(words, record, judging, acts)
        ),
        visits=known.visits,
        visits_count=known.visits_count,
        notices=notices(words, record, acts, marks),
        facts=facts(words, record),
        appeal=appeal_view(words, record, known.evidence),
        evidence_max=known.evidence_max,
        tip=tip(words, record, user, acts, known.undo_s),
        approve_words=approve_words(words, record),
        may_decide=acts.may(Action.REFUSE) and judging,
        may_approve=acts.may(Action.APPROVE),
        may_decide_appeal=acts.may(Action.REJECT_APPEAL),
        may_review=row.status in ("submitted", "appealed") and user.may(Can.REVIEW),
        may_edit=acts.may(Action.EDIT),
        may_copy=user.may(Can.REVIEW),
        may_revoke=acts.may(Action.REVOKE),
        may_appeal=acts.may(Action.APPEAL),
        has_pass=row.status in ("approved", "active") and row.published_at is not None,
    )


def subline(words: Words, record: ApplicationRecord) -> str:
    """Who applies, and since when it waits."""
    row = record.row
    parts = [row.applicant_name or (words.gettext("filed by %(who)s") % {"who": record.filed_by_name})]
    if row.applicant_name and record.filed_by != row.applicant_id:
        parts.append(words.gettext("filed by %(who)s") % {"who": record.filed_by_name or record.filed_by})
    if row.submitted_at is not None:
        parts.append(words.gettext("submitted %(time)s") % {"time": words.time(row.submitted_at, seconds=False)})
    return " · ".join(parts)


def automatic_line(words: Words, known: Known) -> str:
    """What the automatic check found, counted."""
    if known.check is None:
        return ""
    return permits_history.counted_marks(words, [_TONES[tick.state] for tick in known.check.ticks])


def now_line(words: Words, record: ApplicationRecord, judging: bool, acts: Acts) -> tuple[str, str] | None:
    """What is waited for, and until when."""
    due = record.deadlines[0] if record.deadlines else None
    if due is None:
        return None
    if due.of_office:
        mine = acts.may(Action.APPROVE) or acts.may(Action.REFUSE) or acts.may(Action.REJECT_APPEAL)
        title = words.gettext("waits for your decision") if mine else words.gettext("waits for the office")
    else:
        title = words.gettext("waits for the applicant")
    return title, permits_history.deadline_line(words, due)


def notices(words: Words, record: ApplicationRecord, acts: Acts, marks: Mapping[str, Mark]) -> tuple[Notice, ...]:
    """What to know before deciding: an emergency entry, a first approval, an appeal, what is about the whole form."""
    found: list[Notice] = []
    if record.entered_at is not None:
        text = words.gettext("It came in at %(time)s; the papers follow.") % {
            "time": words.time(record.entered_at, seconds=False)
        }
        found.append(Notice("hold", "siren", words.gettext("Emergency entry."), text))
    if record.approvals and record.row.status in ("submitted", "appealed"):
        given = ", ".join(one.name or one.person_id for one in record.approvals)
        text = words.gettext("One more person has to approve, an approver.")
        found.append(Notice("", "stamp", words.gettext("First approval by %(who)s.") % {"who": given}, text))
    if record.row.status == "appealed" and record.appeal is not None:
        text = views.quoted(words, record.appeal.reason)
        found.append(Notice("hold", "gavel", words.gettext("Under appeal:"), text))
    if record.overused:
        found.append(
            Notice("refuse", "triangle-alert", words.gettext("More entries were seen than the permit allows."))
        )
    if marks.get("", _FINE).tone == "bad" and record.row.status in ("draft", "submitted", "returned"):
        found.append(Notice("refuse", "octagon-x", marks[""].note))
    return tuple(found)


def facts(words: Words, record: ApplicationRecord) -> tuple[tuple[str, str], ...]:
    """The permit in figures."""
    used = str(record.entries_used)
    left = words.gettext("not counted") if record.entries_left is None else str(record.entries_left)
    found = [
        (words.gettext("Class"), views.permit_class(words, record.form.permit_class)),
        (words.gettext("Entries used"), used),
        (words.gettext("Entries left"), left),
        (words.gettext("Filed by"), record.filed_by_name or record.filed_by),
        (words.gettext("Created"), words.time(record.created_at, seconds=False)),
    ]
    if record.copied_from:
        found.append((words.gettext("Copied from"), record.copied_from))
    return tuple(found)


def appeal_view(words: Words, record: ApplicationRecord, evidence: tuple[PaperCard, ...]) -> AppealView | None:
    """The appeal, where there is one."""
    appeal = record.appeal
    if appeal is None:
        return None
    line = next((one for one in reversed(record.history) if one.action == "appeal"), None)
    by = permits_history.who(words, record.row, line) if line is not None else record.row.applicant_name
    against = views.status(words, appeal.against)
    return AppealView(by, words.time(appeal.at, seconds=False), appeal.reason, against, evidence)


def tip(words: Words, record: ApplicationRecord, user: CurrentUser, acts: Acts, undo_s: int) -> str:
    """The line beside the buttons: what follows an approval, or why there is nothing to press."""
    if not user.may(Can.REVIEW):
        return words.gettext("Your role may look. Reviewers and approvers decide.")
    status = record.row.status
    if status == "appealed":
        why = acts.refused.get(Action.REJECT_APPEAL)
        return refusal(words, why) if why else words.gettext("The reason goes to the applicant.")
    if status != "submitted":
        return views.status(words, status)
    why = acts.refused.get(Action.APPROVE)
    if why is not None:
        return refusal(words, why)
    if len(record.approvals) + 1 < record.approvals_needed:
        return words.gettext("After you, another person approves it as well")
    return words.gettext("Can be undone for %(n)s seconds, then the pass is issued") % {"n": undo_s}


def refusal(words: Words, why: StepRefusal) -> str:
    """Why a step is not taken, as a sentence."""
    return said_of(words, permit_words.STEP_REFUSALS, why)


def approve_words(words: Words, record: ApplicationRecord) -> str:
    """The word on the first button."""
    if record.approvals_needed < 2:
        return words.gettext("Approve")
    return words.gettext("Second approval") if record.approvals else words.gettext("First approval")


# ---------------------------------------------------------------- earlier visits


def visit_line(words: Words, visit: EarlierVisit) -> Earlier:
    """One earlier visit: what for, how much, and whether it is offset."""
    carbon = visit.carbon
    if carbon is None or carbon.problem:
        state, tone, icon = said_of(words, permit_words.VISIT_STATES, visit.state), "stale", "clock"
    elif carbon.covered:
        state, tone, icon = words.gettext("Offset"), "admit", "check"
    else:
        state, tone, icon = words.gettext("To be offset"), "hold", "clock"
    what = visit.purpose_text or said_of(words, permit_words.PURPOSES, visit.purpose)
    amount = None if carbon is None or carbon.problem else views.kilograms(carbon.owed_g)
    return Earlier(words.day(visit.at), what or words.gettext("Visit"), state, tone, icon, amount)
