"""The controller over real Modbus TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from control.domain.errors import DeviceError
from edge.adapters.barrier import ModbusBarrier
from edge.adapters.display import ModbusDisplay
from edge.adapters.modbus import ModbusLink
from edge.ports import LampColour
from hw_sim.barrier import LoopFault
from hw_sim.fleet import draw_fleet
from hw_sim.modbus import FIRMWARE, UNIT, BarrierController, serve_controller
from hw_sim.world import Arrivals, DriverHabits, LaneSetup, LaneWorld, Light

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@dataclass
class Bench:
    """A controller, a client, and hand-moved time."""

    lane: LaneWorld
    controller: BarrierController
    client: AsyncModbusTcpClient
    port: int
    seconds: float = 0.0

    async def inputs(self) -> list[bool]:
        return (await self.client.read_discrete_inputs(0, count=8, device_id=UNIT)).bits

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        for _ in range(round(seconds / 0.05)):
            self.lane.step(0.05)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    setup = LaneSetup("in-1")
    lane = LaneWorld(setup, Arrivals(setup, draw_fleet(1, NOW), seed=1), DriverHabits())
    lane.arrivals.stopped = True
    controller = BarrierController(lane, clock=lambda: found.seconds)
    async with serve_controller(controller, host="127.0.0.1", port=0) as port:
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=6.0, retries=0, reconnect_delay=0)
        assert await client.connect()
        found = Bench(lane, controller, client, port)
        yield found
        client.close()


async def test_open_pulse_moves_the_boom_and_the_inputs_follow(bench: Bench):
    assert await bench.inputs() == [False, False, False, False, True, False, False, False]
    await bench.client.write_coil(0, True, device_id=UNIT)
    assert (await bench.client.read_coils(0, count=2, device_id=UNIT)).bits[:2] == [True, False]
    bench.pass_time(2.0)
    assert await bench.inputs() == [False, False, False, True, False, False, False, False]
    position = await bench.client.read_input_registers(0, count=3, device_id=UNIT)
    assert position.registers == [100, 0, FIRMWARE]
    assert (await bench.client.read_holding_registers(2, count=1, device_id=UNIT)).registers == [100]
    assert (await bench.client.read_coils(0, count=2, device_id=UNIT)).bits[:2] == [False, False]
    await bench.client.write_coil(1, True, device_id=UNIT)
    bench.pass_time(2.0)
    assert (await bench.client.read_input_registers(0, count=2, device_id=UNIT)).registers == [0, 1]


async def test_loop_faults_show_in_their_bits(bench: Bench):
    bench.lane.loop_a.fault = LoopFault.BROKEN
    bench.lane.loop_b.fault = LoopFault.STUCK_ON
    bench.lane.step(0.05)
    assert await bench.inputs() == [False, True, False, False, True, False, True, False]


async def test_watchdog_that_falls_silent_raises_the_fault_bit_and_moves_nothing(bench: Bench):
    await bench.client.write_coil(0, True, device_id=UNIT)
    bench.pass_time(2.0)
    for count in (1, 2):
        await bench.client.write_register(1, count, device_id=UNIT)
        bench.pass_time(1.0)
        assert not (await bench.inputs())[5]
    await bench.client.write_register(1, 2, device_id=UNIT)
    bench.pass_time(6.0)
    inputs = await bench.inputs()
    assert (inputs[5], inputs[3]) == (True, True)
    await bench.client.write_register(1, 3, device_id=UNIT)
    assert not (await bench.inputs())[5]


async def test_rejected_write_is_an_exception_and_moves_nothing(bench: Bench):
    bench.controller.faults.reject_writes = True
    assert (await bench.client.write_coil(0, True, device_id=UNIT)).isError()
    assert bench.lane.boom.commands == []


async def test_silent_controller_answers_nothing_and_forgets_what_it_was_sent(bench: Bench):
    bench.controller.faults.silent = True
    with pytest.raises(ModbusIOException):
        await bench.client.write_coil(0, True, device_id=UNIT)
    bench.controller.faults.silent = False
    assert await bench.client.connect()
    assert (await bench.inputs())[4]
    assert bench.lane.boom.commands == []


async def test_delayed_write_acts_late(bench: Bench):
    bench.controller.faults.write_delay_s = 0.1
    answer = await bench.client.write_coil(0, True, device_id=UNIT)
    assert not answer.isError()
    assert len(bench.lane.boom.commands) == 1


async def test_the_gateways_own_adapters_understand_the_map(bench: Bench):
    link = ModbusLink(host="127.0.0.1", port=bench.port, unit=UNIT, timeout_s=2.0)
    barrier, display = ModbusBarrier(link), ModbusDisplay(link)
    assert (await barrier.read()).limit_closed
    await barrier.beat()
    await barrier.command("open", command_id="c-1")
    bench.pass_time(2.0)
    assert (await barrier.read()).limit_open
    await display.show("欢迎 琼C·1•••5", LampColour.GREEN)
    assert (bench.lane.sign.text, bench.lane.sign.light) == ("欢迎 琼C·1•••5", Light.GREEN)
    bench.controller.faults.silent = True
    with pytest.raises(DeviceError):
        await barrier.read()
    await link.aclose()
