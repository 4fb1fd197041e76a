"""The public page in words: owns its sentences and figures. What is not known is said so, never shown as zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cloud_sync.server.carbon.public_board import Board, PublicMethod, PublicNow, PublicYear
from cloud_sync.server.carbon.public_rules import PublicRule
from cloud_sync.server.console import rule_texts
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.permits_labels import said_of
from cloud_sync.server.console.rule_words import rule_name as rule_name
from cloud_sync.server.console.rule_words import rule_unit, rule_value
from cloud_sync.server.console.words import Words
from control.carbon.exact import GRAMS_PER_KG, GRAMS_PER_TONNE
from control.carbon.factors import Factor
from control.permits.words import PAPER_KINDS

SOME_KW = 5.0
FACTOR = {
    "grid.hainan.co2": N_("Electricity of the Hainan grid"),
    "grid.southern.co2": N_("Electricity of the southern grid"),
    "grid.national.co2": N_("Electricity, national mean"),
    "fuel.petrol.co2": N_("Petrol, CO₂"),
    "fuel.petrol.ch4": N_("Petrol, CH₄"),
    "fuel.petrol.n2o": N_("Petrol, N₂O"),
    "fuel.diesel.co2": N_("Diesel, CO₂"),
    "fuel.diesel.ch4": N_("Diesel, CH₄"),
    "fuel.diesel.n2o": N_("Diesel, N₂O"),
    "gwp.ch4": N_("Warming of CH₄ against CO₂, 100 years"),
    "gwp.n2o": N_("Warming of N₂O against CO₂, 100 years"),
    "offset.due": N_("A permitted visit is offset within"),
}
UNIT = {
    "pkm": N_("passenger-kilometre"),
    "km": N_("kilometre"),
    "kWh": N_("kWh"),
    "kg": N_("kilogram"),
    "night": N_("night"),
    "day": N_("day"),
    "act": N_("time"),
}
YEAR_WIDTH, YEAR_TALL = 140, 88


@dataclass(frozen=True, slots=True)
class YearBar:
    """A year of the small chart: its place, how high, its figure and whether it is whole."""

    year: int
    x: int
    tall: int
    text: str
    note: str
    kind: str


def heading(words: Words, now: PublicNow) -> tuple[str, str, str]:
    """What a kWh on the island emits now: before the figure, the figure, after it. Without one, a sentence alone."""
    if now.carbon_g_per_kwh is None:
        return words.gettext("What a kWh on the island emits now is not known."), "", ""
    before, _, after = words.gettext("A kWh on the island now emits only %(n)s g of carbon dioxide.").partition("%(n)s")
    if now.grid_g_per_kwh is not None and now.carbon_g_per_kwh > 0.9 * float(now.grid_g_per_kwh):
        before, _, after = words.gettext("A kWh on the island now emits %(n)s g of carbon dioxide.").partition("%(n)s")
    return before, f"{now.carbon_g_per_kwh:.0f}", after


def lead(words: Words, now: PublicNow) -> str:
    """The sentences below it: the grid's mean, the sun's part, and what becomes of what is left over."""
    told = []
    if now.grid_g_per_kwh is not None:
        told.append(words.gettext("The grid's mean is %(n)s g.") % {"n": f"{float(now.grid_g_per_kwh):.0f}"})
    if now.state == "never":
        told.append(words.gettext("The microgrid has told nothing yet."))
    elif now.state == "lost":
        told.append(words.gettext("The microgrid has not been heard for a while; the figures come back by themselves."))
    else:
        told += _flows(words, now)
    return (" " if words.language == "en" else "").join(told)


def _flows(words: Words, now: PublicNow) -> list[str]:
    told, solar, storage, grid = [], now.kw.get("pv"), now.kw.get("storage"), now.kw.get("grid")
    if solar is not None and solar > SOME_KW:
        told.append(words.gettext("Solar panels on roofs and walkways now give %(n)s kW.") % {"n": words.number(solar)})
    elif solar is not None:
        told.append(words.gettext("The sun gives nothing now."))
    if storage is not None and storage < -SOME_KW:
        told.append(words.gettext("What is left over goes into the batteries, for tonight."))
    elif storage is not None and storage > SOME_KW:
        told.append(words.gettext("The batteries give %(n)s kW back.") % {"n": words.number(storage)})
    if grid is not None and grid < -SOME_KW:
        told.append(words.gettext("%(n)s kW go to the mainland.") % {"n": words.number(-grid)})
    elif grid is not None and grid > SOME_KW:
        told.append(words.gettext("%(n)s kW come from the grid.") % {"n": words.number(grid)})
    return told


def badge(words: Words, now: PublicNow, at: datetime) -> tuple[str, str]:
    """How fresh the figures are: `ok`, `stale` or `lost`, and in words."""
    if now.state == "live":
        return "ok", words.gettext("Live · %(t)s") % {"t": f"{words.day(at)} {words.clock_time(at)}"}
    if now.at is None:
        return "lost", words.gettext("No figures yet")
    word = words.gettext("As of %(t)s") % {"t": words.time(now.at, seconds=False)}
    return ("stale" if now.state == "stale" else "lost"), word


def ring_text(words: Words, board: Board) -> str:
    """The drawing in a sentence."""
    measured = [one for one in board.slots if one.measured]
    known = [one.grid_frac for one in measured if one.grid_frac is not None]
    if not known:
        return words.gettext("Today's electricity: nothing is known yet.")
    own = 1 - sum(known) / len(known)
    return words.gettext(
        "Today so far, %(p)s of the electricity was the island's own. %(k)s of the day is measured."
    ) % {
        "p": words.percent(own),
        "k": words.percent(board.energy_known_frac),
    }


def year_bars(words: Words, years: tuple[PublicYear, ...]) -> tuple[YearBar, ...]:
    """The years side by side. A year without figures has no bar."""
    most = max((abs(one.grams) for one in years if one.grams is not None), default=0)
    return tuple(
        YearBar(
            year=one.year,
            x=place * YEAR_WIDTH,
            tall=0 if one.grams is None or not most else max(0, round(YEAR_TALL * one.grams / most)),
            text=words.gettext("missing") if one.grams is None else tonnes(one.grams),
            note=year_note(words, one),
            kind="grid" if place == 0 else "now" if one.known_frac >= 1 else "now part",
        )
        for place, one in enumerate(years)
    )


def year_note(words: Words, year: PublicYear) -> str:
    """Whose figure it is, or how much of the year is known."""
    if year.source:
        return words.gettext("published")
    return words.gettext("%(p)s known") % {"p": part(words, year.known_frac)}


def tonnes(grams: int) -> str:
    """Tonnes: whole from ten on, else with two places."""
    value = grams / GRAMS_PER_TONNE
    return (f"{value:,.0f}" if abs(value) >= 10 or not grams else f"{value:,.2f}").replace("-", "−")


def kilograms(grams: int) -> str:
    """Kilograms: whole from ten on, else with two places."""
    value = grams / GRAMS_PER_KG
    return (f"{value:,.0f}" if abs(value) >= 10 or not grams else f"{value:,.2f}").replace("-", "−")


def part(words: Words, frac: Decimal | float | None) -> str:
    """A part with one place; a gap, however small, stays below a hundred."""
    if frac is None:
        return words.gettext("unknown")
    value = float(frac)
    return words.percent(min(value, 0.999) if value < 1 else 1.0, 1 if value < 1 else 0)


def factor_name(words: Words, row: Factor) -> str:
    """What a factor is about. The family and the set of the key are in its source."""
    pieces = row.key.split(".")
    short = ".".join(pieces[:3] if pieces[0] == "fuel" else [pieces[0], *pieces[2:]] if pieces[0] == "gwp" else pieces)
    return words.gettext(FACTOR[short]) if short in FACTOR else row.key


def factor_value(row: Factor) -> str:
    """The value with its unit, as the book writes it."""
    value = row.value if isinstance(row.value, str) else f"{float(row.value):g}"
    return value if row.unit in ("1", "choice") else f"{value} {row.unit}"


def method_name(words: Words, method: PublicMethod) -> str:
    """What the person did."""
    return method.name_zh if words.language == "zh" else method.name_en


def method_value(words: Words, method: PublicMethod) -> str:
    """Points of one unit: a point is a gram."""
    unit = words.gettext(UNIT[method.unit]) if method.unit in UNIT else method.unit
    return f"{float(method.grams):g} g / {unit}"


def rule_text(words: Words, rule: PublicRule) -> str:
    """What a rule says: its value with the unit, or the papers of a list."""
    if rule.unit == "names":
        joint = "、" if words.language == "zh" else ", "
        return joint.join(said_of(words, PAPER_KINDS, one) for one in rule.values) or "—"
    said, unit = rule_value(words, rule.values[0]), rule_unit(words, rule.unit)
    return f"{said} {unit}".rstrip()


def source_text(words: Words, text: str) -> str:
    """Where a figure comes from."""
    return rule_texts.rule_text(words, text)
