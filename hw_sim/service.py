"""The simulated gate as a program: owns its tasks, its sockets and its HTTP endpoints.

GET /truth, /state, /lane/{id}/stream.mjpg, /lane/{id}/snapshot.jpg; POST /faults with
`{"lane": ..., "fault": ..., "value": ...}`; POST /arrivals with `{"stopped": true}`; POST /vehicles with `lane` and
what `sent` reads; POST /scans with `{"lane": ..., "text": ...}` for the lane's hand scanner. What is below /points
belongs to `points_devices`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from control.gate.rules import RuleSet
from hw_sim.camera import LaneCamera, Seen, Shot
from hw_sim.config import LaneConfig, SimConfig
from hw_sim.faults import CameraFaults, FaultTargets, UnknownFault, set_fault
from hw_sim.fleet import draw_fleet
from hw_sim.http_server import Answer, Request, json_answer, serve_http
from hw_sim.modbus import BarrierController, serve_controller
from hw_sim.points_devices import PointsDevices
from hw_sim.scanner import HandScanner
from hw_sim.sent import BadVehicle, drawn_of
from hw_sim.stream import CameraStream
from hw_sim.truth import Papers, truth_rows
from hw_sim.world import DriverHabits, LaneSetup, LaneWorld, World, build_world

STEP_S = 0.05
STEP_MAX_S = 1.0


@dataclass(frozen=True, slots=True)
class Station:
    """One lane with its controller and its camera."""

    lane: LaneWorld
    controller: BarrierController
    stream: CameraStream
    faults: FaultTargets
    scanner: HandScanner = field(default_factory=HandScanner)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the running gate can be reached."""

    http_port: int
    modbus_ports: dict[str, int]
    scanner_ports: dict[str, int] = field(default_factory=dict)


class SimulatedGate:
    """Joins the world, its controllers and its cameras. Time comes from the two clocks that are handed in."""

    def __init__(
        self, config: SimConfig, rules: RuleSet, *, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._config = config
        self._now = now
        self._monotonic = monotonic
        started_at = now()
        fleet = draw_fleet(config.gate.seed, started_at)
        self.papers = Papers(fleet.snapshot(version=1, taken_at=started_at), rules)
        self.world: World = build_world(
            [_setup(lane) for lane in config.lane],
            fleet,
            seed=config.gate.seed,
            started_at=started_at,
            speed=config.gate.speed,
            showcase=config.gate.showcase,
            habits=DriverHabits(
                config.drivers.leave_after_red_s, config.drivers.patience_s, config.drivers.change_mind_after_s
            ),
        )
        for one in self.world.lanes.values():
            one.arrivals.stopped = config.gate.paused
        self.points = PointsDevices(now)
        self.stations = {lane.id: self._station(lane) for lane in config.lane}

    def _station(self, config: LaneConfig) -> Station:
        gate = self._config.gate
        lane = self.world.lanes[config.id]
        controller = BarrierController(lane, clock=self._monotonic)
        targets = FaultTargets(controller, CameraFaults())
        camera = LaneCamera(
            config.label or config.id, seed=_seed_of(gate.seed, config.id), weather=gate.weather, hour=gate.hour
        )
        stream = CameraStream(camera, lambda: self._shot(lane), self._config.camera, targets.camera)
        return Station(lane, controller, stream, targets)

    def _shot(self, lane: LaneWorld) -> Shot:
        return Shot(self._now(), tuple(Seen(v.drawn, v.front_m, v.speed) for v in lane.vehicles))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Addresses]:
        """Serve everything until the context ends."""
        gate = self._config.gate
        async with AsyncExitStack() as stack:
            ports, scanner_ports = {}, {}
            for lane in self._config.lane:
                server = serve_controller(self.stations[lane.id].controller, host=gate.host, port=lane.modbus_port)
                ports[lane.id] = await stack.enter_async_context(server)
                if lane.scanner_port is not None:
                    scanning = self.stations[lane.id].scanner.serving(gate.host, lane.scanner_port)
                    scanner_ports[lane.id] = await stack.enter_async_context(scanning)
            http_port = await stack.enter_async_context(serve_http(self.answer, host=gate.host, port=gate.http_port))
            tasks = [asyncio.create_task(self._live(), name="world")]
            tasks += [asyncio.create_task(s.stream.run(), name=f"camera {i}") for i, s in self.stations.items()]
            stack.push_async_callback(_end, tasks)
            yield Addresses(http_port, ports, scanner_ports)

    async def _live(self) -> None:
        """Let the world's time follow the clock, in small steps; after a long pause it does not jump."""
        last_s = self._monotonic()
        while True:
            await asyncio.sleep(STEP_S)
            now_s = self._monotonic()
            due_s = min(STEP_MAX_S, now_s - last_s) * self._config.gate.speed
            last_s = now_s
            while due_s > 1e-6:
                self.world.step(min(STEP_S, due_s))
                due_s -= STEP_S
            await self._type_scans()

    async def _type_scans(self) -> None:
        for station in self.stations.values():
            while station.lane.scans:
                await station.scanner.type(station.lane.scans.popleft())

    async def answer(self, request: Request) -> Answer:
        """One HTTP request."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["truth"]:
                return json_answer(truth_rows(self.world, self.papers))
            case "GET", ["state"]:
                return json_answer({lane_id: _state(s) for lane_id, s in self.stations.items()})
            case "GET", ["lane", lane_id, "stream.mjpg"] if lane_id in self.stations:
                stream = self.stations[lane_id].stream
                return Answer(503) if stream.dropped else Answer(200, pictures=stream.pictures())
            case "GET", ["lane", lane_id, "snapshot.jpg"] if lane_id in self.stations:
                return Answer(200, await self.stations[lane_id].stream.snapshot(), "image/jpeg")
            case "POST", ["faults"]:
                return self._fault(request.body)
            case "POST", ["arrivals"]:
                self._arrivals(request.body)
                return json_answer({"quiet": self.world.quiet})
            case "POST", ["vehicles"]:
                return self._send(request.body)
            case "POST", ["scans"]:
                return self._scan(request.body)
            case _, ["points", *path]:
                return self.points.answer(request, path)
        return json_answer({"error": "nothing is here"}, 404)

    def _send(self, body: Any) -> Answer:
        """A vehicle of somebody's choice comes next."""
        body = body if isinstance(body, dict) else {}
        station = self.stations.get(str(body.get("lane")))
        if station is None:
            return self._no_lane(body)
        try:
            sent = station.lane.arrivals.send(drawn_of(body))
        except BadVehicle as error:
            return json_answer({"error": str(error)}, 400)
        return json_answer({"vehicle_id": sent.vehicle_id})

    def _scan(self, body: Any) -> Answer:
        """A person at the lane scans a code."""
        body = body if isinstance(body, dict) else {}
        station = self.stations.get(str(body.get("lane")))
        if station is None:
            return self._no_lane(body)
        station.lane.scans.append(str(body.get("text", "")))
        return json_answer({"heard": station.scanner.heard})

    def _no_lane(self, body: dict[str, Any]) -> Answer:
        return json_answer({"error": f"no lane {body.get('lane')!r}; there are {', '.join(self.stations)}"}, 400)

    def _fault(self, body: Any) -> Answer:
        body = body if isinstance(body, dict) else {}
        station = self.stations.get(str(body.get("lane")))
        if station is None:
            return self._no_lane(body)
        try:
            set_fault(station.faults, str(body.get("fault")), body.get("value", True))
        except UnknownFault as error:
            return json_answer({"error": str(error)}, 400)
        return json_answer({"set": body})

    def _arrivals(self, body: Any) -> None:
        stopped = bool(body.get("stopped", True)) if isinstance(body, dict) else True
        for lane in self.world.lanes.values():
            lane.arrivals.stopped = stopped


def _setup(lane: LaneConfig) -> LaneSetup:
    return LaneSetup(lane.id, lane.direction.value, lane.interval_s, lane.first_s)


def _seed_of(seed: int, lane_id: str) -> int:
    return zlib.crc32(f"{seed}/{lane_id}".encode())


def _state(station: Station) -> dict[str, Any]:
    lane = station.lane
    violations = lane.violations
    return {
        "boom_percent": round(lane.boom.position_frac * 100),
        "motion": lane.boom.motion.value,
        "opened_count": lane.boom.opened_count,
        "pulses": [list(pulse) for pulse in station.controller.pulses],
        "vehicles": [v.drawn.vehicle_id for v in lane.vehicles],
        "display": {"text": lane.sign.text, "colour": lane.sign.light.value, "lamp_green": lane.sign.lamp_green},
        "violations": {
            "closed_on_vehicle": violations.closed_on_vehicle,
            "close_started_on_vehicle": violations.close_started_on_vehicle,
            "passed_under_closed_boom": violations.passed_under_closed_boom,
        },
    }


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
