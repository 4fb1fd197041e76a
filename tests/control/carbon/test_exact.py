"""Exact numbers: what is meant, what is refused, one way of rounding."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.carbon.exact import InexactNumber, exact, half_up, to_decimal


@pytest.mark.parametrize("value", [0.1, Decimal("0.1"), Fraction(1, 10)])
def test_a_tenth_is_a_tenth(value: object) -> None:
    assert exact(value) == Fraction(1, 10)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), Decimal("NaN"), Decimal("inf")])
def test_what_is_not_finite_is_refused(value: object) -> None:
    with pytest.raises(InexactNumber):
        exact(value)


@pytest.mark.parametrize("value", [Decimal("1e999999999"), Decimal("1e-999999")])
def test_a_number_that_would_fill_the_memory_is_refused(value: Decimal) -> None:
    with pytest.raises(InexactNumber, match="beyond any quantity"):
        exact(value)


@pytest.mark.parametrize("value", [None, "1", True, [1]])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InexactNumber):
        exact(value)


@pytest.mark.parametrize(("value", "whole"), [("1.5", 2), ("2.5", 3), ("1.49", 1), ("0.5", 1), ("-0.5", 0)])
def test_a_half_goes_up(value: str, whole: int) -> None:
    assert half_up(Fraction(value)) == whole


@given(st.integers(-(10**40), 10**40), st.integers(0, 9))
def test_reading_does_not_depend_on_the_decimal_context(scaled: int, places: int) -> None:
    with localcontext() as context:
        context.prec = 3
        shown = to_decimal(Fraction(scaled, 10**places), places)
    assert Fraction(shown) == Fraction(scaled, 10**places)
