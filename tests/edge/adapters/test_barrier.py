"""The barrier and the display against a controller on a real Modbus TCP socket."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control.domain.errors import DeviceError
from edge.adapters.barrier import ModbusBarrier, short_id
from edge.adapters.display import ModbusDisplay, registers_of
from edge.adapters.modbus import ModbusLink
from edge.ports import BarrierState, LampColour

_spec = importlib.util.spec_from_file_location("controller", Path(__file__).with_name("controller.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Controller = _module.Controller


@pytest.fixture
async def controller() -> AsyncIterator[Controller]:
    async with Controller().running() as controller:
        yield controller


@pytest.fixture
async def link(controller) -> AsyncIterator[ModbusLink]:
    link = ModbusLink(host="127.0.0.1", port=controller.port, unit=1, timeout_s=1.5)
    yield link
    await link.aclose()


async def test_inputs_become_a_state(controller, link) -> None:
    controller.inputs = [True, False, True, False, True, False, False, False]
    controller.position = 35
    assert await ModbusBarrier(link).read() == BarrierState(
        loop_a=True, loop_b=False, beam=True, limit_open=False, limit_closed=True, fault=False, position_percent=35
    )


async def test_a_faulty_loop_is_unknown_and_not_free(controller, link) -> None:
    controller.inputs[6] = controller.inputs[7] = True
    state = await ModbusBarrier(link).read()
    assert (state.loop_a, state.loop_b) == (None, None)


async def test_both_limits_at_once_is_a_fault(controller, link) -> None:
    controller.inputs[3] = controller.inputs[4] = True
    assert (await ModbusBarrier(link).read()).fault


@pytest.mark.parametrize(("action", "coil"), [("open", 0), ("close", 1)])
async def test_a_command_is_named_before_it_is_pulsed(controller, link, action: str, coil: int) -> None:
    await ModbusBarrier(link).command(action, command_id="c-1")
    assert controller.writes == [("holding", 0, [short_id("c-1")]), ("coil", coil, [1])]


async def test_a_controller_that_forgets_is_never_pulsed(controller, link) -> None:
    controller.forgets = True
    with pytest.raises(DeviceError, match="not what was written"):
        await ModbusBarrier(link).command("open", command_id="c-1")
    assert [kind for kind, _, _ in controller.writes] == ["holding"]


async def test_silence_is_a_device_error_and_not_a_hang(controller, link) -> None:
    barrier = ModbusBarrier(link)
    controller.silent = True
    with pytest.raises(DeviceError, match="no answer"):
        await barrier.read()
    controller.silent = False
    assert (await barrier.read()).limit_closed


async def test_a_cancelled_call_is_cancelled_and_no_device_error(controller, link) -> None:
    """The library answers a cancellation with an error of its own; a gateway that stops must not see that one."""
    barrier = ModbusBarrier(link)
    await barrier.read()
    controller.silent = True
    reading = asyncio.create_task(barrier.read())
    async with asyncio.timeout(60):
        while not link._turn.locked():
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    controller.silent = False
    assert (await barrier.read()).limit_closed


async def test_a_refusal_is_a_device_error(controller, link) -> None:
    controller.refuses = True
    with pytest.raises(DeviceError, match="refused"):
        await ModbusBarrier(link).read()


async def test_the_controller_may_be_away_and_come_back() -> None:
    controller = Controller()
    async with controller.running():
        link = ModbusLink(host="127.0.0.1", port=controller.port, unit=1, timeout_s=1.5)
        assert (await ModbusBarrier(link).read()).limit_closed
    with pytest.raises(DeviceError):
        await ModbusBarrier(link).read()
    async with controller.running():
        assert (await ModbusBarrier(link).read()).limit_closed
        await link.aclose()


async def test_beats_count_and_are_read_back(controller, link) -> None:
    barrier = ModbusBarrier(link)
    await barrier.beat()
    await barrier.beat()
    assert controller.writes == [("holding", 1, [1]), ("holding", 1, [2])]


async def test_the_lamp_is_read_back(controller, link) -> None:
    await ModbusBarrier(link).lamp(green=True)
    controller.forgets = True
    with pytest.raises(DeviceError, match="lamp"):
        await ModbusBarrier(link).lamp(green=True)


async def test_the_display_writes_a_text_once(controller, link) -> None:
    display = ModbusDisplay(link)
    await display.show("欢迎 Welcome", LampColour.GREEN)
    await display.show("欢迎 Welcome", LampColour.GREEN)
    assert controller.writes == [("holding", 100, registers_of("欢迎 Welcome", LampColour.GREEN))]


def test_a_text_becomes_exactly_41_registers() -> None:
    registers = registers_of("放行" * 40 + "𠀀", LampColour.RED)
    assert len(registers) == 41
    assert registers[:2] == [ord("放"), ord("行")]
    assert registers[-1] == 2
    assert registers_of("𠀀", LampColour.AMBER)[0] == ord("?")
