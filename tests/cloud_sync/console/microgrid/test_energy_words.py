"""Every code that the controller can tell has a word, and what a gateway lays beside an alarm reads as people write."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.console import energy_told, energy_words
from cloud_sync.server.console.energy_because import SENTENCES
from cloud_sync.server.console.words import Words, load_catalogue
from cloud_sync.server.records_energy import EnergyAlarmRecord
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
    assert sorted([*placed, "tariff"]) == sorted(names)
    assert all(span.unit.isascii() or span.unit in energy_words.UNIT for span in RANGES.values())


def test_every_code_has_a_word() -> None:
    assert {one.value for one in PvFault} <= energy_words.ALARM.keys()
    assert set(SUGGESTIONS.values()) <= energy_words.SUGGESTION.keys()
    assert {one.value for one in GridMode} <= energy_words.GRID_MODE.keys()
    assert set(CODES) <= SENTENCES.keys()


@pytest.mark.parametrize(
    ("evidence", "zh", "en"),
    [
        ({"expected_kw": 152.04}, ("应发", "152.0\u2009kW"), ("Expected", "152.0\u2009kW")),
        ({"still_min": 30.0}, ("没有变化已", "30\u2009分"), ("Without a change for", "30\u2009min")),
        ({"from_solar_h": 15.5}, ("从（太阳时）", "15:30"), ("From, sun's time", "15:30")),
        ({"day_part": 0.62}, ("这些时段占应发", "62%"), ("Share of the expected, these hours", "62%")),
        ({"alarms": ["F12", "F7"]}, ("设备自报告警", "F12, F7"), ("Device's alarms", "F12, F7")),
        ({"tide_level": 3}, ("tide level", "3"), ("tide level", "3")),
    ],
)
def test_evidence_reads_as_people_write(evidence: dict[str, object], zh: tuple[str, str], en: tuple[str, str]) -> None:
    assert energy_told.evidence_of(made("zh"), alarm(**evidence)) == (zh,)
    assert energy_told.evidence_of(made("en"), alarm(**evidence)) == (en,)
