"""The gate's rules as a book: owns their rows by days, as the office writes them, and what of them is sent to a gate.

A book counts in days of the island, a gate in instants: a row's day begins at the midnight of the zone that is given.
Values are kept as they are typed; `control.gate.rules` says which are allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from control.domain import dated
from control.domain.errors import ConfigurationError
from control.gate import rules

_NOUN = "Rule"
_TEXTS = ("id", "key", "clause", "source", "author", "reason")
_FIELDS = frozenset({*_TEXTS, "value", "unit", "valid_from", "valid_until"})
_UNITS = {
    rules.SNAPSHOT_AGE_MAX_H: "h",
    rules.CLOCK_BEHIND_MAX_MIN: "min",
    rules.OWN_VIEW_MAX_MIN: "min",
    rules.CROP_KEEP_DAYS: "d",
}


@dataclass(frozen=True, slots=True)
class GateRow:
    """One dated row. `value` is a number, a treatment, or names of vehicle types, as text."""

    row_id: str
    key: str
    value: str
    valid_from: date
    valid_until: date | None
    clause: str
    source: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class GateBook:
    """All rows of one version, past and future ones too."""

    version: str
    rows: tuple[GateRow, ...]


def unit_of(key: str) -> str:
    """The unit of a key's value: `frac`, `h`, `min`, `d`, `1`, `choice` (a treatment) or `names` (vehicle types)."""
    if key in rules.TREATMENTS:
        return "choice"
    if key in rules.TYPE_LISTS:
        return "names"
    return "frac" if key in rules.FRACTIONS else _UNITS.get(key, "1")


def parse_book(mapping: Mapping[str, Any]) -> GateBook:
    """A book from a TOML or JSON mapping: `version` and a list `rule` of rows with days.

    Raises ConfigurationError naming the row: everything that a gate would refuse is refused here.
    """
    rows, version = mapping.get("rule"), mapping.get("version")
    if not isinstance(version, str) or not isinstance(rows, list):
        raise ConfigurationError("The rules of the gate need a text `version` and a list of `rule` rows.")
    book = GateBook(version, tuple(_parse_row(row, f"Rule row {number}") for number, row in enumerate(rows, 1)))
    dated.check_rows(_NOUN, book.rows)
    rules.parse_rules({"version": version, "rule": sent_rows(book, UTC)})
    return book


def _parse_row(row: object, where: str) -> GateRow:
    table, where = dated.read_table(row, _FIELDS, where)
    texts = {name: dated.read_text(_NOUN, table, name, where) for name in _TEXTS}
    until = table.get("valid_until")
    return GateRow(
        row_id=texts["id"],
        key=texts["key"],
        value=_as_text(table.get("value"), where),
        valid_from=dated.read_day(table.get("valid_from"), "valid_from", where),
        valid_until=None if until is None else dated.read_day(until, "valid_until", where),
        clause=texts["clause"],
        source=texts["source"],
        author=texts["author"],
        reason=texts["reason"],
    )


def _as_text(value: object, where: str) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{where}: `value` must be a number or a text, not {value!r}.")
    return f"{value:g}"


def to_mapping(book: GateBook) -> dict[str, Any]:
    """The mapping that `parse_book` reads, with days as ISO text and each row's unit."""
    return {"version": book.version, "rule": [_row_mapping(row) for row in book.rows]}


def _row_mapping(row: GateRow) -> dict[str, Any]:
    mapping = {
        "id": row.row_id,
        "key": row.key,
        "value": row.value,
        "unit": unit_of(row.key),
        "valid_from": row.valid_from.isoformat(),
        "clause": row.clause,
        "source": row.source,
        "author": row.author,
        "reason": row.reason,
    }
    return mapping if row.valid_until is None else mapping | {"valid_until": row.valid_until.isoformat()}


def check_succession(old: GateBook, new: GateBook, *, today: date) -> None:
    """Whether `new` keeps the history of `old`. Raises ConfigurationError naming the row that was edited or lost."""
    dated.check_succession(_NOUN, old.rows, new.rows, today=today)


def sent_rows(book: GateBook, zone: tzinfo) -> list[dict[str, Any]]:
    """The rows as `control.gate.rules.parse_rules` reads them: instants as ISO text, numbers as numbers.

    Raises ConfigurationError when a value that has to be a number is none.
    """
    return [_sent(row, zone) for row in book.rows]


def _sent(row: GateRow, zone: tzinfo) -> dict[str, Any]:
    sent = _row_mapping(row) | {"value": _typed(row), "valid_from": _midnight(row.valid_from, zone)}
    del sent["unit"]
    return sent if row.valid_until is None else sent | {"valid_until": _midnight(row.valid_until, zone)}


def _typed(row: GateRow) -> float | str:
    if unit_of(row.key) in ("choice", "names") or row.key not in rules.KEYS:
        return row.value
    try:
        return float(row.value)
    except ValueError as error:
        raise ConfigurationError(
            f"{dated.where_of(_NOUN, row)}: `value` must be a number, not {row.value!r}."
        ) from error


def _midnight(day: date, zone: tzinfo) -> str:
    return datetime.combine(day, time(), zone).isoformat()
