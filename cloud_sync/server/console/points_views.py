"""Points as people read them: owns scenes with their icons, masked names, amounts, formulas, and the chart of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor, log10

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from control.domain.exact import to_decimal
from control.points import words as domain
from control.points.earning_types import Anomaly
from control.points.methodology import POLICY_VALUE, Difference, Evidence, Formula, Methodology, PerAct, PerUnit, Scene

CHART_WIDTH, CHART_TOP, CHART_BASE, CHART_LEFT = 720, 22, 128, 44
_SLOT_FRAC = 0.68
_FIGURES = 6
SCENE_ICON: dict[str, str] = {
    Scene.SHUTTLE: "bus",
    Scene.SHARED_BIKE: "bike",
    Scene.WALKING: "footprints",
    Scene.EV_DRIVING: "car",
    Scene.OFF_PEAK_CHARGING: "plug-zap",
    Scene.PARKED_CAR: "car",
    Scene.RECYCLING: "recycle",
    Scene.WASTE_SORTING: "recycle",
    Scene.REUSABLE_CUP: "coffee",
    Scene.NO_TOWEL_CHANGE: "bed-double",
    Scene.DIGITAL_TICKET: "smartphone",
    Scene.VEGETARIAN_MEAL: "salad",
    Scene.TREE_PLANTING: "sprout",
    Scene.BEACH_CLEANING: "brush-cleaning",
}
UNIT = {
    "pkm": N_("passenger-kilometre"),
    "km": N_("kilometre"),
    "kWh": N_("kilowatt-hour"),
    "kg": N_("kilogram"),
    "night": N_("night"),
    "day": N_("day"),
    "act": N_("time"),
}
_BY_LANGUAGE = {"zh": 0, "en": 1}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: `x`, `y`, `width` and `height` in pixels of the chart; `label` under it where there is room."""

    day: date
    value: int
    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class DayChart:
    """Bars with their grid: y and text of each line; `finding` says what is to be seen."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, str], ...]
    finding: str


def scene_icon(key: str) -> str:
    """The icon of a scene or of one of its variants."""
    return SCENE_ICON.get(key.partition(".")[0], "leaf")


def scene_word(words: Words, key: str) -> str:
    """What a person did, from a methodology's key."""
    scene = key.partition(".")[0]
    return domain.SCENES[Scene(scene)][_BY_LANGUAGE[words.language]] if scene in set(Scene) else key


def anomaly_word(words: Words, code: str) -> str:
    """Why an event waits."""
    return domain.ANOMALIES[Anomaly(code)][_BY_LANGUAGE[words.language]] if code in set(Anomaly) else code


def evidence_word(words: Words, code: str) -> str:
    """What shows that it was done."""
    return domain.EVIDENCE[Evidence(code)][_BY_LANGUAGE[words.language]] if code in set(Evidence) else code


def masked(name: str) -> str:
    """A name that tells two people apart and nobody's identity: the first character, and the last of longer ones."""
    text = name.strip()
    if len(text) < 2:
        return text
    return f"{text[0]}•" if len(text) == 2 else f"{text[0]}•{text[-1]}"


def yuan(fen: int | None) -> str:
    """Fen as yuan with two decimals and thousands apart; missing stays missing."""
    if fen is None:
        return "—"
    sign = "−" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def carbon(grams: int | None) -> tuple[str, str]:
    """Figure and unit: grams below 1,000, kilograms with one decimal below 1,000, tonnes with two."""
    if grams is None:
        return "—", ""
    if abs(grams) < 1_000:
        return f"{grams:,}".replace("-", "−"), "gCO₂e"
    if abs(grams) < 1_000_000:
        return f"{grams / 1_000:,.1f}".replace("-", "−"), "kgCO₂e"
    return f"{grams / 1_000_000:,.2f}".replace("-", "−"), "tCO₂e"


def exact(value: Fraction) -> str:
    """A figure of a rule, as short as it is exact."""
    return f"{to_decimal(value, _FIGURES).normalize():f}"


def formula(words: Words, row: Methodology) -> str:
    """How an activity becomes grams, in one line."""
    unit = words.gettext(UNIT[row.unit])
    match row.formula:
        case Difference(baseline, project):
            return f"({exact(baseline)} − {exact(project)}) g × {unit}"
        case PerUnit(grams):
            return f"{exact(grams)} g × {unit}"
        case PerAct(grams):
            return words.gettext("%(n)s g each time") % {"n": exact(grams)}


def figures(row: Methodology) -> tuple[tuple[str, str, str, bool], ...]:
    """The figures of a formula: which it is, grams, source, and whether it is a policy value."""
    return tuple((name, exact(value), source, is_policy(source)) for name, value, source in _figures(row.formula))


def _figures(one: Formula) -> tuple[tuple[str, Fraction, str], ...]:
    match one:
        case Difference():
            return ("baseline", one.baseline, one.baseline_source), ("project", one.project, one.project_source)
        case PerUnit() | PerAct():
            return (("grams", one.grams, one.source),)


def is_policy(source: str) -> bool:
    """Whether nobody publishes the figure, so that the office set it."""
    return source.casefold().startswith(POLICY_VALUE)


def day_chart(words: Words, days: Sequence[tuple[date, int]]) -> DayChart:
    """Points of each day as bars; `days` in their order, the last one is today."""
    top = max((value for _, value in days), default=0)
    step = _nice_step(top)
    most = step * max(1, ceil(top / step))
    slot = (CHART_WIDTH - CHART_LEFT) / max(1, len(days))
    width = slot * _SLOT_FRAC
    height = CHART_BASE - CHART_TOP
    bars = []
    for at, (day, value) in enumerate(days):
        tall = height * value / most
        label = _day_word(words, day) if (len(days) - 1 - at) % 7 == 0 else ""
        x = CHART_LEFT + at * slot + (slot - width) / 2
        bars.append(Bar(day, value, x, CHART_BASE - tall, width, tall, label))
    lines = tuple((CHART_BASE - height * n * step / most, f"{n * step:,}") for n in range(floor(most / step) + 1))
    return DayChart(tuple(bars), lines, _finding(words, days))


def _nice_step(top: int) -> int:
    """1, 2 or 5 times a power of ten, so that two to four steps reach `top`."""
    raw = max(top, 1) / 3
    power = 10 ** max(0, floor(log10(raw))) if raw >= 1 else 1
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw))


def _day_word(words: Words, day: date) -> str:
    return f"{day:%m-%d}" if words.language == "zh" else f"{day.day} {day:%b}"


def _finding(words: Words, days: Sequence[tuple[date, int]]) -> str:
    if not any(value for _, value in days):
        return words.gettext("No points were given in these days.")
    best_day, best = max(days, key=lambda one: one[1])
    average = round(sum(value for _, value in days) / len(days))
    return words.gettext("%(average)s points a day on average; most on %(day)s with %(best)s.") % {
        "average": f"{average:,}",
        "day": _day_word(words, best_day),
        "best": f"{best:,}",
    }
