"""The 25 scenarios inside the python-microgrid wheel: owns finding and reading them.

Its files are read, its code is not imported: that would need an older NumPy. What they mean follows its simulator:
one step is an hour; the battery's power limits hold for the stored energy, so that at the bus they differ by the
efficiency; wear is paid for each kWh that the stored energy changes; the first 8,759 of 8,760 rows are played. The
files know no calendar: their first hour is taken as the first of January 2017, UTC, a
Sunday: the loads of the offices are low on their first day and on every seventh and eighth from there.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from control.domain.errors import ConfigurationError
from control.energy.scenario import GensetSpec, Scenario
from control.energy.site import StorageSpec

COUNT = 25
_FOLDER = "pymgrid/data/scenario/pymgrid25"
_AT0 = datetime(2017, 1, 1, tzinfo=UTC)
# A parameter in their YAML: an indented key with a plain value; a module begins with a tag such as `- !GridModule`.
_TAG = re.compile(r"^\s*- !(\w+)\s*$")
_VALUE = re.compile(r"^\s+(\w+): (\S+)\s*$")

Modules = dict[str, dict[str, str]]


def read_pymgrid(number: int) -> Scenario:
    """The scenario with this number, 0 to 24; raises ConfigurationError where the wheel is not installed."""
    if not 0 <= number < COUNT:
        raise ConfigurationError(f"pymgrid:{number}: there are pymgrid:0 to pymgrid:{COUNT - 1}.")
    folder = _folder() / f"microgrid_{number}"
    modules = _modules(folder / f"microgrid_{number}.yaml")
    battery, balance = modules["BatteryModule"], modules["UnbalancedEnergyModule"]
    steps = int(modules["LoadModule"]["final_step"])
    grid, genset = modules.get("GridModule"), modules.get("Genset")
    tariff = _series(folder, "GridModule", steps) if grid else np.zeros((steps, 4))
    capacity_kwh, efficiency = float(battery["max_capacity"]), float(battery["efficiency"])
    return Scenario(
        name=f"pymgrid:{number}",
        at0=_AT0,
        step_s=3600.0,
        local=np.datetime64(_AT0.replace(tzinfo=None), "s") + np.arange(steps) * np.timedelta64(3600, "s"),
        load_kw=np.abs(_series(folder, "LoadModule", steps)[:, 0]),
        pv_kw=np.abs(_series(folder, "RenewableModule", steps)[:, 0]),
        import_price=np.ascontiguousarray(tariff[:, 0]),
        export_price=np.ascontiguousarray(tariff[:, 1]),
        co2_kg_per_kwh=np.ascontiguousarray(tariff[:, 2]),
        grid_up=tariff[:, 3] > 0.5,
        storage=StorageSpec(
            id="battery",
            capacity_kwh=capacity_kwh,
            charge_max_kw=float(battery["max_charge"]) / efficiency,
            discharge_max_kw=float(battery["max_discharge"]) * efficiency,
            efficiency_charge=efficiency,
            efficiency_discharge=efficiency,
            soc_min_frac=float(battery["min_capacity"]) / capacity_kwh,
            soc_max_frac=1.0,
        ),
        soc_initial_frac=float(battery["current_charge"]) / capacity_kwh,
        wear_cost_per_kwh=float(battery["battery_cost_cycle"]),
        import_max_kw=float(grid["max_import"]) if grid else 0.0,
        export_max_kw=float(grid["max_export"]) if grid else 0.0,
        co2_price_per_kg=float((grid or genset or {}).get("cost_per_unit_co2", 0.0)),
        unserved_cost_per_kwh=float(balance["loss_load_cost"]),
        surplus_cost_per_kwh=float(balance["overgeneration_cost"]),
        genset=_genset(genset) if genset else None,
    )


def _folder() -> Path:
    try:
        installed = importlib.metadata.distribution("python-microgrid")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            "pymgrid:N reads scenarios from the package python-microgrid, which is not installed: "
            "pip install 'python-microgrid==1.4.1' (the extra `benchmark`)."
        ) from None
    return Path(str(installed.locate_file(_FOLDER)))


def _modules(path: Path) -> Modules:
    """Parameters and state of each module by the module's tag."""
    modules: Modules = {}
    inside: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _TAG.match(line):
            inside = modules.setdefault(found[1], {})
        elif found := _VALUE.match(line):
            inside[found[1]] = found[2]
    return modules


def _series(folder: Path, module: str, steps: int) -> npt.NDArray[np.float64]:
    """The columns of a module's time series, (steps, columns), without the row number."""
    with gzip.open(folder / "data" / "cls_params" / module / "time_series.csv.gz", "rt", encoding="utf-8") as file:
        return np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2)[:steps, 1:]


def _genset(genset: dict[str, str]) -> GensetSpec:
    if genset["start_up_time"] != "0" or genset["wind_down_time"] != "0":
        raise ConfigurationError("This scenario's generator set needs time to start; such sets are not replayed.")
    return GensetSpec(
        min_kw=float(genset["running_min_production"]),
        max_kw=float(genset["running_max_production"]),
        fuel_cost_per_kwh=float(genset["genset_cost"]),
        co2_kg_per_kwh=float(genset["co2_per_unit"]),
    )
