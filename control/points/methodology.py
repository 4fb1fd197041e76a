"""Methodologies of carbon points: owns the dated rows that turn an activity into grams, and what is refused in them.

A methodology has a scene (what the person did), a formula of a closed set, the evidence it accepts, limits of belief,
a cap by day and a claim window. It is never edited: it ends and the next version begins, so that an old event
recomputes with the row of its day. Rows come from `methodologies.toml` or from a table of the cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from control.domain import dated
from control.domain.errors import ConfigurationError, IslandError


class Scene(StrEnum):
    """What a person does."""

    SHUTTLE = "shuttle"
    SHARED_BIKE = "shared_bike"
    WALKING = "walking"
    EV_DRIVING = "ev_driving"
    OFF_PEAK_CHARGING = "off_peak_charging"
    PARKED_CAR = "parked_car"
    RECYCLING = "recycling"
    WASTE_SORTING = "waste_sorting"
    REUSABLE_CUP = "reusable_cup"
    NO_TOWEL_CHANGE = "no_towel_change"
    DIGITAL_TICKET = "digital_ticket"
    VEGETARIAN_MEAL = "vegetarian_meal"
    TREE_PLANTING = "tree_planting"
    BEACH_CLEANING = "beach_cleaning"


# A person is on one way at a time: of these scenes one counts for a trip.
TRAVEL = frozenset({Scene.SHUTTLE, Scene.SHARED_BIKE, Scene.WALKING, Scene.EV_DRIVING})


class Evidence(StrEnum):
    """What shows that it was done."""

    DEVICE_CODE = "device_code"
    TRIP_CODES = "trip_codes"
    MERCHANT = "merchant"
    ORGANISER = "organiser"
    GATE = "gate"
    CHARGER = "charger"
    PHONE = "phone"


# What one person showed cannot be shown by another; a code on a board is seen by many.
SINGLE_USE = frozenset({Evidence.MERCHANT, Evidence.ORGANISER, Evidence.GATE, Evidence.CHARGER})
# Somebody says so, who may not be the one who earns.
BY_PEOPLE = frozenset({Evidence.MERCHANT, Evidence.ORGANISER})


class Unit(StrEnum):
    """What an activity is counted in; `pkm` is a passenger-kilometre and `act` is one time."""

    PASSENGER_KM = "pkm"
    KM = "km"
    KWH = "kWh"
    KG = "kg"
    NIGHT = "night"
    DAY = "day"
    ACT = "act"


POLICY_VALUE = "policy value"


@dataclass(frozen=True, slots=True)
class Difference:
    """Reduction = (baseline - project) x activity; grams CO2e per unit, each with its source."""

    baseline: Fraction
    project: Fraction
    baseline_source: str
    project_source: str


@dataclass(frozen=True, slots=True)
class PerUnit:
    """Reduction = grams x activity."""

    grams: Fraction
    source: str


@dataclass(frozen=True, slots=True)
class PerAct:
    """Reduction = grams, however long the act was."""

    grams: Fraction
    source: str


Formula = Difference | PerUnit | PerAct


def reduction_g(formula: Formula, activity: Fraction) -> Fraction:
    """Exact grams CO2e reduced by `activity` units."""
    match formula:
        case Difference():
            return (formula.baseline - formula.project) * activity
        case PerUnit():
            return formula.grams * activity
        case PerAct():
            return formula.grams
        case _:
            assert_never(formula)


def sources_of(formula: Formula) -> tuple[str, ...]:
    """Where the formula's figures come from."""
    match formula:
        case Difference():
            return (formula.baseline_source, formula.project_source)
        case PerUnit() | PerAct():
            return (formula.source,)
        case _:
            assert_never(formula)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What of one event is believed; None where the figure has no meaning. Beyond it a person looks."""

    activity_max: Fraction
    acts_day_max: int
    speed_max_kmh: Fraction | None = None
    duration_min_s: int | None = None
    steps_day_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Methodology:
    """One dated version. `key` is the scene, or the scene and a variant: `recycling.aluminium`.

    `cap_day_g` caps the grams of the whole scene on a day. `claim_window_h` counts from the end of the event.
    """

    methodology_id: str
    key: str
    version: int
    name_zh: str
    name_en: str
    formula: Formula
    unit: Unit
    evidence: frozenset[Evidence]
    limits: Limits
    cap_day_g: int
    claim_window_h: int
    badge: str
    valid_from: date
    valid_until: date | None
    author: str
    reason: str

    @property
    def row_id(self) -> str:
        """The id, as every dated row has one."""
        return self.methodology_id

    @property
    def scene(self) -> Scene:
        """What the person did."""
        return scene_of(self.key)


def scene_of(key: str) -> Scene:
    """The scene of a key. Raises ValueError."""
    return Scene(key.partition(".")[0])


class MissingMethodology(IslandError):
    """No methodology of a key holds on a day."""

    def __init__(self, key: str, day: date) -> None:
        super().__init__(f"No methodology {key} holds on {day.isoformat()}; add a dated row for it.")
        self.key = key
        self.day = day


@dataclass(frozen=True, slots=True)
class MethodologySet:
    """All versions, past and future ones too. Made by `methodology_set`, which checks them."""

    version: str
    rows: tuple[Methodology, ...]

    def at(self, day: date) -> Mapping[str, Methodology]:
        """The methodologies of a day, by key."""
        return dated.on_day(self.rows, day)

    def row(self, key: str, day: date) -> Methodology:
        """The methodology of a key on a day. Raises MissingMethodology."""
        for row in self.rows:
            if row.key == key and dated.covers(row, day):
                return row
        raise MissingMethodology(key, day)

    def replaced(self, row: Methodology, *, version: str) -> MethodologySet:
        """With `row` in place of its key's last version, which ends there. Raises ConfigurationError."""
        return methodology_set(version, dated.replaced(NOUN, self.rows, row))


NOUN = "Methodology"
_PER_UNIT_G_MAX = 50_000
_CAP_G_MAX = 100_000
CLAIM_H_MAX = 24 * 31


def methodology_set(version: str, rows: Iterable[Methodology]) -> MethodologySet:
    """A checked set.

    Raises ConfigurationError naming row, key and reason: unknown scene, missing text or source, a formula that reduces
    nothing or is beyond belief, a limit or a cap that is, no evidence, ids used twice, versions that do not count up,
    rows of one key that overlap or leave a gap, variants of a scene with different caps.
    """
    known = tuple(rows)
    for row in known:
        _check_row(row)
    dated.check_rows(NOUN, known)
    _check_versions(known)
    _check_caps(known)
    return MethodologySet(version, known)


def check_succession(old: MethodologySet, new: MethodologySet, *, today: date) -> None:
    """Whether `new` keeps the history of `old`. Raises ConfigurationError naming the row that was edited or lost."""
    dated.check_succession(NOUN, old.rows, new.rows, today=today)


def _check_row(row: Methodology) -> None:
    where = dated.where_of(NOUN, row)
    try:
        scene_of(row.key)
    except ValueError as error:
        raise ConfigurationError(f"{where}: there is no such scene; known are {', '.join(Scene)}.") from error
    texts = {"id": row.methodology_id, "name_zh": row.name_zh, "name_en": row.name_en}
    dated.check_texts(NOUN, row, {**texts, "author": row.author, "reason": row.reason})
    dated.check_texts(NOUN, row, {f"source {n}": text for n, text in enumerate(sources_of(row.formula), 1)})
    if not row.evidence:
        raise ConfigurationError(f"{where}: `evidence` is empty; name at least one of {', '.join(Evidence)}.")
    _check_formula(where, row)
    _check_limits(where, row.limits)
    _check_span(where, "cap_day_g", row.cap_day_g, _CAP_G_MAX)
    _check_span(where, "claim_window_h", row.claim_window_h, CLAIM_H_MAX)


def _check_formula(where: str, row: Methodology) -> None:
    formula = row.formula
    if isinstance(formula, Difference) and (formula.project < 0 or formula.project >= formula.baseline):
        raise ConfigurationError(f"{where}: the project's value must lie between 0 and the baseline; nothing is saved.")
    if isinstance(formula, PerAct) and row.unit is not Unit.ACT:
        raise ConfigurationError(f"{where}: a fixed value an act is in unit {Unit.ACT}, not {row.unit}.")
    per_unit = reduction_g(formula, Fraction(1))
    if not 0 < per_unit <= _PER_UNIT_G_MAX:
        raise ConfigurationError(
            f"{where}: {float(per_unit):g} g a {row.unit} is beyond belief; more than 0 and at most"
            f" {_PER_UNIT_G_MAX} are."
        )


def _check_limits(where: str, limits: Limits) -> None:
    for name in ("activity_max", "acts_day_max"):
        _check_span(where, name, getattr(limits, name), 1_000)
    for name, most in (("speed_max_kmh", 200), ("duration_min_s", 86_400), ("steps_day_max", 200_000)):
        value = getattr(limits, name)
        if value is not None:
            _check_span(where, name, value, most)


def _check_span(where: str, name: str, value: Fraction | int, most: int) -> None:
    if not 0 < value <= most:
        raise ConfigurationError(f"{where}: `{name}` must be more than 0 and at most {most}, not {float(value):g}.")


def _check_versions(rows: tuple[Methodology, ...]) -> None:
    last: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row.valid_from):
        due = last.get(row.key, 0) + 1
        if row.version != due:
            raise ConfigurationError(
                f"{dated.where_of(NOUN, row)}: `version` is {row.version} where {due} is due; versions count up."
            )
        last[row.key] = due


def _check_caps(rows: tuple[Methodology, ...]) -> None:
    """The cap is the scene's, so on no day do its variants differ."""
    for day in {row.valid_from for row in rows}:
        caps: dict[Scene, Methodology] = {}
        for row in rows:
            if dated.covers(row, day):
                other = caps.setdefault(row.scene, row)
                if other.cap_day_g != row.cap_day_g:
                    raise ConfigurationError(
                        f"{dated.where_of(NOUN, row)}: `cap_day_g` differs from {other.methodology_id}'s on {day};"
                        " the variants of a scene share one cap."
                    )
