"""Methodologies as tables: owns how a TOML or JSON row becomes a methodology, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar

from control.domain import dated
from control.domain.errors import ConfigurationError
from control.domain.exact import to_decimal
from control.points.methodology import (
    NOUN,
    Difference,
    Evidence,
    Formula,
    Limits,
    Methodology,
    MethodologySet,
    PerAct,
    PerUnit,
    Unit,
    methodology_set,
)

_TEXTS = ("id", "key", "name_zh", "name_en", "author", "reason")
_INTEGERS = ("version", "acts_day_max", "cap_day_g", "claim_window_h")
_OPTIONAL_INTEGERS = ("duration_min_s", "steps_day_max")
# The fields that each form of formula has; the closed set is all there is, and nothing is evaluated.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "difference": ("baseline_g", "baseline_source", "project_g", "project_source"),
    "per_unit": ("grams", "source"),
    "per_act": ("grams", "source"),
}
_FIELDS = frozenset(
    {*_TEXTS, *_INTEGERS, *_OPTIONAL_INTEGERS, "form", "unit", "evidence", "activity_max", "speed_max_kmh", "badge"}
    | {"valid_from", "valid_until"}.union(*_FORMS.values())
)
_PLACES = 12


def parse_methodologies(mapping: Mapping[str, Any]) -> MethodologySet:
    """Methodologies from a mapping with `version` and a list `methodology` of rows. Raises ConfigurationError."""
    rows, version = mapping.get("methodology"), mapping.get("version")
    if not isinstance(version, str) or not isinstance(rows, list):
        raise ConfigurationError("The methodologies need a text `version` and a list of `methodology` rows.")
    return methodology_set(version, (parse_methodology(row, f"{NOUN} row {n}") for n, row in enumerate(rows, 1)))


def parse_methodology(row: object, where: str = "Methodology row") -> Methodology:
    """One row. Raises ConfigurationError naming row, key and reason."""
    table, where = dated.read_table(row, _FIELDS, where)
    texts = {name: dated.read_text(NOUN, table, name, where) for name in _TEXTS}
    numbers = {name: _integer(table, name, where) for name in _INTEGERS}
    optional = {name: _integer(table, name, where) for name in _OPTIONAL_INTEGERS if name in table}
    speed, until = table.get("speed_max_kmh"), table.get("valid_until")
    limits = Limits(
        activity_max=dated.read_number(table.get("activity_max"), "activity_max", where),
        acts_day_max=numbers["acts_day_max"],
        speed_max_kmh=None if speed is None else dated.read_number(speed, "speed_max_kmh", where),
        duration_min_s=optional.get("duration_min_s"),
        steps_day_max=optional.get("steps_day_max"),
    )
    return Methodology(
        methodology_id=texts["id"],
        key=texts["key"],
        version=numbers["version"],
        name_zh=texts["name_zh"],
        name_en=texts["name_en"],
        formula=_formula(table, where),
        unit=_member(Unit, table.get("unit"), "unit", where),
        evidence=_evidence(table.get("evidence"), where),
        limits=limits,
        cap_day_g=numbers["cap_day_g"],
        claim_window_h=numbers["claim_window_h"],
        badge=str(table.get("badge", "")),
        valid_from=dated.read_day(table.get("valid_from"), "valid_from", where),
        valid_until=None if until is None else dated.read_day(until, "valid_until", where),
        author=texts["author"],
        reason=texts["reason"],
    )


def to_mapping(methods: MethodologySet) -> dict[str, Any]:
    """The mapping that `parse_methodologies` reads, with dates and numbers as text."""
    return {"version": methods.version, "methodology": [_row_mapping(row) for row in methods.rows]}


def _row_mapping(row: Methodology) -> dict[str, Any]:
    limits = row.limits
    mapping: dict[str, Any] = {
        "id": row.methodology_id,
        "key": row.key,
        "version": row.version,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        **_formula_mapping(row.formula),
        "unit": row.unit.value,
        "evidence": sorted(one.value for one in row.evidence),
        "activity_max": _text(limits.activity_max),
        "acts_day_max": limits.acts_day_max,
        "speed_max_kmh": None if limits.speed_max_kmh is None else _text(limits.speed_max_kmh),
        "duration_min_s": limits.duration_min_s,
        "steps_day_max": limits.steps_day_max,
        "cap_day_g": row.cap_day_g,
        "claim_window_h": row.claim_window_h,
        "badge": row.badge,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": None if row.valid_until is None else row.valid_until.isoformat(),
        "author": row.author,
        "reason": row.reason,
    }
    return {name: value for name, value in mapping.items() if value is not None}


def _formula_mapping(formula: Formula) -> dict[str, str]:
    match formula:
        case Difference():
            return {
                "form": "difference",
                "baseline_g": _text(formula.baseline),
                "baseline_source": formula.baseline_source,
                "project_g": _text(formula.project),
                "project_source": formula.project_source,
            }
        case PerUnit():
            return {"form": "per_unit", "grams": _text(formula.grams), "source": formula.source}
        case PerAct():
            return {"form": "per_act", "grams": _text(formula.grams), "source": formula.source}


def _text(value: Fraction) -> str:
    return f"{to_decimal(value, _PLACES).normalize():f}"


def _formula(table: Mapping[str, Any], where: str) -> Formula:
    form = table.get("form")
    if not isinstance(form, str) or form not in _FORMS:
        raise ConfigurationError(f"{where}: `form` must be one of {', '.join(_FORMS)}, not {form!r}.")
    foreign = set(table) & (set().union(*_FORMS.values()) - set(_FORMS[form]))
    if foreign:
        raise ConfigurationError(f"{where}: `{min(foreign)}` does not belong to the form {form}.")
    if form == "difference":
        return Difference(
            baseline=dated.read_number(table.get("baseline_g"), "baseline_g", where),
            project=dated.read_number(table.get("project_g"), "project_g", where),
            baseline_source=dated.read_text(NOUN, table, "baseline_source", where),
            project_source=dated.read_text(NOUN, table, "project_source", where),
        )
    grams, source = dated.read_number(table.get("grams"), "grams", where), dated.read_text(NOUN, table, "source", where)
    return PerUnit(grams, source) if form == "per_unit" else PerAct(grams, source)


def _evidence(value: object, where: str) -> frozenset[Evidence]:
    if not isinstance(value, list):
        raise ConfigurationError(f"{where}: `evidence` must be a list of {', '.join(Evidence)}.")
    return frozenset(_member(Evidence, one, "evidence", where) for one in value)


def _integer(table: Mapping[str, Any], name: str, where: str) -> int:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{where}: `{name}` must be a whole number, not {value!r}.")
    return value


Member = TypeVar("Member", bound=StrEnum)


def _member(kind: type[Member], value: object, name: str, where: str) -> Member:
    try:
        return kind(str(value))
    except ValueError as error:
        raise ConfigurationError(f"{where}: `{name}` must be one of {', '.join(kind)}, not {value!r}.") from error
