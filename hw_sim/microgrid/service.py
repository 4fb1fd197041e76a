"""The simulated microgrid as a program: owns its tasks, its sockets and its HTTP endpoints.

GET /state, /truth, /faults, /time; POST /faults `{"device", "fault", "value"}`, /weather `{"sky"}` or
`{"cloud", "seconds"}`, /outage `{"seconds"}`, /time `{"skip_s"}`, /arrivals `{"stopped"}` or `{"charger"}`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from hw_sim.http_server import Answer, Request, json_answer, serve_http
from hw_sim.microgrid.config import ChargerConfig, ChargerProtocol, MicrogridConfig, Sky
from hw_sim.microgrid.coupling_devices import BreakerDevice, MeterDevice
from hw_sim.microgrid.device_faults import DeviceFaults
from hw_sim.microgrid.faults import FaultBoard, UnknownFault
from hw_sim.microgrid.field_broker import field_broker
from hw_sim.microgrid.inverter_device import InverterDevice
from hw_sim.microgrid.mqtt_loads import LoadBus
from hw_sim.microgrid.noise import seed_of
from hw_sim.microgrid.ocpp16 import Words16
from hw_sim.microgrid.ocpp201 import Words201
from hw_sim.microgrid.ocpp_charger import CentralSystem, ChargerBrain, ChargerClient
from hw_sim.microgrid.storage_device import StorageDevice
from hw_sim.microgrid.sunspec_device import ModbusDevice, serve_modbus
from hw_sim.microgrid.world import World

TICK_S = 0.2
# After a pause of the machine the world does not jump by more than this, in seconds of the clock.
CATCH_UP_MAX_S = 2.0
FRESH_S = 0.02
SKIP_MAX_S = 86_400.0

log = logging.getLogger("microgrid")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the running microgrid can be reached."""

    http_port: int
    meter_port: int
    breaker_port: int
    inverter_ports: dict[str, int] = field(default_factory=dict)
    storage_ports: dict[str, int] = field(default_factory=dict)
    mqtt_port: int = 0


class SimulatedMicrogrid:
    """Joins the world and its devices. Time comes from the two clocks that are handed in."""

    def __init__(self, config: MicrogridConfig, *, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._config = config
        self._now, self._monotonic = now, monotonic
        self.world = World(config, started_at=now())
        self.meter = MeterDevice(self.world, advance=self.advance)
        self.breaker = BreakerDevice(self.world, advance=self.advance)
        self.inverters = {
            i: InverterDevice(one, self.world, advance=self.advance) for i, one in self.world.inverters.items()
        }
        self.storages = {
            i: StorageDevice(one, self.world, advance=self.advance) for i, one in self.world.storages.items()
        }
        self.wires = self._wires()
        self.loads = LoadBus(self.world, self.wires, now=now, advance=self.advance)
        self.charge_points = {c.id: self._charge_point(c) for c in config.charger} if config.ocpp.url else {}
        self.faults = FaultBoard(self.world, self.wires)
        self._script = sorted(config.script, key=lambda one: one.at_s)
        self._last_s = monotonic()

    def _wires(self) -> dict[str, DeviceFaults]:
        wires: dict[str, DeviceFaults] = {"meter": self.meter.faults, "breaker": self.breaker.faults}
        wires |= {i: one.faults for i, one in self.inverters.items()}
        wires |= {i: one.faults for i, one in self.storages.items()}
        wires |= {c.id: DeviceFaults() for c in (*self._config.charger, *self._config.load)}
        for name, faults in wires.items():
            faults.chance = random.Random(seed_of(self._config.site.seed, "wire", name))
        return wires

    def _charge_point(self, config: ChargerConfig) -> ChargerClient:
        ocpp = self._config.ocpp
        brain = ChargerBrain(
            self.world.chargers[config.id],
            self.wires[config.id],
            now=self._now,
            leaves_in_s=lambda vehicle: (vehicle.leaves_s - self.world.world_s) / self._config.site.speed,
            meter_interval_s=ocpp.meter_interval_s,
        )
        words = Words16(brain) if config.protocol is ChargerProtocol.OCPP16 else Words201(brain)
        central = CentralSystem(ocpp.url, ocpp.password.reveal() if ocpp.password else None)
        return ChargerClient(words, central, seed=seed_of(self._config.site.seed, "calls", config.id))

    def advance(self) -> None:
        """Let the world's time follow the clock."""
        now_s = self._monotonic()
        passed_s = now_s - self._last_s
        if passed_s < FRESH_S:
            return
        self._last_s = now_s
        self._play_script()
        self.world.step(min(CATCH_UP_MAX_S, passed_s) * self._config.site.speed)
        for storage in self.storages.values():
            storage.watch()

    def _play_script(self) -> None:
        while self._script and self._script[0].at_s <= self.world.device_s:
            one = self._script.pop(0)
            try:
                self.faults.set(one.device, one.fault, one.value)
            except UnknownFault as error:
                log.warning("script at %.0f s: %s", one.at_s, error)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Addresses]:
        """Serve everything until the context ends."""
        config, host = self._config, self._config.site.host
        self._last_s = self._monotonic()
        async with AsyncExitStack() as stack:

            async def serve(device: ModbusDevice, port: int) -> int:
                return await stack.enter_async_context(serve_modbus(device, host=host, port=port))

            meter = await serve(self.meter, config.meter.port)
            breaker = await serve(self.breaker, config.breaker.port)
            inverters = {c.id: await serve(self.inverters[c.id], c.port) for c in config.inverter}
            storages = {c.id: await serve(self.storages[c.id], c.port) for c in config.storage}
            http = await stack.enter_async_context(serve_http(self.answer, host=host, port=config.site.http_port))
            mqtt = config.load_bus.port
            if config.load and config.load_bus.embedded:
                mqtt = await stack.enter_async_context(field_broker(host=host, port=mqtt))
            tasks = [asyncio.create_task(self._live(), name="world")]
            if config.load and mqtt:
                tasks.append(asyncio.create_task(self.loads.run(host=host, port=mqtt), name="loads"))
            tasks += [asyncio.create_task(c.run(), name=f"charger {i}") for i, c in self.charge_points.items()]
            stack.push_async_callback(_end, tasks)
            yield Addresses(http, meter, breaker, inverters, storages, mqtt)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.advance()

    async def answer(self, request: Request) -> Answer:
        """One HTTP request."""
        self.advance()
        if request.method == "GET":
            return self._read(request.path)
        body = request.body if isinstance(request.body, dict) else {}
        try:
            return self._order(request.path, body)
        except (UnknownFault, TypeError, ValueError, KeyError) as error:
            return json_answer({"error": str(error)}, 400)

    def _read(self, path: str) -> Answer:
        match path.strip("/"):
            case "state":
                return json_answer(self.world.state())
            case "truth":
                return json_answer(self.truth())
            case "faults":
                return json_answer(self.faults.names())
            case "time":
                return json_answer(self._time())
        return json_answer({"error": "nothing is here"}, 404)

    def _order(self, path: str, body: dict[str, Any]) -> Answer:
        world = self.world
        match path.strip("/"):
            case "faults":
                self.faults.set(str(body.get("device")), str(body.get("fault")), body.get("value", True))
            case "weather":
                self._weather(body)
            case "outage":
                world.grid.ask_for_outage(world.world_s, float(body.get("seconds", 60.0)))
            case "time":
                world.skip(min(SKIP_MAX_S, max(0.0, float(body.get("skip_s", 0.0)))))
            case "arrivals":
                return json_answer(self._arrivals(body))
            case _:
                return json_answer({"error": "nothing is here"}, 404)
        return json_answer({"set": body, **self._time()})

    def _weather(self, body: dict[str, Any]) -> None:
        if "sky" in body:
            self.world.weather.sky = Sky(body["sky"])
        if "cloud" in body:
            seconds = float(body.get("seconds", 60.0))
            self.world.weather.ask_for_cloud(self.world.at, takes_frac=float(body["cloud"]), seconds=seconds)

    def _arrivals(self, body: dict[str, Any]) -> dict[str, Any]:
        if "charger" in body:
            return {"came": self.world.call_vehicle(str(body["charger"]))}
        self.world.arrivals.stopped = bool(body.get("stopped", True))
        return {"stopped": self.world.arrivals.stopped}

    def _time(self) -> dict[str, Any]:
        world = self.world
        return {
            "at": world.at.isoformat(timespec="milliseconds"),
            "speed": self._config.site.speed,
            "world_s": round(world.world_s, 3),
            "device_s": round(world.device_s, 3),
        }

    def truth(self) -> dict[str, Any]:
        """What really happened since the start."""
        world = self.world
        return {
            **self._time(),
            "energies": {name: round(value, 4) for name, value in asdict(world.energies).items()},
            "inverters": {
                i: {
                    "energy_kwh": round(one.energy_kwh, 4),
                    "strings": {
                        s.id: {
                            "energy_kwh": round(s.energy_kwh, 4),
                            "power_kw": round(s.power_kw, 3),
                            "healthy_kw": round(s.healthy_kw, 3),
                            "faults": asdict(s.faults),
                        }
                        for s in one.strings
                    },
                }
                for i, one in world.inverters.items()
            },
            "storages": {
                i: {
                    "soc_frac": round(one.soc_frac, 6),
                    "charged_kwh": round(one.charged_kwh, 4),
                    "discharged_kwh": round(one.discharged_kwh, 4),
                    "lost_kwh": round(one.lost_kwh, 4),
                }
                for i, one in world.storages.items()
            },
            "loads": {
                i: {
                    "energy_kwh": round(one.energy_kwh, 4),
                    "unserved_kwh": round(one.unserved_kwh, 4),
                    "shed_kwh": round(one.shed_kwh, 4),
                }
                for i, one in world.loads.items()
            },
            "violations": world.violations.rows(),
            "blackouts": world.bus.blackouts,
            "turned_away": world.turned_away,
        }


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
