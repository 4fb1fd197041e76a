"""Loads on the field's MQTT broker: owns their topics, one client for all, and what faults do to messages.

`island/loads/{id}/state`, retained, each second: `{"at", "power_kw", "on", "rated_kw", "command_id"}`.
`island/loads/{id}/set`: `{"command_id", "on", "until"}`; `until` is a time (ISO 8601 or seconds since 1970) after
which a load that is off turns on by itself unless it was told again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiomqtt

from cloud_sync.mqtt_client import MqttClient
from hw_sim.microgrid.device_faults import DeviceFaults
from hw_sim.microgrid.world import World

SET_TOPICS = "island/loads/+/set"
PERIOD_S = 1.0
RETRY_S = 1.0

log = logging.getLogger("microgrid.loads")


class LoadBus:
    """All feeders' controllers behind one connection. Times of the wire are those of `now`."""

    def __init__(
        self,
        world: World,
        wires: Mapping[str, DeviceFaults],
        *,
        now: Callable[[], datetime],
        advance: Callable[[], None],
    ) -> None:
        self._world, self._wires, self._now, self._advance = world, wires, now, advance
        self.ignored = 0

    async def run(self, *, host: str, port: int) -> None:
        """Publish and listen for ever; connects again when the broker goes."""
        while True:
            try:
                async with _client(host, port) as client:
                    await client.subscribe(SET_TOPICS)
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._publish(client), name="loads publish")
                        group.create_task(self._listen(client), name="loads listen")
            except* aiomqtt.MqttError as error:
                log.debug("load bus: %s", error.exceptions[0])
            await asyncio.sleep(RETRY_S)

    async def _publish(self, client: aiomqtt.Client) -> None:
        while True:
            self._advance()
            for load_id in self._world.loads:
                await self._tell(client, load_id)
            await asyncio.sleep(PERIOD_S)

    async def _tell(self, client: aiomqtt.Client, load_id: str) -> None:
        load, faults = self._world.loads[load_id], self._wires[load_id]
        if faults.silent:
            return
        state = {
            "at": self._now().isoformat(timespec="milliseconds"),
            "power_kw": round(faults.shown("power", load.power_kw), 3),
            "on": load.connected,
            "rated_kw": load.config.rated_kw,
            "command_id": load.command_id,
        }
        await client.publish(f"island/loads/{load_id}/state", json.dumps(state).encode(), retain=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            load_id = message.topic.value.split("/")[2]
            faults = self._wires.get(load_id)
            if load_id not in self._world.loads or faults is None:
                continue
            if faults.silent or faults.reject_writes or faults.ignore_writes:
                self.ignored += 1
                continue
            if faults.write_delay_s > 0:
                asyncio.get_running_loop().call_later(faults.write_delay_s, self.order, load_id, message.payload)
                continue
            self.order(load_id, message.payload)
            await self._tell(client, load_id)

    def order(self, load_id: str, payload: object) -> None:
        """Do what a message wants; one that cannot be read is ignored, as a feeder would."""
        try:
            wish = _read(payload)
            until_s = self._device_time(wish.get("until"))
        except (ValueError, TypeError) as error:
            self.ignored += 1
            log.info("%s ignores an order: %s", load_id, error)
            return
        self._advance()
        load = self._world.loads[load_id]
        load.order(on=wish["on"], command_id=str(wish.get("command_id", "")), until_s=until_s)

    def _device_time(self, until: Any) -> float | None:
        """A time of the wire as the devices' own seconds."""
        if until is None:
            return None
        at = datetime.fromisoformat(until).timestamp() if isinstance(until, str) else float(until)
        return self._world.device_s + at - self._now().timestamp()


def _client(host: str, port: int) -> MqttClient:
    return MqttClient(
        host,
        port,
        identifier="field-loads",
        username=None,
        password=None,
        tls=None,
        keepalive_s=30,
        timeout_s=10.0,
        incoming_max=1024,
    )


def _read(payload: object) -> dict[str, Any]:
    if not isinstance(payload, (bytes, bytearray)):
        raise TypeError("it is no text")
    wish = json.loads(payload)
    if not isinstance(wish, dict):
        raise TypeError("it is no object")
    if not isinstance(wish.get("on"), bool):
        raise TypeError("on must be true or false")
    return wish
