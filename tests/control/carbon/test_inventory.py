"""The zone's inventory: two columns of electricity, and gaps that are never zero."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.carbon.factors import FactorSet, MissingFactor, parse_factors
from control.carbon.inventory import (
    NO_FEED,
    BadFeed,
    Feed,
    GramFeed,
    GreenPower,
    MonthGiven,
    month_inventory,
    period_total,
)

FILE = Path(__file__).resolve().parents[3] / "control/carbon/factors.toml"
# Property tests take no fixture of one test's scope.
DELIVERED = parse_factors(tomllib.loads(FILE.read_text(encoding="utf-8")))
WHOLE = MonthGiven(
    year=2026,
    month=10,
    fuel=GramFeed(500_000, 1),
    grid_import=Feed(1_000_000, 1),
    pv_used=Feed(400_000, 1),
    exported=Feed(20_000, 1),
    sinks=GramFeed(2_000_000, 1),
    green=(GreenPower(600_000, "绿证 2026-10"),),
    retired_g=1_000_000,
    pooled_g=499_000,
)


def test_a_month_by_place_and_by_contract(factor_rows: FactorSet) -> None:
    month = month_inventory(WHOLE, factor_rows)
    assert (month.grid_location_g, month.grid_market_g) == (364_800_000, 145_920_000)
    assert month.gross_location_g == 365_300_000
    assert month.net_location_g == 365_300_000 - 2_000_000 - 1_000_000
    assert month.net_market_g == 146_420_000 - 2_000_000 - 1_000_000
    assert month.renewable_frac == Decimal("0.714286")
    assert month.missing == ()
    row = factor_rows.at(date(2026, 10, 31)).row("grid.hainan.co2")
    assert row.factor_id in month.factor_ids


def test_export_lowers_nothing(factor_rows: FactorSet) -> None:
    more = month_inventory(replace(WHOLE, exported=Feed(900_000, 1)), factor_rows)
    assert more.net_location_g == month_inventory(WHOLE, factor_rows).net_location_g


@pytest.mark.parametrize(
    ("year", "month", "grams"), [(2025, 11, 418_400), (2025, 12, 364_800), (2026, 1, 364_800), (2024, 12, 418_400)]
)
def test_the_factor_is_the_newest_by_the_months_end(factor_rows: FactorSet, year: int, month: int, grams: int) -> None:
    found = month_inventory(replace(WHOLE, year=year, month=month, grid_import=Feed(1000, 1)), factor_rows)
    assert found.grid_location_g == grams


@pytest.mark.parametrize("feed", ["fuel", "grid_import", "pv_used", "exported", "sinks"])
@pytest.mark.parametrize("known", [Decimal("0.999"), 0.5, Fraction(2_999_999, 3_000_000)])
def test_a_gap_leaves_the_known_part_and_no_net(factor_rows: FactorSet, feed: str, known: Any) -> None:
    given_ = replace(WHOLE, **{feed: replace(getattr(WHOLE, feed), known_frac=known)})
    month = month_inventory(given_, factor_rows)
    whole = month_inventory(WHOLE, factor_rows)
    assert month.missing == (feed,)
    assert (month.net_location_g, month.net_market_g) == (None, None)
    assert month.known_net_location_g == whole.net_location_g
    assert (month.gross_location_g is None) == (feed in ("fuel", "grid_import"))
    assert (month.renewable_frac is None) == (feed in ("pv_used", "grid_import"))


def test_a_feed_that_never_came_is_not_zero(factor_rows: FactorSet) -> None:
    month = month_inventory(replace(WHOLE, grid_import=NO_FEED, green=()), factor_rows)
    assert (month.known_gross_location_g, month.gross_location_g, month.net_location_g) == (500_000, None, None)
    assert month.completeness[1].known_frac == 0


def test_green_power_beyond_what_was_imported_counts_for_nothing(factor_rows: FactorSet) -> None:
    month = month_inventory(replace(WHOLE, green=(GreenPower(1_200_000, "c1"),)), factor_rows)
    assert (month.grid_market_g, month.green_kwh, month.green_kwh_unused) == (0, 1_000_000, 200_000)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"green": (GreenPower(5, " "),)}, "green: power counts as green only with"),
        ({"green": (GreenPower(-5, "c"),)}, "green: -5 is negative"),
        ({"grid_import": Feed(float("nan"), 1)}, "grid_import: nan is not finite"),
        ({"grid_import": Feed(-1, 1)}, "grid_import: -1 is negative"),
        ({"pv_used": Feed(1, 1.1)}, "pv_used: 1.1 of the month cannot be known"),
        ({"sinks": GramFeed(-1, 1)}, "sinks: -1 is negative"),
        ({"retired_g": -1}, "retired: -1 is negative"),
    ],
)
def test_a_feed_that_cannot_be_meant_is_refused_by_name(
    factor_rows: FactorSet, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadFeed) as refused:
        month_inventory(replace(WHOLE, **fields), factor_rows)
    assert words in str(refused.value)


def test_a_month_before_the_first_factor_is_named(factor_rows: FactorSet) -> None:
    with pytest.raises(MissingFactor):
        month_inventory(replace(WHOLE, year=2019), factor_rows)


def test_a_period_with_one_gap_has_no_net_and_names_the_month(factor_rows: FactorSet) -> None:
    whole = [month_inventory(replace(WHOLE, month=number), factor_rows) for number in (8, 9)]
    total = period_total(whole)
    assert total.net_location_g == 2 * 362_300_000
    assert total.incomplete == ()
    gap = month_inventory(replace(WHOLE, month=10, pv_used=Feed(1, Fraction(1, 2))), factor_rows)
    broken = period_total([*whole, gap])
    assert (broken.net_location_g, broken.net_market_g, broken.incomplete) == (None, None, ((2026, 10),))
    assert broken.known_net_location_g == 3 * 362_300_000
    with pytest.raises(BadFeed):
        period_total([whole[0], whole[0]])
    with pytest.raises(BadFeed):
        period_total([])


@given(watt_hours=st.integers(0, 10**12))
def test_grid_grams_are_the_exact_product_rounded_once(watt_hours: int) -> None:
    from_wh = Feed(Decimal(watt_hours) / 1000, 1)
    found = month_inventory(replace(WHOLE, grid_import=from_wh, green=()), DELIVERED)
    assert found.grid_location_g == (watt_hours * 3648 + 5000) // 10_000
