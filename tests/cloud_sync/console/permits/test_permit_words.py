"""Applications in words: when a vehicle comes, what changed, and counts in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.console import permits_history, permits_labels, permits_views
from cloud_sync.server.console.words import Words, load_catalogue
from control.domain.permits import PermitClass
from control.permits.application import Drive, EntryKind, Form, Purpose
from control.permits.transitions import Action

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
ALL_STEPS = {one.value for one in Action} | {"create", "copy", "emergency_entry"}


def made(language: str) -> Words:
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: NOW)


@pytest.mark.parametrize(
    ("hours", "zh", "en", "soon"),
    [
        (1, "今日 11:42 进场", "enters today 11:42", True),
        (20, "明日 06:42 进场", "enters tomorrow 06:42", True),
        (72, "11-24 进场", "enters 24 Nov", False),
        (-3, "今日 07:42 进场", "enters today 07:42", True),
    ],
)
def test_when_a_vehicle_comes(hours: int, zh: str, en: str, soon: bool) -> None:
    at = NOW + timedelta(hours=hours)
    assert permits_views.when(made("zh"), at) == zh
    assert permits_views.when(made("en"), at) == en
    assert permits_views.is_soon(made("zh"), at) is soon


def test_counts_are_said_in_the_readers_language() -> None:
    assert permits_views.papers_line(made("zh"), 4) == "4 份"
    assert permits_views.papers_line(made("en"), 4) == "4 papers"
    assert permits_views.papers_line(made("en"), 1) == "1 paper"
    assert permits_history.counted_marks(made("zh"), ["good"] * 7 + ["warn"]) == "7 项通过，1 项提醒"
    assert permits_history.counted_marks(made("en"), ["good", "none", "bad", "warn"]) == (
        "1 check passed, 2 point at something"
    )


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("drive", "diesel", "柴油"),
        ("purpose", "lifting", "吊装与高空作业"),
        ("permit_class", PermitClass.STANDING.value, "长期许可"),
        ("window_from", "2026-11-22T23:00:00+00:00", "11-23 07:00"),
        ("papers", f"vehicle_licence {'a' * 64}, insurance {'b' * 64}", "行驶证, 保险单"),
        ("holder", "宏达", "宏达"),
        ("holder", "", ""),
    ],
)
def test_changed_fields_are_shown_as_people_read_them(field: str, text: str, shown: str) -> None:
    assert permits_history.shown_value(made("zh"), field, text) == shown


def test_every_step_and_field_has_a_name() -> None:
    assert permits_labels.STEPS.keys() == ALL_STEPS
    assert set(Form.__dataclass_fields__) <= permits_labels.FIELDS.keys()


def test_lines_of_a_form() -> None:
    words = made("zh")
    form = Form(
        plate="琼C61K28",
        gates=("east", "x9"),
        entry_kind=EntryKind.COUNTED,
        entries=2,
        drive=Drive.LNG,
        purpose=Purpose.OTHER,
        purpose_text="搬钢琴",
    )
    assert permits_views.gates_line(words, form) == "东门、x9 · 次数 2"
    assert permits_views.purpose_line(words, form) == "其他 · 搬钢琴"
    assert permits_views.plate_line(words, form) == "未填颜色"
    assert permits_views.consumption_line(words, form) == "按车型默认值"
    assert permits_views.title(words, form) == "未填车型 · 搬钢琴"
    assert "plain" in permits_views.chip(words, form, "pl")  # a blue and a yellow plate read alike


def test_reasons_are_what_was_chosen_then_what_was_typed() -> None:
    reasons = permits_labels.REFUSE_REASONS
    assert permits_labels.reason_text(made("zh"), reasons, "not_needed", " 用电动叉车 ") == (
        "这项作业不需要燃油车：用电动叉车"
    )
    assert permits_labels.reason_text(made("en"), reasons, "", "seen it") == "seen it"
    assert permits_labels.reason_text(made("en"), reasons, "nothing", "") == ""
