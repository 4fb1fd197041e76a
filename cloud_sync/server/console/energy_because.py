"""Why the microgrid is run as it is: owns the sentences of a plan's reasons, their figures and their colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from cloud_sync.server.energy_flow import known
from cloud_sync.server.records_energy import BecauseRecord

_THIN = "\u2009"


@dataclass(frozen=True, slots=True)
class BecauseLine:
    """One reason as a page shows it. `tone` is the colour word of what acts, `good` whether the saving is one."""

    at: datetime
    until: datetime
    now: bool
    tone: str
    title: str
    text: str
    saved: str
    good: bool


# Code: what acts, title, sentence. The figures are the reason's `values`, formatted by the ending of their names, and
# the mean powers that follow from its energies.
SENTENCES: dict[str, tuple[str, str, str]] = {
    "unserved": (
        "grid",
        N_("%(unserved_kwh)s kWh of load cannot be served"),
        N_("Import is at its limit of %(import_max_kw)s kW and the storage cannot give more."),
    ),
    "island": (
        "storage",
        N_("On our own"),
        N_("The grid is away: sun and storage carry the load."),
    ),
    "export_limit": (
        "pv",
        N_("%(curtailed_kwh)s kWh of sun is held back"),
        N_("More than %(export_max_kw)s kW may not be sold, and the storage takes no more."),
    ),
    "curtail_price": (
        "pv",
        N_("%(curtailed_kwh)s kWh of sun is held back"),
        N_("Selling would cost money at %(export_per_kwh)s CNY/kWh."),
    ),
    "fill_reserve": (
        "storage",
        N_("Charge %(storage_kw)s kW up to the reserve"),
        N_("Below %(reserve_frac)s too little would be left for an outage."),
    ),
    "store_surplus": (
        "storage",
        N_("Charge %(storage_kw)s kW from the sun"),
        N_("Solar has %(surplus_kw)s kW to spare. Kept for later it replaces energy worth %(later_per_kwh)s CNY/kWh."),
    ),
    "store_surplus_at_limit": (
        "storage",
        N_("Charge %(storage_kw)s kW from the sun"),
        N_("Selling is at its limit. What is kept for later replaces energy worth %(later_per_kwh)s CNY/kWh."),
    ),
    "charge_cheap": (
        "storage",
        N_("Charge %(storage_kw)s kW from the grid"),
        N_("Energy costs %(import_per_kwh)s CNY/kWh now and %(later_per_kwh)s when it is used."),
    ),
    "import_limit": (
        "grid",
        N_("Discharge %(storage_kw)s kW below the import limit"),
        N_("Without the storage import would exceed %(import_max_kw)s kW."),
    ),
    "hold_peak": (
        "grid",
        N_("Discharge %(storage_kw)s kW for the peak"),
        N_("Keeps import below %(peak_kw)s kW; each kW more costs %(demand_per_kw)s CNY a month."),
    ),
    "sell": (
        "grid",
        N_("Sell %(storage_kw)s kW from the storage"),
        N_("Pays %(export_per_kwh)s CNY/kWh now; putting it back costs %(refill_per_kwh)s."),
    ),
    "avoid_dear": (
        "storage",
        N_("Discharge %(storage_kw)s kW instead of buying"),
        N_("Energy costs %(import_per_kwh)s CNY/kWh now; putting it back costs %(refill_per_kwh)s."),
    ),
    "full": (
        "storage",
        N_("Hold the storage at %(soc_frac)s"),
        N_("It is full: beyond this, wear costs more than it earns."),
    ),
    "reserve_held": (
        "storage",
        N_("Keep %(reserve_frac)s for an outage"),
        N_("Energy is dear at %(import_per_kwh)s CNY/kWh, but the reserve is not for sale."),
    ),
    "empty": (
        "storage",
        N_("The storage is empty"),
        N_("It is at its lower limit and waits for sun or a low price."),
    ),
    "wait": (
        "storage",
        N_("Let the storage rest"),
        N_("%(import_per_kwh)s CNY/kWh now, %(next_per_kwh)s later: the difference does not pay losses and wear."),
    ),
    "ev_charge": (
        "ev",
        N_("Charge vehicles with %(ev_kw)s kW"),
        N_("They charge when energy is cheapest before they leave."),
    ),
    "no_storage": (
        "grid",
        N_("Nothing to decide"),
        N_("There is no storage; sun first, the rest from the grid."),
    ),
}


def merged(found: Iterable[BecauseRecord]) -> list[BecauseRecord]:
    """Neighbouring reasons of one code as one: energies and savings add up, prices are means, charge is the last."""
    made: list[BecauseRecord] = []
    for one in sorted(found, key=lambda reason: reason.at):
        if made and sentence_of(made[-1]) == sentence_of(one) and made[-1].until >= one.at:
            made[-1] = _joined(made[-1], one)
        else:
            made.append(one)
    return made


def sentence_of(one: BecauseRecord) -> str:
    """The reason's key in SENTENCES: surplus that could not have been sold is another matter than surplus kept back."""
    at_limit = one.code == "store_surplus" and known(one.values.get("at_export_limit")) == 1.0
    return "store_surplus_at_limit" if at_limit else one.code


def _joined(first: BecauseRecord, then: BecauseRecord) -> BecauseRecord:
    long, more = ((one.until - one.at).total_seconds() for one in (first, then))
    values = dict(then.values)
    for name in first.values.keys() & then.values.keys():
        a, b = known(first.values[name]), known(then.values[name])
        if a is None or b is None:
            continue
        if name.endswith("_kwh") and not name.endswith("per_kwh"):
            values[name] = a + b
        elif name.endswith("per_kwh") and long + more > 0:
            values[name] = (a * long + b * more) / (long + more)
    return BecauseRecord(
        at=first.at,
        until=then.until,
        code=first.code,
        values=values,
        cost_saved=first.cost_saved + then.cost_saved,
        carbon_saved_kg=first.carbon_saved_kg + then.carbon_saved_kg,
    )


def _with_powers(one: BecauseRecord) -> dict[str, object]:
    """The reason's values, and the mean powers that follow from its energies."""
    values: dict[str, object] = dict(one.values)
    hours = (one.until - one.at).total_seconds() / 3600
    energies = {name: known(one.values.get(f"{name}_kwh")) for name in ("storage", "pv", "load", "ev", "grid")}
    if hours <= 0:
        return values
    values |= {f"{name}_kw": kwh / hours for name, kwh in energies.items() if kwh is not None}
    pv, load, ev = energies["pv"], energies["load"], energies["ev"]
    if pv is not None and load is not None:
        values["surplus_kw"] = max(0.0, pv - load - (ev or 0.0)) / hours
    return values


def because_line(words: Words, one: BecauseRecord, *, now: datetime, money: bool) -> BecauseLine:
    """A reason in words; a code that nobody wrote a sentence for is shown as it is, with its figures."""
    figures = {name: _figure(words, name, value) for name, value in _with_powers(one).items()}
    tone, title, text = SENTENCES.get(sentence_of(one), ("load", "", ""))
    saved, good = _saved(words, one, money=money)
    return BecauseLine(
        at=one.at,
        until=one.until,
        now=one.at <= now < one.until,
        tone=tone,
        title=_filled(words, title, figures) or one.code,
        text=_filled(words, text, figures) or " · ".join(f"{name} {figures[name]}" for name in one.values),
        saved=saved,
        good=good,
    )


def _filled(words: Words, sentence: str, figures: Mapping[str, str]) -> str:
    """ "" where there is no sentence, or it needs a figure that the gateway did not tell."""
    try:
        return words.gettext(sentence) % figures if sentence else ""
    except (KeyError, TypeError, ValueError):
        return ""


def _figure(words: Words, name: str, value: object) -> str:
    number = known(value)
    if number is None:
        return str(value)[:80]
    if name.endswith("_frac"):
        return words.percent(number)
    if name.endswith("per_kwh"):
        return f"{number:.2f}".replace("-", "−")
    if name.endswith("_h"):
        return f"{number:.1f}"
    if name.endswith("_kw"):
        return words.number(abs(number))
    return words.number(number) if abs(number) >= 10 or number == int(number) else f"{number:.1f}"


def _saved(words: Words, one: BecauseRecord, *, money: bool) -> tuple[str, bool]:
    """What it saves against storage that rests: less is written with a minus, as on a bill."""
    value = one.cost_saved if money else one.carbon_saved_kg
    unit = words.gettext("CNY") if money else "kg"
    if abs(value) < 0.5:
        return "±0", False
    return f"{'−' if value > 0 else '+'}{words.number(abs(value))}{_THIN}{unit}", value > 0
