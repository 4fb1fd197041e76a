"""The central system against real charge points of OCPP 1.6 and 2.0.1, and against peers that talk nonsense."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from control.domain.energy import Quality
from control.domain.errors import DeviceError
from control.energy.site import ChargerSpec
from edge.adapters.ocpp_central import CentralSystem
from edge.adapters.ocpp_samples import metered
from edge.adapters.ocpp_seat import ChargingSettings, Seat
from edge.energy.ports import ChargerReading, ChargerStatus, WriteNotTaken

_spec = importlib.util.spec_from_file_location("charge_points", Path(__file__).with_name("charge_points.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
AT, PASSWORD, Held = _module.AT, _module.PASSWORD, _module.Held
Point16, Point201, authorization, plugged_in = (
    _module.Point16,
    _module.Point201,
    _module.authorization,
    _module.plugged_in,
)

SETTINGS = ChargingSettings(answer_within_s=5.0, retry_s=0.05, follow_s=0.02)
CHARGERS = (
    ChargerSpec(id="cp-1", max_kw=60, min_kw=4),
    ChargerSpec(id="cp-2", max_kw=60, min_kw=4, v2g_kw=30),
    ChargerSpec(id="cp-3", max_kw=60, min_kw=4),
)
POWER = {"value": "11000", "measurand": "Power.Active.Import", "unit": "W"}
WATTS = {"unit": "W"}


class LeapingClock:
    """The machine's time, and leaps on top."""

    def __init__(self) -> None:
        self.leap_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.leap_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.leap_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def served(password: str | None = PASSWORD, settings=SETTINGS) -> AsyncIterator[tuple[CentralSystem, Any]]:
    clock = LeapingClock()
    central = CentralSystem(
        host="127.0.0.1", port=0, password=password, chargers=CHARGERS, clock=clock, settings=settings
    )
    running = asyncio.create_task(central.run())
    try:
        await central.listening.wait()
        yield central, clock
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], bool], *, within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)


def of(central: CentralSystem, charger: str = "cp-1") -> ChargerReading:
    return central.read()[charger]


async def limited(central: CentralSystem, charger: str, kw: float) -> None:
    """Wait until the charger holds it; a wish is repeated as the cycle does."""

    async def ask() -> None:
        while of(central, charger).limit_kw.value != pytest.approx(kw):
            with suppress(WriteNotTaken):
                await central.limit(charger, kw)
            await asyncio.sleep(0.02)

    await asyncio.wait_for(ask(), 60)


async def test_session_of_version_16() -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16) as point:
        await point.status("Available")
        before = of(central)
        assert (before.online, before.plugged, before.power_kw.value) == (True, False, 0.0)
        await point.status("Preparing")
        number = await point.begin()
        await point.status("Charging")
        energy = {"value": "1012.5", "unit": "kWh"}
        await point.meter(POWER, energy, {"value": "55.5", "measurand": "SoC", "unit": "Percent"}, transaction=number)
        now = of(central)
        assert (now.status, now.plugged, now.session_id) == (ChargerStatus.CHARGING, True, f"cp-1-{number}")
        assert now.power_kw.value == pytest.approx(11)
        assert now.energy_kwh.value == pytest.approx(12.5)
        assert now.soc_frac.value == pytest.approx(0.555)
        await point.end(number)
        await point.status("Available")
        after = of(central)
        assert (after.session_id, after.plugged, after.power_kw.value) == ("", False, 0.0)
        assert after.soc_frac.quality is Quality.INVALID


async def test_limits_of_version_16() -> None:
    async with served() as (central, clock), plugged_in(central.port, "cp-1", Point16) as point:
        held = point.held
        await limited(central, "cp-1", 20)
        assert held.profiles["ChargePointMaxProfile", 0]["charging_schedule"]["charging_schedule_period"][0] == {
            "start_period": 0,
            "limit": 60_000,
        }
        assert held.profiles["TxDefaultProfile", 0]["charging_schedule"]["charging_schedule_period"][0]["limit"] == 4000
        assert "valid_to" not in held.profiles["TxDefaultProfile", 0]
        assert held.profiles["TxDefaultProfile", 1]["valid_to"] > clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        number = await point.begin()
        await until(lambda: held.limits_kw("TxProfile") == [20])
        assert held.profiles["TxProfile", 1]["transaction_id"] == number
        await limited(central, "cp-1", 10)
        assert held.limits_kw("TxProfile") == [20, 10]


async def test_rate_of_limits() -> None:
    async with served() as (central, clock), plugged_in(central.port, "cp-1", Point16) as point:
        held = point.held
        await limited(central, "cp-1", 20)
        await central.limit("cp-1", 19.8)  # too little to tell
        await central.limit("cp-1", 25)  # more: not so soon after the last
        await asyncio.sleep(0.1)
        assert held.limits_kw("TxDefaultProfile") == [20]
        await limited(central, "cp-1", 15)  # less: at once
        await central.limit("cp-1", 25)
        clock.leap_s += SETTINGS.raise_gap_s
        await limited(central, "cp-1", 25)
        assert held.limits_kw("TxDefaultProfile") == [20, 15, 25]
        clock.leap_s += SETTINGS.refresh_s
        await central.limit("cp-1", 25.1)
        await until(lambda: held.limits_kw("TxDefaultProfile") == [20, 15, 25, 25.1])


async def test_version_201_feeds_back() -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-2", Point201) as point:
        await until(lambda: of(central, "cp-2").feeds_back_kw == 30)
        await limited(central, "cp-2", 0)  # without a vehicle nothing can flow back
        await point.event(
            "Started",
            {"value": 5000.0, "measurand": "Energy.Active.Import.Register"},
            {"value": 1.0, "measurand": "Energy.Active.Export.Register", "unit_of_measure": {"unit": "kWh"}},
        )
        await limited(central, "cp-2", -25)
        assert point.held.limits_kw("TxProfile")[-1] == -25
        await point.event(
            "Updated",
            {"value": 0, "measurand": "Power.Active.Import", "unit_of_measure": WATTS},
            {"value": 2.45, "measurand": "Power.Active.Export", "unit_of_measure": {"unit": "W", "multiplier": 4}},
            {"value": 3.5, "measurand": "Energy.Active.Export.Register", "unit_of_measure": {"unit": "kWh"}},
        )
        now = of(central, "cp-2")
        assert now.power_kw.value == pytest.approx(-24.5)
        assert (now.energy_kwh.value, now.fed_back_kwh.value) == (0, 2.5)
        assert (now.session_id, now.status) == ("cp-2-t-1", ChargerStatus.CHARGING)
        await limited(central, "cp-2", 12)  # back from feeding: at once
        await point.event("Ended", state="Idle")
        assert of(central, "cp-2").session_id == ""


async def test_version_201_that_cannot_feed_back() -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-2", Point201, feeds_back=False) as point:
        await point.event("Started")
        await central.limit("cp-2", -25)
        await until(lambda: of(central, "cp-2").limit_kw.value == 0)
        assert of(central, "cp-2").feeds_back_kw == 0


async def test_needs_of_a_vehicle() -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-2", Point201) as point:
        await point.event("Started")
        needs = {
            "requested_energy_transfer": "DC",
            "departure_time": "2026-11-21T18:30:00+08:00",
            "dc_charging_parameters": {
                "ev_max_current": 100,
                "ev_max_voltage": 400,
                "energy_amount": 32_000,
                "state_of_charge": 40,
            },
        }
        answer = await point.call(_module.call201.NotifyEVChargingNeeds(charging_needs=needs, evse_id=1))
        assert answer.status == "Accepted"
        now = of(central, "cp-2")
        assert (now.needed_kwh.value, now.soc_frac.value) == (32, 0.4)
        assert now.depart_at == datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


async def test_charger_that_refuses_a_limit() -> None:
    held = Held()
    held.taken = False
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16, held):
        await central.limit("cp-1", 20)
        with pytest.raises(WriteNotTaken, match="Rejected"):
            await until_raised(central, "cp-1", 20)
        held.taken = True
        await limited(central, "cp-1", 20)
        await central.limit("cp-1", 20)


async def until_raised(central: CentralSystem, charger: str, kw: float) -> None:
    async with asyncio.timeout(60):
        while True:
            await central.limit(charger, kw)
            await asyncio.sleep(0.02)


async def test_charger_that_accepts_a_limit_and_holds_another() -> None:
    held = Held()
    held.forgets = True
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16, held):
        await central.limit("cp-1", 20)
        with pytest.raises(WriteNotTaken) as error:
            await until_raised(central, "cp-1", 20)
        assert (error.value.wanted, error.value.found) == (20, 60)
        assert of(central).limit_kw.value == 60


async def test_charger_that_follows_a_little_later() -> None:
    held = Held()
    held.follows_after_s = 0.01
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16, held):
        await limited(central, "cp-1", 20)
        assert held.limits_kw("TxDefaultProfile") == [20]
        assert not any(name == "ClearChargingProfile" for name, _ in held.heard)


async def test_profile_that_somebody_left_in_the_charger_is_cleared() -> None:
    held = Held()
    held.foreign_w = 33_000
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16, held):
        await limited(central, "cp-1", 20)
        assert ("ClearChargingProfile", {"purpose": "TxDefaultProfile"}) in held.heard
        assert held.profiles["TxDefaultProfile", 0]["stack_level"] == 0


async def test_charger_that_does_not_say_what_it_holds() -> None:
    held = Held()
    held.no_composite = True
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16, held):
        await central.limit("cp-1", 20)
        with pytest.raises(DeviceError, match="does not say"):
            await until_raised(central, "cp-1", 20)


async def test_charger_that_hangs_keeps_nobody_waiting() -> None:
    hung = Held()
    hung.hangs = True
    async with (
        served(settings=replace(SETTINGS, answer_within_s=0.5)) as (central, _),
        plugged_in(central.port, "cp-1", Point16, hung),
        plugged_in(central.port, "cp-2", Point201),
    ):
        await central.limit("cp-1", 20)
        await limited(central, "cp-2", 30)
        with pytest.raises(DeviceError, match="no answer"):
            await until_raised(central, "cp-1", 20)


async def test_charger_that_falls_silent() -> None:
    async with served() as (central, clock), plugged_in(central.port, "cp-1", Point16) as point:
        number = await point.begin()
        await point.meter(POWER, transaction=number)
        assert of(central).power_kw.good
        clock.leap_s += 16
        stale = of(central).power_kw
        assert (stale.quality, stale.value) == (Quality.STALE, 11)
        clock.leap_s += 20
        silent = of(central)
        assert not silent.online
        assert (silent.power_kw.quality, silent.power_kw.value) == (Quality.LOST, None)


async def test_charger_that_went_and_comes_back_goes_on() -> None:
    async with served() as (central, _):
        with pytest.raises(DeviceError, match="not connected"):
            await central.limit("cp-1", 20)
        async with plugged_in(central.port, "cp-1", Point16) as point:
            number = await point.begin()
            await limited(central, "cp-1", 20)
        await until(lambda: not of(central).online)
        assert of(central).power_kw.quality is Quality.LOST
        with pytest.raises(DeviceError, match="not connected"):
            await central.limit("cp-1", 20)
        async with plugged_in(central.port, "cp-1", Point16) as again:
            assert of(central).session_id == f"cp-1-{number}"
            await until(lambda: again.held.limits_kw("TxProfile") == [20])


async def test_session_whose_end_was_lost() -> None:
    patient = replace(SETTINGS, silent_after_s=1000)
    async with served(settings=patient) as (central, clock), plugged_in(central.port, "cp-1", Point16) as point:
        await point.begin()
        await point.status("Charging")
        await point.status("Available")
        clock.leap_s += 59
        assert of(central).plugged
        clock.leap_s += 2
        after = of(central)
        assert (after.plugged, after.session_id, after.power_kw.value) == (False, "", 0.0)


async def test_transaction_older_than_the_gateway_goes_on() -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16) as point:
        await point.meter(POWER, {"value": "2000000"}, transaction=77)
        await point.meter(POWER, {"value": "2001500"}, transaction=77)
        assert of(central).session_id == "cp-1-77"
        assert of(central).energy_kwh.value == pytest.approx(1.5)


async def test_second_connection_takes_the_place_of_the_first() -> None:
    async with (
        served() as (central, _),
        plugged_in(central.port, "cp-1", Point16) as first,
        plugged_in(central.port, "cp-1", Point16) as second,
    ):
        await first._connection.wait_closed()
        await second.status("Preparing")
        await limited(central, "cp-1", 20)
        assert of(central).online
        assert second.held.limits_kw("TxDefaultProfile") == [20]


@pytest.mark.parametrize("value", ["NaN", "abc", "", "1e999", "-Infinity", "150000", "-95000"])
async def test_power_that_is_no_number_or_cannot_be(value) -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-1", Point16) as point:
        number = await point.begin()
        await point.meter(POWER | {"value": value}, transaction=number)
        assert (of(central).power_kw.quality, of(central).power_kw.value) == (Quality.INVALID, None)


# ---- peers that are no chargers of ours, or talk nonsense


def url(central: CentralSystem, charger: str = "cp-1") -> str:
    return f"ws://127.0.0.1:{central.port}/ocpp/{charger}"


@pytest.mark.parametrize(
    ("charger", "headers", "status"),
    [
        ("cp-9", authorization("cp-9"), 404),
        ("", {}, 404),
        ("cp-1", {}, 401),
        ("cp-1", authorization("cp-1", "wrong"), 401),
        ("cp-1", authorization("cp-2"), 401),
        ("cp-1", {"Authorization": "Basic !!!"}, 401),
        ("cp-1", {"Authorization": authorization("cp-1")["Authorization"].replace("Basic", "Bearer")}, 401),
    ],
)
async def test_who_may_not_connect(charger, headers, status) -> None:
    async with served() as (central, _):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(central, charger), subprotocols=["ocpp1.6"], additional_headers=headers)
        assert refused.value.response.status_code == status
        assert not of(central).online


async def test_refusals_are_told_once() -> None:
    with capture_logs() as logs:
        async with served() as (central, _):
            for charger in ("cp-1", "cp-1", "cp-9" * 100, "cp-9" * 100):
                with pytest.raises(InvalidStatus):
                    await connect(url(central, charger), subprotocols=["ocpp1.6"])
    refused = [line for line in logs if line["event"] == "charger_refused"]
    assert [line["why"] for line in refused] == ["wrong id or password", "unknown"]
    assert len(refused[1]["charger"]) <= 48


@pytest.mark.parametrize("protocols", [["ocpp1.5"], None])
async def test_no_subprotocol_in_common(protocols) -> None:
    async with served() as (central, _):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(central), subprotocols=protocols, additional_headers=authorization("cp-1"))
        assert refused.value.response.status_code == 400


async def test_the_newer_version_is_preferred() -> None:
    async with served() as (central, _):
        headers = authorization("cp-1")
        async with connect(
            url(central), subprotocols=["ocpp1.6", "ocpp2.0.1"], additional_headers=headers
        ) as connection:
            assert connection.subprotocol == "ocpp2.0.1"


@asynccontextmanager
async def raw(central: CentralSystem, protocol: str = "ocpp1.6") -> AsyncIterator[Any]:
    async with connect(
        url(central), subprotocols=[protocol], additional_headers=authorization("cp-1"), close_timeout=1
    ) as connection:
        yield connection


async def ask(connection: Any, message_id: str, action: str, payload: Any) -> list[Any]:
    """The answer to a call; calls of the central system are left unanswered."""
    await connection.send(json.dumps([2, message_id, action, payload]))
    async with asyncio.timeout(60):
        while True:
            answer = json.loads(await connection.recv())
            if answer[0] != 2 and answer[1] == message_id:
                return answer


START = {"connectorId": 1, "idTag": "TAG-PERSONAL", "meterStart": 0, "timestamp": AT}


async def test_message_that_comes_again_is_carried_out_once() -> None:
    async with served() as (central, _):
        async with raw(central) as connection:
            first = await ask(connection, "1", "StartTransaction", START)
            assert await ask(connection, "1", "StartTransaction", START) == first
        async with raw(central) as connection:
            assert await ask(connection, "1", "StartTransaction", START) == first
            later = START | {"timestamp": "2026-11-21T03:00:00Z"}  # a charger that counts its ids from 1 again
            assert (await ask(connection, "1", "StartTransaction", later))[2] != first[2]


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("NoSuchThing", {}, "NotImplemented"),
        ("../v201/schemas/BootNotificationRequest", {}, "NotImplemented"),
        (["Heartbeat"], {}, "NotImplemented"),
        ("StartTransaction", {"connectorId": 1}, "ProtocolError"),
        ("StartTransaction", [], "TypeConstraintViolation"),
        ("StartTransaction", START | {"meterStart": "x"}, "TypeConstraintViolation"),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Dancing"}, "FormatViolation"),
    ],
)
async def test_calls_that_are_wrong_get_an_error(action, payload, code) -> None:
    async with served() as (central, _), raw(central) as connection:
        answer = await ask(connection, "7", action, payload)
        assert (answer[0], answer[2]) == (4, code)
        assert "TAG-PERSONAL" not in json.dumps(answer)
        assert (await ask(connection, "8", "Heartbeat", {}))[0] == 3


async def test_numbers_that_no_meter_can_show() -> None:
    async with served() as (central, _), raw(central) as connection:
        assert (await ask(connection, "1", "StartTransaction", START | {"meterStart": 10**400}))[0] == 3
        values = [{"timestamp": AT, "sampledValue": [{"value": "9" * 500}]}]
        said = {"connectorId": 1, "transactionId": 10**300, "meterValue": values}
        assert (await ask(connection, "2", "MeterValues", said))[0] == 3
        assert of(central).energy_kwh.quality is Quality.INVALID


GARBAGE = ["{", "[]", "5", "null", '[2,"1"]', "[9,9,9]", "[2,[1],3,4]", "[" * 5000, b"\xff\xfe", '[3,"nobody",{}]', "é"]


async def pour(connection: Any, messages: list[str | bytes]) -> None:
    """Send them all, then hear until the connection ends."""
    for message in messages:
        await connection.send(message)
        await asyncio.sleep(0)
    while True:
        await connection.recv()


async def test_garbage_ends_only_its_own_connection() -> None:
    async with served() as (central, _), plugged_in(central.port, "cp-2", Point201) as good:
        async with raw(central) as connection:
            with pytest.raises(ConnectionClosed):
                await pour(connection, [*GARBAGE, *GARBAGE])
            assert connection.close_code == 1002
        await limited(central, "cp-2", 10)
        await good.event("Started")


async def test_peer_that_speaks_no_websocket(caplog) -> None:
    async with served() as (central, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", central.port)
        writer.write(bytes(range(256)) * 40 + b"\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        async with plugged_in(central.port, "cp-1", Point16):
            assert of(central).online
    assert [record for record in caplog.records if record.name.startswith(("websockets", "edge.ocpp"))] == []


async def test_fault_of_ours_ends_only_one_conversation(monkeypatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a fault of ours")

    async with served() as (central, _), plugged_in(central.port, "cp-2", Point201) as good:
        monkeypatch.setattr(Seat, "take_status", broken)
        with capture_logs() as logs:
            async with raw(central) as connection:
                said = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
                with pytest.raises(ConnectionClosed):
                    await ask(connection, "1", "StatusNotification", said)
        assert [line["exc_info"] for line in logs if line["event"] == "charger_conversation_failed"] == [True]
        assert not of(central).online
        await limited(central, "cp-2", 10)
        assert good.held.limits_kw("TxDefaultProfile") == [10]


async def test_message_that_is_too_long() -> None:
    async with served() as (central, _), raw(central) as connection:
        with pytest.raises(ConnectionClosed):
            await pour(connection, [json.dumps([2, "1", "Heartbeat", {"x": "y" * 70_000}])])
        assert connection.close_code == 1009


@pytest.mark.parametrize(
    "schedule",
    [
        '{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":NaN}]}',
        '{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":1e400}]}',
        '{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":' + "9" * 400 + "}]}",
        '{"chargingRateUnit":"W","chargingSchedulePeriod":[]}',
        '{"chargingRateUnit":"W"}',
        "7",
    ],
)
async def test_answers_that_are_nonsense(schedule) -> None:
    async with served() as (central, _), raw(central) as connection:
        await central.limit("cp-1", 20)

        async def answer() -> None:
            await connection.send('[2,"1","BootNotification",{"chargePointModel":"C","chargePointVendor":"V"}]')
            while True:
                message = json.loads(await connection.recv())
                if message[0] != 2:
                    continue
                if message[2] == "GetCompositeSchedule":
                    body = f'{{"status":"Accepted","chargingSchedule":{schedule}}}'
                else:
                    body = '{"status":"Accepted"}'
                await connection.send(f'[3,"{message[1]}",{body}]')

        answering = asyncio.create_task(answer())
        with pytest.raises(DeviceError):
            await until_raised(central, "cp-1", 20)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        assert of(central).online


async def test_nothing_personal_is_logged() -> None:
    with capture_logs() as logs:
        async with served() as (central, _), plugged_in(central.port, "cp-1", Point16) as point:
            await point.end(await point.begin())
            await point.call(_module.call16.Authorize(id_tag="TAG-PERSONAL"))
    assert "TAG-PERSONAL" not in str(logs)
    assert PASSWORD not in str(logs)


async def test_port_that_is_taken_is_told_and_tried_again() -> None:
    class Impatient(LeapingClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0.01)

    blocker = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = blocker.sockets[0].getsockname()[1]
    with capture_logs() as logs:
        central = CentralSystem(host="127.0.0.1", port=port, password=None, chargers=CHARGERS, clock=Impatient())
        running = asyncio.create_task(central.run())
        await until(lambda: any(line["event"] == "ocpp_port_taken" for line in logs))
        blocker.close()
        await blocker.wait_closed()
        await central.listening.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert sum(line["event"] == "ocpp_port_taken" for line in logs) == 1


# ---- values


def test_phases_are_added_and_the_total_counts_more() -> None:
    phases = [{"value": "1000", "measurand": "Power.Active.Import", "phase": f"L{n}", "unit": "W"} for n in (1, 2, 3)]
    assert metered([{"timestamp": AT, "sampledValue": phases}]).power_kw == pytest.approx(3)
    total = {"value": "3.3", "measurand": "Power.Active.Import", "unit": "kW"}
    assert metered([{"timestamp": AT, "sampledValue": [*phases, total]}]).power_kw == pytest.approx(3.3)


def test_values_of_another_place_unit_or_time() -> None:
    inlet = POWER | {"location": "Inlet"}
    assert metered([{"timestamp": AT, "sampledValue": [inlet]}]).power_kw is None
    assert math.isnan(metered([{"timestamp": AT, "sampledValue": [POWER | {"unit": "Celsius"}]}]).power_kw)
    newest = {"timestamp": "2026-11-21T02:00:05Z", "sampledValue": [POWER | {"value": "5000"}]}
    assert metered([newest, {"timestamp": AT, "sampledValue": [POWER]}]).power_kw == 5
    assert metered([{"timestamp": "never", "sampledValue": [{"value": "7000"}]}]).imported_kwh == 7


@given(
    st.lists(
        st.fixed_dictionaries(
            {"value": st.one_of(st.text(), st.floats().map(str), st.integers().map(str))},
            optional={
                "measurand": st.sampled_from(
                    ["Power.Active.Import", "SoC", "Energy.Active.Import.Register", "Voltage"]
                ),
                "unit": st.sampled_from(["W", "kW", "Wh", "kWh", "Percent", "A"]),
                "phase": st.sampled_from(["L1", "L2"]),
                "format": st.sampled_from(["Raw", "SignedData"]),
                "unitOfMeasure": st.fixed_dictionaries({}, optional={"unit": st.text(), "multiplier": st.integers()}),
            },
        )
    )
)
def test_metered_values_never_raise_and_a_reading_is_never_nonsense(samples) -> None:
    seat = Seat(CHARGERS[0], SETTINGS, LeapingClock())
    seat.met()
    seat.begin("1")
    seat.take_metered(metered([{"timestamp": AT, "sampledValue": samples}]))
    reading = seat.reading()
    for point in (reading.power_kw, reading.energy_kwh, reading.soc_frac):
        assert point.value is None or math.isfinite(point.value)
    assert reading.power_kw.value is None or abs(reading.power_kw.value) <= 90
