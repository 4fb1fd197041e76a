"""Dated factors: what is refused, which row holds on a day, and that history is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.carbon.factor_keys import CHOICE, KEYS, UNITS, FactorFamily, Fuel, GridArea, co2_key, family_key, grid_key
from control.carbon.factors import (
    Factor,
    FactorSet,
    MissingFactor,
    check_succession,
    completed,
    factor_set,
    parse_factor,
    parse_factors,
    to_mapping,
)
from control.domain.errors import ConfigurationError

HAINAN = grid_key(GridArea.HAINAN)
TODAY = date(2026, 11, 21)


def of_key(factors: FactorSet, key: str) -> list[Factor]:
    return [row for row in factors.rows if row.key == key]


def test_every_key_has_a_row_today_except_families_that_do_not_know_a_fuel(factor_rows: FactorSet) -> None:
    rows = factor_rows.at(TODAY).rows
    assert KEYS.keys() - rows.keys() == {co2_key(Fuel.LNG, FactorFamily.JST303)}


def test_every_row_names_source_author_reason_and_a_known_unit(factor_rows: FactorSet) -> None:
    assert all(row.source and row.author and row.reason and row.unit in UNITS for row in factor_rows.rows)


def test_published_factors_name_their_announcement(factor_rows: FactorSet) -> None:
    grid = [row for row in factor_rows.rows if row.unit == "kg/kWh"]
    assert len(grid) == 9
    assert all(row.data_year and "公告" in row.announcement for row in grid)


@pytest.mark.parametrize(
    ("day", "factor", "year"),
    [
        (date(2024, 12, 8), "0.4524", 2021),
        (date(2024, 12, 25), "0.4524", 2021),
        (date(2024, 12, 26), "0.4184", 2022),
        (date(2025, 12, 30), "0.4184", 2022),
        (date(2025, 12, 31), "0.3648", 2023),
        (TODAY, "0.3648", 2023),
    ],
)
def test_the_provincial_factor_is_the_newest_of_its_day(
    factor_rows: FactorSet, day: date, factor: str, year: int
) -> None:
    row = factor_rows.at(day).row(HAINAN)
    assert (row.value, row.data_year) == (Fraction(factor), year)


def test_both_families_are_there_and_the_newer_is_the_default(factor_rows: FactorSet) -> None:
    today = factor_rows.at(TODAY)
    assert today.choice(family_key(Fuel.DIESEL)) == FactorFamily.JST303
    assert today.number(co2_key(Fuel.DIESEL, FactorFamily.JST303)) == Fraction("2.718")
    assert today.number(co2_key(Fuel.DIESEL, FactorFamily.GBT32151)) == Fraction("2.601")
    assert factor_rows.at(date(2025, 6, 1)).choice(family_key(Fuel.DIESEL)) == FactorFamily.GBT32151


def test_before_the_first_row_the_key_and_the_day_are_named(factor_rows: FactorSet) -> None:
    with pytest.raises(MissingFactor, match=r"grid\.hainan\.co2 holds on 2019-01-01"):
        factor_rows.at(date(2019, 1, 1)).number(HAINAN)


def test_factors_survive_the_way_through_text(factor_rows: FactorSet) -> None:
    assert parse_factors(to_mapping(factor_rows)) == factor_rows


def changed(factors: FactorSet, key: str, /, **fields: Any) -> list[Factor]:
    """The rows with the last row of a key replaced."""
    last = of_key(factors, key)[-1]
    return [replace(row, **fields) if row is last else row for row in factors.rows]


Change = Callable[[FactorSet], list[Factor]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: changed(f, HAINAN, valid_from=date(2025, 12, 30)), "of grid.hainan.co2 overlap"),
        (lambda f: changed(f, HAINAN, valid_from=date(2026, 1, 1)), "of grid.hainan.co2 leave a gap"),
        (lambda f: changed(f, HAINAN, unit="g/kWh"), "unit 'g/kWh' is unknown; this key is in kg/kWh"),
        (lambda f: changed(f, HAINAN, unit="kg/L"), "unit 'kg/L' belongs to another key"),
        (lambda f: changed(f, HAINAN, value=Fraction(-1, 10)), "is negative: -0.1"),
        (lambda f: changed(f, HAINAN, value=Fraction(364)), "364 is beyond belief"),
        (lambda f: changed(f, HAINAN, value="much"), "must be a finite number, not 'much'"),
        (lambda f: changed(f, HAINAN, source="  "), "`source` is missing"),
        (lambda f: changed(f, HAINAN, author=""), "`author` is missing"),
        (lambda f: changed(f, HAINAN, reason=""), "`reason` is missing"),
        (lambda f: changed(f, HAINAN, valid_until=date(2025, 12, 31)), "ends before it begins"),
        (lambda f: changed(f, HAINAN, key="grid.mars.co2"), "of grid.mars.co2: there is no such key"),
        (lambda f: changed(f, HAINAN, factor_id="F001"), "F001 of grid.hainan.co2: the id is used twice"),
        (lambda f: changed(f, "grid.area", value="mars"), "must be one of hainan, southern, national, not mars"),
        (lambda f: [row for row in f.rows if row.key != "gwp.set"], "no row for gwp.set"),
    ],
)
def test_a_bad_row_is_refused_with_its_name(factor_rows: FactorSet, change: Change, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        factor_set("x", change(factor_rows))
    assert words in str(refused.value)


GOOD_ROW = {
    "id": "X1",
    "key": HAINAN,
    "value": "0.31",
    "unit": "kg/kWh",
    "valid_from": date(2026, 12, 31),
    "source": "生态环境部公告",
    "author": "office",
    "reason": "new announcement",
}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"value": float("nan")}, "not finite"),
        ({"value": "nan"}, "not finite"),
        ({"value": "1e999999999"}, "beyond any quantity"),
        ({"value": None}, "no number"),
        ({"value": True}, "no number"),
        ({"source": None}, "`source` is missing"),
        ({"valid_from": "soon"}, "`valid_from` is no day: 'soon'"),
        ({"valid_from": datetime(2026, 1, 1)}, "give a date without a time"),  # noqa: DTZ001
        ({"data_year": "2024"}, "`data_year` must be a year"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_a_bad_field_is_refused_with_row_and_key(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_factor({**GOOD_ROW, **fields})
    assert words in str(refused.value)
    assert "X1" in str(refused.value)
    assert HAINAN in str(refused.value)


@pytest.mark.parametrize(
    "mapping", [{}, {"version": "1"}, {"version": 1, "factor": []}, {"version": "1", "factor": [1]}]
)
def test_what_is_no_list_of_rows_is_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        parse_factors(mapping)


def test_a_new_row_ends_the_old_one_and_leaves_its_days_alone(factor_rows: FactorSet) -> None:
    new = factor_rows.replaced(parse_factor(GOOD_ROW), version="2027")
    assert new.at(date(2026, 12, 30)).number(HAINAN) == Fraction("0.3648")
    assert new.at(date(2026, 12, 31)).number(HAINAN) == Fraction("0.31")
    assert len(of_key(new, HAINAN)) == 4
    check_succession(factor_rows, new, today=TODAY)


def test_a_new_row_cannot_begin_before_the_one_it_ends(factor_rows: FactorSet) -> None:
    with pytest.raises(ConfigurationError, match="a new row begins after that"):
        factor_rows.replaced(parse_factor({**GOOD_ROW, "valid_from": date(2025, 12, 31)}), version="2027")


def test_an_edited_a_lost_and_a_backdated_row_are_found(factor_rows: FactorSet) -> None:
    edited = factor_set("x", changed(factor_rows, HAINAN, value=Fraction("0.1")))
    with pytest.raises(ConfigurationError, match=r"of grid\.hainan\.co2 was edited"):
        check_succession(factor_rows, edited, today=TODAY)
    lost = FactorSet("x", tuple(row for row in factor_rows.rows if row.key != HAINAN))
    with pytest.raises(ConfigurationError, match="is gone"):
        check_succession(factor_rows, lost, today=TODAY)
    backdated = factor_rows.replaced(parse_factor({**GOOD_ROW, "valid_from": date(2026, 6, 1)}), version="x")
    with pytest.raises(ConfigurationError, match="change past days"):
        check_succession(factor_rows, backdated, today=TODAY)


def test_rows_of_an_older_table_are_completed_by_the_delivered_ones(factor_rows: FactorSet) -> None:
    older = [row for row in factor_rows.rows if row.key != "offset.due"]
    assert completed("x", older, factor_rows).at(TODAY).number("offset.due") == 365


@given(lengths=st.lists(st.integers(1, 400), min_size=1, max_size=8), offset=st.integers(0, 4000))
def test_exactly_one_row_of_a_key_holds_on_each_day(lengths: list[int], offset: int) -> None:
    first = date(2024, 12, 8)
    template = parse_factor({**GOOD_ROW, "valid_from": first})
    starts = [first + timedelta(days=sum(lengths[:index])) for index in range(len(lengths) + 1)]
    rows = [
        replace(template, factor_id=f"X{index}", valid_from=start, valid_until=until)
        for index, (start, until) in enumerate(zip(starts, [*starts[1:], None], strict=True))
    ]
    found = FactorSet("x", tuple(rows)).at(first + timedelta(days=offset)).row(HAINAN)
    assert found.factor_id == f"X{sum(start <= first + timedelta(days=offset) for start in starts) - 1}"


def test_choices_have_no_bounds_and_numbers_no_choices() -> None:
    assert all(bool(spec.choices) == (spec.unit == CHOICE) for spec in KEYS.values())
