"""Dated factors: owns the rows, what is refused in them, and which rows hold on a day.

A row is never edited: it ends and a new one begins, so that an old visit recomputes with the rows of its day. Rows
come from `factors.toml` or from a table of the cloud; nothing is read from disk here. Days are the island's calendar
days; a row holds from `valid_from` until the day before `valid_until`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from control.carbon.exact import InexactNumber, exact, to_decimal
from control.carbon.factor_keys import CHOICE, KEYS, UNITS, KeySpec
from control.domain import dated
from control.domain.errors import ConfigurationError, IslandError


class MissingFactor(IslandError):
    """No row of a key holds on a day."""

    def __init__(self, key: str, day: date) -> None:
        super().__init__(f"No factor {key} holds on {day.isoformat()}; add a dated row for it.")
        self.key = key
        self.day = day


@dataclass(frozen=True, slots=True)
class Factor:
    """One dated row. `value` is exact, or one of the key's choices; `source` says `policy value` where nobody knows.

    `data_year` and `announcement` belong to factors that an authority publishes for a past year.
    """

    factor_id: str
    key: str
    value: Fraction | str
    unit: str
    valid_from: date
    valid_until: date | None
    source: str
    author: str
    reason: str
    data_year: int | None = None
    announcement: str = ""

    @property
    def row_id(self) -> str:
        """The id, as every dated row has one."""
        return self.factor_id


@dataclass(frozen=True, slots=True)
class Factors:
    """The rows that hold on one day, by key."""

    version: str
    day: date
    rows: Mapping[str, Factor]

    def row(self, key: str) -> Factor:
        """The row of a key. Raises MissingFactor."""
        row = self.rows.get(key)
        if row is None:
            raise MissingFactor(key, self.day)
        return row

    def number(self, key: str) -> Fraction:
        """The value of a numeric key. Raises MissingFactor."""
        value = self.row(key).value
        assert isinstance(value, Fraction)
        return value

    def choice(self, key: str) -> str:
        """The value of a key with choices. Raises MissingFactor."""
        value = self.row(key).value
        assert isinstance(value, str)
        return value


@dataclass(frozen=True, slots=True)
class FactorSet:
    """All rows of one version, past and future ones too. Made by `factor_set` or `parse_factors`, which check them."""

    version: str
    rows: tuple[Factor, ...]

    def at(self, day: date) -> Factors:
        """The rows of a day. A key without a row that day is missed only when it is asked for."""
        return Factors(self.version, day, dated.on_day(self.rows, day))

    def replaced(self, row: Factor, *, version: str) -> FactorSet:
        """With `row` in place of its key's last row from `row.valid_from` on; the last row ends there.

        Raises ConfigurationError when that row has ended already, or began on the same day or later.
        """
        return factor_set(version, dated.replaced(_NOUN, self.rows, row))


def factor_set(version: str, rows: Iterable[Factor]) -> FactorSet:
    """A checked set of rows.

    Raises ConfigurationError naming row, key and reason: unknown key, wrong unit, value not finite, negative or beyond
    belief, missing source, author or reason, an id used twice, rows of one key that overlap or leave a gap, a key
    without a row.
    """
    known = tuple(rows)
    for row in known:
        _check_row(row)
    dated.check_rows(_NOUN, known)
    dated.check_complete(_NOUN, known, [key for key, spec in KEYS.items() if spec.required])
    return FactorSet(version, known)


def completed(version: str, rows: Iterable[Factor], delivered: FactorSet) -> FactorSet:
    """`rows` with the delivered rows of every key that has none: rows written before that key existed."""
    return factor_set(version, dated.completed(rows, delivered.rows))


def check_succession(old: FactorSet, new: FactorSet, *, today: date) -> None:
    """Whether `new` keeps the history of `old`: each old row is there as it was, or an open one ends today or later.

    Raises ConfigurationError naming the row that was edited, shortened, lost, or ended in the past.
    """
    dated.check_succession(_NOUN, old.rows, new.rows, today=today)


def parse_factors(mapping: Mapping[str, Any]) -> FactorSet:
    """Factors from a TOML or JSON mapping: `version` and a list `factor` of rows. Raises ConfigurationError."""
    version, rows = dated.read_versioned("The factors", mapping, "factor")
    return factor_set(version, (parse_factor(row, f"Factor row {number}") for number, row in enumerate(rows, 1)))


def parse_factor(row: object, where: str = "Factor row") -> Factor:
    """One row from a mapping with `id`, `key`, `value`, `unit`, dates and texts. Raises ConfigurationError."""
    table, where = dated.read_table(row, _FIELDS, where)
    row_id, common = dated.read_common(_NOUN, table, where)
    year = table.get("data_year")
    if year is not None and (isinstance(year, bool) or not isinstance(year, int)):
        raise ConfigurationError(f"{where}: `data_year` must be a year, not {year!r}.")
    announcement = str(table.get("announcement", ""))
    return Factor(
        factor_id=row_id,
        value=_value(table.get("value"), where),
        data_year=year,
        announcement=announcement,
        **common,
    )


def to_mapping(factors: FactorSet) -> dict[str, Any]:
    """The mapping that `parse_factors` reads, with dates and values as text."""
    return {"version": factors.version, "factor": [_row_mapping(row) for row in factors.rows]}


_NOUN = "Factor"
_FIELDS = frozenset(field.name for field in fields(Factor)) - {"factor_id"} | {"id"}
_VALUE_PLACES = 12


def _row_mapping(row: Factor) -> dict[str, Any]:
    value = row.value if isinstance(row.value, str) else f"{to_decimal(row.value, _VALUE_PLACES).normalize():f}"
    published = {} if row.data_year is None else {"data_year": row.data_year, "announcement": row.announcement}
    return dated.row_mapping(row, value) | published


def _value(value: object, where: str) -> Fraction | str:
    """A number, also written as text; any other text is a choice and is checked as one."""
    number: object = value
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
    try:
        return exact(number)
    except InexactNumber as error:
        raise ConfigurationError(f"{where}: `value`: {error}") from error


def _check_row(row: Factor) -> None:
    where = dated.where_of(_NOUN, row)
    spec = KEYS.get(row.key)
    if spec is None:
        raise ConfigurationError(f"{where}: there is no such key.")
    if row.unit != spec.unit:
        kind = "belongs to another key" if row.unit in UNITS else "is unknown"
        raise ConfigurationError(f"{where}: unit {row.unit!r} {kind}; this key is in {spec.unit}.")
    texts = {"id": row.factor_id, "source": row.source, "author": row.author, "reason": row.reason}
    dated.check_texts(_NOUN, row, texts)
    _check_value(row, spec)


def _check_value(row: Factor, spec: KeySpec) -> None:
    where = dated.where_of(_NOUN, row)
    if spec.unit == CHOICE:
        if row.value not in spec.choices:
            raise ConfigurationError(f"{where}: `value` must be one of {', '.join(spec.choices)}, not {row.value!s}.")
        return
    if isinstance(row.value, str):
        raise ConfigurationError(f"{where}: `value` must be a finite number, not {row.value!r}.")
    if row.value < 0:
        raise ConfigurationError(f"{where}: `value` is negative: {float(row.value):g}.")
    if not spec.least <= row.value <= spec.most:
        raise ConfigurationError(
            f"{where}: `value` {float(row.value):g} is beyond belief; {spec.unit} of this key lie between"
            f" {float(spec.least):g} and {float(spec.most):g}."
        )
