"""What is wrong with a form: one row for each problem, and that nothing else is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.carbon.factor_keys import EmissionClass, Fuel
from control.domain.permits import PermitClass
from control.domain.plates import EnergyClass, PlateColour
from control.permits import rules as keys
from control.permits.application import Application, Drive, EntryKind, Form, Paper, Purpose
from control.permits.form_check import FormFacts, OtherPermit, ProblemCode, check
from control.permits.rules import PermitRules

C = ProblemCode
OTHER = Paper("c" * 64, "other", "image/png", 3)


def changed(draft: Application, **changes: Any) -> Application:
    return replace(draft, form=replace(draft.form, **changes))


def test_a_good_form_has_no_problem(draft: Application, rules: PermitRules, facts: FormFacts) -> None:
    assert check(draft, rules, facts) == ()


FORMS: list[tuple[dict[str, Any], ProblemCode, str]] = [
    ({"plate": " "}, C.MISSING, "plate"),
    ({"plate": "琼CI1234"}, C.PLATE_FORMAT, "plate"),
    ({"plate_colour": PlateColour.GREEN}, C.PLATE_COLOUR, "plate_colour"),
    ({"plate_colour": PlateColour.PAPER}, C.PLATE_TEMPORARY, "plate"),
    ({"plate": "琼CD12345", "plate_colour": PlateColour.GREEN}, C.NEEDS_NO_PERMIT, "plate"),
    ({"plate": "琼C1234挂"}, C.TRAILER, "plate"),
    ({"drive": None}, C.MISSING, "drive"),
    ({"emission_class": ""}, C.MISSING, "emission_class"),
    ({"emission_class": "rocket"}, C.CLASS_UNKNOWN, "emission_class"),
    ({"holder": ""}, C.MISSING, "holder"),
    ({"holder": "x" * 501}, C.TOO_LONG, "holder"),
    ({"consumption_per_100km": Decimal(0)}, C.CONSUMPTION_NOT_POSITIVE, "consumption_per_100km"),
    ({"consumption_per_100km": Decimal("NaN")}, C.CONSUMPTION_NOT_POSITIVE, "consumption_per_100km"),
    ({"consumption_per_100km": Decimal("15.1")}, C.CONSUMPTION_TOO_LOW, "consumption_per_100km"),
    ({"consumption_per_100km": Decimal("95.1")}, C.CONSUMPTION_TOO_HIGH, "consumption_per_100km"),
    ({"purpose": None}, C.MISSING, "purpose"),
    ({"purpose": Purpose.OTHER}, C.PURPOSE_TEXT_MISSING, "purpose_text"),
    ({"route": "x" * 501}, C.TOO_LONG, "route"),
    ({"gates": ()}, C.MISSING, "gates"),
    ({"gates": ("moon",)}, C.GATE_UNKNOWN, "gates"),
    ({"gates": ("east", "east")}, C.GATE_TWICE, "gates"),
    ({"window_from": None}, C.MISSING, "window_from"),
    ({"window_until": datetime(2026, 11, 25)}, C.NO_TIME_ZONE, "window_until"),  # noqa: DTZ001
    ({"entries": 61}, C.ENTRIES_RANGE, "entries"),
    ({"entries": None}, C.ENTRIES_RANGE, "entries"),
    ({"entry_kind": EntryKind.SINGLE}, C.ENTRIES_NOT_COUNTED, "entries"),
    ({"entry_kind": EntryKind.STANDING, "entries": None}, C.STANDING_NOT_ALLOWED, "entry_kind"),
    ({"papers": (OTHER,)}, C.PAPER_MISSING, "papers"),
    ({"permit_class": PermitClass.EMERGENCY}, C.PAPER_MISSING, "papers"),
]


@pytest.mark.parametrize(("changes", "code", "field"), FORMS)
def test_each_problem_is_named_beside_its_field(
    draft: Application, rules: PermitRules, facts: FormFacts, changes: dict[str, Any], code: ProblemCode, field: str
) -> None:
    found = check(changed(draft, **changes), rules, facts)
    assert [(one.code, one.field) for one in found] == [(code, field)]


@pytest.mark.parametrize(
    ("begin_h", "length_h", "code"),
    [
        (48, -1, C.WINDOW_BACKWARDS),
        (48, 24 * 7, None),
        (48, 24 * 7 + 1, C.WINDOW_TOO_LONG),
        (24, 5, None),
        (23, 5, C.TOO_SOON),
        (-9, 5, C.WINDOW_OVER),
        (24 * 90, 5, None),
        (24 * 90 + 1, 5, C.TOO_FAR_AHEAD),
    ],
)
def test_the_window(
    draft: Application, rules: PermitRules, facts: FormFacts, begin_h: int, length_h: int, code: ProblemCode | None
) -> None:
    begins = facts.now + timedelta(hours=begin_h)
    asked = changed(draft, window_from=begins, window_until=begins + timedelta(hours=length_h))
    assert [one.code for one in check(asked, rules, facts)] == ([] if code is None else [code])


def test_an_emergency_neither_waits_nor_is_too_late(draft: Application, rules: PermitRules, facts: FormFacts) -> None:
    order = Paper("d" * 64, "duty_order", "application/pdf", 1)
    window = {"window_from": facts.now - timedelta(hours=5), "window_until": facts.now - timedelta(hours=3)}
    asked = changed(draft, permit_class=PermitClass.EMERGENCY, papers=(order,), **window)
    assert [one.code for one in check(asked, rules, facts)] == [C.WINDOW_OVER]
    assert check(replace(asked, entered_at=window["window_from"]), rules, facts) == ()


def test_what_the_cloud_knows(draft: Application, rules: PermitRules, facts: FormFacts) -> None:
    def codes(application: Application, **known: Any) -> list[ProblemCode]:
        return [one.code for one in check(application, rules, replace(facts, **known))]

    assert codes(draft, registered=EnergyClass.BATTERY_ELECTRIC) == [C.NEEDS_NO_PERMIT]
    assert codes(draft, registered=EnergyClass.PLUG_IN_OR_FUEL_CELL) == [C.REGISTER_SAYS_OTHERWISE]
    assert codes(changed(draft, drive=Drive.PLUG_IN), registered=EnergyClass.PLUG_IN_OR_FUEL_CELL) == []
    assert codes(draft, registered=EnergyClass.UNKNOWN) == []
    assert codes(draft, block_reason="stolen") == [C.BLOCKED]
    assert codes(draft, default_per_100km=None) == []
    form = draft.form
    assert form.window_from is not None
    assert form.window_until is not None
    touching = OtherPermit("p0", form.window_from - timedelta(days=1), form.window_from)
    assert codes(draft, others=(touching,)) == []
    assert codes(draft, others=(replace(touching, window_until=form.window_until),)) == [C.OVERLAPS]


def test_a_debt_blocks_unless_switched_off_or_an_emergency(
    draft: Application, rules: PermitRules, facts: FormFacts
) -> None:
    owing = replace(facts, overdue_visits=("v1", "v2"))
    (problem,) = check(draft, rules, owing)
    assert (problem.code, problem.detail) == (C.OFFSET_OVERDUE, "v1, v2")
    key = keys.BLOCK_WHILE_OFFSET_OVERDUE
    off = replace(rules, rows={**rules.rows, key: replace(rules.rows[key], value=False)})
    assert check(draft, off, owing) == ()
    emergency = changed(draft, permit_class=PermitClass.EMERGENCY)
    assert C.OFFSET_OVERDUE not in {one.code for one in check(emergency, rules, owing)}


def test_too_many_papers_and_the_same_one_twice(draft: Application, rules: PermitRules, facts: FormFacts) -> None:
    many = tuple(Paper(f"{number:064d}", "vehicle_licence", "image/png", 1) for number in range(11))
    assert [one.code for one in check(changed(draft, papers=many), rules, facts)] == [C.TOO_MANY_PAPERS]
    odd = (*draft.form.papers, draft.form.papers[0], Paper("e" * 64, "passport", "image/png", 1))
    found = [one.code for one in check(changed(draft, papers=odd), rules, facts)]
    assert found == [C.PAPER_KIND_UNKNOWN, C.PAPER_TWICE]


def test_declared_drives_are_fuels_of_the_carbon_book() -> None:
    assert {drive.value for drive in Drive} - {Drive.PLUG_IN.value} == {fuel.value for fuel in Fuel}
    assert "crane" in set(EmissionClass)


ZONES = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
FORMS_AT_RANDOM = st.builds(
    Form,
    plate=st.text(max_size=12),
    plate_colour=st.sampled_from(PlateColour),
    permit_class=st.sampled_from(PermitClass),
    entry_kind=st.sampled_from(EntryKind),
    entries=st.none() | st.integers(),
    emission_class=st.text(max_size=5),
    drive=st.none() | st.sampled_from(Drive),
    consumption_per_100km=st.none() | st.decimals(),
    purpose=st.none() | st.sampled_from(Purpose),
    gates=st.lists(st.sampled_from(["east", "west", "x"])).map(tuple),
    window_from=st.none() | st.datetimes() | st.datetimes(timezones=ZONES),
    window_until=st.none() | st.datetimes() | st.datetimes(timezones=ZONES),
)


@given(form=FORMS_AT_RANDOM)
def test_any_form_is_judged(form: Form, rules: PermitRules, facts: FormFacts) -> None:
    application = Application(application_id="p", applicant_id="d", form=form)
    found = check(application, rules, facts)
    names = set(Form.__dataclass_fields__) | {""}
    assert all(one.field in names for one in found)
    assert found == check(application, rules, facts)
