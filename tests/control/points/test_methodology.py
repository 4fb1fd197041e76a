"""Methodologies: every scene has one, bad rows are refused by name, and old days keep theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from control.domain.errors import ConfigurationError
from control.points.methodology import (
    POLICY_VALUE,
    Difference,
    Limits,
    Methodology,
    MethodologySet,
    MissingMethodology,
    PerAct,
    PerUnit,
    Scene,
    Unit,
    check_succession,
    methodology_set,
    reduction_g,
    sources_of,
)
from control.points.methodology_rows import parse_methodologies, parse_methodology, to_mapping

TODAY = date(2026, 11, 21)


def test_every_scene_has_a_methodology_today(methods: MethodologySet) -> None:
    assert {row.scene for row in methods.at(TODAY).values()} == set(Scene)


def test_every_figure_has_a_source_or_says_that_it_is_a_policy_value(methods: MethodologySet) -> None:
    sources = [text for row in methods.rows for text in sources_of(row.formula)]
    assert all(sources)
    assert POLICY_VALUE in sources


def test_trees_and_beaches_have_a_badge(methods: MethodologySet) -> None:
    badges = {row.scene: row.badge for row in methods.rows if row.badge}
    assert set(badges) == {Scene.TREE_PLANTING, Scene.BEACH_CLEANING}


def test_methodologies_survive_the_way_through_text(methods: MethodologySet) -> None:
    assert parse_methodologies(to_mapping(methods)) == methods


@pytest.mark.parametrize(
    ("key", "activity", "grams"),
    [
        ("shuttle", "5", "370"),
        ("shared_bike", "2", "190.6"),
        ("walking", "1.5", "156"),
        ("recycling.aluminium", "0.015", "121.8"),
        ("no_towel_change", "2", "300"),
        ("vegetarian_meal", "1", "800"),
    ],
)
def test_formulas_give_exact_grams(methods: MethodologySet, key: str, activity: str, grams: str) -> None:
    assert reduction_g(methods.row(key, TODAY).formula, Fraction(activity)) == Fraction(grams)


def changed(methods: MethodologySet, key: str, /, **fields: Any) -> list[Methodology]:
    return [replace(row, **fields) if row.key == key else row for row in methods.rows]


def limited(methods: MethodologySet, /, **fields: Any) -> list[Methodology]:
    limits = methods.row("walking", TODAY).limits
    return changed(methods, "walking", limits=replace(limits, **fields))


BACK = Difference(Fraction(30), Fraction(104), "a", "b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: changed(m, "walking", key="flying"), "of flying: there is no such scene"),
        (lambda m: changed(m, "walking", name_zh=" "), "M003 of walking: `name_zh` is missing"),
        (lambda m: changed(m, "walking", author=""), "`author` is missing"),
        (lambda m: changed(m, "walking", formula=PerUnit(Fraction(5), "")), "`source 1` is missing"),
        (lambda m: changed(m, "walking", formula=BACK), "nothing is saved"),
        (lambda m: changed(m, "walking", formula=PerAct(Fraction(5), "a")), "in unit act, not km"),
        (lambda m: changed(m, "walking", formula=PerUnit(Fraction(0), "a")), "0 g a km is beyond belief"),
        (lambda m: changed(m, "walking", formula=PerUnit(Fraction(10**6), "a")), "beyond belief"),
        (lambda m: changed(m, "walking", evidence=frozenset()), "`evidence` is empty"),
        (lambda m: changed(m, "walking", cap_day_g=0), "`cap_day_g` must be more than 0"),
        (lambda m: changed(m, "walking", claim_window_h=10_000), "`claim_window_h` must be"),
        (lambda m: limited(m, speed_max_kmh=Fraction(900)), "`speed_max_kmh` must be"),
        (lambda m: limited(m, activity_max=Fraction(0)), "`activity_max` must be"),
        (lambda m: changed(m, "walking", version=2), "`version` is 2 where 1 is due"),
        (lambda m: changed(m, "walking", methodology_id="M001"), "the id is used twice"),
        (lambda m: changed(m, "walking", valid_until=date(2024, 12, 8)), "ends before it begins"),
        (lambda m: changed(m, "recycling.pet", cap_day_g=1), "variants of a scene share one cap"),
        (lambda m: [*m.rows, replace(m.rows[0], methodology_id="X", version=2, valid_from=TODAY)], "overlap"),
    ],
)
def test_a_bad_row_is_refused_with_its_name(
    methods: MethodologySet, change: Callable[[MethodologySet], list[Methodology]], words: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        methodology_set("x", change(methods))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"form": "eval"}, "`form` must be one of difference, per_unit, per_act"),
        ({"grams": 3}, "`grams` does not belong to the form difference"),
        ({"baseline_g": "nan"}, "`baseline_g`: Decimal('NaN') is not finite"),
        ({"baseline_g": "much"}, "`baseline_g` is no number"),
        ({"project_g": None}, "`project_g`"),
        ({"project_source": ""}, "`project_source` is missing"),
        ({"unit": "mile"}, "`unit` must be one of"),
        ({"evidence": ["promise"]}, "`evidence` must be one of"),
        ({"evidence": "gate"}, "must be a list"),
        ({"version": True}, "`version` must be a whole number"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"valid_from": "soon"}, "`valid_from` is no day"),
    ],
)
def test_a_bad_field_is_refused_with_row_and_key(methods: MethodologySet, fields: dict[str, Any], words: str) -> None:
    good = to_mapping(methods)["methodology"][0]
    with pytest.raises(ConfigurationError) as refused:
        parse_methodology({**good, **fields})
    assert words in str(refused.value)
    assert "(M001, shuttle)" in str(refused.value)


@pytest.mark.parametrize("mapping", [{}, {"version": "1"}, {"version": "1", "methodology": [1]}])
def test_what_is_no_list_of_rows_is_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        parse_methodologies(mapping)


def test_a_new_version_leaves_the_days_of_the_old_one_alone(methods: MethodologySet) -> None:
    old = methods.row("reusable_cup", TODAY)
    new = replace(
        old,
        methodology_id="M100",
        version=2,
        valid_from=date(2027, 1, 1),
        formula=PerAct(Fraction(20), "a study"),
        limits=Limits(activity_max=Fraction(1), acts_day_max=2),
        unit=Unit.ACT,
    )
    later = methods.replaced(new, version="2027")
    assert later.row("reusable_cup", date(2026, 12, 31)).version == 1
    assert later.row("reusable_cup", date(2027, 1, 1)).version == 2
    check_succession(methods, later, today=TODAY)
    edited = methodology_set("x", changed(methods, "reusable_cup", reason="another"))
    with pytest.raises(ConfigurationError, match="M011 of reusable_cup was edited"):
        check_succession(methods, edited, today=TODAY)


def test_before_the_first_row_key_and_day_are_named(methods: MethodologySet) -> None:
    with pytest.raises(MissingMethodology, match="walking holds on 2020-01-01"):
        methods.row("walking", date(2020, 1, 1))
