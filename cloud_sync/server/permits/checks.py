"""Automatic checks of a form: owns gathering what the cloud knows, and the ticks that a reviewer sees.

What counts as a problem is `control.permits.form_check`'s alone; a tick sums up the problems of its fields. Anybody may
write any plate into a form: what the office knows of a plate is told to the office and to whose plate it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from cloud_sync.server import rule_books
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.people.limits import HOUR_S, limit
from cloud_sync.server.permits import access, storing, vehicles
from cloud_sync.server.permits.records import CheckRecord, FieldProblem, Tick, Words
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from control.carbon import factor_keys
from control.carbon.factors import Factors
from control.carbon.offset_reports import Overdue
from control.carbon.visit_types import EmissionClass
from control.domain.exact import to_decimal
from control.domain.permits import PermitClass
from control.domain.plates import EnergyClass, PlateColour, normalise
from control.permits import rules as keys
from control.permits import words
from control.permits.application import Application, EntryKind, Form
from control.permits.form_check import FormFacts, OtherPermit, Problem, check
from control.permits.rules import PermitRules

_RUNNING = ["submitted", "approved", "active"]
_WARN_WITHIN = timedelta(hours=24)


async def count(given: Services, user: CurrentUser) -> None:
    """Counts one check of a person outside the office. Raises Problem `too_many_requests`."""
    if not user.may(Can.READ_APPLICATIONS):
        await limit(given, f"check/{user.user_id}", given.config.limits.checks_per_hour, HOUR_S)


async def problems(
    db: Reader, given: Services, application: Application, *, viewer: CurrentUser | None = None
) -> tuple[Problem, ...]:
    """Every problem of the form by today's rules, as `viewer` may know them; None is a page of the office."""
    rules = (await storing.book(db)).rows.at(_today(given))
    return check(application, rules, await _facts_for(db, given, application, viewer))


async def checked(
    db: Reader, given: Services, application: Application, *, viewer: CurrentUser | None = None
) -> CheckRecord:
    """Problems beside their fields and the ticks of the automatic checks, as `problems`."""
    rules = (await storing.book(db)).rows.at(_today(given))
    known = await _facts_for(db, given, application, viewer)
    found = check(application, rules, known)
    ticks = _ticks(application, found, known, rules)
    dated = tuple(_dated(kind, application.form, given.config.zone) for kind in _DATED)
    return CheckRecord(tuple(_record(one) for one in found), (*ticks, *dated))


def _record(problem: Problem) -> FieldProblem:
    return FieldProblem(problem.code.value, problem.field, problem.detail, Words(*words.sentence(problem)))


def problem_list(found: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as they stand in an answer."""
    sentences = [words.sentence(one) for one in found]
    return [
        {"code": one.code.value, "field": one.field, "detail": one.detail, "zh": zh, "en": en}
        for one, (zh, en) in zip(found, sentences, strict=True)
    ]


async def _facts_for(db: Reader, given: Services, application: Application, viewer: CurrentUser | None) -> FormFacts:
    """Outside the office: no reason of a block, no number of another's permit, no visits of another's plate."""
    known = await facts(db, given, application)
    if viewer is None or viewer.may(Can.READ_APPLICATIONS):
        return known
    owners = access.owners_of(viewer)
    asked = [one.permit_id for one in known.others]
    rows = await db.fetch(
        "SELECT application_id FROM applications WHERE application_id = ANY($1::text[])"
        " AND applicant_id = ANY($2::text[])",
        *(asked, list(owners)),
    )
    own = {row["application_id"] for row in rows}
    return replace(
        known,
        block_reason=None if known.block_reason is None else "",
        others=tuple(one if one.permit_id in own else replace(one, permit_id="") for one in known.others),
        overdue_visits=await _overdue_of(db, given, application, owners) if known.overdue_visits else (),
    )


async def _overdue_of(db: Reader, given: Services, application: Application, owners: Sequence[str]) -> tuple[str, ...]:
    """Overdue visits of one's own and of a plate confirmed as one's own; other ones as one without id."""
    applicant_id, plate = application.applicant_id, normalise(application.form.plate)
    plates = [plate] if plate and await vehicles.owner_of(db, plate) in owners else []
    if not plates and not (applicant_id and applicant_id in owners):
        return ("",)
    told = await given.permits.overdue_for(db, applicant_id, plates, _today(given))
    return tuple(one.visit_id for one in told) or ("",)


async def facts(db: Reader, given: Services, application: Application) -> FormFacts:
    """What the cloud knows about the form's plate, gates and classes."""
    form, now = application.form, given.clock()
    plate = normalise(form.plate)
    factors = (await rule_books.factors(db)).at(_today(given))
    gates = await db.fetch("SELECT DISTINCT gate_id FROM lanes")
    overdue: Sequence[Overdue] = ()
    if plate or application.applicant_id:
        plates = [plate] if plate else []
        overdue = await given.permits.overdue_for(db, application.applicant_id, plates, _today(given))
    return FormFacts(
        now=now,
        gates=frozenset(row["gate_id"] for row in gates),
        emission_classes=frozenset(EmissionClass),
        default_per_100km=_default(form, factors),
        registered=await _registered(db, plate),
        block_reason=await _block_reason(db, plate, now),
        overdue_visits=tuple(one.visit_id for one in overdue),
        others=await _others(db, plate, application.application_id, now),
    )


def _today(given: Services) -> date:
    return given.clock().astimezone(given.config.zone).date()


def _default(form: Form, factors: Factors) -> Decimal | None:
    """The consumption of the form's class by the factors of the day; None for a class that nobody knows."""
    if form.emission_class not in set(EmissionClass):
        return None
    return to_decimal(factors.number(factor_keys.consumption_key(EmissionClass(form.emission_class))), 2)


async def _registered(db: Reader, plate: str) -> EnergyClass | None:
    energy = await db.fetchval("SELECT energy FROM registry WHERE plate = $1", plate)
    if energy not in set(EnergyClass) or energy == EnergyClass.UNKNOWN:
        return None
    return EnergyClass(energy)


async def _block_reason(db: Reader, plate: str, now: datetime) -> str | None:
    reason: str | None = await db.fetchval(
        "SELECT reason FROM watch_entries WHERE plate = $1 AND effect = 'block' AND removed_at IS NULL"
        " AND (valid_until IS NULL OR valid_until > $2) ORDER BY watch_id LIMIT 1",
        plate,
        now,
    )
    return reason


async def _others(db: Reader, plate: str, application_id: str, now: datetime) -> tuple[OtherPermit, ...]:
    """What else runs for this plate: applications under way, and permits that were given without one."""
    if not plate:
        return ()
    rows = await db.fetch(
        "SELECT application_id AS permit_id, window_from, window_until FROM applications WHERE plate = $1"
        " AND application_id <> $2 AND status = ANY($3::text[]) AND window_until > $4 AND window_from IS NOT NULL"
        " UNION ALL SELECT permit_id, valid_from, valid_until FROM permits p WHERE plate = $1 AND revoked_at IS NULL"
        " AND valid_until > $4 AND (entries_left IS NULL OR entries_left > 0)"
        " AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.application_id = p.permit_id) ORDER BY 2, 1",
        plate,
        application_id,
        _RUNNING,
        now,
    )
    return tuple(OtherPermit(row["permit_id"], row["window_from"], row["window_until"]) for row in rows)


# ---------------------------------------------------------------- ticks

# Fields whose problems a tick sums up, in the order of the reviewer's page.
_FIELDS: dict[str, frozenset[str]] = {
    "holder": frozenset({"holder"}),
    "vehicle": frozenset({"plate", "plate_colour", "drive", "emission_class", "consumption_per_100km"}),
    "purpose": frozenset({"purpose", "purpose_text"}),
    "window": frozenset({"window_from", "window_until"}),
    "gates": frozenset({"gates", "entries", "entry_kind", "route"}),
    "papers": frozenset({"papers"}),
    "overdue": frozenset({""}),
}
_FINE: dict[str, Words] = {
    "holder": Words("已填写", "Filled in"),
    "vehicle": Words("车牌与车型相符", "Plate and vehicle agree"),
    "purpose": Words("已写明", "Stated"),
    "window": Words("在允许的时段内", "Within what is allowed"),
    "gates": Words("门岗和次数有效", "Gates and entries are valid"),
    "papers": Words("材料齐全", "All papers are there"),
    "overdue": Words("无逾期", "Nothing overdue"),
}


def _ticks(
    application: Application, found: Sequence[Problem], known: FormFacts, rules: PermitRules
) -> tuple[Tick, ...]:
    return tuple(
        _tick(kind, [one for one in found if one.field in fields], application, known, rules)
        for kind, fields in _FIELDS.items()
    )


# Papers that end on a day, which the applicant or the reviewer read off them.
_DATED = ("vehicle_licence", "insurance")


def _dated(kind: str, form: Form, zone: tzinfo) -> Tick:
    """Whether a paper is valid to the end of the window. The day is as declared: nothing reads it off the picture."""
    days = [paper.valid_until for paper in form.papers if paper.kind == kind and paper.valid_until is not None]
    if not days:
        return Tick(kind, "unknown", Words("没填有效期", "No last day is given"))
    until = max(days).isoformat()
    if form.window_until is not None and max(days) < form.window_until.astimezone(zone).date():
        return Tick(kind, "warn", Words(f"{until} 到期，早于离岛", f"Ends on {until}, before the window does"))
    return Tick(kind, "ok", Words(f"有效至 {until}", f"Valid until {until}"))


def _tick(kind: str, found: Sequence[Problem], application: Application, known: FormFacts, rules: PermitRules) -> Tick:
    if found:
        return Tick(kind, "wrong", Words(*words.sentence(found[0])))
    warning = _WARNINGS[kind](application, known, rules) if kind in _WARNINGS else None
    return Tick(kind, "ok", _FINE[kind]) if warning is None else Tick(kind, "warn", warning)


def _vehicle_warning(application: Application, known: FormFacts, _: PermitRules) -> Words | None:
    """Colour and register cannot contradict what nobody knows."""
    if known.registered is None and application.form.plate_colour is PlateColour.UNKNOWN:
        return Words(
            "车牌颜色未填，登记信息里也没有这辆车", "The plate's colour is not given and the register has no row"
        )
    return None


def _window_warning(application: Application, known: FormFacts, _: PermitRules) -> Words | None:
    begins = application.form.window_from
    if begins is not None and application.entered_at is None and begins - known.now < _WARN_WITHIN:
        return Words("24 小时内进岛", "It begins within 24 hours")
    return None


def _gates_warning(application: Application, _: FormFacts, rules: PermitRules) -> Words | None:
    form = application.form
    if form.entry_kind is EntryKind.STANDING:
        return Words("不限次数", "Entries are not counted")
    if form.permit_class is PermitClass.EMERGENCY and rules.count(keys.approvals_key(form.permit_class)) > 1:
        return Words("须两人批准", "Two people approve")
    return None


def _overdue_warning(_: Application, known: FormFacts, __: PermitRules) -> Words | None:
    """Overdue visits that block nothing, because the rule is off or an emergency is never held up."""
    if not known.overdue_visits:
        return None
    if "" in known.overdue_visits:
        return Words("有到访逾期未抵消", "There are overdue visits that are not offset")
    count = len(known.overdue_visits)
    return Words(f"{count} 次到访逾期未抵消", f"{count} overdue visits are not offset")


_WARNINGS = {
    "vehicle": _vehicle_warning,
    "window": _window_warning,
    "gates": _gates_warning,
    "overdue": _overdue_warning,
}
