"""Dated rules: what is refused, and which row is in force."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control.domain.errors import ConfigurationError
from control.domain.vehicles import VehicleType
from control.gate.reasons import REASONS
from control.gate.rules import KEYS, RuleSet, parse_rules, to_mapping

ROOT = Path(__file__).resolve().parents[3]


def changed(rules: RuleSet, index: int, **fields: object) -> dict:
    mapping = copy.deepcopy(to_mapping(rules))
    row = {**mapping["rule"][index], **fields}
    mapping["rule"][index] = {name: value for name, value in row.items() if value is not None}
    return mapping


def test_every_key_has_a_delivered_row(rules: RuleSet) -> None:
    assert {row.key for row in rules.rows} == KEYS
    assert rules.in_force(datetime(2026, 11, 21, tzinfo=UTC)) is not None


def test_every_row_names_source_author_and_reason(rules: RuleSet) -> None:
    assert all(row.source and row.author and row.reason and row.clause for row in rules.rows)


def test_rules_survive_the_way_down(rules: RuleSet) -> None:
    assert parse_rules(to_mapping(rules)) == rules


def test_before_the_first_row_nothing_is_in_force(rules: RuleSet) -> None:
    assert rules.in_force(datetime(2024, 12, 7, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": 1.5}, "between 0 and 1"),
        ({"value": "high"}, "must be a number"),
        ({"value": True}, "must be a number"),
        ({"value": float("nan")}, "between 0 and 1"),
        ({"key": "reading.mood"}, "no key 'reading.mood'"),
        ({"valid_from": "2024-12-08T00:00:00"}, "time zone"),
        ({"valid_from": "soon"}, "no date"),
        ({"valid_from": None}, "missing or no date"),
        ({"source": None}, "`source` is missing"),
        ({"author": " "}, "`author` is missing"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"valid_until": "2024-01-01T00:00:00+00:00"}, "ends before it begins"),
    ],
)
def test_nonsense_is_refused_by_name(rules: RuleSet, fields: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_rules(changed(rules, 0, **fields))


@pytest.mark.parametrize(
    ("until", "message"), [("2026-02-01T00:00:00+00:00", "overlap"), ("2025-12-01T00:00:00+00:00", "leave a gap")]
)
def test_rows_of_one_key_follow_each_other(rules: RuleSet, until: str, message: str) -> None:
    mapping = changed(rules, 0, valid_until=until)
    mapping["rule"].append({**mapping["rule"][0], "id": "later", "valid_from": "2026-01-01T00:00:00+00:00"})
    del mapping["rule"][-1]["valid_until"]
    with pytest.raises(ConfigurationError, match=message):
        parse_rules(mapping)


def test_rows_published_before_a_key_existed_are_completed_by_the_delivered_ones(rules: RuleSet) -> None:
    older = RuleSet("older", tuple(row for row in rules.rows if not row.key.startswith(("mounting.", "consistency."))))
    today = datetime(2026, 11, 21, tzinfo=UTC)
    assert older.in_force(today) is None
    policy = older.completed_by(rules).in_force(today)
    assert policy is not None
    assert policy.version == "older"


@pytest.mark.parametrize("value", ["bus, spaceship", "unknown", "", 3.0, None])
def test_a_list_of_types_names_known_types(rules: RuleSet, value: object) -> None:
    place = next(i for i, row in enumerate(rules.rows) if row.key == "consistency.small")
    with pytest.raises(ConfigurationError, match="must name vehicle types or be none"):
        parse_rules(changed(rules, place, value=value))


def test_no_type_at_all_may_contradict_a_plate(rules: RuleSet) -> None:
    policy = rules.in_force(datetime(2026, 11, 21, tzinfo=UTC))
    assert policy is not None
    assert policy.types("consistency.aviation") == frozenset()
    assert VehicleType.CRANE in policy.types("consistency.nev_small")


@pytest.mark.parametrize("mapping", [{}, {"version": 1, "rule": []}, {"version": "1"}, {"version": "1", "rule": [3]}])
def test_no_rules_at_all_is_an_error(mapping: dict) -> None:
    with pytest.raises(ConfigurationError):
        parse_rules(mapping)


def test_the_document_holds_every_reason() -> None:
    text = (ROOT / "docs/gate_reasons.md").read_text(encoding="utf-8")
    for code, (chinese, english) in REASONS.items():
        assert f"| `{code}` | {chinese} | {english} |" in text
