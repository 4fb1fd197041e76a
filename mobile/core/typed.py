"""Figures that a person typed: owns how a comma in them is read."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_MANY_DIGITS = 18
_PLAIN = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")


def figure_of(text: str) -> Decimal | None:
    """A figure that is not below zero; None for nothing, or for what is no number.

    Commas between groups of three digits part thousands, as both languages of the app write them: "45,120" is 45120.
    One comma elsewhere is a decimal point: "2,4" is 2.4, and so is "0,450" 0.45. Full-width digits are digits.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain.replace(",", ".")
    if not _PLAIN.fullmatch(plain) or len(plain) > _MANY_DIGITS:
        return None
    return Decimal(plain)
