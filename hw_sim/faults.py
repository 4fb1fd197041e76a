"""Faults on request: owns their names and what each one switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from control.domain.errors import IslandError
from hw_sim.barrier import Loop, LoopFault
from hw_sim.modbus import BarrierController


class UnknownFault(IslandError):
    """A fault that this simulator does not have, or a value that it cannot take."""


@dataclass(slots=True)
class CameraFaults:
    """How a camera fails: the same picture for ever, no stream at all, or a black one."""

    frozen: bool = False
    dropped: bool = False
    black: bool = False


@dataclass(frozen=True, slots=True)
class FaultTargets:
    """What faults of one lane act on."""

    controller: BarrierController
    camera: CameraFaults


def set_fault(targets: FaultTargets, name: str, value: Any) -> None:
    """Switch one fault. Raises UnknownFault, naming what is known."""
    if name not in SWITCHES:
        raise UnknownFault(f"There is no fault {name!r}; known: {', '.join(SWITCHES)}.")
    try:
        SWITCHES[name](targets, value)
    except (TypeError, ValueError) as error:
        raise UnknownFault(f"The fault {name!r} cannot be {value!r}: {error}") from error


def _loop(loop: Loop, value: Any) -> None:
    loop.fault = LoopFault(value)


def _delay(targets: FaultTargets, value: Any) -> None:
    targets.controller.faults.write_delay_s = min(30.0, max(0.0, float(value)))


def _camera(attribute: str) -> Callable[[FaultTargets, Any], None]:
    return lambda targets, value: setattr(targets.camera, attribute, bool(value))


def _boom(attribute: str) -> Callable[[FaultTargets, Any], None]:
    return lambda targets, value: setattr(targets.controller.lane.boom, attribute, bool(value))


def _modbus(attribute: str) -> Callable[[FaultTargets, Any], None]:
    return lambda targets, value: setattr(targets.controller.faults, attribute, bool(value))


SWITCHES: dict[str, Callable[[FaultTargets, Any], None]] = {
    "camera_frozen": _camera("frozen"),
    "camera_dropped": _camera("dropped"),
    "camera_black": _camera("black"),
    "barrier_stuck": _boom("stuck"),
    "barrier_slow": _boom("slow"),
    "loop_a": lambda targets, value: _loop(targets.controller.lane.loop_a, value),
    "loop_b": lambda targets, value: _loop(targets.controller.lane.loop_b, value),
    "beam_stuck": lambda targets, value: setattr(targets.controller.lane, "beam_stuck", bool(value)),
    "modbus_silent": _modbus("silent"),
    "modbus_reject": _modbus("reject_writes"),
    "modbus_delay_s": _delay,
}
