"""An event's footprint is exact, names its rows, and says how far it may be off."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import control.carbon
from control.carbon import factor_keys as keys
from control.carbon.event_footprint import BadEventLine, EventLine, event_footprint
from control.carbon.factor_keys import EventSource
from control.carbon.factors import FactorSet, MissingFactor, parse_factors

DAY = date(2026, 11, 12)


@pytest.fixture(scope="module")
def factors() -> FactorSet:
    with Path(control.carbon.__file__).with_name("factors.toml").open("rb") as source:
        return parse_factors(tomllib.load(source))


def test_sources_are_summed_with_the_rows_of_the_day(factors: FactorSet) -> None:
    lines = [
        EventLine(EventSource.RAIL, Decimal("1000.5"), measured=True),
        EventLine(EventSource.RAIL, 2),
        EventLine(EventSource.ELECTRICITY, 100),
    ]
    found = event_footprint(lines, DAY, factors)
    assert [(one.source, one.grams) for one in found.parts] == [("rail", 32_080), ("electricity", 36_480)]
    assert found.grams == 68_560
    rows = factors.at(DAY)
    doubts = [keys.event_uncertainty_key(measured=one) for one in (False, True)]
    names = [keys.event_key(EventSource.RAIL), "grid.hainan.co2", *doubts]
    assert found.factor_ids == tuple(rows.row(name).factor_id for name in names)
    assert found.uncertainty_frac == Decimal("0.161")
    earlier = event_footprint(lines, date(2025, 6, 1), factors)
    assert earlier.parts[1].grams == 41_840


def test_every_source_has_a_row_and_one_line_alone_is_as_unsure_as_its_kind(factors: FactorSet) -> None:
    for source in EventSource:
        found = event_footprint([EventLine(source, 10)], DAY, factors)
        assert found.grams > 0
        assert found.uncertainty_frac == Decimal("0.300")
    assert event_footprint([], DAY, factors).grams == 0


@pytest.mark.parametrize("amount", [0, -1, float("nan"), Decimal("Infinity")])
def test_what_is_no_amount_is_refused(factors: FactorSet, amount: Decimal) -> None:
    with pytest.raises(BadEventLine, match="meal"):
        event_footprint([EventLine(EventSource.MEAL, amount)], DAY, factors)


def test_a_day_before_the_first_row_has_no_factor(factors: FactorSet) -> None:
    with pytest.raises(MissingFactor):
        event_footprint([EventLine(EventSource.MEAL, 1)], date(2020, 1, 1), factors)
