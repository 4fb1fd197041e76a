"""Dated rules of permits, visits and the office's terms: owns their keys, units and ranges, and which row holds when.

Rows come from `permits.toml` or from a table of the cloud; nothing is read from disk here. An application is judged by
the rows of the day on which it was submitted, a visit by those of the day of its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from control.domain import dated
from control.domain.errors import ConfigurationError
from control.domain.exact import to_decimal
from control.domain.permits import PermitClass


class Unit(StrEnum):
    """Units of the rules. `flag` is true or false, `names` a list of words."""

    DAYS = "d"
    HOURS = "h"
    MINUTES = "min"
    SECONDS = "s"
    COUNT = "1"
    FRACTION = "frac"
    BYTES = "B"
    PIXELS = "px"
    FLAG = "flag"
    NAMES = "names"


REVIEW_TERM = "review.term"
RESUBMIT_TERM = "resubmit.term"
APPROVAL_UNDO = "approval.undo"
APPEAL_TERM = "appeal.term"
APPEAL_REVIEW_TERM = "appeal.review_term"
APPEAL_EVIDENCE_MAX = "appeal.evidence_max"
EMERGENCY_COMPLETION = "emergency.completion"
REMIND_BEFORE_TERM = "remind.before_term"
REMIND_BEFORE_EXPIRY = "remind.before_expiry"
REMIND_ENTRIES_LEFT = "remind.entries_left"
BLOCK_WHILE_OFFSET_OVERDUE = "block.overdue_offset"
APPLY_AHEAD_MAX = "apply_ahead.max"
ENTRIES_MAX = "entries.max"
CONSUMPTION_LEAST = "consumption.share_least"
CONSUMPTION_MOST = "consumption.share_most"
DOCUMENT_BYTES_MAX = "document.bytes_max"
DOCUMENT_COUNT_MAX = "document.count_max"
DOCUMENT_DAY_BYTES_MAX = "document.day_bytes_max"
PICTURE_PIXELS_MAX = "document.pixels_max"
PICTURE_SIDE_LEAST = "document.side_least"
UNPACKED_BYTES_MAX = "document.unpacked_bytes_max"
VISIT_OPEN_MAX = "visit.open_max"
CROSSING_LEAST = "visit.crossing_least"
DATA_REQUEST_TERM = "data_request.term"


def window_key(permit_class: PermitClass) -> str:
    """The longest window of a class."""
    return f"window.{permit_class.value}.max"


def ahead_key(permit_class: PermitClass) -> str:
    """How long before its window a permit of a class has to be asked for."""
    return f"apply_ahead.{permit_class.value}.least"


def approvals_key(permit_class: PermitClass) -> str:
    """How many different people approve a permit of a class."""
    return f"approvals.{permit_class.value}"


def papers_key(permit_class: PermitClass) -> str:
    """Which papers an application of a class needs."""
    return f"papers.{permit_class.value}"


@dataclass(frozen=True, slots=True)
class Spec:
    """Unit and believed range of a key."""

    unit: Unit
    least: int = 0
    most: int = 0


# No rule of a single person makes away with the second one's approval of these.
TWO_APPROVE = frozenset({PermitClass.STANDING, PermitClass.EMERGENCY})

KEYS: Mapping[str, Spec] = {
    REVIEW_TERM: Spec(Unit.DAYS, 1, 90),
    RESUBMIT_TERM: Spec(Unit.DAYS, 1, 180),
    APPROVAL_UNDO: Spec(Unit.SECONDS, 0, 600),
    APPEAL_TERM: Spec(Unit.DAYS, 1, 180),
    APPEAL_REVIEW_TERM: Spec(Unit.DAYS, 1, 180),
    APPEAL_EVIDENCE_MAX: Spec(Unit.COUNT, 0, 20),
    EMERGENCY_COMPLETION: Spec(Unit.HOURS, 1, 720),
    REMIND_BEFORE_TERM: Spec(Unit.HOURS, 0, 720),
    REMIND_BEFORE_EXPIRY: Spec(Unit.DAYS, 0, 90),
    REMIND_ENTRIES_LEFT: Spec(Unit.COUNT, 0, 100),
    BLOCK_WHILE_OFFSET_OVERDUE: Spec(Unit.FLAG),
    APPLY_AHEAD_MAX: Spec(Unit.DAYS, 1, 730),
    ENTRIES_MAX: Spec(Unit.COUNT, 1, 10_000),
    CONSUMPTION_LEAST: Spec(Unit.FRACTION, 0, 1),
    CONSUMPTION_MOST: Spec(Unit.FRACTION, 1, 20),
    DOCUMENT_BYTES_MAX: Spec(Unit.BYTES, 1_000, 100_000_000),
    DOCUMENT_COUNT_MAX: Spec(Unit.COUNT, 1, 100),
    DOCUMENT_DAY_BYTES_MAX: Spec(Unit.BYTES, 1_000, 100_000_000_000),
    PICTURE_PIXELS_MAX: Spec(Unit.PIXELS, 10_000, 500_000_000),
    PICTURE_SIDE_LEAST: Spec(Unit.PIXELS, 1, 10_000),
    UNPACKED_BYTES_MAX: Spec(Unit.BYTES, 1_000, 1_000_000_000),
    VISIT_OPEN_MAX: Spec(Unit.HOURS, 1, 8_760),
    CROSSING_LEAST: Spec(Unit.MINUTES, 0, 1_440),
    # GB/T 35273-2020, 8.7: thirty days at most.
    DATA_REQUEST_TERM: Spec(Unit.DAYS, 1, 30),
    **{window_key(kind): Spec(Unit.DAYS, 1, 1_100) for kind in PermitClass},
    **{ahead_key(kind): Spec(Unit.HOURS, 0, 2_160) for kind in PermitClass},
    **{approvals_key(kind): Spec(Unit.COUNT, 2 if kind in TWO_APPROVE else 1, 2) for kind in PermitClass},
    **{papers_key(kind): Spec(Unit.NAMES) for kind in PermitClass},
}

PAPERS = ("vehicle_licence", "vehicle_photo", "driving_licence", "duty_order", "contract", "insurance", "other")
Value = Fraction | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PermitRule:
    """One dated row."""

    rule_id: str
    key: str
    value: Value
    unit: str
    valid_from: date
    valid_until: date | None
    source: str
    author: str
    reason: str

    @property
    def row_id(self) -> str:
        """The id, as every dated row has one."""
        return self.rule_id


@dataclass(frozen=True, slots=True)
class PermitRules:
    """The rows that hold on one day. Every key of `KEYS` is present."""

    version: str
    day: date
    rows: Mapping[str, PermitRule]

    def number(self, key: str) -> Fraction:
        """The value of a numeric key."""
        value = self.rows[key].value
        assert isinstance(value, Fraction)
        return value

    def count(self, key: str) -> int:
        """The value of a key that counts."""
        return int(self.number(key))

    def term(self, key: str) -> timedelta:
        """The value of a key in days, hours, minutes or seconds."""
        unit_s = {Unit.DAYS: 86_400, Unit.HOURS: 3_600, Unit.MINUTES: 60, Unit.SECONDS: 1}[Unit(self.rows[key].unit)]
        return timedelta(seconds=float(self.number(key) * unit_s))

    def flag(self, key: str) -> bool:
        """The value of a switch."""
        value = self.rows[key].value
        assert isinstance(value, bool)
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """The value of a key that lists words."""
        value = self.rows[key].value
        assert isinstance(value, tuple)
        return value


@dataclass(frozen=True, slots=True)
class PermitRuleSet:
    """All rows of one version, past and future ones too. Made by `rule_set` or `parse_rules`, which check them."""

    version: str
    rows: tuple[PermitRule, ...]

    def at(self, day: date) -> PermitRules:
        """The rows of a day. Raises ConfigurationError when a key has none."""
        found = dated.on_day(self.rows, day)
        missing = KEYS.keys() - found.keys()
        if missing:
            raise ConfigurationError(f"No rule {min(missing)} holds on {day.isoformat()}; add a dated row for it.")
        return PermitRules(self.version, day, found)

    def replaced(self, row: PermitRule, *, version: str) -> PermitRuleSet:
        """With `row` in place of its key's last row from `row.valid_from` on. Raises ConfigurationError."""
        return rule_set(version, dated.replaced(_NOUN, self.rows, row))


def rule_set(version: str, rows: Iterable[PermitRule]) -> PermitRuleSet:
    """A checked set of rows.

    Raises ConfigurationError naming row and reason: unknown key, wrong unit or type, a value beyond belief, a text that
    is missing, an id used twice, rows of one key that overlap or leave a gap, a key without a row.
    """
    known = tuple(rows)
    for row in known:
        _check_row(row)
    dated.check_rows(_NOUN, known)
    dated.check_complete(_NOUN, known, KEYS)
    return PermitRuleSet(version, known)


def check_succession(old: PermitRuleSet, new: PermitRuleSet, *, today: date) -> None:
    """Whether `new` keeps the history of `old`. Raises ConfigurationError naming the row that was changed."""
    dated.check_succession(_NOUN, old.rows, new.rows, today=today)


def parse_rules(mapping: Mapping[str, Any]) -> PermitRuleSet:
    """Rules from a TOML or JSON mapping: `version` and a list `rule` of rows. Raises ConfigurationError."""
    version, rows = dated.read_versioned("The permit rules", mapping, "rule")
    return rule_set(version, (parse_rule(row, f"Permit rule row {number}") for number, row in enumerate(rows, 1)))


def parse_rule(row: object, where: str = "Permit rule row") -> PermitRule:
    """One row from a mapping with `id`, `key`, `value`, `unit`, dates and texts. Raises ConfigurationError."""
    table, where = dated.read_table(row, _FIELDS, where)
    row_id, common = dated.read_common(_NOUN, table, where)
    return PermitRule(rule_id=row_id, value=_value(table.get("value"), where), **common)


def to_mapping(rules: PermitRuleSet) -> dict[str, Any]:
    """The mapping that `parse_rules` reads, with dates and numbers as text."""
    return {"version": rules.version, "rule": [_row_mapping(row) for row in rules.rows]}


_NOUN = "Permit rule"
_FIELDS = frozenset(field.name for field in fields(PermitRule)) - {"rule_id"} | {"id"}
_VALUE_PLACES = 9


def _row_mapping(row: PermitRule) -> dict[str, Any]:
    match row.value:
        case Fraction():
            return dated.row_mapping(row, f"{to_decimal(row.value, _VALUE_PLACES).normalize():f}")
        case tuple():
            return dated.row_mapping(row, list(row.value))
        case flag:
            return dated.row_mapping(row, flag)


def _value(value: object, where: str) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return tuple(str(name) for name in value)
    return dated.read_number(value, "value", where)


def _check_row(row: PermitRule) -> None:
    where = dated.where_of(_NOUN, row)
    spec = KEYS.get(row.key)
    if spec is None:
        raise ConfigurationError(f"{where}: there is no such key.")
    if row.unit != spec.unit:
        raise ConfigurationError(f"{where}: unit {row.unit!r} is wrong; this key is in {spec.unit}.")
    texts = {"id": row.rule_id, "source": row.source, "author": row.author, "reason": row.reason}
    dated.check_texts(_NOUN, row, texts)
    _check_value(row, spec, where)


def _check_value(row: PermitRule, spec: Spec, where: str) -> None:
    value = row.value
    if spec.unit is Unit.FLAG:
        if not isinstance(value, bool):
            raise ConfigurationError(f"{where}: `value` must be true or false, not {value!r}.")
    elif spec.unit is Unit.NAMES:
        unknown = [name for name in value if name not in PAPERS] if isinstance(value, tuple) else [value]
        if unknown:
            raise ConfigurationError(f"{where}: `value` must list some of {', '.join(PAPERS)}, not {unknown[0]!r}.")
    elif not isinstance(value, Fraction):
        raise ConfigurationError(f"{where}: `value` must be a number, not {value!r}.")
    elif not spec.least <= value <= spec.most:
        raise ConfigurationError(
            f"{where}: `value` {float(value):g} is beyond belief; {spec.unit} of this key lie between {spec.least} and"
            f" {spec.most}."
        )
    elif spec.unit in (Unit.COUNT, Unit.BYTES, Unit.PIXELS) and value.denominator != 1:
        raise ConfigurationError(f"{where}: `value` must be a whole number, not {float(value):g}.")
