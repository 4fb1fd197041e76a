"""Dated rules of points: owns their keys, units and ranges, and which rows hold on a day.

A rule is a whole number with unit, source, author and reason. Rows come from `rules.toml` or from a table of the
cloud; a row is never edited, it ends and a new one begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from control.domain import dated
from control.domain.errors import ConfigurationError

GRAMS_PER_POINT = "exchange.grams_per_point"
CAP_DAY = "cap.day"
VALIDITY = "points.validity"
RETURN_GRACE = "points.return_grace"
NEW_ACCOUNT_HOLD = "account.new_hold"
GUARDIAN_AGE = "account.guardian_age"
TELEPORT_SPEED = "review.teleport_speed"
EVENTS_PER_H = "review.events_per_h"
LATE_CLAIMS_DAY = "review.late_claims_day"
STEP_LENGTH = "review.step_length"
APPEAL_WINDOW = "appeal.window"
CODE_WINDOW = "code.window"
CODE_DRIFT = "code.drift"
CODE_DRIFT_MAX = "code.drift_max"
CODE_ONLINE = "code.online"
PHONE_CLOCK = "code.phone_clock"
TRIP_MIN = "trip.least"
TRIP_MAX = "trip.longest"
TRIP_SPEED = "trip.speed"
RESERVATION = "redemption.reservation"
CODE_VALIDITY = "redemption.code_validity"
PERSON_CODE = "merchant.person_code"
FAILED_CODES_PERSON = "code.failed_person"
FAILED_CODES_PLACE = "code.failed_place"
FAILED_CODES_WINDOW = "code.failed_window"
OFF_PEAK_FROM = "charging.off_peak_from"
OFF_PEAK_UNTIL = "charging.off_peak_until"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """What a rule's value may be: a whole number from `least` to `most` in `unit`."""

    unit: str
    least: int
    most: int


KEYS: Mapping[str, RuleSpec] = {
    GRAMS_PER_POINT: RuleSpec("g/point", 1, 1_000),
    CAP_DAY: RuleSpec("point", 1, 1_000_000),
    # Shenzhen's rules allow ten years at most.
    VALIDITY: RuleSpec("month", 1, 120),
    RETURN_GRACE: RuleSpec("d", 0, 366),
    NEW_ACCOUNT_HOLD: RuleSpec("h", 0, 24 * 90),
    GUARDIAN_AGE: RuleSpec("year", 14, 18),
    TELEPORT_SPEED: RuleSpec("km/h", 10, 300),
    EVENTS_PER_H: RuleSpec("1", 1, 1_000),
    LATE_CLAIMS_DAY: RuleSpec("1", 0, 1_000),
    STEP_LENGTH: RuleSpec("cm", 50, 300),
    APPEAL_WINDOW: RuleSpec("d", 1, 366),
    CODE_WINDOW: RuleSpec("step", 0, 20),
    CODE_DRIFT: RuleSpec("s/d", 0, 600),
    CODE_DRIFT_MAX: RuleSpec("s", 0, 7_200),
    CODE_ONLINE: RuleSpec("s", 1, 3_600),
    PHONE_CLOCK: RuleSpec("s", 0, 3_600),
    TRIP_MIN: RuleSpec("s", 1, 3_600),
    TRIP_MAX: RuleSpec("s", 60, 86_400),
    TRIP_SPEED: RuleSpec("km/h", 5, 200),
    RESERVATION: RuleSpec("min", 1, 1_440),
    CODE_VALIDITY: RuleSpec("d", 1, 366),
    PERSON_CODE: RuleSpec("min", 1, 60),
    FAILED_CODES_PERSON: RuleSpec("1", 1, 1_000),
    FAILED_CODES_PLACE: RuleSpec("1", 1, 100_000),
    FAILED_CODES_WINDOW: RuleSpec("min", 1, 1_440),
    OFF_PEAK_FROM: RuleSpec("h", 0, 23),
    OFF_PEAK_UNTIL: RuleSpec("h", 0, 23),
}


@dataclass(frozen=True, slots=True)
class PointRule:
    """One dated row."""

    rule_id: str
    key: str
    value: int
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
class PointRules:
    """The rules of one day, by key. Every key of `KEYS` is present."""

    version: str
    day: date
    rows: Mapping[str, PointRule]

    def value(self, key: str) -> int:
        """The value of a key, in its unit."""
        return self.rows[key].value

    def row_id(self, key: str) -> str:
        """The id of the row that holds."""
        return self.rows[key].rule_id


class NoRules(ConfigurationError):
    """Some rule does not hold on a day."""


@dataclass(frozen=True, slots=True)
class PointRuleSet:
    """All rows of one version. Made by `rule_set` or `parse_rules`, which check them."""

    version: str
    rows: tuple[PointRule, ...]

    def at(self, day: date) -> PointRules:
        """The rules of a day. Raises NoRules naming a key without a row."""
        found = dated.on_day(self.rows, day)
        missing = KEYS.keys() - found.keys()
        if missing:
            raise NoRules(f"No rule {min(missing)} holds on {day.isoformat()}; add a dated row for it.")
        return PointRules(self.version, day, found)

    def replaced(self, row: PointRule, *, version: str) -> PointRuleSet:
        """With `row` in place of its key's last row, which ends there. Raises ConfigurationError."""
        return rule_set(version, dated.replaced(_NOUN, self.rows, row))


def rule_set(version: str, rows: Iterable[PointRule]) -> PointRuleSet:
    """A checked set. Raises ConfigurationError naming row, key and reason."""
    known = tuple(rows)
    for row in known:
        _check_row(row)
    dated.check_rows(_NOUN, known)
    dated.check_complete(_NOUN, known, KEYS)
    return PointRuleSet(version, known)


def completed(version: str, rows: Iterable[PointRule], delivered: PointRuleSet) -> PointRuleSet:
    """`rows` with the delivered rows of every key that has none: rows written before that key existed."""
    return rule_set(version, dated.completed(rows, delivered.rows))


def check_succession(old: PointRuleSet, new: PointRuleSet, *, today: date) -> None:
    """Whether `new` keeps the history of `old`. Raises ConfigurationError naming the row that was edited or lost."""
    dated.check_succession(_NOUN, old.rows, new.rows, today=today)


def parse_rules(mapping: Mapping[str, Any]) -> PointRuleSet:
    """Rules from a TOML or JSON mapping: `version` and a list `rule` of rows. Raises ConfigurationError."""
    version, rows = dated.read_versioned("The rules of points", mapping, "rule")
    return rule_set(version, (parse_rule(row, f"Rule row {number}") for number, row in enumerate(rows, 1)))


def parse_rule(row: object, where: str = "Rule row") -> PointRule:
    """One row. Raises ConfigurationError."""
    table, where = dated.read_table(row, _FIELDS, where)
    row_id, common = dated.read_common(_NOUN, table, where)
    value = table.get("value")
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{where}: `value` must be a whole number, not {value!r}.")
    return PointRule(rule_id=row_id, value=value, **common)


def to_mapping(rules: PointRuleSet) -> dict[str, Any]:
    """The mapping that `parse_rules` reads, with dates as text."""
    return {"version": rules.version, "rule": [dated.row_mapping(row, row.value) for row in rules.rows]}


_NOUN = "Rule"
_FIELDS = frozenset(field.name for field in fields(PointRule)) - {"rule_id"} | {"id"}


def _check_row(row: PointRule) -> None:
    where = dated.where_of(_NOUN, row)
    spec = KEYS.get(row.key)
    if spec is None:
        raise ConfigurationError(f"{where}: there is no such key; known are {', '.join(KEYS)}.")
    if row.unit != spec.unit:
        raise ConfigurationError(f"{where}: unit {row.unit!r} is wrong; this key is in {spec.unit}.")
    texts = {"id": row.rule_id, "source": row.source, "author": row.author, "reason": row.reason}
    dated.check_texts(_NOUN, row, texts)
    if not spec.least <= row.value <= spec.most:
        raise ConfigurationError(
            f"{where}: `value` {row.value} is beyond belief; {spec.unit} of this key lie between {spec.least} and"
            f" {spec.most}."
        )
