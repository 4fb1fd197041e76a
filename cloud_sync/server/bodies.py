"""From an event's raw body to its dataclass: owns which bodies can be projected, and why others cannot.

Unknown keys are ignored, so that a newer gateway can say more than this server knows.
"""

from __future__ import annotations

import json
import types
import typing
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any

from control.domain.events import EVENT_KINDS

TEXT_CHARS_MAX = 4096
INT_MAX = 2**63 - 1
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BadBody:
    """Why a body cannot be used."""

    why: str


def read_body(kind: str, raw: bytes) -> Any:
    """The dataclass of a known kind, or BadBody. Never raises for what a gateway sent."""
    try:
        body = json.loads(raw, parse_constant=_refused)
    except (ValueError, RecursionError):
        return BadBody("the body is not JSON")
    if not isinstance(body, dict):
        return BadBody("the body is no JSON object")
    values: dict[str, Any] = {}
    for name, hint, required in _fields_of(kind):
        if name not in body:
            if required:
                return BadBody(f"{name} is missing")
            continue
        value = _fitting(hint, body[name], name)
        if isinstance(value, BadBody):
            return value
        values[name] = value
    return EVENT_KINDS[kind][0](**values)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


@cache
def _fields_of(kind: str) -> tuple[tuple[str, Any, bool], ...]:
    shape = EVENT_KINDS[kind][0]
    hints = typing.get_type_hints(shape)
    return tuple(
        (one.name, hints[one.name], one.default is MISSING and one.default_factory is MISSING) for one in fields(shape)
    )


def _fitting(hint: Any, value: Any, name: str) -> Any:
    """The value as PostgreSQL can take it, or BadBody."""
    if typing.get_origin(hint) is types.UnionType:
        if value is None:
            return None
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    kind = typing.get_origin(hint) or hint
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        return BadBody(f"{name} is {type(value).__name__}, expected {kind.__name__}")
    if kind is list:
        return _fitting_items(typing.get_args(hint)[0], value, name)
    return _checked(value, name)


def _fitting_items(hint: Any, values: list[Any], name: str) -> Any:
    kind = typing.get_origin(hint) or hint
    if any(type(one) is not kind for one in values):
        return BadBody(f"{name} holds something else than {kind.__name__}")
    return _checked(values, name)


def _checked(value: Any, name: str) -> Any:
    if isinstance(value, str):
        if len(value) > TEXT_CHARS_MAX or not _storable(value):
            return BadBody(f"{name} is too long or holds characters that cannot be stored")
        if name == "at" or name.endswith("_at"):
            return value if parsed_time(value) else BadBody(f"{name} is no time with a zone between 2000 and 2200")
    elif isinstance(value, int) and not -INT_MAX <= value <= INT_MAX:
        return BadBody(f"{name} is beyond 63 bits")
    elif isinstance(value, (list, dict)) and not _storable(value):
        return BadBody(f"{name} holds what cannot be stored")
    return value


def _storable(value: Any) -> bool:
    """Whether PostgreSQL can keep it: no NUL, no half of a surrogate pair, no infinite number."""
    try:
        return b"\\u0000" not in json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False


def parsed_time(text: str) -> datetime | None:
    """An aware time that PostgreSQL can hold, or None."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo and _EARLIEST <= at <= _LATEST else None
