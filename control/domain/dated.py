"""Dated rows: owns what is common to factors, methodologies and rules that hold from one day to another.

A row is never edited: it ends and a new one begins, so that an old case recomputes with the row of its day. Days are
the island's calendar days; a row holds from `valid_from` until the day before `valid_until`. What a row's value may be
belongs to its own table. `noun` is what a table calls its rows in messages, for example `Factor`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import Field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar, Protocol, TypeVar

from control.domain.errors import ConfigurationError
from control.domain.exact import InexactNumber, exact


class DatedRow(Protocol):
    """What every dated row has; it is a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def row_id(self) -> str:
        """Unique in its table, for ever."""
        ...

    @property
    def key(self) -> str:
        """What the row is about; on each day one row of a key holds."""
        ...

    @property
    def valid_from(self) -> date:
        """First day."""
        ...

    @property
    def valid_until(self) -> date | None:
        """The day after the last one; None until further notice."""
        ...


class ValuedRow(DatedRow, Protocol):
    """A dated row with one value, its unit, and who wrote it why."""

    @property
    def unit(self) -> str:
        """Unit of the value."""
        ...

    @property
    def source(self) -> str:
        """Where the value is from."""
        ...

    @property
    def author(self) -> str:
        """Who wrote the row."""
        ...

    @property
    def reason(self) -> str:
        """Why it was written."""
        ...


Row = TypeVar("Row", bound=DatedRow)
_TEXTS = ("id", "key", "unit", "source", "author", "reason")


def where_of(noun: str, row: DatedRow) -> str:
    """How messages name a row."""
    return f"{noun} {row.row_id or 'without id'} of {row.key}"


def covers(row: DatedRow, day: date) -> bool:
    """Whether a row holds on a day."""
    return row.valid_from <= day and (row.valid_until is None or day < row.valid_until)


def on_day(rows: Iterable[Row], day: date) -> dict[str, Row]:
    """The rows that hold on a day, by key."""
    return {row.key: row for row in rows if covers(row, day)}


def replaced(noun: str, rows: Sequence[Row], row: Row) -> tuple[Row, ...]:
    """`rows` with `row` in place of its key's last row from `row.valid_from` on; the last row ends there.

    Raises ConfigurationError when that row has ended already, or began on the same day or later.
    """
    last = max((one for one in rows if one.key == row.key), key=lambda one: one.valid_from, default=None)
    if last is None:
        return (*rows, row)
    if last.valid_until is not None or last.valid_from >= row.valid_from:
        raise ConfigurationError(
            f"{where_of(noun, row)}: the last row {last.row_id} of this key holds from {last.valid_from} to"
            f" {last.valid_until or 'further notice'}; a new row begins after that, and only an open row is ended."
        )
    ended = replace(last, valid_until=row.valid_from)
    return (*(ended if one is last else one for one in rows), row)


def completed(rows: Iterable[Row], delivered: Iterable[Row]) -> tuple[Row, ...]:
    """`rows` with the delivered rows of every key that has none: rows written before that key existed."""
    own = tuple(rows)
    known = {row.key for row in own}
    return (*own, *(row for row in delivered if row.key not in known))


def check_succession(noun: str, old: Iterable[Row], new: Iterable[Row], *, today: date) -> None:
    """Whether `new` keeps the history of `old`: each old row is there as it was, or an open one ends today or later.

    Raises ConfigurationError naming the row that was edited, shortened, lost, or ended in the past.
    """
    now = {row.row_id: row for row in new}
    for row in old:
        where = where_of(noun, row)
        later = now.get(row.row_id)
        if later is None:
            raise ConfigurationError(f"{where} is gone; rows are ended, never deleted.")
        unended = replace(later, valid_until=None) if row.valid_until is None else later
        if unended != row:
            raise ConfigurationError(f"{where} was edited; end it and begin a new row.")
        if later.valid_until != row.valid_until and later.valid_until is not None and later.valid_until < today:
            raise ConfigurationError(
                f"{where} would end on {later.valid_until} and change past days; end it today or later."
            )


def check_rows(noun: str, rows: Sequence[DatedRow]) -> None:
    """Ids are unique, no row ends before it begins, and rows of one key follow each other without overlap or gap.

    Raises ConfigurationError naming the rows.
    """
    seen: set[str] = set()
    by_key: dict[str, list[DatedRow]] = {}
    for row in rows:
        if row.valid_until is not None and row.valid_until <= row.valid_from:
            raise ConfigurationError(f"{where_of(noun, row)} ends before it begins.")
        if row.row_id in seen:
            raise ConfigurationError(f"{where_of(noun, row)}: the id is used twice; a new row needs a new id.")
        seen.add(row.row_id)
        by_key.setdefault(row.key, []).append(row)
    for key, of_key in by_key.items():
        _check_sequence(f"{noun}s", key, sorted(of_key, key=lambda row: row.valid_from))


def _check_sequence(nouns: str, key: str, rows: Sequence[DatedRow]) -> None:
    for earlier, later in pairwise(rows):
        if earlier.valid_until != later.valid_from:
            gap = earlier.valid_until is not None and earlier.valid_until < later.valid_from
            what = "leave a gap" if gap else "overlap"
            raise ConfigurationError(f"{nouns} {earlier.row_id} and {later.row_id} of {key} {what}.")


def check_texts(noun: str, row: DatedRow, texts: Mapping[str, str]) -> None:
    """Whether each of a row's texts says something. Raises ConfigurationError naming the row and the field."""
    for name, text in texts.items():
        if not text.strip():
            raise ConfigurationError(f"{where_of(noun, row)}: `{name}` is missing; {_article(noun)} needs it as text.")


def check_complete(noun: str, rows: Iterable[DatedRow], keys: Collection[str]) -> None:
    """Whether each key has a row. Raises ConfigurationError naming one that has none."""
    missing = set(keys) - {row.key for row in rows}
    if missing:
        raise ConfigurationError(f"There is no row for {min(missing)}; every {noun.split()[-1].lower()} needs one.")


def read_versioned(what: str, mapping: Mapping[str, Any], name: str) -> tuple[str, list[Any]]:
    """Version and rows of a TOML or JSON mapping whose list of rows is called `name`. Raises ConfigurationError."""
    rows, version = mapping.get(name), mapping.get("version")
    if not isinstance(version, str) or not isinstance(rows, list):
        raise ConfigurationError(f"{what} need a text `version` and a list of `{name}` rows.")
    return version, rows


def read_common(noun: str, row: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """Id and fields of a row that every ValuedRow has, beside its value. Raises ConfigurationError."""
    texts: dict[str, Any] = {name: read_text(noun, row, name, where) for name in _TEXTS}
    until = row.get("valid_until")
    texts["valid_from"] = read_day(row.get("valid_from"), "valid_from", where)
    texts["valid_until"] = None if until is None else read_day(until, "valid_until", where)
    return texts.pop("id"), texts


def row_mapping(row: ValuedRow, value: object) -> dict[str, Any]:
    """The row as its table is written, with days as text; `value` as its table writes it."""
    mapping: dict[str, Any] = {"id": row.row_id, "key": row.key, "value": value, "unit": row.unit}
    mapping |= {"valid_from": row.valid_from.isoformat()}
    if row.valid_until is not None:
        mapping["valid_until"] = row.valid_until.isoformat()
    return mapping | {"source": row.source, "author": row.author, "reason": row.reason}


def read_table(row: object, fields: frozenset[str], where: str) -> tuple[Mapping[str, Any], str]:
    """The row as a mapping, and how to name it. Raises ConfigurationError for anything else and for unknown fields."""
    if not isinstance(row, Mapping):
        raise ConfigurationError(f"{where} is not a table.")
    where = f"{where} ({row.get('id', 'no id')}, {row.get('key', 'no key')})"
    unknown = row.keys() - fields
    if unknown:
        raise ConfigurationError(f"{where}: unknown field {min(map(str, unknown))!r}.")
    return row, where


def read_text(noun: str, row: Mapping[str, Any], name: str, where: str) -> str:
    """A text that is needed. Raises ConfigurationError."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{where}: `{name}` is missing; {_article(noun)} needs it as text.")
    return value


def read_day(value: object, name: str, where: str) -> date:
    """A day, also written as text. Raises ConfigurationError."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise ConfigurationError(f"{where}: `{name}` is no day: {value!r}.") from error
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ConfigurationError(f"{where}: `{name}` is missing or no day; give a date without a time.")
    return value


def read_number(value: object, name: str, where: str) -> Fraction:
    """A finite number, also written as text. Raises ConfigurationError."""
    try:
        return exact(Decimal(value) if isinstance(value, str) else value)
    except InvalidOperation as error:
        raise ConfigurationError(f"{where}: `{name}` is no number: {value!r}.") from error
    except InexactNumber as error:
        raise ConfigurationError(f"{where}: `{name}`: {error}") from error


def _article(noun: str) -> str:
    return f"a {noun.lower()}"
