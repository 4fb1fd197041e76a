"""What an activity is worth: owns the way from units to grams to points, and the caps of a day.

Every figure is a dated row and the result names the rows, so that it can be computed again. Grams are rounded once,
half up; points are whole and rounded down, so that no more points are given than the rule allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from control.domain.exact import half_up
from control.points import rules as keys
from control.points.methodology import Difference, Methodology, PerAct, PerUnit, reduction_g, sources_of
from control.points.rules import PointRules


class Cap(StrEnum):
    """Which cap took something off."""

    SCENE_DAY = "scene_day"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Room:
    """What a person has earned on the day already, in the scene (grams) and in all (points); held points count."""

    scene_g: int = 0
    day_points: int = 0


@dataclass(frozen=True, slots=True)
class Award:
    """What one activity gives. `figures` are the numbers of the formula, as exact text, for people to read."""

    points: int
    grams: int
    key: str
    methodology_version: int
    row_ids: tuple[str, ...]
    capped_by: tuple[Cap, ...]
    sources: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    badge: str


def award(method: Methodology, activity: Fraction, rules: PointRules, room: Room | None = None) -> Award:
    """Points for `activity` units, within what is left of the day.

    `grams` is what was reduced and counted after the scene's cap; `points` may be fewer by the exchange rule and the
    day's cap. Both may be 0. `activity` is positive; limits of belief are judged in `earning`.
    """
    room = room or Room()
    per_point = rules.value(keys.GRAMS_PER_POINT)
    full_g = half_up(reduction_g(method.formula, activity))
    grams = min(full_g, max(0, method.cap_day_g - room.scene_g))
    full_points = grams // per_point
    points = min(full_points, max(0, rules.value(keys.CAP_DAY) - room.day_points))
    capped = ((Cap.SCENE_DAY, grams < full_g), (Cap.DAY, points < full_points))
    return Award(
        points=points,
        grams=grams,
        key=method.key,
        methodology_version=method.version,
        row_ids=(method.methodology_id, rules.row_id(keys.GRAMS_PER_POINT), rules.row_id(keys.CAP_DAY)),
        capped_by=tuple(cap for cap, hit in capped if hit),
        sources=sources_of(method.formula),
        figures=(*_formula_figures(method), ("activity", f"{activity} {method.unit}"), ("reduced_g", str(full_g))),
        badge=method.badge,
    )


def _formula_figures(method: Methodology) -> tuple[tuple[str, str], ...]:
    match method.formula:
        case Difference(baseline, project):
            return (("baseline_g", str(baseline)), ("project_g", str(project)))
        case PerUnit(grams) | PerAct(grams):
            return (("grams", str(grams)),)
