"""`./island energy`: owns the command line around replaying a scenario; the format is in `docs/scenarios.md`.

./island energy replay --scenario week.csv --controller plan
./island energy replay --scenario pymgrid:4 --controller foresight --json
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from control.domain.errors import ConfigurationError, IslandError
from control.energy import booking, causal
from control.energy.booking import ReplayResult
from control.energy.plan_controller import StepError, check_step
from control.energy.reference_year import reference_year
from control.energy.replay import CONTROLLERS, Controller, replay
from control.energy.scenario import Scenario
from edge.energy.foresight import foresee
from edge.energy.pymgrid_scenarios import read_pymgrid
from edge.energy.scenario_file import doubts, read_scenario

_CONTROLLERS: dict[str, Controller] = {name: name for name in CONTROLLERS}
_PATIENCE_S = 3.0
_HELP = """
replay a microgrid scenario with one controller, and account for it
用一种控制策略回放微电网场景，并核算费用、碳排放与损耗

  plan       knows the past and the published tariff only   只知道过去与已公布的电价
  rules      sun, storage, grid, generator, in this order   规则：光伏、储能、电网、发电机依次使用
  foresight  knows everything: the bound                    完全预知：费用下界
"""
_KEYS = """
keys of the JSON / JSON 字段 (money in the scenario's currency; docs/scenarios.md says how each is counted):
  cost                  all that is booked: energy, carbon, wear, demand charge, unserved load, fuel, surplus
  cost_with_stored      the same less what the energy left in the storage is worth, alike for every controller
  energy_cost carbon_cost wear_cost demand_cost unserved_cost fuel_cost surplus_cost      its parts
  carbon_kg peak_kw cycles self_sufficiency_frac soc_final balance_error_kwh us_per_step
  load_kwh pv_kwh import_kwh export_kwh genset_kwh curtailed_kwh unserved_kwh surplus_kwh stored_change_kwh
  lower_bound           of `cost`; foresight only, else null
  monthly               [{month, cost, carbon_kg, peak_kw}]
  warnings              where a unit in the scenario looks mistaken
"""
# Of a result's field: key in the JSON, English and Chinese label, unit, decimals in the table.
_ROWS: tuple[tuple[str, str, str, str, str, int], ...] = (
    ("cost", "cost", "cost", "总费用", "", 2),
    ("cost_with_stored", "cost_with_stored", "less stored energy", "扣除余电价值后", "", 2),
    ("energy_cost", "energy_cost", "  energy", "  电费", "", 2),
    ("carbon_cost", "carbon_cost", "  carbon", "  碳成本", "", 2),
    ("wear_cost", "wear_cost", "  wear", "  储能损耗", "", 2),
    ("demand_cost", "demand_cost", "  demand charge", "  需量电费", "", 2),
    ("unserved_cost", "unserved_cost", "  unserved load", "  失负荷", "", 2),
    ("fuel_cost", "fuel_cost", "  fuel", "  燃料", "", 2),
    ("surplus_cost", "surplus_cost", "  surplus", "  过剩电量", "", 2),
    ("carbon_kg", "carbon_kg", "carbon", "碳排放", "kg", 1),
    ("peak_import_kw", "peak_kw", "peak of import", "购电峰值", "kW", 1),
    ("cycles", "cycles", "full cycles", "等效循环次数", "", 2),
    ("self_sufficiency_frac", "self_sufficiency_frac", "self-sufficiency", "自给率", "", 4),
    ("load_kwh", "load_kwh", "load", "负荷", "kWh", 1),
    ("pv_kwh", "pv_kwh", "PV used", "光伏用电", "kWh", 1),
    ("import_kwh", "import_kwh", "import", "购电", "kWh", 1),
    ("export_kwh", "export_kwh", "export", "上网", "kWh", 1),
    ("genset_kwh", "genset_kwh", "generator set", "发电机", "kWh", 1),
    ("curtailed_kwh", "curtailed_kwh", "curtailed", "弃光", "kWh", 1),
    ("unserved_kwh", "unserved_kwh", "unserved", "失负荷电量", "kWh", 3),
    ("surplus_kwh", "surplus_kwh", "surplus", "过剩电量", "kWh", 3),
    ("stored_change_kwh", "stored_change_kwh", "stored, end - start", "储能变化", "kWh", 1),
    ("soc_final_frac", "soc_final", "final state of charge", "末端荷电状态", "", 4),
    ("balance_error_kwh", "balance_error_kwh", "balance error", "平衡误差", "kWh", 9),
    ("us_per_step", "us_per_step", "time a step", "每步耗时", "us", 3),
)


def main(arguments: list[str]) -> int:
    """Run `./island energy`; 2 for a wrong command line or scenario, 1 for any other error that is told."""
    options = _options(arguments)
    try:
        with _waiting("Reading", "读取场景"):
            scenario, warnings = _scenario(options.scenario)
        for warning in warnings:
            print(f"energy: warning: {warning}", file=sys.stderr)
        result, lower_bound = _replayed(scenario, options.controller)
        if options.schedule:
            _write_schedule(options.schedule, scenario, result)
    except (ConfigurationError, StepError) as error:
        print(f"energy: {error}", file=sys.stderr)
        return 2
    except IslandError as error:
        print(f"energy: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    print(json.dumps(report(result, lower_bound, warnings)) if options.json else _table(result, lower_bound))
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="island energy", description=__doc__.split("\n")[0])
    replaying = parser.add_subparsers(dest="subcommand", required=True, metavar="replay").add_parser(
        "replay",
        help="replay a microgrid scenario / 回放微电网场景",
        description=_HELP,
        epilog=_KEYS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replaying.add_argument(
        "--scenario",
        required=True,
        metavar="FILE|pymgrid:N|boao",
        help="a .csv file with a .toml of the same name beside it; a scenario of python-microgrid; or the simulated "
        "year of the island / 场景：CSV 文件、python-microgrid 场景编号或模拟的海岛一年",
    )
    replaying.add_argument(
        "--controller", choices=(*CONTROLLERS, "foresight"), default="plan", help="default: plan / 控制策略"
    )
    replaying.add_argument("--json", action="store_true", help="one JSON object instead of a table / 输出 JSON")
    replaying.add_argument(
        "--schedule", type=Path, metavar="CSV", help="also write what happened in each step / 另存每步的调度结果"
    )
    return parser.parse_args(arguments)


def _replayed(scenario: Scenario, controller: str) -> tuple[ReplayResult, float | None]:
    if controller == "plan":
        check_step(scenario)
    with _waiting("Preparing the kernels", "编译计算内核"):
        if controller == "plan":
            causal.causal_run.warm()
        booking.settle.warm()
    with _waiting(f"Replaying {scenario.steps} steps", f"回放 {scenario.steps} 步"):
        if controller != "foresight":
            return replay(scenario, _CONTROLLERS[controller], timer=time.perf_counter), None
        started = time.perf_counter()
        foreseen = foresee(scenario)
        us = (time.perf_counter() - started) * 1e6 / scenario.steps
        made = booking.replay_actions(scenario, foreseen.actions, controller="foresight")
        return replace(made, us_per_step=us), foreseen.lower_bound


def _scenario(name: str) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario of this name, and what about it looks mistaken."""
    if name == "boao":
        return reference_year(), ()
    if name.startswith("pymgrid:"):
        number = name.removeprefix("pymgrid:")
        if not (number.isascii() and number.isdigit()):
            raise ConfigurationError(f"--scenario {name}: after pymgrid: comes a number, 0 to 24.")
        return read_pymgrid(int(number)), ()
    path = Path(name)
    scenario = read_scenario(path)
    return scenario, doubts(path, scenario)


def report(result: ReplayResult, lower_bound: float | None = None, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """The result as the JSON object that is printed."""
    figures = {key: getattr(result, name) for name, key, *_ in _ROWS}
    months = [
        {"month": one.month, "cost": one.cost, "carbon_kg": one.carbon_kg, "peak_kw": one.peak_import_kw}
        for one in result.monthly
    ]
    return {
        "scenario": result.scenario,
        "controller": result.controller,
        "steps": len(result.flows.stored_kwh),
        **figures,
        "lower_bound": lower_bound,
        "monthly": months,
        "warnings": list(warnings),
    }


def _table(result: ReplayResult, lower_bound: float | None) -> str:
    lines = [f"scenario 场景    {result.scenario}", f"controller 策略  {result.controller}", ""]
    for name, _, english, chinese, unit, decimals in _ROWS:
        value = getattr(result, name)
        lines.append(f"{english:24}{value:>18,.{decimals}f} {unit:4} {chinese}")
    if lower_bound is not None:
        lines.append(f"{'lower bound of cost':24}{lower_bound:>18,.2f}      费用下界")
    return "\n".join(lines)


def _write_schedule(path: Path, scenario: Scenario, result: ReplayResult) -> None:
    """One row a step; the storage's power is positive where it discharges."""
    names = [field.name for field in fields(result.flows)]
    columns = [getattr(result.flows, name) for name in names]
    local = np.datetime_as_string(scenario.local).tolist()
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["local", *names])
            writer.writerows(zip(local, *(column.tolist() for column in columns), strict=True))
    except OSError as error:
        raise IslandError(f"{path} cannot be written: {error.strerror}.") from error


@contextlib.contextmanager
def _waiting(english: str, chinese: str) -> Iterator[None]:
    """Tell on the standard error what takes long, every few seconds, and how long it has taken."""
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(done, f"{english} {chinese}", sys.stderr.write), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(done: threading.Event, what: str, write: Callable[[str], Any]) -> None:
    started = time.monotonic()
    while not done.wait(_PATIENCE_S):
        write(f"{what} ... {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
