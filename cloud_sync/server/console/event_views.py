"""Events in words and figures: owns what their pages say of sources, steps and footprints."""

from __future__ import annotations

from decimal import Decimal

from cloud_sync.server.carbon.events import EventRecord, EventRow
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words

SOURCE = {
    "plane": N_("Plane"),
    "rail": N_("Rail"),
    "coach": N_("Coach"),
    "car": N_("Fuel car"),
    "electric_car": N_("Electric car"),
    "ship": N_("Ship"),
    "room": N_("Rooms"),
    "meal": N_("Meals"),
    "vegetarian_meal": N_("Vegetarian meals"),
    "electricity": N_("Electricity"),
}
UNIT = {
    "pkm": N_("passenger-km"),
    "night": N_("room nights"),
    "meal": N_("meals"),
    "kWh": N_("kWh"),
}
STEPS = (N_("Counting"), N_("Closed"), N_("Retirement"), N_("Certificate"))


def source_name(words: Words, source: str) -> str:
    """What a line is about."""
    return words.gettext(SOURCE[source])


def unit_name(words: Words, unit: str) -> str:
    """What it is counted in."""
    return words.gettext(UNIT[unit])


def step_of(found: EventRecord) -> int:
    """How far the event has come, 0 to 3."""
    if found.state.neutralised_at is not None:
        return 3
    if found.row.state != "closed":
        return 0
    return 2 if any(one.state == "proposed" for one in found.retirements) else 1


def steps(words: Words, found: EventRecord) -> tuple[tuple[str, str], ...]:
    """The way to the certificate: each step with `past`, `now` or nothing."""
    at = step_of(found)
    return tuple(
        (words.gettext(text), "past" if place < at else "now" if place == at else "")
        for place, text in enumerate(STEPS)
    )


def finding(words: Words, found: EventRecord) -> str:
    """Where the event stands, in a sentence, and what comes next."""
    if found.footprint is None:
        return words.gettext("Nothing is counted yet. Add travel, rooms, meals and electricity.")
    grams = tonnes(found.footprint.grams)
    if found.row.state == "open":
        return words.gettext("%(t)s t CO₂e as of now. Close the account when everything is counted.") % {"t": grams}
    if found.state.neutralised_at is not None:
        return words.gettext("%(t)s t CO₂e, all of it offset. The certificate can be issued.") % {"t": grams}
    if any(one.state == "proposed" for one in found.retirements):
        return words.gettext("%(t)s t CO₂e. Somebody else has to confirm the retirement on the ledger.") % {"t": grams}
    return words.gettext("%(t)s t CO₂e are owed. Retire %(n)d t of credits for it.") % {
        "t": grams,
        "n": found.tonnes_needed,
    }


def tonnes(grams: int | None) -> str:
    """Tonnes with two places; before an account is closed there is no figure."""
    return "—" if grams is None else f"{grams / 1_000_000:,.2f}"


def per_person(row: EventRow, grams: int) -> str:
    """Kilograms a person."""
    return f"{grams / 1000 / row.people:,.1f}"


def amount(value: Decimal | str) -> str:
    """An amount without needless zeros."""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def uncertainty(text: str) -> str:
    """How far a total may be off."""
    return f"±{float(text):.0%}"
