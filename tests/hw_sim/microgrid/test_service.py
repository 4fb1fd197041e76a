"""The running microgrid over HTTP, its script, and that it ends."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hw_sim.microgrid.config import ScriptConfig


@dataclass
class Running:
    """A served microgrid and an HTTP client."""

    bench: Any
    http: httpx.AsyncClient

    async def get(self, path: str) -> Any:
        return (await self.http.get(path)).json()


@pytest.fixture
async def running(make_bench, config) -> AsyncIterator[Running]:
    script = (
        ScriptConfig(at_s=5.0, device="pv-1", fault="trip"),
        ScriptConfig(at_s=6.0, device="nobody", fault="trip"),
        ScriptConfig(at_s=8.0, device="pv-1", fault="trip", value=0.0),
    )
    bench = make_bench(dataclasses.replace(config, script=script, load=()))
    async with (
        bench.microgrid.running() as at,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{at.http_port}", timeout=60) as http,
    ):
        yield Running(bench, http)


async def test_state_truth_and_time(running: Running):
    running.bench.pass_time(2.0)
    state = await running.get("/state")
    assert state["bus_live"]
    assert state["pv_kw"] + state["storage_kw"] + state["grid_kw"] == pytest.approx(
        state["load_kw"] + state["ev_kw"], abs=0.01
    )
    assert set(state["storages"]) == {"flow", "lfp"}
    truth = await running.get("/truth")
    assert truth["energies"]["pv_kwh"] > 0
    assert truth["inverters"]["pv-1"]["strings"]["s1"]["healthy_kw"] > 0
    assert truth["violations"]["counts"] == {}
    assert (await running.get("/time"))["device_s"] == pytest.approx(2.0, abs=0.3)


async def test_faults_outage_weather_vehicles_and_time_by_post(running: Running):
    assert "derating_frac" in (await running.get("/faults"))["pv-1"]
    posts = [
        ("/faults", {"device": "pv-1/s1", "fault": "outage"}),
        ("/outage", {"seconds": 30}),
        ("/weather", {"cloud": 0.9, "seconds": 40}),
        ("/weather", {"sky": "overcast"}),
        ("/arrivals", {"charger": "cp-1"}),
        ("/time", {"skip_s": 5}),
    ]
    for path, body in posts:
        answer = await running.http.post(path, json=body)
        assert answer.status_code == 200, (path, answer.text)
    state = await running.get("/state")
    assert state["inverters"]["pv-1"]["strings"]["s1"] == 0
    assert (state["grid_live"], state["breaker_closed"], state["sky"]) == (False, False, "overcast")
    assert state["chargers"]["cp-1"]["vehicle"].startswith("called-cp-1")


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/faults", {"device": "pv-9", "fault": "trip"}, "pv-9"),
        ("/faults", {"device": "pv-1", "fault": "melt"}, "melt"),
        ("/faults", {"device": "pv-1", "fault": "spikes", "value": 3}, "spikes"),
        ("/faults", {"device": "pv-1", "fault": "scale", "value": "big"}, "scale"),
        ("/weather", {"sky": "green"}, "green"),
        ("/outage", {"seconds": "long"}, "long"),
        ("/arrivals", {"charger": "cp-9"}, "cp-9"),
    ],
)
async def test_nonsense_is_refused_by_name(running: Running, path: str, body: dict, named: str):
    answer = await running.http.post(path, json=body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert (await running.http.get("/nothing")).status_code == 404


async def test_skipping_moves_the_sun_and_no_timer(running: Running):
    world = running.bench.world
    before = await running.get("/time")
    inverter = world.inverters["pv-2"]
    inverter.limit_frac, inverter.revert_s = 0.2, 10.0
    inverter.heard(world.device_s)
    morning_deg = (await running.get("/state"))["sun_elevation_deg"]
    after = (await running.http.post("/time", json={"skip_s": 7200})).json()
    assert after["world_s"] == pytest.approx(before["world_s"] + 7200)
    assert after["device_s"] == before["device_s"]
    assert (await running.get("/state"))["sun_elevation_deg"] > morning_deg + 15
    assert inverter.power_kw == pytest.approx(70.0, abs=0.5)


async def test_the_script_is_played_in_the_clocks_time(running: Running):
    inverter = running.bench.world.inverters["pv-1"]
    running.bench.pass_time(4.0)
    assert not inverter.tripped
    running.bench.pass_time(2.0)
    assert inverter.tripped
    running.bench.pass_time(4.0)
    assert not inverter.tripped
