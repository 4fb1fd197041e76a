"""Every code that the controller can tell has a word, and what a gateway lays beside an alarm reads as people write."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.console import energy_told, energy_words
from cloud_sync.server.console.energy_because import SENTENCES, because_line, merged
from cloud_sync.server.console.words import Words, load_catalogue
from cloud_sync.server.records_energy import BecauseRecord, EnergyAlarmRecord, PlanRecord
from control.domain.energy import GridMode
from control.energy.because import CODES
from control.energy.pv_types import SUGGESTIONS, PvFault
from control.energy.settings import RANGES, EnergySettings

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)


def made(language: str) -> Words:
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: NOW)


def alarm(**evidence: object) -> EnergyAlarmRecord:
    known = {name: None for name in EnergyAlarmRecord.__dataclass_fields__}
    return EnergyAlarmRecord(**(known | {"code": "pv_shading", "suggestion": "", "evidence": evidence}))


def test_every_setting_has_a_name_a_place_and_a_unit() -> None:
    names = {one.name for one in fields(EnergySettings)}
    placed = [name for _, group in energy_words.GROUPS for name in group]
    assert names == set(energy_words.SETTING)
    assert sorted([*placed, "tariff", "day_ahead"]) == sorted(names)
    assert all(span.unit.isascii() or span.unit in energy_words.UNIT for span in RANGES.values())


def test_every_code_has_a_word() -> None:
    assert {one.value for one in PvFault} <= energy_words.ALARM.keys()
    assert set(SUGGESTIONS.values()) <= energy_words.SUGGESTION.keys()
    assert {one.value for one in GridMode} <= energy_words.GRID_MODE.keys()
    assert set(CODES) <= SENTENCES.keys()
    suggested = {"operate_breaker_by_hand", "reduce_load_or_raise_limit", "correct_settings", "check_scale_and_sensor"}
    assert suggested <= energy_words.SUGGESTION.keys()
    assert "breaker_not_following" in energy_words.ALARM
    assert "curtail_price" in energy_words.BINDING


def surplus(at_export_limit: float, hour: int) -> BecauseRecord:
    at = NOW + timedelta(hours=hour)
    values = {"storage_kwh": -400.0, "pv_kwh": 900.0, "load_kwh": 300.0, "later_per_kwh": 1.05}
    return BecauseRecord(
        at=at,
        until=at + timedelta(hours=1),
        code="store_surplus",
        values=values | {"at_export_limit": at_export_limit},
        cost_saved=0.0,
        carbon_saved_kg=0.0,
    )


def test_surplus_that_cannot_be_sold_is_told_as_such() -> None:
    rows = merged([surplus(0.0, 0), surplus(1.0, 1), surplus(1.0, 2)])
    assert [one.values["storage_kwh"] for one in rows] == [-400.0, -800.0]
    kept, bound = (because_line(made("en"), one, now=NOW, money=True) for one in rows)
    assert kept.title == bound.title == "Charge 400 kW from the sun"
    assert "600 kW to spare" in kept.text
    assert bound.text.startswith("Selling is at its limit.")
    assert "1.05" in bound.text
    assert because_line(made("zh"), rows[1], now=NOW, money=True).text == "上网已到限值，存到之后用，每度抵 1.05 元。"


def test_days_that_go_by_the_tariff_are_no_broken_limits() -> None:
    known = {name: None for name in PlanRecord.__dataclass_fields__}
    plan = PlanRecord(**(known | {"violations": ("input.pv", "limit.unserved", "price.tariff:2026-11-22")}))
    assert energy_told.violations(made("en"), plan) == ["serving all load"]
    assert energy_told.days_by_tariff(plan) == ["2026-11-22"]
    assert energy_told.days_by_tariff(None) == []


@pytest.mark.parametrize(
    ("evidence", "zh", "en"),
    [
        ({"expected_kw": 152.04}, ("应发", "152.0\u2009kW"), ("Expected", "152.0\u2009kW")),
        ({"still_min": 30.0}, ("没有变化已", "30\u2009分"), ("Without a change for", "30\u2009min")),
        ({"from_solar_h": 15.5}, ("从（太阳时）", "15:30"), ("From, sun's time", "15:30")),
        ({"day_part": 0.62}, ("全天占应发", "62%"), ("Share of the expected, whole day", "62%")),
        ({"alarms": ["F12", "F7"]}, ("设备自报告警", "F12, F7"), ("Device's alarms", "F12, F7")),
        ({"tide_level": 3}, ("tide level", "3"), ("tide level", "3")),
    ],
)
def test_evidence_reads_as_people_write(evidence: dict[str, object], zh: tuple[str, str], en: tuple[str, str]) -> None:
    assert energy_told.evidence_of(made("zh"), alarm(**evidence)) == (zh,)
    assert energy_told.evidence_of(made("en"), alarm(**evidence)) == (en,)
