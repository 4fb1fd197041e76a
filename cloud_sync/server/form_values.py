"""What people type into the fields of a form: owns how numbers, sums of money, days and local times are read.

A field that cannot be read is a Problem `invalid` that names it; the browser keeps what was typed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from cloud_sync.server.problems import Problem

NUMBER_MAX = Decimal(10**12)
_CHARS_MAX = 40
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}([, ][0-9]{3})+(\.[0-9]+)?")
_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|[0-9]+,[0-9]{1,2}|0,[0-9]+)")


def read_number(text: str) -> Decimal | None:
    """The number that was typed, None where it is none or beyond NUMBER_MAX.

    `1,000` and `1 000` are a thousand; a comma that parts no thousands is a decimal one, as in `38,5`. Full-width
    digits and signs count as plain ones.
    """
    plain = unicodedata.normalize("NFKC", text[:_CHARS_MAX]).strip().replace("−", "-")
    if len(text) > _CHARS_MAX:
        return None
    if _GROUPED.fullmatch(plain):
        found = Decimal(plain.replace(",", "").replace(" ", ""))
    elif _PLAIN.fullmatch(plain):
        found = Decimal(plain.replace(",", "."))
    else:
        return None
    return found if abs(found) < NUMBER_MAX else None


def number(text: str, name: str) -> Decimal:
    """A number. Raises Problem."""
    found = read_number(text)
    if found is None:
        raise Problem("invalid", detail=name)
    return found


def whole(text: str, name: str) -> int:
    """A whole number from 0 on. Raises Problem."""
    found = number(text, name)
    if found < 0 or found != found.to_integral_value():
        raise Problem("invalid", detail=name)
    return int(found)


def fen(text: str, *, most: int, name: str = "amount") -> int:
    """Yuan with at most two decimals, in fen; `most` of them, above or below zero. Raises Problem."""
    amount = number(text, name) * 100
    if amount != amount.to_integral_value() or abs(amount) > most:
        raise Problem("invalid", detail=name)
    return int(amount)


def day(text: str, name: str) -> date:
    """A picker's day. Raises Problem."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Problem("invalid", detail=name) from error


def local_time(text: str, zone: ZoneInfo, name: str) -> datetime | None:
    """A picker's time on the clock of `zone`; None where it is empty. Raises Problem."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=zone)
    except ValueError as error:
        raise Problem("invalid", detail=name) from error
