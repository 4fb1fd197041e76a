"""Exact numbers of the carbon books: owns the units of mass; numbers and rounding are those of `domain.exact`."""

from __future__ import annotations

from control.domain.exact import InexactNumber, Number, exact, half_up, to_decimal

__all__ = ["GRAMS_PER_KG", "GRAMS_PER_TONNE", "InexactNumber", "Number", "exact", "half_up", "to_decimal"]

GRAMS_PER_KG = 1_000
GRAMS_PER_TONNE = 1_000_000
