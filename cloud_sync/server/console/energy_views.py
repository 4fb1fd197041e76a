"""The microgrid in words and figures: owns what its pages show of a record; what is not known is —, never 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.console.energy_words import (
    EVIDENCE,
    EVIDENCE_SHARES,
    EVIDENCE_UNITS,
    FLOW,
    SUGGESTION,
    TABLES,
    VIOLATION,
)
from cloud_sync.server.console.words import Words
from cloud_sync.server.energy_flow import imported_frac, known
from cloud_sync.server.records_energy import (
    EnergyAlarmRecord,
    EnergyNow,
    EnergySeries,
    EnergySums,
    FlowNode,
    PlanRecord,
    SettingsDesk,
)
from control.energy.settings import EnergySettings, tariff_at

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


def suggestion(words: Words, alarm: EnergyAlarmRecord) -> str:
    """What to do about an alarm: the gateway's suggestion, else ours for its code."""
    message = SUGGESTION.get(alarm.suggestion) or SUGGESTION.get(alarm.code)
    return words.gettext(message) if message else alarm.suggestion


def evidence(words: Words, alarm: EnergyAlarmRecord) -> tuple[tuple[str, str], ...]:
    """What the gateway lays beside an alarm, named and with units; a name that nobody knows is shown as it is."""
    return tuple(_evidence(words, name, value) for name, value in alarm.evidence.items())


def _evidence(words: Words, name: str, value: object) -> tuple[str, str]:
    stem, _, end = name.rpartition("_")
    unit = EVIDENCE_UNITS.get(end, "") if stem in EVIDENCE else ""
    message = EVIDENCE.get(stem if unit else name)
    label = words.gettext(message) if message else name.replace("_", " ")
    number = known(value)
    if number is None:
        return label, ", ".join(map(str, value)) if isinstance(value, list) else str(value)[:200]
    if name in EVIDENCE_SHARES:
        return label, words.percent(number)
    if end == "h" and unit and stem.endswith("solar"):
        return label, f"{int(number):02d}:{round(number % 1 * 60) % 60:02d}"
    shown = figure(number, 0 if number == int(number) else 1)
    return label, f"{shown}\u2009{energy_label(words, 'unit', unit)}" if unit else shown


def violations(words: Words, plan: PlanRecord | None) -> list[str]:
    """What the plan cannot keep, in words; what was repaired of its input is no business of a page."""
    found = [] if plan is None else [one for one in plan.violations if not one.startswith("input.")]
    return [_violation(words, one) for one in found]


def _violation(words: Words, code: str) -> str:
    kind, _, device = code.partition(":")
    message = VIOLATION.get(kind)
    return words.gettext(message).replace("%(device)s", device) if message else code


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


def _judged(shown: EnergyNow | None) -> bool:
    """Whether the sample is young and every inverter in it was looked at."""
    if shown is None or liveness(shown.age_s) != "ok":
        return False
    found = [one.get("diagnosis") for one in shown.devices.values() if one.get("kind") == "inverter"]
    return bool(found) and all(isinstance(one, str) for one in found)


def _solar(
    words: Words, shown: EnergyNow | None, alarms: Sequence[EnergyAlarmRecord], sums: EnergySums
) -> Kpi:
    found = [one for one in alarms if one.code.startswith("pv_") and one.cleared_at is None]
    title = words.gettext("Solar")
    if not found:
        text = words.gettext("%(e)s so far today") % {"e": energy(words, sums.kwh.get("pv"))}
        if not _judged(shown):
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


# ---------------------------------------------------------------- the day


def day_payload(
    words: Words,
    measured: EnergySeries,
    plan: PlanRecord | None,
    settings: EnergySettings,
    *,
    until: datetime,
    now: datetime,
    money: bool,
) -> dict[str, Any]:
    """Everything that the day's chart draws; times in seconds since 1970 and as the offset of local time."""
    offset = measured.since.astimezone(words.zone).utcoffset() or timedelta()
    return {
        "from": measured.since.timestamp(),
        "until": until.timestamp(),
        "now": now.timestamp(),
        "offset": offset.total_seconds(),
        "step": measured.step_s,
        "measured": {
            name.removesuffix("_kw").removesuffix("_frac"): list(measured.values[name])
            for name in ("pv_kw", "load_kw", "storage_kw", "soc_frac")
        },
        "strip": _prices(words, measured.since, until, settings) if money else _ribbon(measured),
        "plan": _plan_payload(words, plan, settings, money=money) if plan is not None and until > now else None,
        "reserve": settings.reserve_frac,
        "words": _chart_words(words, settings, money=money),
    }


def _plan_payload(words: Words, plan: PlanRecord, settings: EnergySettings, *, money: bool) -> dict[str, Any]:
    names = ("pv_low", "pv_mid", "pv_high", "load_low", "load_mid", "load_high", "storage", "soc_frac")
    series = {name.removesuffix("_frac"): _thin(plan.series.get(name, ())) for name in names}
    return {
        "from": plan.starts_at.timestamp(),
        "step": plan.slot_s,
        **series,
        "strip": None if money else _planned_ribbon(plan),
    }


def _thin(values: Sequence[float | None]) -> list[float | None]:
    return [None if one is None else round(one, 3) for one in values]


def _ribbon(measured: EnergySeries) -> list[float | None]:
    """Share of the grid's intensity, 0 to 1, for each step."""
    rows = zip(*(measured.values[name] for name in ("grid_kw", "pv_kw", "storage_kw")), strict=True)
    return [_share(grid, pv, storage) for grid, pv, storage in rows]


def _planned_ribbon(plan: PlanRecord) -> list[float | None]:
    rows = zip(*(plan.series.get(name, ()) for name in ("grid", "pv_mid", "storage")), strict=False)
    return [_share(grid, pv, storage) for grid, pv, storage in rows]


def _share(grid: float | None, pv: float | None, storage: float | None) -> float | None:
    if grid is None or pv is None or storage is None:
        return None
    share = imported_frac(grid, max(grid, 0.0) + max(pv, 0.0) + max(storage, 0.0))
    return None if share is None else round(share, 3)


def _prices(words: Words, since: datetime, until: datetime, settings: EnergySettings) -> list[float]:
    """Import price of each quarter hour as a share of the day's highest."""
    count = int((until - since).total_seconds() // 900)
    found = [price_at(words, settings, since + timedelta(seconds=900 * place)) for place in range(count)]
    top = max(found, default=0.0) or 1.0
    return [round(max(0.0, one) / top, 3) for one in found]


def price_at(words: Words, settings: EnergySettings, at: datetime) -> float:
    """Import price by the tariff, yuan a kWh."""
    local = at.astimezone(words.zone)
    return tariff_at(settings, month=local.month, hour=local.hour + local.minute / 60).import_per_kwh


def _chart_words(words: Words, settings: EnergySettings, *, money: bool) -> dict[str, str]:
    top = settings.carbon_per_kwh * 1000
    strip = words.gettext("Price from the grid") if money else words.gettext("Carbon of each kWh")
    high = (
        words.gettext("up to %(n)s CNY/kWh") % {"n": f"{max(row.import_per_kwh for row in settings.tariff):.2f}"}
        if money
        else words.gettext("up to %(n)s g/kWh (all grid)") % {"n": words.number(top)}
    )
    return {
        "pv": words.gettext("Solar"),
        "load": words.gettext("Load"),
        "storage": words.gettext("Storage · charge ↑ discharge ↓"),
        "soc": words.gettext("State of charge"),
        "reserve": words.gettext("reserve %(p)s") % {"p": words.percent(settings.reserve_frac)},
        "strip": strip,
        "strip_high": high,
    }


def day_table(words: Words, measured: EnergySeries) -> list[tuple[str, ...]]:
    """The chart's table: a row an hour, what was measured."""
    every = max(1, 3600 // measured.step_s)
    rows = []
    for place in range(0, len(measured.at), every):
        means = [_mean(measured.values[name][place : place + every]) for name in _TABLE_SERIES]
        if any(one is not None for one in means):
            soc = words.percent(means[-1])
            rows.append(
                (words.time(measured.at[place], seconds=False), *(words.number(one) for one in means[:-1]), soc)
            )
    return rows


_TABLE_SERIES = ("pv_kw", "load_kw", "ev_kw", "storage_kw", "grid_kw", "soc_frac")


def _mean(values: Sequence[float | None]) -> float | None:
    there = [one for one in values if one is not None]
    return sum(there) / len(there) if there else None


def day_finding(words: Words, measured: EnergySeries, sums: EnergySums) -> str:
    """The chart in a sentence."""
    pv = [one for one in measured.values["pv_kw"] if one is not None]
    load = [one for one in measured.values["load_kw"] if one is not None]
    if not pv or not load:
        return words.gettext("Nothing was measured in this time.")
    return words.gettext("Solar reached %(pv)s kW, load %(load)s kW; %(kwh)s from the sun so far today.") % {
        "pv": words.number(max(pv)),
        "load": words.number(max(load)),
        "kwh": energy(words, sums.kwh.get("pv")),
    }
