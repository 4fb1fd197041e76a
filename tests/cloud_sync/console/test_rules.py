"""The rules page: every key has a name, lists read as words, and rows that nobody published are the delivered ones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.console import labels
from cloud_sync.server.console.reasons import reason_icon
from cloud_sync.server.console.rules import rule_lines, shipped_rules
from cloud_sync.server.console.words import Words, load_catalogue
from control.gate.reasons import Code
from control.gate.rules import KEYS, to_mapping

NOW = datetime(2026, 11, 21, 2, 42, tzinfo=UTC)


def words_in(language: str) -> Words:
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: NOW)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_rule_has_a_name_and_no_value_is_a_code(language: str) -> None:
    lines = rule_lines(words_in(language), [], NOW)
    assert len(lines) == len(KEYS)
    assert [line.name for line in lines if line.name in KEYS or "_" in line.name] == []
    assert [line.value for line in lines if "_" in line.value] == []


def test_a_list_of_types_is_words() -> None:
    values = [line.value for line in rule_lines(words_in("zh"), [], NOW)]
    assert "环卫车、电瓶游览车、三轮车" in values
    assert "无" in values


def test_published_rows_are_completed_with_the_delivered_ones_and_each_names_its_version() -> None:
    shipped = shipped_rules()
    rows = [row for row in to_mapping(shipped)["rule"] if not row["key"].startswith("consistency.")]
    published = [{"rule_version": "office-7", **row} for row in rows]
    lines = rule_lines(words_in("en"), published, NOW)
    assert len(lines) == len(KEYS)
    assert {line.version.split(" · ")[0] for line in lines} == {"office-7", shipped.version}
    (name,) = {line.version.split(" · ")[0] for line in lines if line.name.startswith("Types that contradict")}
    assert name == shipped.version


def test_what_speaks_against_a_plates_mounting_has_icons_of_its_own() -> None:
    codes = [code for code in Code if code.startswith(("plate_w", "plate_of", "plate_m", "plate_app", "tailgated"))]
    assert len(codes) == len({reason_icon(code) for code in codes}) == 7


@pytest.mark.parametrize("why", ["reader_died", "reader_stuck", "reader_failing", "update_refused"])
def test_alarms_of_reader_and_models_are_words(why: str) -> None:
    assert labels.label(words_in("zh"), "device_why", why) != why
    assert labels.label(words_in("zh"), "device", "models") == "识读模型"
