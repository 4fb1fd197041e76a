"""The simulated gate: owns the lanes, the vehicles on them and the truth about what happened.

Pure and deterministic: which vehicles come, and when, depends on the seed alone; how they move depends on the
boom, the lamp and the display as the gateway drives them. Time is handed in by `step`. One metre axis per lane:
the boom hangs over 0, vehicles come from negative values and leave towards positive ones.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hw_sim.barrier import CONTACT_FRAC, Boom, Loop, Motion, Zone
from hw_sim.fleet import SHOWCASE, Behaviour, Drawn, Fleet, PassPlace, Role, draw_vehicle

SPAWN_M = -26.0
STOP_M = -4.0
SHORT_OF_BOOM_M = -0.4
GONE_M = 9.0
BACKED_OUT_M = -24.0
ROLLED_BACK_M = -8.5
ZONE_A = Zone(-6.5, -4.4)
ZONE_B = Zone(-1.2, 1.2)
BEAM = Zone(-0.1, 0.1)

APPROACH_SPEED = 7.0
PASS_SPEED = 4.0
BACK_SPEED = 2.2
ACCELERATION = 2.2
BRAKING = 2.6
QUEUE_GAP_M = 2.6
CLOSE_GAP_M = 0.9
REACTION_S = 0.7
SHOWS_PASS_AFTER_S, SHOWS_AGAIN_AFTER_S = 2.0, 8.0
SCANS_MAX = 16
SENT_MAX = 16
LANE_ROOM = 4


class Phase(StrEnum):
    """Where a vehicle is in its life at the gate."""

    APPROACHING = "approaching"
    WAITING = "waiting"
    PASSING = "passing"
    BACKING = "backing"
    GONE = "gone"


class Light(StrEnum):
    """Colour of the message display, register 140."""

    NONE = "none"
    GREEN = "green"
    RED = "red"
    AMBER = "amber"


@dataclass(frozen=True, slots=True)
class LaneSetup:
    """What a lane is: `direction` is `in` or `out`; `interval_s` the mean time between arrivals."""

    lane_id: str
    direction: str = "in"
    interval_s: float = 12.0
    first_s: float = 2.0


@dataclass(slots=True)
class Vehicle:
    """A vehicle on a lane: its drawing, where its front is, and what happened to it (seconds of the world)."""

    drawn: Drawn
    came_s: float = 0.0
    front_m: float = SPAWN_M
    speed: float = APPROACH_SPEED
    phase: Phase = Phase.APPROACHING
    stopped_s: float | None = None
    free_since_s: float | None = None
    red_since_s: float | None = None
    on_loop_s: float | None = None
    rolled: bool = False
    left_s: float | None = None
    scanned_s: float | None = None
    outcome: str = ""

    @property
    def rear_m(self) -> float:
        """Where its rear is."""
        return self.front_m - self.drawn.length_m


@dataclass(slots=True)
class Sign:
    """What drivers see: the lamp and the message display."""

    lamp_green: bool = False
    siren: bool = False
    light: Light = Light.NONE
    text: str = ""


@dataclass(slots=True)
class Violations:
    """What must never happen, counted by the world and not by the gateway."""

    closed_on_vehicle: int = 0
    close_started_on_vehicle: int = 0
    passed_under_closed_boom: int = 0


@dataclass(frozen=True, slots=True)
class DriverHabits:
    """How long drivers wait, in seconds."""

    leave_after_red_s: float = 4.0
    patience_s: float = 180.0
    change_mind_after_s: float = 2.5


class LaneWorld:
    """One lane: a queue of vehicles before a boom."""

    def __init__(self, setup: LaneSetup, arrivals: Arrivals, habits: DriverHabits) -> None:
        self.setup = setup
        self.arrivals = arrivals
        self.habits = habits
        self.boom = Boom()
        self.loop_a = Loop(ZONE_A)
        self.loop_b = Loop(ZONE_B)
        self.sign = Sign()
        self.vehicles: list[Vehicle] = []
        self.finished: list[Vehicle] = []
        self.scans: deque[str] = deque(maxlen=SCANS_MAX)
        self.violations = Violations()
        self.beam_interrupted = False
        self.beam_stuck = False
        self.now_s = 0.0
        self._struck: set[str] = set()

    def step(self, dt_s: float) -> None:
        """Move everything on the lane by `dt_s`."""
        self.now_s += dt_s
        for index, vehicle in enumerate(self.vehicles):
            leader = self.vehicles[index - 1] if index else None
            self._drive(vehicle, leader, dt_s)
        before = self.boom.position_frac
        self.boom.step(dt_s)
        self._watch(before)
        self.arrivals.step(dt_s)
        self._arrive()
        self._sense()
        self._show_passes()
        self._retire()

    def command_open(self) -> None:
        """The controller drives the boom up."""
        self.boom.open(self.now_s)

    def command_close(self) -> None:
        """The controller drives the boom down, whatever stands there: the gateway must not ask for it."""
        if self.boom.position_frac > 0.5 and self._below_boom():
            self.violations.close_started_on_vehicle += 1
        self.boom.close(self.now_s)

    def _arrive(self) -> None:
        room = not self.vehicles or self.vehicles[-1].rear_m > SPAWN_M + 3.0
        if room and len(self.vehicles) < LANE_ROOM and self.arrivals.due():
            self.vehicles.append(Vehicle(self.arrivals.take(), came_s=self.now_s))

    def _drive(self, vehicle: Vehicle, leader: Vehicle | None, dt_s: float) -> None:
        self._decide(vehicle, leader)
        if vehicle.phase is Phase.BACKING and self._comes_again(vehicle):
            vehicle.phase, vehicle.rolled, vehicle.stopped_s = Phase.APPROACHING, True, None
        if vehicle.phase is Phase.BACKING:
            vehicle.speed = max(-BACK_SPEED, vehicle.speed - ACCELERATION * dt_s)
        else:
            wanted = self._wanted_speed(vehicle, leader)
            change = wanted - vehicle.speed
            vehicle.speed += max(-2 * BRAKING * dt_s, min(ACCELERATION * dt_s, change))
            vehicle.speed = max(0.0, vehicle.speed)
        vehicle.front_m += vehicle.speed * dt_s
        if leader is not None and leader.phase is Phase.BACKING:
            vehicle.front_m = min(vehicle.front_m, leader.rear_m - CLOSE_GAP_M)

    def _wanted_speed(self, vehicle: Vehicle, leader: Vehicle | None) -> float:
        cruise = PASS_SPEED if vehicle.phase is Phase.PASSING else APPROACH_SPEED
        room_m = math.inf if vehicle.phase is Phase.PASSING else STOP_M - vehicle.front_m
        if leader is not None:
            close = vehicle.drawn.behaviour in (Behaviour.NOSE_TO_TAIL, Behaviour.TAILGATES)
            gap_m = CLOSE_GAP_M if close else QUEUE_GAP_M
            room_m = min(room_m, leader.rear_m - gap_m - vehicle.front_m + max(0.0, leader.speed) * 0.4)
        return min(cruise, math.sqrt(2 * BRAKING * 0.6 * max(0.0, room_m)))

    def _decide(self, vehicle: Vehicle, leader: Vehicle | None) -> None:
        """The driver's next phase."""
        if vehicle.phase is Phase.PASSING and self._shut_in_front_of(vehicle):
            vehicle.phase, vehicle.stopped_s, vehicle.free_since_s = Phase.WAITING, self.now_s, None
        if vehicle.phase in (Phase.PASSING, Phase.BACKING, Phase.GONE):
            return
        at_line = vehicle.front_m > STOP_M - 0.35
        if vehicle.phase is Phase.APPROACHING and at_line and vehicle.speed < 0.3:
            vehicle.phase, vehicle.stopped_s = Phase.WAITING, self.now_s
        leader_away = leader is None or (leader.phase is Phase.PASSING and leader.front_m > 0)
        if self._follows_through(vehicle, leader) or (leader_away and self._may_pass(vehicle)):
            vehicle.phase = Phase.PASSING
        elif vehicle.phase is Phase.WAITING and leader is None and self._gives_up(vehicle):
            vehicle.phase = Phase.BACKING

    def _shut_in_front_of(self, vehicle: Vehicle) -> bool:
        """Whether the boom comes down before him and he can still stop short of it."""
        stopping_m = vehicle.speed**2 / (4 * BRAKING)
        return not self.boom.passable and vehicle.front_m + stopping_m < SHORT_OF_BOOM_M

    def _follows_through(self, vehicle: Vehicle, leader: Vehicle | None) -> bool:
        """A tailgater slips through behind the one who was let in, while the boom is still up."""
        return (
            vehicle.drawn.behaviour is Behaviour.TAILGATES
            and leader is not None
            and leader.phase is Phase.PASSING
            and vehicle.front_m > STOP_M - 3.0
            and self.boom.passable
        )

    def _may_pass(self, vehicle: Vehicle) -> bool:
        """An honest driver stops at the line first, and goes when the boom is up for him."""
        if vehicle.phase is not Phase.WAITING or not self.boom.passable:
            vehicle.free_since_s = None
            return False
        vehicle.free_since_s = self.now_s if vehicle.free_since_s is None else vehicle.free_since_s
        return self.now_s - vehicle.free_since_s >= (REACTION_S if self.sign.lamp_green else 2 * REACTION_S)

    def _comes_again(self, vehicle: Vehicle) -> bool:
        """One that only rolled back off the loop, once."""
        rolls = vehicle.drawn.behaviour is Behaviour.ROLLS and not vehicle.rolled
        return rolls and vehicle.front_m < ROLLED_BACK_M

    def _gives_up(self, vehicle: Vehicle) -> bool:
        waited_s = self.now_s - (self.now_s if vehicle.stopped_s is None else vehicle.stopped_s)
        red = self.sign.light is Light.RED
        vehicle.red_since_s = (vehicle.red_since_s or self.now_s) if red else None
        told_to = vehicle.red_since_s is not None and self.now_s - vehicle.red_since_s > self.habits.leave_after_red_s
        rolls = vehicle.drawn.behaviour is Behaviour.ROLLS and not vehicle.rolled
        whim = vehicle.drawn.behaviour is Behaviour.REVERSES_OUT or rolls
        whim = whim and waited_s > self.habits.change_mind_after_s
        closed = self.boom.limit_closed and self.boom.motion is Motion.STILL
        return closed and (told_to or whim or waited_s > self.habits.patience_s)

    def _below_boom(self) -> list[Vehicle]:
        return [v for v in self.vehicles if BEAM.covered_by(v.rear_m, v.front_m)]

    def _watch(self, position_before: float) -> None:
        """Count each contact of a boom that comes down with what stands below it, once a vehicle."""
        falling = self.boom.position_frac < position_before and self.boom.position_frac < CONTACT_FRAC
        for vehicle in self._below_boom():
            struck = vehicle.drawn.vehicle_id in self._struck
            if struck or self.boom.position_frac >= CONTACT_FRAC:
                continue
            self._struck.add(vehicle.drawn.vehicle_id)
            self.violations.closed_on_vehicle += falling
            self.violations.passed_under_closed_boom += not falling

    def _sense(self) -> None:
        bodies = [(v.rear_m, v.front_m) for v in self.vehicles]
        self.loop_a.sense(bodies)
        self.loop_b.sense(bodies)
        self.beam_interrupted = self.beam_stuck or bool(self._below_boom())
        for vehicle in self.vehicles:
            if vehicle.on_loop_s is None and ZONE_A.covered_by(vehicle.rear_m, vehicle.front_m):
                vehicle.on_loop_s = self.now_s

    def _show_passes(self) -> None:
        """The driver at the line holds his pass to the hand scanner, and again after a while."""
        for vehicle in self.vehicles[:1]:
            drawn = vehicle.drawn
            shows = drawn.pass_text and drawn.pass_place is PassPlace.SCANNER and vehicle.phase is Phase.WAITING
            since_s = vehicle.stopped_s if vehicle.scanned_s is None else vehicle.scanned_s
            gap_s = SHOWS_PASS_AFTER_S if vehicle.scanned_s is None else SHOWS_AGAIN_AFTER_S
            if shows and since_s is not None and self.now_s - since_s >= gap_s:
                vehicle.scanned_s = self.now_s
                self.scans.append(drawn.pass_text)

    def _retire(self) -> None:
        for vehicle in list(self.vehicles):
            if vehicle.rear_m > GONE_M:
                self._finish(vehicle, "passed")
            elif vehicle.phase is Phase.BACKING and vehicle.front_m < BACKED_OUT_M:
                self._finish(vehicle, "backed_out")

    def _finish(self, vehicle: Vehicle, outcome: str) -> None:
        vehicle.phase, vehicle.outcome, vehicle.left_s = Phase.GONE, outcome, self.now_s
        self.vehicles.remove(vehicle)
        self.finished.append(vehicle)

    def everyone(self) -> Sequence[Vehicle]:
        """All vehicles that came so far, the oldest first."""
        return [*self.finished, *self.vehicles]


class Arrivals:
    """The stream of vehicles of one lane: deterministic by seed, whatever the gateway does."""

    def __init__(self, setup: LaneSetup, fleet: Fleet, *, seed: int, showcase: Sequence[Role] = ()) -> None:
        self._rng = random.Random(f"{seed}/{setup.lane_id}")
        self._setup = setup
        self._fleet = fleet
        self._showcase = list(showcase)
        self._number = self._sent_number = 0
        self.stopped = False
        self._clock_s = 0.0
        self._sent: deque[Drawn] = deque(maxlen=SENT_MAX)
        self._next = self._draw(setup.first_s)

    def send(self, drawn: Drawn) -> Drawn:
        """Let a vehicle of somebody's choice come as the very next one, also while arrivals are stopped."""
        self._sent_number += 1
        named = replace(
            drawn, vehicle_id=f"{self._setup.lane_id}-sent-{self._sent_number}", lane_id=self._setup.lane_id
        )
        self._sent.append(named)
        return named

    def _draw(self, at_s: float) -> Drawn:
        self._number += 1
        role = self._showcase.pop(0) if self._showcase else None
        return draw_vehicle(
            self._rng, self._fleet, lane_id=self._setup.lane_id, number=self._number, arrives_at_s=at_s, role=role
        )

    def step(self, dt_s: float) -> None:
        """Time goes by, unless arrivals are stopped: then the stream waits where it is."""
        self._clock_s += 0.0 if self.stopped else dt_s

    def due(self) -> bool:
        """Whether the next vehicle has come."""
        return bool(self._sent) or (not self.stopped and self._clock_s >= self._next.arrives_at_s)

    @property
    def expected(self) -> bool:
        """Whether a vehicle that was sent has not come yet."""
        return bool(self._sent)

    @property
    def wait_s(self) -> float:
        """Seconds until the next vehicle is due; infinite while arrivals are stopped."""
        if self._sent:
            return 0.0
        return math.inf if self.stopped else max(0.0, self._next.arrives_at_s - self._clock_s)

    def take(self) -> Drawn:
        """The vehicle that is due; the next one is drawn."""
        if self._sent:
            return self._sent.popleft()
        taken = self._next
        self._next = self._draw(taken.arrives_at_s + self._gap_s())
        return taken

    def _gap_s(self) -> float:
        """Exponential gaps, cut so that a lane is neither flooded nor idle for long."""
        mean_s = self._setup.interval_s
        return round(min(2.5 * mean_s, 0.5 * mean_s + self._rng.expovariate(1.0 / mean_s) * 0.5), 3)


@dataclass(slots=True)
class World:
    """All lanes, the wall time of the world's second 0, and its seconds for one of the wall's."""

    lanes: dict[str, LaneWorld]
    fleet: Fleet
    started_at: datetime
    speed: float = 1.0
    now_s: float = 0.0

    def step(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass on every lane."""
        self.now_s += dt_s
        for lane in self.lanes.values():
            lane.step(dt_s)

    def stop_arrivals(self) -> None:
        """Let no further vehicle come."""
        for lane in self.lanes.values():
            lane.arrivals.stopped = True

    @property
    def quiet(self) -> bool:
        """Whether no vehicle is on any lane."""
        return not any(lane.vehicles or lane.arrivals.expected for lane in self.lanes.values())

    def wall(self, seconds: float | None) -> datetime | None:
        """Wall time of a second of the world."""
        return None if seconds is None else self.started_at + timedelta(seconds=seconds / self.speed)


def build_world(
    setups: Sequence[LaneSetup],
    fleet: Fleet,
    *,
    seed: int,
    started_at: datetime,
    speed: float = 1.0,
    showcase: bool = False,
    habits: DriverHabits | None = None,
) -> World:
    """A world at second 0 with empty lanes."""
    habits = habits or DriverHabits()
    lanes = {}
    for index, setup in enumerate(setups):
        # Lanes start at different places of the showcase, so that together they show it sooner.
        shift = index * 5 % len(SHOWCASE)
        roles = (*SHOWCASE[shift:], *SHOWCASE[:shift]) if showcase else ()
        lanes[setup.lane_id] = LaneWorld(setup, Arrivals(setup, fleet, seed=seed, showcase=roles), habits)
    return World(lanes, fleet, started_at, speed)
