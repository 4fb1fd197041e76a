"""The microgrid in words and figures: owns what its pages show of a record; what is not known is —, never 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.console.energy_words import FLOW, TABLES
from cloud_sync.server.console.words import Words
from cloud_sync.server.energy_flow import imported_frac
from cloud_sync.server.records_energy import (
    EnergyAlarmRecord,
    EnergyNow,
    EnergySums,
    FlowNode,
    PlanRecord,
    SettingsDesk,
)
from control.energy.settings import EnergySettings

UNKNOWN = "—"
LIVE_S, LOST_S = 25.0, 90.0  # a sample comes every 10 s


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of the column beside the flow."""

    key: str
    label: str
    value: str
    unit: str
    text: str
    tone: str = ""
    icon: str = ""
    href: str = ""


def energy_label(words: Words, table: str, code: str | None) -> str:
    """The word for a code of the microgrid; a code that nobody named is shown as it is."""
    if not code:
        return UNKNOWN
    message = TABLES[table].get(code)
    return words.gettext(message) if message else code


def power(words: Words, kw: float | None) -> tuple[str, str]:
    """A power and its unit: kW without decimals up to 9,999, then MW with two."""
    if kw is None:
        return UNKNOWN, "kW"
    return (words.number(kw), "kW") if abs(kw) < 9999.5 else (f"{kw / 1000:,.2f}".replace("-", "−"), "MW")


def energy(words: Words, kwh: float | None) -> str:
    """An energy with its unit."""
    if kwh is None:
        return UNKNOWN
    number = words.number(kwh) if abs(kwh) < 9999.5 else f"{kwh / 1000:,.2f}".replace("-", "−")
    return f"{number}\u2009{'kWh' if abs(kwh) < 9999.5 else 'MWh'}"


def figure(value: float | None, digits: int, *, sign: bool = False) -> str:
    """A number with a true minus; with `sign` also a plus."""
    if value is None:
        return UNKNOWN
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    return text.replace("-", "−") if round(value, digits) else f"{'±' if sign else ''}{0:.{digits}f}"


def liveness(age_s: float | None) -> str:
    """`ok`, `stale` or `lost`."""
    if age_s is None:
        return "lost"
    return "ok" if age_s < LIVE_S else "stale" if age_s < LOST_S else "lost"


# ---------------------------------------------------------------- figures beside the flow


def kpis(
    words: Words,
    shown: EnergyNow | None,
    *,
    sums: EnergySums,
    plan: PlanRecord | None,
    desk: SettingsDesk,
    alarms: Sequence[EnergyAlarmRecord],
    money: bool,
    price: float,
) -> tuple[Kpi, ...]:
    """Six figures, in the order they stand."""
    settings = desk.settings
    return (
        _price(words, shown, price) if money else _carbon(words, shown, settings),
        _own(words, shown, sums),
        _storage(words, shown, plan, settings),
        _alone(words, plan, settings),
        _grid(words, shown, sums),
        _solar(words, shown, alarms, sums),
    )


def _carbon(words: Words, shown: EnergyNow | None, settings: EnergySettings) -> Kpi:
    text = words.gettext("grid average %(n)s") % {"n": words.number(settings.carbon_per_kwh * 1000)}
    grams = shown.carbon_g_per_kwh if shown else None
    return Kpi("carbon", words.gettext("Carbon of each kWh"), words.number(grams), "gCO₂e", text)


def _price(words: Words, shown: EnergyNow | None, price: float) -> Kpi:
    share = imported_frac(shown.kw.get("grid"), shown.total_kw) if shown else None
    text = words.gettext("from the grid %(n)s now") % {"n": f"{price:.2f}"}
    value = UNKNOWN if share is None else f"{share * price:.2f}"
    return Kpi("price", words.gettext("Bought for each kWh"), value, words.gettext("CNY"), text)


def _own(words: Words, shown: EnergyNow | None, sums: EnergySums) -> Kpi:
    share = shown.self_sufficiency_frac if shown else None
    text = words.gettext("%(p)s so far today") % {"p": words.percent(sums.self_sufficiency_frac, 1)}
    return Kpi("own", words.gettext("Own energy"), figure(None if share is None else share * 100, 1), "%", text)


def _storage(words: Words, shown: EnergyNow | None, plan: PlanRecord | None, settings: EnergySettings) -> Kpi:
    soc = shown.soc_frac if shown else None
    parts = []
    if shown is not None and shown.capacity_kwh is not None and shown.stored_kwh is not None:
        held, whole = (f"{one / 1000:.1f}" for one in (shown.stored_kwh, shown.capacity_kwh))
        parts.append(words.gettext("%(held)s of %(whole)s MWh") % {"held": held, "whole": whole})
    if shown is not None and (end := _full_or_empty(shown, plan, settings)):
        full, at = end
        sentence = words.gettext("full at %(t)s") if full else words.gettext("down to the reserve at %(t)s")
        parts.append(sentence % {"t": words.clock_time(at)})
    value = UNKNOWN if soc is None else f"{soc * 100:.0f}"
    return Kpi("storage", words.gettext("Storage"), value, "%", " · ".join(parts) or UNKNOWN, tone="storage")


def _full_or_empty(shown: EnergyNow, plan: PlanRecord | None, settings: EnergySettings) -> tuple[bool, datetime] | None:
    """When the plan first reaches the highest charge, or the reserve, if it lies ahead."""
    if plan is None or "soc_frac" not in plan.series:
        return None
    for place, soc in enumerate(plan.series["soc_frac"]):
        at = plan.starts_at + timedelta(seconds=plan.slot_s * (place + 1))
        if soc is None or at <= shown.at:
            continue
        if soc >= settings.soc_max_frac - 0.005:
            return True, at
        if soc <= settings.reserve_frac + 0.005:
            return False, at
    return None


def _alone(words: Words, plan: PlanRecord | None, settings: EnergySettings) -> Kpi:
    hours = plan.ride_through_h if plan else None
    text = words.gettext("needs ≥ %(n)s h") % {"n": f"{settings.ride_through_h:g}"}
    short = hours is not None and hours < settings.ride_through_h
    value = UNKNOWN if hours is None else f"{hours:.1f}"
    return Kpi("alone", words.gettext("Could run alone"), value, words.gettext("h"), text, tone="hold" if short else "")


def _grid(words: Words, shown: EnergyNow | None, sums: EnergySums) -> Kpi:
    kw = shown.kw.get("grid") if shown else None
    title = words.gettext("Sold to the grid") if kw is not None and kw < -0.5 else words.gettext("From the grid")
    value, unit = power(words, None if kw is None else abs(kw))
    text = words.gettext("month's peak %(n)s") % {"n": words.number(sums.peak_import_kw)}
    return Kpi("grid", title, value, unit, text)


def judged(shown: EnergyNow | None) -> bool:
    """Whether the sample is young and every inverter in it was looked at."""
    if shown is None or liveness(shown.age_s) != "ok":
        return False
    found = [one.get("diagnosis") for one in shown.devices.values() if one.get("kind") == "inverter"]
    return bool(found) and all(isinstance(one, str) for one in found)


def _solar(words: Words, shown: EnergyNow | None, alarms: Sequence[EnergyAlarmRecord], sums: EnergySums) -> Kpi:
    found = [one for one in alarms if one.code.startswith("pv_") and one.cleared_at is None]
    title = words.gettext("Solar")
    if not found:
        text = words.gettext("%(e)s so far today") % {"e": energy(words, sums.kwh.get("pv"))}
        if not judged(shown):
            unknown = words.gettext("Not judged yet")
            return Kpi("pv", title, unknown, "", text, "stale", "circle-question-mark", "/microgrid/pv")
        return Kpi("pv", title, words.gettext("As expected"), "", text, "admit", "circle-check", "/microgrid/pv")
    value = words.ngettext("%(n)d string off", "%(n)d strings off", len(found)) % {"n": len(found)}
    lost = [one.lost_kwh for one in found if one.lost_kwh is not None]
    loss = energy(words, sum(lost)) if lost else UNKNOWN
    text = words.gettext("%(device)s, %(lost)s less") % {"device": found[0].device, "lost": loss}
    return Kpi("pv", title, value, "", text, "hold", "triangle-alert", "/microgrid/pv")


# ---------------------------------------------------------------- flow


def node_name(words: Words, node: FlowNode) -> str:
    """What an end of the flow is called."""
    own = node.name_en if words.language == "en" and node.name_en else node.name
    if own:
        return own
    key = f"{node.key}_{node.side}" if node.key in ("storage", "grid", "ev") else node.key
    return words.gettext(FLOW[key]) if key in FLOW else node.key


def flow_payload(words: Words, shown: EnergyNow | None) -> list[dict[str, Any]]:
    """The ends of the flow, for the drawing and for the table beside it."""
    nodes = shown.flow if shown else ()
    made = []
    for node in nodes:
        value, unit = power(words, node.kw)
        made.append(
            {"name": node_name(words, node), "tone": node.kind, "side": node.side, "key": node.key}
            | {"kw": node.kw, "text": value, "unit": unit}
        )
    return made


def flow_finding(words: Words, flow: Iterable[dict[str, Any]]) -> str:
    """The drawing in a sentence."""
    flow = tuple(flow)
    sides = {side: ", ".join(f"{one['name']} {one['text']} {one['unit']}" for one in flow if one["side"] == side)
             for side in ("source", "sink")}  # fmt: skip
    return words.gettext("From %(sources)s to %(sinks)s.") % {
        "sources": sides["source"] or UNKNOWN,
        "sinks": sides["sink"] or UNKNOWN,
    }
