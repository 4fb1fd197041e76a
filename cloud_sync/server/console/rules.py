"""The rules in force as lines to read: published rows from the store, else those that the gates ship with."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cloud_sync.server.console.labels import N_, label
from cloud_sync.server.console.rule_texts import rule_text
from cloud_sync.server.console.words import Words
from control.domain.errors import ConfigurationError
from control.gate import rules as gate_rules

_SHIPPED_FILE = Path(gate_rules.__file__).with_name("rules.toml")
NAMES = {
    gate_rules.CONFIDENCE_MIN: N_("Whole plate: least confidence to open"),
    gate_rules.CHARACTER_MIN: N_("One character: least confidence to open"),
    gate_rules.COLOUR_MIN: N_("Plate colour: least confidence"),
    gate_rules.VEHICLE_MIN: N_("Vehicle type: least confidence"),
    gate_rules.VEHICLE_HOLD_MIN: N_("Vehicle type: least confidence to stop a vehicle"),
    gate_rules.CROP_KEEP_DAYS: N_("Corrected vehicles kept to learn from, days"),
    gate_rules.SNAPSHOT_AGE_MAX_H: N_("Oldest list of permits, hours"),
    gate_rules.CLOCK_BEHIND_MAX_MIN: N_("Gate's clock behind the permits at most, minutes"),
    gate_rules.OWN_VIEW_MAX_MIN: N_("An entry counts as still inside for, minutes"),
    gate_rules.PLUG_IN: N_("Plug-in hybrid or fuel cell"),
    gate_rules.BLOCK_LIST: N_("Plate on the block list"),
    gate_rules.ALERT_LIST: N_("Plate on the alert list"),
    gate_rules.ALREADY_INSIDE: N_("Same plate is already inside"),
    gate_rules.TYPE_MISMATCH: N_("Vehicle type contradicts the plate"),
    gate_rules.NOT_MOUNTED: N_("Plate is not fixed on the vehicle"),
    gate_rules.LOOKS_MIN: N_("Mounting: looks at the vehicle at least"),
    gate_rules.MARGIN_WIDTHS: N_("Mounting: outside the vehicle at most, plate widths"),
    gate_rules.DRIFT_WIDTHS_MAX: N_("Mounting: moves apart at most, plate widths"),
    gate_rules.WIDTH_FRAC_MIN: N_("Mounting: least plate width, of the vehicle's"),
    gate_rules.WIDTH_FRAC_MAX: N_("Mounting: largest plate width, of the vehicle's"),
    gate_rules.HEIGHT_FRAC_MIN: N_("Mounting: least distance from the top, of the vehicle's height"),
    gate_rules.EMERGENCY: N_("Police and emergency plates"),
    gate_rules.PASS_PLATE_UNSURE: N_("Valid pass, plate not clear"),
    gate_rules.PASS_PLATE_UNSEEN: N_("Valid pass, no plate seen"),
    gate_rules.PASS_CONTRADICTED_MIN: N_("Valid pass: least confidence of a plate to speak against it"),
}
_NAMES_BY_KIND = {
    "kind.": N_("Plate kind: %(kind)s"),
    "consistency.": N_("Types that contradict the plate kind: %(kind)s"),
}
TREATMENTS = {
    "admit": N_("admit"),
    "admit_and_record": N_("admit and record"),
    "hold": N_("hold for the guard"),
    "refuse": N_("refuse"),
    "as_fuel": N_("treat as a fuel vehicle"),
}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One dated row with its source."""

    name: str
    value: str
    clause: str
    version: str
    since: str
    until: str
    author: str
    why: str


@cache
def shipped_rules() -> gate_rules.RuleSet:
    """The rows that the gates ship with."""
    return gate_rules.parse_rules(tomllib.loads(_SHIPPED_FILE.read_text(encoding="utf-8")))


def rule_lines(words: Words, published: Sequence[dict[str, Any]], now: datetime) -> tuple[RuleLine, ...]:
    """Every published row that is valid at `now` or later, and the delivered ones of keys that have none."""
    rules, shipped = _taken(published), shipped_rules()
    rows = [row for row in rules.completed_by(shipped).rows if row.valid_until is None or row.valid_until > now]
    own = frozenset(rules.rows)
    return tuple(_line(words, (rules if row in own else shipped).version, row) for row in rows)


def _taken(published: Sequence[dict[str, Any]]) -> gate_rules.RuleSet:
    """What the gates take: rows that they could not read leave them with the shipped ones."""
    if not published:
        return shipped_rules()
    rows = [{name: value for name, value in row.items() if name != "rule_version"} for row in published]
    try:
        return gate_rules.parse_rules({"version": published[-1]["rule_version"], "rule": rows})
    except ConfigurationError:
        return shipped_rules()


def _line(words: Words, version: str, row: gate_rules.Rule) -> RuleLine:
    parts = dict.fromkeys(rule_text(words, one) for one in (row.clause, row.source))
    clause = " · ".join(parts)
    return RuleLine(
        key_name(words, row.key),
        _value(words, row),
        clause,
        f"{version} · {row.rule_id}",
        f"{row.valid_from:%Y-%m-%d}",
        f"{row.valid_until:%Y-%m-%d}" if row.valid_until else "",
        rule_text(words, row.author),
        rule_text(words, row.reason),
    )


def key_name(words: Words, key: str) -> str:
    """A key of the gate in words."""
    if key in NAMES:
        return words.gettext(NAMES[key])
    for prefix, name in _NAMES_BY_KIND.items():
        if key.startswith(prefix):
            return words.gettext(name) % {"kind": label(words, "kind", key.removeprefix(prefix))}
    return key


def _value(words: Words, row: gate_rules.Rule) -> str:
    if isinstance(row.value, float):
        return words.percent(row.value) if row.key in gate_rules.FRACTIONS else f"{row.value:g}"
    if row.key in gate_rules.TYPE_LISTS:
        return _types(words, row.value)
    return treatment_name(words, str(row.value))


def treatment_name(words: Words, value: str) -> str:
    """What a rule does with a vehicle, or the value as it is."""
    return words.gettext(TREATMENTS[value]) if value in TREATMENTS else value


def _types(words: Words, value: str) -> str:
    """A list of vehicle types as people read it."""
    if value == gate_rules.NO_TYPES:
        return words.gettext("none")
    found = [label(words, "vehicle", one.strip()) for one in value.split(",")]
    return ("、" if words.language == "zh" else ", ").join(found)
