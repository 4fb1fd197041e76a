"""Scenarios of python-microgrid: read from files in its form, without the package itself."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from control.domain.errors import ConfigurationError
from control.energy.replay import replay
from edge.energy import pymgrid_scenarios
from edge.energy.pymgrid_scenarios import read_pymgrid

YAML = """!Microgrid
final_step: 3
initial_step: 0
modules:
- - load
  - !LoadModule
    cls_params:
      final_step: 3
      forecaster: oracle
- - unbalanced_energy
  - !UnbalancedEnergyModule
    cls_params:
      loss_load_cost: 10
      overgeneration_cost: 1
{genset}- - battery
  - !BatteryModule
    cls_params:
      battery_cost_cycle: 0.02
      battery_transition_model: !BatteryTransitionModel {{}}
      efficiency: 0.9
      init_charge: null
      init_soc: 0.2
      max_capacity: 1000
      max_charge: 250
      max_discharge: 250
      min_capacity: 200.0
    name:
    - battery
    - 0
    state:
      _current_step: 0
      current_charge: 300.0
      soc: 0.3
{grid}trajectory_func: null
"""
GENSET = """- - genset
  - !Genset
    cls_params:
      co2_per_unit: 2
      cost_per_unit_co2: 0.1
      genset_cost: 0.4
      running_max_production: 600.0
      running_min_production: 30.5
      start_up_time: {start}
      wind_down_time: 0
"""
GRID = """- - grid
  - !GridModule
    cls_params:
      cost_per_unit_co2: 0.1
      max_export: 700
      max_import: 800
"""


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the installed wheel's, with microgrid_0."""
    folder = tmp_path / "microgrid_0"
    for module, rows in (
        ("LoadModule", ",0\n0,-100.0\n1,-200.0\n2,-300.0\n3,-400.0\n"),
        ("RenewableModule", ",0\n0,0.0\n1,50.0\n2,60.0\n3,70.0\n"),
        ("GridModule", ",0,1,2,3\n0,0.1,0.0,0.25,1.0\n1,0.1,0.0,0.25,1.0\n2,0.2,0.0,0.5,0.0\n3,0.2,0.0,0.5,1.0\n"),
    ):
        (folder / "data" / "cls_params" / module).mkdir(parents=True)
        with gzip.open(folder / "data" / "cls_params" / module / "time_series.csv.gz", "wt") as file:
            file.write(rows)
    monkeypatch.setattr(pymgrid_scenarios, "_folder", lambda: tmp_path)
    return folder / "microgrid_0.yaml"


def test_a_site_with_grid_and_generator_set(wheel: Path) -> None:
    wheel.write_text(YAML.format(genset=GENSET.format(start=0), grid=GRID))
    made = read_pymgrid(0)
    assert (made.name, made.steps, made.step_s) == ("pymgrid:0", 3, 3600.0)
    assert made.load_kw.tolist() == [100.0, 200.0, 300.0]
    assert made.import_price.tolist() == [0.1, 0.1, 0.2]
    assert made.grid_up.tolist() == [True, True, False]
    # Their limits hold for the stored energy: at the bus they differ by the efficiency.
    assert made.storage.charge_max_kw == pytest.approx(250.0 / 0.9)
    assert made.storage.discharge_max_kw == pytest.approx(225.0)
    assert (made.soc_initial_frac, made.storage.soc_min_frac, made.wear_cost_per_kwh) == (0.3, 0.2, 0.02)
    assert made.genset is not None
    assert (made.genset.min_kw, made.genset.fuel_cost_per_kwh, made.co2_price_per_kg) == (30.5, 0.4, 0.1)
    result = replay(made, "rules")
    # By hand: 90 kW from the storage and 10 imported; 150 imported; in the dark the set gives 240.
    assert result.flows.storage_kw.tolist() == pytest.approx([90.0, 0.0, 0.0])
    paid = (10 + 150) * (0.1 + 0.25 * 0.1) + 240 * (0.4 + 2 * 0.1) + 100 * 0.02
    assert result.cost == pytest.approx(paid, rel=1e-12)
    assert result.carbon_kg == pytest.approx(160 * 0.25 + 480)


def test_an_island_has_no_grid(wheel: Path) -> None:
    wheel.write_text(YAML.format(genset=GENSET.format(start=0), grid=""))
    made = read_pymgrid(0)
    assert not np.any(made.grid_up)
    assert (made.import_max_kw, made.co2_price_per_kg) == (0.0, 0.1)


def test_what_cannot_be_read_is_told(wheel: Path) -> None:
    wheel.write_text(YAML.format(genset=GENSET.format(start=2), grid=""))
    with pytest.raises(ConfigurationError, match="needs time to start"):
        read_pymgrid(0)
    with pytest.raises(ConfigurationError, match="pymgrid:0 to pymgrid:24"):
        read_pymgrid(25)


def test_without_the_wheel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.Distribution.discover", lambda **_: iter(()))
    with pytest.raises(ConfigurationError, match="pip install 'python-microgrid"):
        read_pymgrid(0)
