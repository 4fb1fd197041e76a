"""The demonstration's microgrid: its files fit one another, its programme is played, and what happens is told."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.config import load as load_gateway
from hw_sim.energy_files import SHOW_GRID_RETURN_S, example_site, gateway_energy, meridian_of
from hw_sim.energy_show import BRISK, LEISURELY, SHOW_CHARGER, SHOW_STRING, EnergyShow, EnergyTeller, programme_for
from hw_sim.microgrid import config as sim
from hw_sim.microgrid.sun import sun_position
from hw_sim.microgrid.truth import Energies
from hw_sim.site_files import DemoOptions, make_site, write_edge
from hw_sim.summary import summarise_energy
from hw_sim.toml_text import toml_text

STATE: dict[str, Any] = {
    "grid_live": True,
    "bus_live": True,
    "bus_hz": 50.01,
    "grid_kw": 400.0,
    "pv_kw": 3000.0,
    "pv_available_kw": 3000.0,
    "sun_elevation_deg": 50.0,
    "inverters": {"pv-2": {"power_kw": 500.0, "strings": {"s4": 100.0}}},
    "storage_kw": 0.0,
    "load_kw": 2000.0,
    "ev_kw": 50.0,
    "chargers": {"cp-08": {"vehicle": None, "needed_kwh": None}},
}


@pytest.fixture
def site(tmp_path: Path):
    found = make_site(tmp_path, DemoOptions(energy=True, hour=10.0, weather="rain", seed=7))
    found.public_key_file.parent.mkdir(parents=True)
    found.public_key_file.write_text("ed25519:" + "A" * 43 + "=", encoding="utf-8")
    write_edge(found)
    return found


def test_both_programs_read_their_files_and_mean_the_same_devices(site):
    field = sim.load(site.microgrid_file)
    energy = load_gateway(site.energy_file, {}).energy
    assert energy is not None
    assert (field.site.seed, field.weather.sky) == (7, sim.Sky.RAIN)
    assert field.site.longitude_deg == energy.longitude_deg
    assert (field.site.hour, field.site.day) == (None, None)
    assert field.meter.port == energy.meter.port
    assert energy.breaker is not None
    assert field.breaker.port == energy.breaker.port
    for mine, theirs in ((field.inverter, energy.inverter), (field.storage, energy.storage)):
        assert [(one.id, one.port) for one in mine] == [(one.id, one.port) for one in theirs]
    assert [one.id for one in field.charger] == [one.id for one in energy.charger]
    assert [(one.id, one.tier) for one in field.load] == [(one.id, one.tier) for one in energy.load]
    assert energy.ocpp is not None
    assert field.ocpp.url == f"ws://127.0.0.1:{energy.ocpp.port}/ocpp"
    assert field.ocpp.password is not None
    assert energy.ocpp.password is not None
    assert field.ocpp.password.reveal() == energy.ocpp.password.reveal()
    ports = [one.port for one in (*field.inverter, *field.storage, field.meter, field.breaker, field.load_bus)]
    ports += [energy.ocpp.port, field.site.http_port, site.ports.energy_metrics, site.ports.cloud]
    assert len(set(ports)) == len(ports)


def test_the_gateway_stays_within_what_the_devices_can_do(site):
    for mine, theirs in zip(example_site().storage, gateway_energy(site.energy).storage, strict=True):
        assert mine.soc_min_frac <= theirs.soc_min_frac < theirs.soc_max_frac <= mine.soc_max_frac


def test_the_programme_names_devices_that_are_there():
    site = example_site()
    assert SHOW_CHARGER in [one.id for one in site.charger]
    assert SHOW_STRING in [f"{one.id}/{string.id}" for one in site.inverter for string in one.string]


def test_a_demonstration_without_microgrid_has_none_of_it(tmp_path: Path):
    site = make_site(tmp_path, DemoOptions())
    assert site.energy is None
    assert not site.microgrid_file.exists()
    assert "gw-energy" not in site.cloud_file.read_text(encoding="utf-8")
    assert site.journal_files == (site.journal_file,)


def test_toml_text_is_read_back_as_it_was(tmp_path: Path):
    found = example_site()
    file = tmp_path / "again.toml"
    file.write_text(toml_text(found), encoding="utf-8")
    assert sim.load(file) == found


def tell(teller: EnergyTeller, mode: str = "grid_tied", at_s: float = 0.0, **changes: Any) -> str:
    return "\n".join(teller.tell(STATE | changes, mode, at_s))


def test_changes_are_told_once_in_both_languages():
    teller = EnergyTeller()
    tell(teller)
    assert tell(teller) == ""
    assert "电网失电 the utility fails" in tell(teller, grid_live=False)
    assert "孤岛运行 on its own" in tell(teller, "islanded", grid_live=False)
    assert tell(teller, "islanded", grid_live=False) == ""
    assert "全停 blackout" in tell(teller, "islanded", grid_live=False, bus_live=False)
    come = {"cp-08": {"vehicle": "v", "needed_kwh": 41.2}}
    back = tell(teller, "grid_tied", chargers=come)
    for words in ("电网恢复", "恢复供电", "并网 tied to the grid", "wants 41 kWh"):
        assert words in back
    assert "车辆离开 the vehicle goes" in tell(teller)


def test_a_cloud_is_told_when_it_comes_and_when_it_has_gone():
    teller = EnergyTeller()
    tell(teller)
    assert tell(teller, pv_available_kw=2700.0) == ""
    assert "2970 → 1200 kW" in tell(teller, pv_available_kw=1200.0)
    assert tell(teller, pv_available_kw=1000.0) == ""
    assert "has passed" in tell(teller, pv_available_kw=2900.0)


def test_storage_is_told_when_a_direction_has_lasted():
    teller = EnergyTeller()
    tell(teller)
    assert tell(teller, storage_kw=500.0, at_s=1.0) == ""
    assert tell(teller, storage_kw=0.0, at_s=2.0) == ""
    assert tell(teller, storage_kw=-500.0, at_s=3.0) == ""
    assert "充电 charges 500 kW" in tell(teller, storage_kw=-500.0, at_s=6.5)


@pytest.mark.parametrize("hour", [7.0, 9.5, 16.0])
def test_an_hour_moves_the_site_under_its_sun_and_no_clock(hour: float):
    at = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
    place = {"latitude_deg": example_site().site.latitude_deg}
    found = sun_position(at, longitude_deg=meridian_of(hour, at), **place)
    wanted_at = datetime(2026, 11, 20, 16, tzinfo=UTC) + timedelta(hours=hour)
    wanted = sun_position(wanted_at, longitude_deg=example_site().site.longitude_deg, **place)
    assert found.elevation == pytest.approx(wanted.elevation, abs=0.01)
    assert found.azimuth == pytest.approx(wanted.azimuth, abs=0.03)


def test_a_short_demonstration_has_what_fits_into_it():
    assert programme_for(None, None) == programme_for(600.0, None) == LEISURELY
    brisk = programme_for(60.0, None)
    assert brisk == BRISK
    assert brisk.outage_at_s + brisk.outage_s + SHOW_GRID_RETURN_S < 45.0
    assert programme_for(20.0, None).outage_at_s is None
    assert programme_for(20.0, 5.0).outage_at_s == 5.0


def test_night_and_a_dark_string_are_told_once():
    night = EnergyTeller()
    assert "it is night" in tell(night, sun_elevation_deg=-20.0, pv_available_kw=0.0)
    assert tell(night, sun_elevation_deg=-20.0, pv_available_kw=0.0) == ""
    day = EnergyTeller()
    assert "night" not in tell(day)
    dark = {"pv-2": {"power_kw": 400.0, "strings": {"s4": 0.0}}}
    assert "a PV string fails" in tell(day, inverters=dark)
    assert tell(day, inverters=dark) == ""


def test_the_site_is_at_rest_when_it_is_on_the_utility():
    teller = EnergyTeller()
    assert teller.at_rest
    tell(teller, "islanded", grid_live=False)
    assert not teller.at_rest
    tell(teller, "resynchronising")
    assert not teller.at_rest
    tell(teller)
    assert teller.at_rest


async def test_the_programme_is_played_in_its_order_and_ends():
    played: list[tuple[float, str]] = []
    said: list[str] = []

    class Stage:
        now_s = 100.0

        async def energy_look(self):
            return STATE, "grid_tied"

        async def energy_post(self, path, body):
            played.append((self.now_s - 100.0, path))
            assert path != "/outage" or body == {"seconds": LEISURELY.outage_s}

    class Voice:
        def say(self, text):
            said.append(text)

    stage = Stage()
    show = EnergyShow(stage, Voice(), programme_for(None, 30.0))
    for second in range(40):
        stage.now_s = 100.0 + second
        await show.look(lambda: stage.now_s)
    show.end()
    stage.now_s = 1000.0
    await show.look(lambda: stage.now_s)
    assert any("storage" in line for line in said)
    assert played == [(12.0, "/arrivals"), (20.0, "/faults"), (30.0, "/outage")]


def test_energy_is_counted_with_its_carbon():
    names = [f.name for f in fields(Energies)]
    truth = {
        "energies": dict.fromkeys(names, 1.0) | {"import_kwh": 10.0},
        "violations": {"counts": {"export_kw": 2, "bus_dead": 1}},
        "blackouts": 1,
    }
    found = summarise_energy(truth, 0.3648)
    assert (found.carbon_kg, found.violations, found.blackouts) == (3.65, 3, 1)
    assert (found.import_kwh, found.pv_kwh) == (10.0, 1.0)
