"""Rules of points, and points from grams: exact, within the caps, with the rows named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.domain.errors import ConfigurationError
from control.points import rules as keys
from control.points.award import Cap, Room, award
from control.points.methodology import MethodologySet
from control.points.rules import (
    NoRules,
    PointRules,
    PointRuleSet,
    check_succession,
    completed,
    parse_rule,
    parse_rules,
    rule_set,
    to_mapping,
)

TODAY = date(2026, 11, 21)


def test_every_rule_has_a_row_and_survives_the_way_through_text(rule_rows: PointRuleSet) -> None:
    assert rule_rows.at(TODAY).rows.keys() == keys.KEYS.keys()
    assert parse_rules(to_mapping(rule_rows)) == rule_rows


def test_before_the_first_day_there_are_no_rules(rule_rows: PointRuleSet) -> None:
    with pytest.raises(NoRules, match="holds on 2020-01-01"):
        rule_rows.at(date(2020, 1, 1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"key": "cap.week"}, "there is no such key"),
        ({"unit": "g"}, "unit 'g' is wrong; this key is in point"),
        ({"value": 0}, "is beyond belief"),
        ({"value": 1.5}, "`value` must be a whole number"),
        ({"value": True}, "`value` must be a whole number"),
        ({"reason": " "}, "`reason` is missing"),
        ({"colour": 1}, "unknown field"),
    ],
)
def test_a_bad_rule_is_refused_with_its_name(rule_rows: PointRuleSet, fields: dict[str, Any], words: str) -> None:
    rows = to_mapping(rule_rows)["rule"]
    with pytest.raises(ConfigurationError) as refused:
        parse_rules({"version": "x", "rule": [rows[0], {**rows[1], **fields}, *rows[2:]]})
    assert words in str(refused.value)
    assert "P002" in str(refused.value)


def test_rules_have_to_be_whole_and_a_table(rule_rows: PointRuleSet) -> None:
    with pytest.raises(ConfigurationError, match=r"no row for cap\.day"):
        rule_set("x", [row for row in rule_rows.rows if row.key != keys.CAP_DAY])
    with pytest.raises(ConfigurationError, match="need a text `version`"):
        parse_rules({})


def test_a_new_rule_ends_the_old_one(rule_rows: PointRuleSet) -> None:
    row = replace(
        rule_rows.at(TODAY).rows[keys.CAP_DAY], rule_id="P100", value=9, valid_from=date(2027, 1, 1), valid_until=None
    )
    later = rule_rows.replaced(row, version="2027")
    assert later.at(date(2026, 12, 31)).value(keys.CAP_DAY) == 5000
    assert later.at(date(2027, 1, 1)).value(keys.CAP_DAY) == 9
    check_succession(rule_rows, later, today=TODAY)
    with pytest.raises(ConfigurationError, match="was edited"):
        check_succession(later, rule_rows, today=TODAY)
    assert parse_rule(to_mapping(later)["rule"][-1]) == row
    short = [one for one in later.rows if one.key != keys.VALIDITY]
    assert completed("x", short, rule_rows).at(TODAY).value(keys.VALIDITY) == 24


def test_the_answer_shows_its_figures_and_rows(methods: MethodologySet, rules: PointRules) -> None:
    given_ = award(methods.row("shuttle", TODAY), Fraction(5), rules)
    assert (given_.points, given_.grams, given_.capped_by, given_.methodology_version) == (370, 370, (), 1)
    assert given_.row_ids == ("M001", "P001", "P002")
    assert dict(given_.figures) == {"baseline_g": "104", "project_g": "30", "activity": "5 pkm", "reduced_g": "370"}
    assert given_.sources[1] == "policy value"


def test_caps_are_named(methods: MethodologySet, rules: PointRules) -> None:
    walking = methods.row("walking", TODAY)
    both = award(walking, Fraction(10), rules, Room(scene_g=196, day_points=4990))
    assert (both.grams, both.points, both.capped_by) == (100, 10, (Cap.SCENE_DAY, Cap.DAY))
    assert award(walking, Fraction(10), rules, Room(scene_g=400)).points == 0


def test_a_part_of_a_point_is_not_given(methods: MethodologySet, rule_rows: PointRuleSet) -> None:
    rows = [replace(row, value=10) if row.key == keys.GRAMS_PER_POINT else row for row in rule_rows.rows]
    given_ = award(methods.row("reusable_cup", TODAY), Fraction(1), rule_set("x", rows).at(TODAY))
    assert (given_.grams, given_.points) == (15, 1)


@settings(max_examples=25)
@given(activities=st.lists(st.fractions(Fraction(1, 1000), 40), max_size=20), data=st.data())
def test_the_day_never_exceeds_a_cap_in_any_order(
    methods: MethodologySet, rules: PointRules, activities: list[Fraction], data: st.DataObject
) -> None:
    walking = methods.row("walking", TODAY)
    grams = points = 0
    for activity in data.draw(st.permutations(activities)):
        one = award(walking, activity, rules, Room(grams, points))
        grams, points = grams + one.grams, points + one.points
    assert grams == points == min(296, sum(int(a * 104 + Fraction(1, 2)) for a in activities))
