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
from cloud_sync.server.console.words import Words
from control.domain.errors import ConfigurationError
from control.gate import rules as gate_rules

_SHIPPED_FILE = Path(gate_rules.__file__).with_name("rules.toml")
NAMES = {
    gate_rules.CONFIDENCE_MIN: N_("Whole plate: least confidence to open"),
    gate_rules.CHARACTER_MIN: N_("One character: least confidence to open"),
    gate_rules.COLOUR_MIN: N_("Plate colour: least confidence"),
    gate_rules.VEHICLE_MIN: N_("Vehicle type: least confidence"),
    gate_rules.SNAPSHOT_AGE_MAX_H: N_("Oldest list of permits, hours"),
    gate_rules.PLUG_IN: N_("Plug-in hybrid or fuel cell"),
    gate_rules.BLOCK_LIST: N_("Plate on the block list"),
    gate_rules.ALERT_LIST: N_("Plate on the alert list"),
    gate_rules.ALREADY_INSIDE: N_("Same plate is already inside"),
    gate_rules.TYPE_MISMATCH: N_("Vehicle type contradicts the plate"),
    gate_rules.EMERGENCY: N_("Police and emergency plates"),
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
    """Every row of the newest rule set that is valid at `now` or later."""
    rules = _newest(published)
    rows = [row for row in rules.rows if row.valid_until is None or row.valid_until > now]
    return tuple(_line(words, rules.version, row) for row in rows)


def _newest(published: Sequence[dict[str, Any]]) -> gate_rules.RuleSet:
    """What the gates would take: a set that they could not read leaves them with the shipped one."""
    for one in reversed(published):
        try:
            return gate_rules.parse_rules({**one, "version": str(one.get("version") or one["rule_version"])})
        except ConfigurationError:
            continue
    return shipped_rules()


def _line(words: Words, version: str, row: gate_rules.Rule) -> RuleLine:
    parts = dict.fromkeys(_given(words, one) for one in (row.clause, row.source))
    clause = " · ".join(parts)
    return RuleLine(
        _name(words, row.key),
        _value(words, row),
        clause,
        f"{version} · {row.rule_id}",
        f"{row.valid_from:%Y-%m-%d}",
        f"{row.valid_until:%Y-%m-%d}" if row.valid_until else "",
        _given(words, row.author),
        _given(words, row.reason),
    )


SHIPPED_TEXTS = (N_("project policy value"), N_("delivered with the product"))


def _given(words: Words, text: str) -> str:
    """A text of a row; the few that ship with the product have a translation, the office's own stay as written."""
    return words.gettext(text) if text in SHIPPED_TEXTS else text


def _name(words: Words, key: str) -> str:
    if key in NAMES:
        return words.gettext(NAMES[key])
    if key.startswith("kind."):
        return words.gettext("Plate kind: %(kind)s") % {"kind": label(words, "kind", key.removeprefix("kind."))}
    return key


def _value(words: Words, row: gate_rules.Rule) -> str:
    if isinstance(row.value, float):
        return words.percent(row.value) if row.key in gate_rules.FRACTIONS else f"{row.value:g}"
    return words.gettext(TREATMENTS[row.value]) if row.value in TREATMENTS else str(row.value)
