"""Figures about the microgrid for Prometheus: owns their names. Devices appear by their ids, people not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from edge.energy.part import EnergyPart


def energy_figures(part: EnergyPart) -> Iterable[Metric]:
    """The last second, the cycle's pace, alarms and the plan."""
    yield from _pace(part)
    yield from _flows(part)
    yield from _devices(part)
    yield from _plan(part)


def _pace(part: EnergyPart) -> Iterable[Metric]:
    pace = part.cycle.pace
    yield _counter("island_energy_cycles", "Cycles of the microgrid's control", pace.cycles)
    yield _counter("island_energy_cycles_late", "Cycles that began more than a tenth of a cycle late", pace.late)
    yield _counter("island_energy_cycles_missed", "Cycles that never began", pace.missed)
    yield _gauge("island_energy_cycle_seconds", "How long the last cycle took", pace.took_s)
    yield _gauge("island_energy_cycle_seconds_max", "How long the slowest cycle took", pace.took_s_max)
    dropped = part.telemetry.dropped
    yield _counter("island_energy_samples_dropped", "Seconds and means that could not be kept", dropped)


def _flows(part: EnergyPart) -> Iterable[Metric]:
    mode = GaugeMetricFamily("island_energy_mode_info", "What the controller does about the grid", labels=["mode"])
    mode.add_metric([part.cycle.mode.value], 1.0)
    yield mode
    published = part.cycle.published
    if published is None:
        return
    flows = GaugeMetricFamily(
        "island_energy_power_kw", "Power by flow; a flow that is unknown is absent", labels=["flow"]
    )
    for name, kw in published.second.kw.items():
        flows.add_metric([name], kw)
    yield flows
    if published.second.soc_frac is not None:
        yield _gauge("island_energy_soc_ratio", "State of charge of all storages together", published.second.soc_frac)
    unmet = GaugeMetricFamily("island_energy_over_limit_kw", "How far a limit could not be kept", labels=["limit"])
    for name, kw in published.dispatched.unmet.items():
        unmet.add_metric([name], kw)
    yield unmet


def _devices(part: EnergyPart) -> Iterable[Metric]:
    up = GaugeMetricFamily("island_energy_device_up", "1 while the device answers", labels=["device"])
    for line in part.device_lines():
        up.add_metric([line["id"]], float(line["state"] == "ok"))
    yield up
    alarms = GaugeMetricFamily("island_energy_alarms", "Open alarms", labels=["code", "device"])
    for alarm in part.alarms.open:
        alarms.add_metric([alarm.condition.code, alarm.condition.device], 1.0)
    yield alarms


def _plan(part: EnergyPart) -> Iterable[Metric]:
    plan = part.planning.plan
    if plan is None:
        return
    rung = GaugeMetricFamily("island_energy_plan_info", "The plan in force by its rung", labels=["rung"])
    rung.add_metric([plan.rung.value], 1.0)
    yield rung
    yield _gauge("island_energy_plan_milliseconds", "How long the plan in force took to make", plan.made_ms)
    yield _counter("island_energy_plans", "Plans made", part.planning.made)
    yield _counter("island_energy_plan_failures", "Plans that failed or came too late", part.planning.failed)


def _gauge(name: str, words: str, value: float) -> Metric:
    family = GaugeMetricFamily(name, words)
    family.add_metric([], value)
    return family


def _counter(name: str, words: str, value: float) -> Metric:
    family = CounterMetricFamily(name, words)
    family.add_metric([], value)
    return family
