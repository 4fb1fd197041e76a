"""The microgrid's day: owns what its chart draws, the table beside it and its finding in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.console.energy_views import energy
from cloud_sync.server.console.words import Words
from cloud_sync.server.energy_flow import imported_frac
from cloud_sync.server.records_energy import EnergySeries, EnergySums, PlanRecord
from control.energy.settings import EnergySettings, prices_at


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
        "words": _chart_words(words, settings, _dearest(words, measured.since, until, settings), money=money),
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
    found = _imported_at(words, since, until, settings)
    top = max(found, default=0.0) or 1.0
    return [round(max(0.0, one) / top, 3) for one in found]


def _imported_at(words: Words, since: datetime, until: datetime, settings: EnergySettings) -> list[float]:
    count = int((until - since).total_seconds() // 900)
    return [price_at(words, settings, since + timedelta(seconds=900 * place)) for place in range(count)]


def _dearest(words: Words, since: datetime, until: datetime, settings: EnergySettings) -> float:
    return max(_imported_at(words, since, until, settings), default=0.0)


def _chart_words(words: Words, settings: EnergySettings, dearest: float, *, money: bool) -> dict[str, str]:
    top = settings.carbon_per_kwh * 1000
    strip = words.gettext("Price from the grid") if money else words.gettext("Carbon of each kWh")
    high = (
        words.gettext("up to %(n)s CNY/kWh") % {"n": f"{dearest:.2f}"}
        if money
        else words.gettext("up to %(n)s g/kWh (all grid)") % {"n": words.number(top)}
    )
    return {
        "pv": words.gettext("Solar"),
        "load": words.gettext("Load"),
        "storage": words.gettext("Storage · charge ↑ discharge ↓"),
        "charging": words.gettext("Storage charging"),
        "discharging": words.gettext("Storage discharging"),
        "measured": words.gettext("measured"),
        "expected": words.gettext("expected"),
        "nothing": words.gettext("nothing known"),
        "soc": words.gettext("State of charge"),
        "reserve": words.gettext("reserve %(p)s") % {"p": words.percent(settings.reserve_frac)},
        "strip": strip,
        "strip_high": high,
    }


def day_table(
    words: Words, measured: EnergySeries, plan: PlanRecord | None = None, *, until: datetime, now: datetime
) -> list[tuple[str, ...]]:
    """The chart's table: a row an hour, what was measured and then what is expected, with its band."""
    every = max(1, 3600 // measured.step_s)
    rows = []
    for place in range(0, len(measured.at), every):
        means = [_mean(measured.values[name][place : place + every]) for name in _TABLE_SERIES]
        if any(one is not None for one in means):
            soc = words.percent(means[-1])
            rows.append(
                (words.time(measured.at[place], seconds=False), *(words.number(one) for one in means[:-1]), soc)
            )
    return rows if plan is None else [*rows, *_planned_rows(words, plan, until=until, now=now)]


def _planned_rows(words: Words, plan: PlanRecord, *, until: datetime, now: datetime) -> list[tuple[str, ...]]:
    every = max(1, round(3600 / plan.slot_s))
    rows = []
    for place in range(0, max((len(one) for one in plan.series.values()), default=0), every):
        at = plan.starts_at + timedelta(seconds=plan.slot_s * place)
        if at + timedelta(seconds=plan.slot_s * every) <= now or at >= until:
            continue

        def mean(name: str, first: int = place) -> float | None:
            return _mean(plan.series.get(name, ())[first : first + every])

        when = f"{words.time(at, seconds=False)} {words.gettext('expected')}"
        bands = (f"{words.number(mean(f'{one}_mid'))} ({words.number(mean(f'{one}_low'))}–"
                 f"{words.number(mean(f'{one}_high'))})" for one in ("pv", "load"))  # fmt: skip
        flows = (words.number(mean(one)) for one in ("ev", "storage", "grid"))
        rows.append((when, *bands, *flows, words.percent(mean("soc_frac"))))
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


def price_at(words: Words, settings: EnergySettings, at: datetime) -> float:
    """Import price as published for that day, else by the tariff, yuan a kWh."""
    return prices_at(settings, at.astimezone(words.zone)).import_per_kwh
