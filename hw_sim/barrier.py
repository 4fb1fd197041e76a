"""Mechanics of a boom barrier, its induction loops and its light beam: owns their physics and their faults.

The controller has no interlock of its own, so that a gateway that closes on a vehicle is seen to do so.
Which registers carry these values belongs to `modbus`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LIMIT_FRAC = 0.01
# The boom clears a car's roof from here up; lower, it touches what stands below it.
CONTACT_FRAC = 0.55


class Motion(StrEnum):
    """What the motor does."""

    STILL = "still"
    OPENING = "opening"
    CLOSING = "closing"


class LoopFault(StrEnum):
    """How an induction loop fails. `broken` sets the fault bit and freezes the output."""

    NONE = "none"
    STUCK_ON = "stuck_on"
    STUCK_OFF = "stuck_off"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of the lane in metres; the boom hangs over 0 and vehicles come from below."""

    start_m: float
    end_m: float

    def covered_by(self, rear_m: float, front_m: float) -> bool:
        """Whether a body from `rear_m` to `front_m` stands over the zone."""
        return rear_m < self.end_m and front_m > self.start_m


@dataclass(slots=True)
class Loop:
    """One induction loop: what its detector reports, which a fault may falsify."""

    zone: Zone
    fault: LoopFault = LoopFault.NONE
    occupied: bool = False

    def sense(self, bodies: list[tuple[float, float]]) -> None:
        """Take over what lies on the loop now. Bodies are (rear, front) in metres."""
        if self.fault is LoopFault.BROKEN:
            return
        truly = any(self.zone.covered_by(rear, front) for rear, front in bodies)
        self.occupied = self.fault is LoopFault.STUCK_ON or (truly and self.fault is not LoopFault.STUCK_OFF)

    @property
    def fault_bit(self) -> bool:
        """Whether the detector itself reports that it is broken."""
        return self.fault is LoopFault.BROKEN


@dataclass(slots=True)
class Boom:
    """The boom: `position_frac` is 0 when closed and 1 when open."""

    travel_s: float = 1.3
    position_frac: float = 0.0
    motion: Motion = Motion.STILL
    stuck: bool = False
    slow: bool = False
    cycles: int = 0
    opened_count: int = 0
    commands: list[tuple[float, str]] = field(default_factory=list)

    def open(self, now_s: float) -> None:
        """A pulse on the opening input."""
        self.commands.append((now_s, "open"))
        if self.position_frac < 1 - LIMIT_FRAC and self.motion is not Motion.OPENING:
            self.motion = Motion.OPENING
            self.opened_count += 1

    def close(self, now_s: float) -> None:
        """A pulse on the closing input."""
        self.commands.append((now_s, "close"))
        if self.position_frac > LIMIT_FRAC:
            self.motion = Motion.CLOSING

    def step(self, dt_s: float) -> None:
        """Let the motor turn for a while. A stuck boom hums and stays."""
        if self.motion is Motion.STILL or self.stuck:
            return
        change = dt_s / (self.travel_s * (6.0 if self.slow else 1.0))
        if self.motion is Motion.OPENING:
            self.position_frac = min(1.0, self.position_frac + change)
        else:
            self.position_frac = max(0.0, self.position_frac - change)
        if self.position_frac in (0.0, 1.0):
            self.cycles += self.position_frac == 0.0
            self.motion = Motion.STILL

    @property
    def limit_open(self) -> bool:
        """The upper limit switch."""
        return self.position_frac >= 1 - LIMIT_FRAC

    @property
    def limit_closed(self) -> bool:
        """The lower limit switch."""
        return self.position_frac <= LIMIT_FRAC

    @property
    def passable(self) -> bool:
        """Whether a driver would drive on."""
        return self.position_frac >= 0.85 and self.motion is not Motion.CLOSING
