"""Chargers against a small central system: both versions of OCPP over a real websocket."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.server import serve

from edge.config_reading import Secret
from hw_sim.microgrid.config import OcppConfig

PASSWORD = "a password of this test"
Said = list[tuple[str, dict[str, Any]]]


def stamp() -> str:
    return datetime.now(UTC).isoformat()


class Central16(ChargePoint16):
    def __init__(self, name: str, socket: Any, said: Said) -> None:
        super().__init__(name, socket, response_timeout=30)
        self.said = said

    @on("BootNotification")
    def boot(self, **what: Any) -> Any:
        self.said.append(("boot", what))
        return result16.BootNotification(current_time=stamp(), interval=1, status="Accepted")

    @on("Heartbeat")
    def beat(self) -> Any:
        self.said.append(("beat", {}))
        return result16.Heartbeat(current_time=stamp())

    @on("StatusNotification")
    def status(self, **what: Any) -> Any:
        self.said.append(("status", what))
        return result16.StatusNotification()

    @on("StartTransaction")
    def start_it(self, **what: Any) -> Any:
        self.said.append(("start", what))
        return result16.StartTransaction(transaction_id=41, id_tag_info={"status": "Accepted"})

    @on("StopTransaction")
    def stop_it(self, **what: Any) -> Any:
        self.said.append(("stop", what))
        return result16.StopTransaction()

    @on("MeterValues")
    def meter(self, **what: Any) -> Any:
        samples = what["meter_value"][0]["sampled_value"]
        self.said.append(("meter", {s["measurand"]: float(s["value"]) for s in samples}))
        return result16.MeterValues()


class Central201(ChargePoint201):
    def __init__(self, name: str, socket: Any, said: Said) -> None:
        super().__init__(name, socket, response_timeout=30)
        self.said = said

    @on("BootNotification")
    def boot(self, **what: Any) -> Any:
        self.said.append(("boot", what))
        return result201.BootNotification(current_time=stamp(), interval=1, status="Accepted")

    @on("Heartbeat")
    def beat(self) -> Any:
        return result201.Heartbeat(current_time=stamp())

    @on("StatusNotification")
    def status(self, **what: Any) -> Any:
        self.said.append(("status", what))
        return result201.StatusNotification()

    @on("TransactionEvent")
    def event(self, **what: Any) -> Any:
        samples = {s["measurand"]: s["value"] for s in what["meter_value"][0]["sampled_value"]}
        self.said.append((what["event_type"], samples | what["transaction_info"]))
        return result201.TransactionEvent()

    @on("NotifyEVChargingNeeds")
    def needs(self, **what: Any) -> Any:
        self.said.append(("needs", what["charging_needs"]))
        return result201.NotifyEVChargingNeeds(status="Accepted")


class Central:
    """All charge points that called, and what each said."""

    def __init__(self) -> None:
        self.points: dict[str, Any] = {}
        self.said: dict[str, Said] = {}
        self.refused: list[str] = []

    async def serve(self, socket: Any) -> None:
        name = socket.request.path.rsplit("/", 1)[1]
        wanted = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        if socket.request.headers.get("Authorization") != f"Basic {wanted}":
            self.refused.append(name)
            return
        shape = Central16 if socket.subprotocol == "ocpp1.6" else Central201
        self.points[name] = shape(name, socket, self.said.setdefault(name, []))
        try:
            await self.points[name].start()
        except websockets.ConnectionClosed:
            return

    async def until_said(self, name: str, kind: str, **values: Any) -> dict[str, Any]:
        """The first saying of a kind with these values; it and what was before it is forgotten."""
        async with asyncio.timeout(60):
            while True:
                said = self.said.get(name, [])
                for index, (found, what) in enumerate(said):
                    if found == kind and values.items() <= what.items():
                        del said[: index + 1]
                        return what
                await asyncio.sleep(0.02)


@pytest.fixture
async def field(make_bench, config) -> AsyncIterator[tuple[Central, Any]]:
    central = Central()
    async with serve(central.serve, "127.0.0.1", 0, subprotocols=["ocpp1.6", "ocpp2.0.1"]) as server:
        port = server.sockets[0].getsockname()[1]
        ocpp = OcppConfig(
            url=f"ws://127.0.0.1:{port}/ocpp", password=Secret(PASSWORD, "the test"), meter_interval_s=0.3
        )
        bench = make_bench(dataclasses.replace(config, ocpp=ocpp, load=()))
        async with bench.microgrid.running():
            yield central, bench


def profile16(limit_w: float, **more: Any) -> dict[str, Any]:
    schedule = {"charging_rate_unit": "W", "charging_schedule_period": [{"start_period": 0, "limit": limit_w}]}
    return {
        "charging_profile_id": 1,
        "stack_level": 1,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Relative",
        "charging_schedule": schedule,
    } | more


def profile201(limit_w: float) -> dict[str, Any]:
    schedule = {"id": 1, "charging_rate_unit": "W", "charging_schedule_period": [{"start_period": 0, "limit": limit_w}]}
    return {
        "id": 1,
        "stack_level": 1,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Relative",
        "charging_schedule": [schedule],
    }


async def test_a_vehicle_comes_charges_is_limited_and_goes_over_ocpp16(field):
    central, bench = field
    world = bench.world
    await central.until_said("cp-1", "boot")
    await central.until_said("cp-1", "status", status="Available")
    assert world.call_vehicle("cp-1")
    await central.until_said("cp-1", "status", status="Preparing")
    started = await central.until_said("cp-1", "start")
    assert started["id_tag"].startswith("called-cp-1")
    bench.pass_time(5.0)
    await central.until_said("cp-1", "status", status="Charging")
    async with asyncio.timeout(60):
        while (await central.until_said("cp-1", "meter"))["Power.Active.Import"] != 60_000:
            pass
    point = central.points["cp-1"]
    answer = await point.call(call16.SetChargingProfile(connector_id=1, cs_charging_profiles=profile16(11_000.0)))
    assert answer.status == "Accepted"
    composite = await point.call(call16.GetCompositeSchedule(connector_id=1, duration=60))
    assert float(composite.charging_schedule["charging_schedule_period"][0]["limit"]) == 11_000.0
    bench.pass_time(3.0)
    metered = await central.until_said("cp-1", "meter", **{"Power.Offered": 11_000.0})
    assert metered["SoC"] == pytest.approx(30, abs=1)
    bench.pass_time(1.0)
    assert world.chargers["cp-1"].power_kw == 11.0
    cleared = await point.call(call16.ClearChargingProfile(id=1))
    assert cleared.status == "Accepted"
    assert (await point.call(call16.ClearChargingProfile(id=1))).status == "Unknown"
    world.chargers["cp-1"].unplug()
    stopped = await central.until_said("cp-1", "stop")
    assert stopped["transaction_id"] == 41
    await central.until_said("cp-1", "status", status="Available")
    await central.until_said("cp-1", "beat")
    assert central.refused == []


async def test_a_vehicle_tells_its_needs_and_feeds_back_over_ocpp201(field):
    central, bench = field
    world = bench.world
    await central.until_said("cp-2", "status", connector_status="Available")
    point = central.points["cp-2"]
    asked = {"component": {"name": "V2XChargingCtrlr"}, "variable": {"name": "Enabled"}}
    answer = await point.call(call201.GetVariables(get_variable_data=[asked]))
    assert answer.get_variable_result[0]["attribute_value"] == "true"
    assert world.call_vehicle("cp-2")
    await central.until_said("cp-2", "Started")
    needs = await central.until_said("cp-2", "needs")
    assert needs["dc_charging_parameters"]["energy_amount"] == pytest.approx(0.6 * 64_000 / 0.94, rel=0.01)
    left = datetime.fromisoformat(needs["departure_time"]) - datetime.now(UTC)
    assert left == pytest.approx(timedelta(hours=3), abs=timedelta(minutes=2))
    for limit_w, status in ((-20_000.0, "Accepted"), (-40_000.0, "Rejected")):
        answer = await point.call(call201.SetChargingProfile(evse_id=1, charging_profile=profile201(limit_w)))
        assert answer.status == status
    bench.pass_time(5.0)
    metered = await central.until_said("cp-2", "Updated", **{"Power.Active.Export": 20_000.0})
    assert metered["Power.Active.Import"] == 0
    assert world.chargers["cp-2"].power_kw == -20.0
    interval = {
        "component": {"name": "SampledDataCtrlr"},
        "variable": {"name": "TxUpdatedInterval"},
        "attribute_value": "1",
    }
    answer = await point.call(call201.SetVariables(set_variable_data=[interval]))
    assert answer.set_variable_result[0]["attribute_status"] == "Accepted"
    world.chargers["cp-2"].unplug()
    await central.until_said("cp-2", "Ended")
    await central.until_said("cp-2", "status", connector_status="Available")


async def test_profiles_run_out_and_the_highest_stack_level_counts(field):
    central, bench = field
    await central.until_said("cp-1", "boot")
    point, world = central.points["cp-1"], bench.world
    world.call_vehicle("cp-1")
    await central.until_said("cp-1", "start")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for profile in (
        profile16(6_000.0),
        profile16(30_000.0, charging_profile_id=2, stack_level=5, valid_to=later),
        profile16(40_000.0, charging_profile_id=3, charging_profile_purpose="ChargePointMaxProfile"),
    ):
        await point.call(call16.SetChargingProfile(connector_id=1, cs_charging_profiles=profile))
    assert world.chargers["cp-1"].limit_kw == 30.0
    soon = (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()
    over = profile16(30_000.0, charging_profile_id=2, stack_level=5, valid_to=soon)
    await point.call(call16.SetChargingProfile(connector_id=1, cs_charging_profiles=over))
    async with asyncio.timeout(60):
        while world.chargers["cp-1"].limit_kw != 6.0:
            await asyncio.sleep(0.05)
    recurring = profile16(1.0, charging_profile_kind="Recurring")
    answer = await point.call(call16.SetChargingProfile(connector_id=1, cs_charging_profiles=recurring))
    assert answer.status == "Rejected"


async def test_silence_refusal_and_a_wrong_meter(field):
    central, bench = field
    await central.until_said("cp-1", "boot")
    faults, point = bench.microgrid.faults, central.points["cp-1"]
    wish = call16.SetChargingProfile(connector_id=1, cs_charging_profiles=profile16(5_000.0))
    faults.set("cp-1", "reject_writes", True)
    assert (await point.call(wish)).status == "Rejected"
    faults.set("cp-1", "reject_writes", False)
    faults.set("cp-1", "ignore_writes", True)
    assert (await point.call(wish)).status == "Accepted"
    composite = await point.call(call16.GetCompositeSchedule(connector_id=1, duration=60))
    assert float(composite.charging_schedule["charging_schedule_period"][0]["limit"]) == 60_000.0
    faults.set("cp-1", "ignore_writes", False)
    faults.set("cp-1", "scale", 10.0)
    bench.world.call_vehicle("cp-1")
    bench.pass_time(5.0)
    async with asyncio.timeout(60):
        while (await central.until_said("cp-1", "meter"))["Power.Active.Import"] != 600_000:
            pass
    faults.set("cp-1", "silent", True)
    point._response_timeout = 1
    with pytest.raises(asyncio.TimeoutError):
        await point.call(wish)


async def test_a_charger_calls_again_after_the_connection_was_lost(field):
    central, bench = field
    await central.until_said("cp-1", "boot")
    bench.world.call_vehicle("cp-1")
    await central.until_said("cp-1", "start")
    await central.points["cp-1"]._connection.close()
    await central.until_said("cp-1", "boot")
    await central.until_said("cp-1", "meter")
    assert all(kind != "start" for kind, _ in central.said["cp-1"])
