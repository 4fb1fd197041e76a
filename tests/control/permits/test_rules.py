"""Dated rules of permits: what is refused in a row, and that what travels comes back the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from control.domain.errors import ConfigurationError
from control.permits import rules as keys
from control.permits.rules import (
    PermitRule,
    PermitRuleSet,
    check_succession,
    parse_rules,
    rule_set,
    to_mapping,
)


def row_of(rows: PermitRuleSet, key: str) -> PermitRule:
    return next(row for row in rows.rows if row.key == key)


def with_changed(rows: PermitRuleSet, changed_key: str, changes: dict[str, Any]) -> dict[str, Any]:
    mapping = to_mapping(rows)
    mapping["rule"] = [{**row, **changes} if row["key"] == changed_key else row for row in mapping["rule"]]
    return mapping


def test_what_is_written_is_read_the_same(rule_rows: PermitRuleSet) -> None:
    assert parse_rules(to_mapping(rule_rows)) == rule_rows


def test_values_have_their_kind(rule_rows: PermitRuleSet) -> None:
    rules = rule_rows.at(date(2026, 1, 1))
    assert rules.term(keys.APPEAL_TERM) == timedelta(days=28)
    assert rules.term(keys.EMERGENCY_COMPLETION) == timedelta(hours=24)
    assert rules.term(keys.CROSSING_LEAST) == timedelta(minutes=3)
    assert rules.flag(keys.BLOCK_WHILE_OFFSET_OVERDUE) is True
    assert rules.names("papers.special") == ("vehicle_licence",)
    assert rules.count(keys.APPEAL_EVIDENCE_MAX) == 3


def test_a_new_row_ends_the_old_one_and_the_past_stays(rule_rows: PermitRuleSet) -> None:
    old = row_of(rule_rows, keys.REVIEW_TERM)
    new = replace(old, rule_id="P900", value=old.value + 2, valid_from=date(2027, 1, 1))  # type: ignore[operator]
    later = rule_rows.replaced(new, version="2027.1")
    assert later.at(date(2026, 12, 31)).count(keys.REVIEW_TERM) == 3
    assert later.at(date(2027, 1, 1)).count(keys.REVIEW_TERM) == 5
    check_succession(rule_rows, later, today=date(2026, 12, 1))


@pytest.mark.parametrize(
    ("key", "changes", "said"),
    [
        (keys.REVIEW_TERM, {"key": "review.trem"}, "no such key"),
        (keys.REVIEW_TERM, {"unit": "h"}, "unit"),
        (keys.REVIEW_TERM, {"value": 0}, "beyond belief"),
        (keys.REVIEW_TERM, {"value": True}, "number"),
        (keys.REVIEW_TERM, {"value": "soon"}, "number"),
        (keys.APPEAL_EVIDENCE_MAX, {"value": 2.5}, "whole"),
        (keys.BLOCK_WHILE_OFFSET_OVERDUE, {"value": 1}, "true or false"),
        ("papers.special", {"value": ["passport"]}, "passport"),
        ("papers.special", {"value": 3}, "list"),
        (keys.REVIEW_TERM, {"reason": " "}, "reason"),
        (keys.REVIEW_TERM, {"valid_until": "2020-01-01"}, "ends before"),
        (keys.REVIEW_TERM, {"colour": "red"}, "unknown field"),
    ],
)
def test_a_wrong_row_is_named(rule_rows: PermitRuleSet, key: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse_rules(with_changed(rule_rows, key, changes))


def test_every_key_needs_a_row_on_each_day(rule_rows: PermitRuleSet) -> None:
    with pytest.raises(ConfigurationError, match="no row"):
        rule_set("x", rule_rows.rows[1:])
    with pytest.raises(ConfigurationError, match="2020-01-01"):
        rule_rows.at(date(2020, 1, 1))
    with pytest.raises(ConfigurationError, match="version"):
        parse_rules({"rule": []})


@pytest.mark.parametrize("key", ["approvals.standing", "approvals.emergency"])
def test_no_rule_takes_the_second_approval_away(rule_rows: PermitRuleSet, key: str) -> None:
    with pytest.raises(ConfigurationError, match="between 2 and 2"):
        parse_rules(with_changed(rule_rows, key, {"value": 1}))
