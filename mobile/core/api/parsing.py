"""From JSON to frozen dataclasses and back: owns how strictly answers are read.

A field of the wrong type or a missing one is an error; a field that nobody here knows is passed over, so that a newer
server can say more.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from control.domain.errors import ContractError

Read = Callable[[Any, str], Any]


class Unreadable(ContractError):
    """A value that is not what it should be; the text names its place."""


def parse(kind: Any, value: Any) -> Any:
    """The JSON value as `kind`: a dataclass, tuple, dict, optional, or a plain type. Raises Unreadable."""
    return _reader(kind)(value, "answer")


def plain(value: Any) -> Any:
    """What `json.dumps` takes and `parse` reads back to the same."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [plain(one) for one in value]
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


@cache
def _reader(kind: Any) -> Read:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(kind)
    if origin is tuple:
        return _many(get_args(kind)[0])
    if origin is dict:
        return _mapping(get_args(kind)[1])
    if is_dataclass(kind):
        return _record(kind)
    return _PLAIN[kind]


def _optional(kind: Any) -> Read:
    inner = [one for one in get_args(kind) if one is not type(None)]
    assert len(inner) == 1, f"{kind} is more than optional"
    read = _reader(inner[0])
    return lambda value, where: None if value is None else read(value, where)


def _many(inner: Any) -> Read:
    read = _reader(inner)

    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise _wrong("a list", value, where)
        return tuple([read(one, where) for one in value])

    return reader


def _mapping(inner: Any) -> Read:
    read = _reader(inner)

    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong("an object", value, where)
        return {key: read(one, f"{where}.{key}") for key, one in value.items()}

    return reader


def _record(kind: Any) -> Read:
    hints = get_type_hints(kind)
    parts = [(one.name, _reader(hints[one.name]), _needed(one)) for one in fields(kind) if one.init]

    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(f"an object ({kind.__name__})", value, where)
        given = {}
        for name, read, needed in parts:
            if name in value:
                given[name] = read(value[name], f"{where}.{name}")
            elif needed:
                raise Unreadable(f"{where}.{name} is missing")
        return kind(**given)

    return reader


def _needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _wrong(wanted: str, value: Any, where: str) -> Unreadable:
    return Unreadable(f"{where} should be {wanted}, not {type(value).__name__}")


def _of_type(kind: type, wanted: str) -> Read:
    def reader(value: Any, where: str) -> Any:
        if type(value) is not kind:
            raise _wrong(wanted, value, where)
        return value

    return reader


def _float(value: Any, where: str) -> float:
    if type(value) not in (int, float):
        raise _wrong("a number", value, where)
    return float(value)


def _decimal(value: Any, where: str) -> Decimal:
    if type(value) not in (str, int, float):
        raise _wrong("an exact number", value, where)
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise _wrong("an exact number", value, where) from error


def _datetime(value: Any, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _wrong("a time", value, where) from error
    if at.tzinfo is None:
        raise Unreadable(f"{where} is a time without its zone")
    return at.astimezone(UTC)


def _date(value: Any, where: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _wrong("a day", value, where) from error


_PLAIN: dict[Any, Read] = {
    str: _of_type(str, "text"),
    int: _of_type(int, "a whole number"),
    bool: _of_type(bool, "true or false"),
    float: _float,
    Decimal: _decimal,
    datetime: _datetime,
    date: _date,
    Any: lambda value, where: value,
}
