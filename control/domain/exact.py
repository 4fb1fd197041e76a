"""Exact numbers of the ledgers: owns how a given number becomes a fraction, and the one way of rounding.

Between input and ledger there are fractions only; whole grams, points and fen come from `half_up`, once.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

from control.domain.errors import IslandError

Number = int | float | Decimal | Fraction

_EXPONENT_MAX = 400


class InexactNumber(IslandError):
    """What was given is no finite number."""


def exact(value: object) -> Fraction:
    """The fraction that is meant; a float stands for its shortest decimal text, so that 0.1 is one tenth.

    Raises InexactNumber for NaN, infinities, and whatever is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        raise InexactNumber(f"{value!r} is no number.")
    # A few characters of exponent would make an integer of a gigabyte.
    if isinstance(value, Decimal) and value.is_finite() and not -_EXPONENT_MAX < value.adjusted() < _EXPONENT_MAX:
        raise InexactNumber(f"{value!r} is beyond any quantity.")
    try:
        return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    except (ValueError, OverflowError) as error:
        raise InexactNumber(f"{value!r} is not finite.") from error


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return floor(value + Fraction(1, 2))


def to_decimal(value: Fraction, places: int) -> Decimal:
    """For people to read: rounded half up to `places` decimals, whatever the decimal context is."""
    scaled = half_up(value * 10**places)
    digits = tuple(int(digit) for digit in str(abs(scaled)))
    return Decimal((int(scaled < 0), digits, -places))
