"""Rows and lines of trips: owns how one way is told in a list, and how its formula is told line by line."""

from __future__ import annotations

from decimal import Decimal

from mobile.core.api.points import EarningRecord, TripRecord
from mobile.core.models.trips import Computed, computed, place_name
from mobile.core.words import N_, Words
from mobile.ui.kit import Card, Divider, Pair, Row, Text

ICONS = {
    "shuttle": "bus",
    "shared_bike": "bike",
    "walking": "footprints",
    "ev_driving": "car",
    "off_peak_charging": "plug-zap",
    "recycling": "recycle",
    "waste_sorting": "trash-2",
    "reusable_cup": "cup-soda",
}
# What the activity is called in front of its amount, by the methodology's unit.
_DONE = {
    "pkm": N_("Ridden"),
    "km": N_("Travelled"),
    "kWh": N_("Charged"),
    "kg": N_("Handed in"),
    "act": N_("Done"),
    "night": N_("Nights"),
    "day": N_("Days"),
}
_UNITS = {
    "pkm": N_("{n} km"),
    "km": N_("{n} km"),
    "kWh": N_("{n} kWh"),
    "kg": N_("{n} kg"),
}


def icon_of(scene: str) -> str:
    """The icon of what a person did."""
    return ICONS.get(scene, "leaf")


def trip_row(words: Words, trip: TripRecord) -> Row:
    """One trip that has ended."""
    value, tone, icon, standing = f"+{words.number(trip.points)}", "admit", "", ""
    if trip.event is not None and trip.event.reversed_at is not None:
        value, tone, icon, standing = "0", "refuse", "undo-2", words("Taken back")
    elif trip.state == "held":
        value, tone, icon, standing = words.number(trip.points), "hold", "circle-pause", words("Being checked")
    elif trip.state == "refused":
        value, tone, icon, standing = "0", "refuse", "octagon-x", words("Not counted")
    span = f"{words.time(trip.started_at)}–{words.time(trip.ended_at)}"
    return Row(
        icon=icon_of(trip.scene.code),
        title=words("{start} to {end}", start=place(words, trip.start_place), end=place(words, trip.end_place)),
        subtitle=" · ".join(part for part in (standing, span, words.distance(trip.metres)) if part),
        value=value,
        value_tone=tone,
        value_icon=icon,
        chevron=True,
        pressable=True,
        test_id=f"trip-{trip.trip_id}",
    )


def place(words: Words, name: str) -> str:
    """A place in the language of the app, where its name is written in both."""
    return place_name(name, words.language)


def computed_card(words: Words, event: EarningRecord) -> Card | None:
    """How the points came about; None for an act without a formula."""
    found = computed(event)
    if found is None:
        return None
    card = Card(test_id="computed")
    card.add_widget(Text(text=words("How it was computed"), style="section"))
    for label, value in _factors(words, found):
        card.add_widget(Pair(label=label, value=value))
    card.add_widget(Divider())
    card.add_widget(Pair(label=words("Saved"), value=_saved(words, found), tone="admit", strong=True))
    if found.reduced_g is not None and found.counted_g < int(found.reduced_g):
        limits = (
            words.both("；", "; ").join(words.said(one) for one in event.formula.capped_by) if event.formula else ""
        )
        card.add_widget(Text(text=limits, style="small", tone="hold"))
    card.add_widget(Text(text=_rule(words, event, found), style="small", tone="ink3", test_id="rule"))
    for source in found.sources:
        card.add_widget(Text(text=words("Source: {source}", source=_source(words, source)), style="small", tone="ink3"))
    return card


def _factors(words: Words, found: Computed) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    if found.activity is not None and found.unit in _DONE:
        lines.append((words(_DONE[found.unit]), _amount(words, found.activity, found.unit)))
    if found.baseline_g is not None and found.project_g is not None:
        lines.append((_per(words, words("Usual way"), found.unit), _grams(words, found.baseline_g)))
        lines.append((_per(words, words("This way"), found.unit), _grams(words, found.project_g)))
    elif found.unit_g is not None:
        lines.append((_per(words, words("Saving"), found.unit), _grams(words, found.unit_g)))
    return lines


def _amount(words: Words, activity: Decimal, unit: str) -> str:
    match unit:
        case "act":
            return words.n("{n} time", "{n} times", int(activity))
        case "night":
            return words.n("{n} night", "{n} nights", int(activity))
        case "day":
            return words.n("{n} day", "{n} days", int(activity))
        case _:
            return words(_UNITS[unit], n=words.trimmed(activity, 3))


def _per(words: Words, label: str, unit: str) -> str:
    match unit:
        case "pkm" | "km":
            return words("{label}, each km", label=label)
        case "kWh" | "kg":
            return words("{label}, each {unit}", label=label, unit=unit)
        case _:
            return words("{label}, each time", label=label)


def _grams(words: Words, grams: Decimal) -> str:
    return f"{words.trimmed(grams, 2)} g"


def _saved(words: Words, found: Computed) -> str:
    grams = words.grams(found.counted_g)
    return words("{grams} = {points}", grams=grams, points=words.points(found.points))


def _rule(words: Words, event: EarningRecord, found: Computed) -> str:
    name = "" if event.formula is None else words.both(event.formula.name_zh, event.formula.name_en)
    if found.valid_from is None:
        return words("By the rule “{name}”, version {n}", name=name, n=found.version)
    day = found.valid_from.isoformat()
    return words("By the rule “{name}” since {day}, version {n}", name=name, day=day, n=found.version)


def _source(words: Words, source: str) -> str:
    return words("a policy value of the island") if source == "policy value" else source
