"""Dated rules of the gate: owns their keys, their types, and which row was in force when.

A rule is a row with source, author and reason, never a constant in code; an old decision recomputes with
the rows of its day. Rows come from `rules.toml` or from the signed snapshot; nothing is read from disk here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from itertools import pairwise
from typing import Any

from control.domain.errors import ConfigurationError
from control.domain.plates import PlateKind
from control.domain.vehicles import VehicleType


class Treatment(StrEnum):
    """What a rule does with a class of vehicles."""

    ADMIT = "admit"
    ADMIT_AND_RECORD = "admit_and_record"
    HOLD = "hold"
    REFUSE = "refuse"
    AS_FUEL = "as_fuel"


Value = float | str


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated row. In force from `valid_from` until just before `valid_until` (None: until further notice)."""

    rule_id: str
    key: str
    value: Value
    valid_from: datetime
    valid_until: datetime | None
    clause: str
    source: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force at one instant, by key. Every key of `KEYS` is present."""

    version: str
    rules: Mapping[str, Rule]

    def number(self, key: str) -> float:
        """The value of a numeric key."""
        value = self.rules[key].value
        assert isinstance(value, float)
        return value

    def treatment(self, key: str) -> Treatment:
        """The value of a treatment key."""
        return Treatment(str(self.rules[key].value))

    def types(self, key: str) -> frozenset[VehicleType]:
        """The value of a key that lists vehicle types."""
        return frozenset(VehicleType(name) for name in _names(self.rules[key].value))

    def clause(self, key: str) -> str:
        """The clause that the row in force rests on."""
        return self.rules[key].clause


CONFIDENCE_MIN = "reading.confidence_min"
CHARACTER_MIN = "reading.character_min"
COLOUR_MIN = "reading.colour_min"
VEHICLE_MIN = "vehicle.confidence_min"
VEHICLE_HOLD_MIN = "vehicle.hold_min"
CROP_KEEP_DAYS = "vehicle.crop_keep_days"
SNAPSHOT_AGE_MAX_H = "snapshot.age_max_h"
CLOCK_BEHIND_MAX_MIN = "clock.behind_max_min"
OWN_VIEW_MAX_MIN = "presence.own_view_max_min"
LOOKS_MIN = "mounting.looks_min"
MARGIN_WIDTHS = "mounting.margin_widths"
DRIFT_WIDTHS_MAX = "mounting.drift_widths_max"
WIDTH_FRAC_MIN = "mounting.width_frac_min"
WIDTH_FRAC_MAX = "mounting.width_frac_max"
HEIGHT_FRAC_MIN = "mounting.height_frac_min"
PLUG_IN = "energy.plug_in_or_fuel_cell"
BLOCK_LIST = "list.block"
ALERT_LIST = "list.alert"
ALREADY_INSIDE = "arrival.already_inside"
TYPE_MISMATCH = "arrival.type_contradicts_plate"
NOT_MOUNTED = "arrival.plate_not_mounted"
EMERGENCY = "emergency"
PASS_PLATE_UNSURE = "pass.plate_unsure"
PASS_PLATE_UNSEEN = "pass.plate_unseen"
PASS_CONTRADICTED_MIN = "pass.contradicted_min"

_ANY = frozenset(Treatment)
_WAIT_OR_REFUSE = frozenset({Treatment.HOLD, Treatment.REFUSE})
_ADMIT_OR_WAIT = frozenset({Treatment.ADMIT, Treatment.ADMIT_AND_RECORD, Treatment.HOLD})
_OPEN_OR_WAIT = frozenset({Treatment.ADMIT, Treatment.HOLD})

# Kinds whose plate proves nothing about the drive: one row each says what the gate does without a permit.
SPECIAL_KINDS = (
    PlateKind.COACH,
    PlateKind.TRAILER,
    PlateKind.HONG_KONG,
    PlateKind.MACAU,
    PlateKind.EMBASSY,
    PlateKind.CONSULATE,
    PlateKind.ARMED_POLICE,
    PlateKind.MILITARY,
    PlateKind.AVIATION,
)


# Kinds whose plate says something about the vehicle that carries it: one row each lists the types that contradict it.
CHECKED_KINDS = tuple(kind for kind in PlateKind if kind not in (PlateKind.UNKNOWN, PlateKind.TEMPORARY))


def kind_key(kind: PlateKind) -> str:
    """The rule key of a special kind."""
    return f"kind.{kind.value}"


def consistency_key(kind: PlateKind) -> str:
    """The rule key of the vehicle types that contradict a kind of plate."""
    return f"consistency.{kind.value}"


FRACTIONS = frozenset(
    {CONFIDENCE_MIN, CHARACTER_MIN, COLOUR_MIN, VEHICLE_MIN, VEHICLE_HOLD_MIN}
    | {WIDTH_FRAC_MIN, WIDTH_FRAC_MAX, HEIGHT_FRAC_MIN, PASS_CONTRADICTED_MIN}
)
NUMBERS = frozenset(
    {SNAPSHOT_AGE_MAX_H, CLOCK_BEHIND_MAX_MIN, OWN_VIEW_MAX_MIN, LOOKS_MIN, MARGIN_WIDTHS, DRIFT_WIDTHS_MAX}
    | {CROP_KEEP_DAYS}
)
TYPE_LISTS = frozenset(consistency_key(kind) for kind in CHECKED_KINDS)
NO_TYPES = "none"
TREATMENTS: Mapping[str, frozenset[Treatment]] = {
    PLUG_IN: _ADMIT_OR_WAIT,
    BLOCK_LIST: _WAIT_OR_REFUSE,
    ALERT_LIST: _ADMIT_OR_WAIT,
    ALREADY_INSIDE: _ADMIT_OR_WAIT,
    TYPE_MISMATCH: _ADMIT_OR_WAIT,
    NOT_MOUNTED: _ADMIT_OR_WAIT,
    EMERGENCY: _ADMIT_OR_WAIT,
    PASS_PLATE_UNSURE: _OPEN_OR_WAIT,
    PASS_PLATE_UNSEEN: _OPEN_OR_WAIT,
    **{kind_key(kind): _ANY for kind in SPECIAL_KINDS},
}
KEYS = FRACTIONS | NUMBERS | TYPE_LISTS | frozenset(TREATMENTS)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rows of one version, past and future ones too."""

    version: str
    rows: tuple[Rule, ...]

    def in_force(self, at: datetime) -> Policy | None:
        """The policy at `at` (aware), or None when some key has no row in force: then nothing opens by itself."""
        found = {row.key: row for row in self.rows if _covers(row, at)}
        return Policy(self.version, found) if found.keys() >= KEYS else None

    def completed_by(self, delivered: RuleSet) -> RuleSet:
        """With the delivered rows of every key that has no row here: rows published before that key existed."""
        known = {row.key for row in self.rows}
        return RuleSet(self.version, self.rows + tuple(row for row in delivered.rows if row.key not in known))


def _covers(row: Rule, at: datetime) -> bool:
    return row.valid_from <= at and (row.valid_until is None or at < row.valid_until)


def parse_rules(mapping: Mapping[str, Any]) -> RuleSet:
    """Rules from a TOML or JSON mapping: `version` and a list `rule` of rows.

    Raises ConfigurationError naming row and key when a key is unknown, a value is of the wrong type or range, or two
    rows of one key overlap or leave a gap.
    """
    rows = mapping.get("rule")
    version = mapping.get("version")
    if not isinstance(version, str) or not isinstance(rows, list):
        raise ConfigurationError("The rules need a text `version` and a list of `rule` rows.")
    rules = tuple(_parse_row(number, row) for number, row in enumerate(rows, 1))
    _check_sequence(rules)
    return RuleSet(version, rules)


def to_mapping(rules: RuleSet) -> dict[str, Any]:
    """The mapping that `parse_rules` reads, with dates as ISO text; it travels in the snapshot."""
    return {"version": rules.version, "rule": [_row_mapping(row) for row in rules.rows]}


def _row_mapping(row: Rule) -> dict[str, Any]:
    mapping: dict[str, Any] = {
        "id": row.rule_id,
        "key": row.key,
        "value": row.value,
        "valid_from": row.valid_from.isoformat(),
        "clause": row.clause,
        "source": row.source,
        "author": row.author,
        "reason": row.reason,
    }
    if row.valid_until is not None:
        mapping["valid_until"] = row.valid_until.isoformat()
    return mapping


def _parse_row(number: int, row: object) -> Rule:
    if not isinstance(row, Mapping):
        raise ConfigurationError(f"Rule row {number} is not a table.")
    where = f"rule row {number} ({row.get('id', 'no id')})"
    texts = {name: _text(row, name, where) for name in ("id", "key", "clause", "source", "author", "reason")}
    if texts["key"] not in KEYS:
        raise ConfigurationError(f"{where}: there is no key {texts['key']!r}; known are {', '.join(sorted(KEYS))}.")
    unknown = row.keys() - {*texts, "value", "valid_from", "valid_until"}
    if unknown:
        raise ConfigurationError(f"{where}: unknown field {sorted(unknown)[0]!r}.")
    until = row.get("valid_until")
    return Rule(
        rule_id=texts["id"],
        key=texts["key"],
        value=_value(texts["key"], row.get("value"), where),
        valid_from=_instant(row.get("valid_from"), "valid_from", where),
        valid_until=None if until is None else _instant(until, "valid_until", where),
        clause=texts["clause"],
        source=texts["source"],
        author=texts["author"],
        reason=texts["reason"],
    )


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{where}: `{name}` is missing; a rule needs it as text.")
    return value


def _value(key: str, value: object, where: str) -> Value:
    if key in TREATMENTS:
        allowed = sorted(t.value for t in TREATMENTS[key])
        if value not in allowed:
            raise ConfigurationError(f"{where}: `value` of {key} must be one of {', '.join(allowed)}, not {value!r}.")
        return str(value)
    if key in TYPE_LISTS:
        return _type_list(key, value, where)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{where}: `value` of {key} must be a number, not {value!r}.")
    upper = 1.0 if key in FRACTIONS else 24.0 * 365
    if not 0 <= value <= upper:
        raise ConfigurationError(f"{where}: `value` of {key} must lie between 0 and {upper:g}, not {value!r}.")
    return float(value)


def _type_list(key: str, value: object, where: str) -> str:
    known = {kind.value for kind in VehicleType} - {VehicleType.UNKNOWN.value}
    wrong = [name for name in _names(value) if name not in known] if isinstance(value, str) else [value]
    if wrong:
        raise ConfigurationError(f"{where}: `value` of {key} must name vehicle types or be none, not {wrong[0]!r}.")
    return str(value)


def _names(value: object) -> tuple[str, ...]:
    """The names in a list of vehicle types; `none` stands for an empty one."""
    text = str(value).strip()
    return () if text == NO_TYPES else tuple(name.strip() for name in text.split(","))


def _instant(value: object, name: str, where: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ConfigurationError(f"{where}: `{name}` is no date: {value!r}.") from error
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ConfigurationError(f"{where}: `{name}` needs a time zone.")
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    raise ConfigurationError(f"{where}: `{name}` is missing or no date.")


def _check_sequence(rules: Iterable[Rule]) -> None:
    """Rows of one key follow each other without overlap or gap."""
    by_key: dict[str, list[Rule]] = {}
    for rule in rules:
        by_key.setdefault(rule.key, []).append(rule)
    for key, rows in by_key.items():
        rows.sort(key=lambda row: row.valid_from)
        for row in rows:
            if row.valid_until is not None and row.valid_until <= row.valid_from:
                raise ConfigurationError(f"Rule {row.rule_id} of {key} ends before it begins.")
        for earlier, later in pairwise(rows):
            if earlier.valid_until != later.valid_from:
                what = "leave a gap" if _ends_before(earlier, later) else "overlap"
                raise ConfigurationError(f"Rules {earlier.rule_id} and {later.rule_id} of {key} {what}.")


def _ends_before(earlier: Rule, later: Rule) -> bool:
    return earlier.valid_until is not None and earlier.valid_until < later.valid_from
