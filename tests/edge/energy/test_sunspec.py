"""SunSpec meter, inverter and storage against a Modbus TCP server whose map is encoded by pysunspec2."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.energy import Quality
from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink, RegisterRefused
from edge.adapters.sunspec import NotSunSpec, Value
from edge.adapters.sunspec_inverter import SunSpecInverter
from edge.adapters.sunspec_meter import SunSpecMeter
from edge.adapters.sunspec_models import PointSpec, decode, encode, model_spec
from edge.adapters.sunspec_storage import SunSpecStorage
from edge.adapters.sunspec_trust import Trust, TrustSettings
from edge.energy.ports import DeviceState, WriteNotTaken

_spec = importlib.util.spec_from_file_location("sunspec_server", Path(__file__).with_name("sunspec_server.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
SunSpecServer, model = _module.SunSpecServer, _module.model

COMMON = model(1, Mn="Maker", Md="Type 1", SN="S1", Vr="1.0")
VENDOR = [64_900, 3, 1, 2, 3]
FAST_S = 0.3


def meter_models() -> list[list[int]]:
    meter = model(
        203, **dict(W=-1234, W_SF=2, Hz=4998, Hz_SF=-2, A=-300, A_SF=0, PF=-98, PF_SF=0), **dict(PhVphA=2301),
        **dict(PhVphB=2299, PhVphC=2300, V_SF=-1, TotWhImp=70_000, TotWhExp=0, TotWh_SF=3),
    )  # fmt: skip
    return [COMMON, meter]


def inverter_models(strings: int = 4) -> list[list[int]]:
    modules = [{"ID": n + 1, "IDStr": f"S{n + 1}", "DCA": 100 + n, "DCV": 7000, "DCW": 700 + n} for n in range(strings)]
    return [
        COMMON,
        VENDOR,
        model(160, DCA_SF=0, DCV_SF=-1, DCW_SF=2, DCWH_SF=0, N=strings, groups={"module": modules}),
        model(123, WMaxLimPct=1000, WMaxLim_Ena=0, WMaxLimPct_SF=-1, OutPFSet_SF=0),
        model(103, **dict(W=5021, W_SF=2, Hz=5001, Hz_SF=-2, WH=123_456, WH_SF=3, TmpCab=451, Tmp_SF=-1, St=5, Evt1=8)),
        model(120, DERTyp=4, WRtg=8500, WRtg_SF=2),
    ]


def storage_models() -> list[list[int]]:
    measured = dict(ACType=2, InvSt=3, Alrm=0, DERMode=2, W=-500, W_SF=3, Hz=50_020, Hz_SF=-3, LNV=2310, V_SF=-1)
    return [
        COMMON,
        model(701, **measured, **dict(TotWhInj=5_000_000, TotWhAbs=6_000_000, TotWh_SF=0, TmpCab=30, Tmp_SF=0)),
        model(702, WChaRteMaxRtg=2000, WDisChaRteMaxRtg=2000, WChaRteMax=1500, W_SF=3),
        model(704, WSetEna=0, WSet_SF=0),
        model(713, WHRtg=4000, WH_SF=3, SoC=815, SoH=990, Pct_SF=-1, Sta=1),
        model(715, LocRemCtl=0, DERHb=1),
    ]


@asynccontextmanager
async def served(models: list[list[int]], base: int = 40_000) -> AsyncIterator[tuple]:
    async with SunSpecServer(*models, base=base).running() as server:
        link = ModbusLink(host="127.0.0.1", port=server.port, unit=1, timeout_s=FAST_S)
        try:
            yield server, link
        finally:
            await link.aclose()


def meter(link) -> SunSpecMeter:
    return SunSpecMeter(link, name="meter", rated_kw=6000, monotonic=lambda: 0.0)


def inverter(link) -> SunSpecInverter:
    return SunSpecInverter(link, name="pv-1", rated_kw=850, string_rated_kw=[220] * 4, hold_s=10)


def storage(link) -> SunSpecStorage:
    return SunSpecStorage(link, name="lfp", capacity_kwh=4000, charge_max_kw=2000, discharge_max_kw=2000)


@pytest.mark.parametrize("base", [40_000, 50_000, 0])
async def test_meter_at_every_base(base) -> None:
    async with served(meter_models(), base) as (_, link):
        reading = await meter(link).read()
        assert reading.power_kw.value == pytest.approx(-123.4)
        assert reading.power_kw.good
        assert reading.frequency_hz.value == pytest.approx(49.98)
        assert reading.voltage_v.value == pytest.approx(230.0)
        assert reading.power_factor.value == pytest.approx(-0.98)
        assert reading.imported_kwh.value == 70_000
        assert reading.exported_kwh.quality is Quality.INVALID  # an accumulator of 0 is "not implemented"
        assert (reading.identity.manufacturer, reading.identity.serial) == ("Maker", "S1")


async def test_inverter_in_any_order_behind_a_model_nobody_knows() -> None:
    async with served(inverter_models()) as (_, link):
        reading = await inverter(link).read()
        assert reading.power_kw.value == pytest.approx(502.1)
        assert reading.rated_kw.value == pytest.approx(850)
        assert reading.limit_kw.value == pytest.approx(850)
        assert reading.energy_kwh.value == 123_456
        assert (reading.state, reading.alarms) == (DeviceState.THROTTLED, ("DC_DISCONNECT",))
        assert reading.temperature_c.value == pytest.approx(45.1)
        assert [one.label for one in reading.strings] == ["S1", "S2", "S3", "S4"]
        assert [one.power_kw.value for one in reading.strings] == pytest.approx([70.0, 70.1, 70.2, 70.3])
        assert reading.dc_kw.value == pytest.approx(280.6)
        assert reading.strings[0].energy_kwh.quality is Quality.INVALID


async def test_storage() -> None:
    async with served(storage_models()) as (_, link):
        reading = await storage(link).read()
        assert reading.power_kw.value == pytest.approx(-500)
        assert reading.soc_frac.value == pytest.approx(0.815)
        assert reading.soh_frac.value == pytest.approx(0.99)
        assert reading.capacity_kwh.value == 4000
        assert (reading.charge_max_kw.value, reading.discharge_max_kw.value) == (1500, 2000)
        assert (reading.grid_forming, reading.remote) == (True, True)
        assert reading.state is DeviceState.RUNNING
        assert reading.alarms == ("STORAGE_WARNING",)
        assert reading.setpoint_kw.value == 0
        assert (reading.discharged_kwh.value, reading.charged_kwh.value) == (5000, 6000)


@pytest.mark.parametrize(
    ("models", "device"), [(inverter_models(8), inverter), (storage_models(), storage), (meter_models(), meter)]
)
async def test_a_reading_takes_at_most_three_requests(models, device) -> None:
    async with served(models) as (server, link):
        one = device(link)
        await one.read()
        server.requests.clear()
        await one.read()
        assert 1 <= len(server.requests) <= 3
        assert all(count <= 125 for _, _, count in server.requests)


async def test_what_is_not_implemented_is_never_zero() -> None:
    async with served([COMMON, model(103), model(123), model(160, N=1, groups={"module": [{"ID": 1}]})]) as (_, link):
        reading = await inverter(link).read()
        points = [reading.power_kw, reading.dc_kw, reading.energy_kwh, reading.frequency_hz, reading.voltage_v]
        points += [reading.temperature_c, reading.rated_kw, reading.limit_kw, reading.strings[0].power_kw]
        assert all(point.value is None and point.quality is Quality.INVALID for point in points)
        assert reading.state is DeviceState.UNKNOWN


@pytest.mark.parametrize("exponent", [-0x8000, 11, -11])
async def test_value_without_a_scale_that_counts(exponent) -> None:
    async with served(meter_models()) as (server, link):
        server.put(203, "W_SF", exponent)
        assert (await meter(link).read()).power_kw.quality is Quality.INVALID


async def test_power_that_cannot_be_is_invalid() -> None:
    async with served(meter_models()) as (server, link):
        one = meter(link)
        server.put(203, "W", 30_000)
        server.put(203, "W_SF", 3)
        assert (await one.read()).power_kw.value is None
        server.put(203, "W_SF", 2)
        assert (await one.read()).power_kw.value == 3000


async def test_scale_that_jumps_with_the_value() -> None:
    async with served(meter_models()) as (server, link):
        one = meter(link)
        server.put(203, "W", -7000)
        assert (await one.read()).power_kw.value == -700
        server.put(203, "W_SF", 3)
        assert (await one.read()).power_kw.quality is Quality.INVALID
        server.put(203, "W", -690)
        assert (await one.read()).power_kw.value == -690  # a device that chooses its scale anew
        server.put(203, "W_SF", 2)
        assert (await one.read()).power_kw.quality is Quality.INVALID
        server.put(203, "W_SF", 3)
        assert (await one.read()).power_kw.good


async def test_counters_that_stand_still_while_energy_flows() -> None:
    async with served(meter_models()) as (server, link):
        now = iter(range(0, 3600, 60))
        one = SunSpecMeter(link, name="meter", rated_kw=6000, monotonic=lambda: float(next(now)))
        found = [(await one.read()).imported_kwh.good for _ in range(15)]
        assert found == [True] * 13 + [False] * 2  # 123.4 kW for 12 minutes are 24.7 kWh
        server.put(203, "TotWhImp", 2, 0)
        assert (await one.read()).imported_kwh.good


async def test_no_map_at_all() -> None:
    async with served(meter_models(), base=30_000) as (_, link):
        with pytest.raises(NotSunSpec, match="no 'SunS'"):
            await meter(link).read()


async def test_model_that_is_missing() -> None:
    async with served([COMMON, VENDOR]) as (_, link):
        with pytest.raises(NotSunSpec, match="none of the SunSpec models"):
            await meter(link).read()


async def test_model_shorter_than_its_definition() -> None:
    whole = model(103, W=5021, W_SF=2, Hz=5001, Hz_SF=-2, St=4)
    short = [103, 15, *whole[2:17]]  # ends before the scale factor of Hz
    async with served([COMMON, short]) as (_, link):
        reading = await inverter(link).read()
        assert reading.power_kw.value == pytest.approx(502.1)
        assert reading.frequency_hz.quality is Quality.INVALID
        assert reading.state is DeviceState.UNKNOWN


async def test_list_of_models_that_ends_nowhere() -> None:
    async with served([COMMON, model(203)]) as (server, link):
        server.words = server.words[:-2]
        with pytest.raises(DeviceError):
            await meter(link).read()
        server.words = [*server.words, *[7, 0] * 100]
        with pytest.raises(NotSunSpec, match="no end"):
            await meter(link).read()
        server.words[-200:] = [7, 0xFFF0]
        with pytest.raises(NotSunSpec, match="no end"):
            await meter(link).read()


async def test_registers_that_are_refused() -> None:
    async with served(meter_models()) as (server, link):
        one = meter(link)
        await one.read()
        server.busy = True
        with pytest.raises(RegisterRefused):
            await one.read()
        server.busy = False
        assert (await one.read()).power_kw.good


async def test_silence_is_an_error_within_the_time_and_ends() -> None:
    async with served(meter_models()) as (server, link):
        one = meter(link)
        await one.read()
        server.silent = True
        with pytest.raises(DeviceError):
            await one.read()
        server.silent = False
        assert (await one.read()).power_kw.good


async def test_garbage_instead_of_frames() -> None:
    talks: list[asyncio.Task] = []

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        while await reader.read(64):
            writer.write(bytes(range(256)))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    link = ModbusLink(host="127.0.0.1", port=server.sockets[0].getsockname()[1], unit=1, timeout_s=0.1)
    try:
        with pytest.raises(DeviceError):
            await meter(link).read()
    finally:
        await link.aclose()
        server.close()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


async def test_exchanged_device_is_looked_at_again() -> None:
    async with served(inverter_models()) as (server, link):
        one = inverter(link)
        await one.read()
        port = server.port
    other = SunSpecServer(model(1, Mn="Other", Md="T", SN="S2"), *reversed(inverter_models(2)[1:]))
    other.port = port
    async with other.running():
        with suppress(DeviceError):
            await one.read()  # the old connection may still look alive
        reading = await one.read()
        assert (reading.identity.manufacturer, len(reading.strings)) == ("Other", 2)
        assert reading.power_kw.value == pytest.approx(502.1)
        await one.aclose()


async def test_models_that_move_under_an_open_connection() -> None:
    async with served(inverter_models()) as (server, link):
        one = inverter(link)
        await one.read()
        moved = SunSpecServer(COMMON, *reversed(inverter_models(3)[1:]))
        server.words = moved.words
        reading = await one.read()
        assert (reading.power_kw.value, len(reading.strings)) == (pytest.approx(502.1), 3)


async def test_readings_and_writes_at_once_while_the_device_is_exchanged() -> None:
    async with served(inverter_models()) as (server, link):
        one = inverter(link)
        for count in (3, 4, 2, 5):
            server.words = SunSpecServer(COMMON, *reversed(inverter_models(count)[1:])).words
            found = await asyncio.gather(one.read(), one.limit(400), one.read(), one.limit(None), one.read())
            assert [len(reading.strings) for reading in found[::2]] == [count] * 3


async def test_limit_by_model_123() -> None:
    async with served(inverter_models()) as (server, link):
        one = inverter(link)
        await one.limit(424.97)
        assert [server.get(123, name) for name in ("WMaxLimPct", "WMaxLimPct_RvrtTms", "WMaxLim_Ena")] == [499, 10, 1]
        assert (await one.read()).limit_kw.value == pytest.approx(850 * 0.499)
        await one.limit(255)  # exactly 30 %
        assert server.get(123, "WMaxLimPct") == 300
        await one.limit(None)
        assert (await one.read()).limit_kw.value == 850
        await one.limit(-5)
        assert server.get(123, "WMaxLimPct") == 0


async def test_limit_by_model_704() -> None:
    models = [COMMON, model(701, W=100, W_SF=3), model(702, WMaxRtg=850, W_SF=3), model(704, WMaxLimPct_SF=0)]
    async with served(models) as (_, link):
        one = inverter(link)
        await one.limit(340)
        reading = await one.read()
        assert (reading.limit_kw.value, reading.power_kw.value, reading.rated_kw.value) == (340, 100, 850)


async def test_limit_without_a_scale_is_not_written() -> None:
    async with served([COMMON, model(103), model(123)]) as (_, link):
        with pytest.raises(DeviceError, match="scale factor"):
            await inverter(link).limit(100)
    async with served([COMMON, model(103)]) as (_, link):
        with pytest.raises(DeviceError, match="neither"):
            await inverter(link).limit(100)


async def test_writes_that_are_refused_forgotten_or_clipped() -> None:
    async with served(inverter_models()) as (server, link):
        one = inverter(link)
        server.refuse_writes = True
        with pytest.raises(WriteNotTaken, match="refused") as refused:
            await one.limit(400)
        assert refused.value.found is None
        server.refuse_writes, server.forget_writes = False, True
        with pytest.raises(WriteNotTaken) as forgotten:
            await one.limit(400)
        assert (forgotten.value.point, forgotten.value.found) == ("WMaxLimPct", pytest.approx(850))
        server.forget_writes = False
        server.clip[server.place(123, "WMaxLimPct")] = 250
        with pytest.raises(WriteNotTaken) as clipped:
            await one.limit(400)
        assert clipped.value.found == pytest.approx(212.5)
        await one.limit(200)


async def test_device_that_takes_its_time_is_judged_by_the_next_reading() -> None:
    async with served(storage_models()) as (server, link):
        one = storage(link)
        server.write_delay_s = 0.02
        with pytest.raises(WriteNotTaken):
            await one.set_power(100)  # nobody knows yet that it is only slow
        for kw in (200, 300, 400):
            await asyncio.sleep(0.05)
            await one.read()
            await one.set_power(kw)
        await asyncio.sleep(0.05)
        assert (await one.read()).setpoint_kw.value == 400
        server.write_delay_s, server.forget_writes = 0.0, True
        await one.set_power(500)
        await one.read()
        with pytest.raises(WriteNotTaken):
            await one.set_power(600)
        with pytest.raises(WriteNotTaken):
            await one.set_power(600)


async def test_storage_holds_a_power_in_both_directions() -> None:
    async with served(storage_models()) as (server, link):
        one = storage(link)
        for kw in (1250.5, -800.0, 0.0):
            await one.set_power(kw)
            assert (await one.read()).setpoint_kw.value == pytest.approx(kw)
        assert server.get(704, "WSetEnaRvrt") == 1
        at = server.place(704, "WSetRvrtTms")
        assert server.words[at : at + 2] == [0, 10]
        assert server.words[server.place(704, "WSetPct")] == 0x8000  # left as it was


async def test_heartbeat_counts_up() -> None:
    async with served(storage_models()) as (server, link):
        one = storage(link)
        await one.beat()
        await one.beat()
        at = server.place(715, "ControllerHb")
        assert server.words[at : at + 2] == [0, 2]
        server.forget_writes = True
        with pytest.raises(WriteNotTaken):
            await one.beat()


async def test_storage_is_started() -> None:
    async with served(storage_models()) as (server, link):
        await storage(link).start()
        assert server.get(715, "OpCtl") == 1
    async with served(storage_models()[:-1]) as (_, link):
        with pytest.raises(DeviceError, match="715"):
            await storage(link).start()


async def test_storage_under_local_control_without_heartbeat() -> None:
    models = storage_models()
    async with served(models[:-1]) as (_, link):
        one = storage(link)
        await one.beat()
        assert (await one.read()).remote
    async with served([*models[:-1], model(715, LocRemCtl=1)]) as (_, link):
        assert not (await storage(link).read()).remote


@given(st.sampled_from([103, 120, 123, 160, 203, 213, 701, 702, 704, 713, 715]), st.data())
def test_encode_is_the_inverse_of_decode(model_id, data) -> None:
    spec = model_spec(model_id)
    whole = [p for p in (*spec.points.values(), *spec.repeated.values()) if p.type[:3] not in ("str", "flo")]
    point = data.draw(st.sampled_from(whole))
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=point.size, max_size=point.size))
    value = decode(point, words)
    assert value is None or encode(point, value) == words


@pytest.mark.parametrize(
    ("kind", "nothing", "words", "value"),
    [
        ("int16", [0x8000], [0xFFFF], -1),
        ("uint16", [0xFFFF], [0x8000], 32_768),
        ("sunssf", [0x8000], [0xFFFE], -2),
        ("enum16", [0xFFFF], [4], 4),
        ("bitfield16", [0xFFFF], [5], 5),
        ("acc16", [0], [0xFFFF], 65_535),
        ("int32", [0x8000, 0], [0xFFFF, 0xFFFE], -2),
        ("uint32", [0xFFFF, 0xFFFF], [1, 0], 65_536),
        ("acc32", [0, 0], [0xFFFF, 0xFFFF], 2**32 - 1),
        ("bitfield32", [0xFFFF, 0xFFFF], [0x8000, 1], 2**31 + 1),
        ("int64", [0x8000, 0, 0, 0], [0xFFFF] * 4, -1),
        ("uint64", [0xFFFF] * 4, [0, 0, 0, 9], 9),
        ("acc64", [0, 0, 0, 0], [0, 0, 1, 0], 65_536),
        ("float32", [0x7FC0, 0], [0x3FC0, 0], 1.5),
        ("float32", [0x7F80, 0], [0xBFC0, 0], -1.5),  # infinity is no measured value
        ("string", [0, 0], [0x4142, 0], "AB"),
        ("string", [0x2020, 0], [0xE6B5, 0xB700], "海"),
    ],
)
def test_values_of_every_type(kind, nothing, words, value) -> None:
    point = PointSpec("x", kind, 0, len(words), None)
    assert decode(point, nothing) is None
    assert decode(point, words) == value


def test_number_that_a_point_cannot_hold() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        encode(model_spec(123).points["WMaxLimPct"], 70_000)


def test_models_that_cannot_be_used() -> None:
    with pytest.raises(DeviceError, match="not defined"):
        model_spec(64_900)
    with pytest.raises(DeviceError, match="repeats"):
        model_spec(803)


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(-12, 12))
def test_trust_never_lets_nonsense_through(raw, exponent) -> None:
    point = Trust(TrustSettings()).power("W", Value(raw, exponent), rated_kw=100)
    assert (point.value is None) == (point.quality is Quality.INVALID)
    assert point.value is None or abs(point.value) <= 150
