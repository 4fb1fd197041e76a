"""What is typed into the office's form comes back as it was, and becomes the form that it says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import FormData

from cloud_sync.server.console import permits_form
from control.domain.plates import PlateColour
from control.permits.application import Drive, EntryKind, Form, Paper, Purpose
from control.permits.form_check import ProblemCode

ZONE = ZoneInfo("Asia/Shanghai")
SHA = "a" * 64
FORM = Form(
    plate="琼C61K28",
    plate_colour=PlateColour.YELLOW,
    emission_class="crane",
    drive=Drive.DIESEL,
    consumption_per_100km=Decimal("38.5"),
    purpose=Purpose.LIFTING,
    purpose_text="换幕墙",
    gates=("east", "north"),
    entry_kind=EntryKind.COUNTED,
    entries=2,
    window_from=datetime(2026, 11, 23, 23, 0, tzinfo=UTC),
    window_until=datetime(2026, 11, 24, 11, 0, tzinfo=UTC),
    holder="宏达吊装",
    papers=(Paper(SHA, "insurance", "image/png", 1234, "保险|单.png", date(2027, 3, 1)),),
)


def posted(form: Form, **more: str) -> FormData:
    """As the browser sends it."""
    items = list((permits_form.texts_of(form, ZONE) | more).items())
    items += [("gates", gate) for gate in form.gates]
    for paper in permits_form.typed_papers(form.papers):
        items += [("paper", paper.token), ("paper_kind", paper.kind), ("paper_until", paper.until)]
    return FormData(items)


def test_a_form_survives_the_browser() -> None:
    typed = permits_form.read(posted(FORM), ZONE)
    assert typed.problems == ()
    assert typed.form.papers[0].name == "保险 单.png"  # the mark between a token's parts is no part of a name
    assert typed.form.papers[0].valid_until == date(2027, 3, 1)
    assert {
        name: getattr(typed.form, name) for name in ("plate", "drive", "entries", "gates", "consumption_per_100km")
    } == {name: getattr(FORM, name) for name in ("plate", "drive", "entries", "gates", "consumption_per_100km")}
    assert (typed.form.window_from, typed.form.window_until) == (FORM.window_from, FORM.window_until)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("entries", "two", ProblemCode.ENTRIES_RANGE),
        ("entries", "9999999", ProblemCode.ENTRIES_RANGE),
        ("consumption_per_100km", "much", ProblemCode.CONSUMPTION_NOT_POSITIVE),
        ("consumption_per_100km", "inf", ProblemCode.CONSUMPTION_NOT_POSITIVE),
        ("window_from", "tomorrow", ProblemCode.MISSING),
    ],
)
def test_what_cannot_be_read_is_a_problem_beside_its_field_and_kept(field: str, text: str, code: ProblemCode) -> None:
    typed = permits_form.read(posted(FORM, **{field: text}), ZONE)
    assert [(one.field, one.code) for one in typed.problems] == [(field, code)]
    assert getattr(typed.form, field) is None
    assert typed.values[field] == text


def test_a_decimal_comma_is_a_point() -> None:
    assert permits_form.read(posted(FORM, consumption_per_100km="38,5"), ZONE).form.consumption_per_100km == Decimal(
        "38.5"
    )


@pytest.mark.parametrize("token", ["", "a|b", f"{'a' * 63}|image/png|1|x", "|||"])
def test_papers_that_are_none_are_left_out(token: str) -> None:
    data = FormData([("paper", token), ("paper_kind", "other"), ("paper_until", "")])
    assert permits_form.read(data, ZONE).form.papers == ()
