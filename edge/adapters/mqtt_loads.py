"""Loads behind an MQTT broker: owns the topics, how old a state may be, and reading back what was switched.

A load tells its state on `island/loads/{id}/state` every second and is switched on `island/loads/{id}/set`. Off holds
only until the time that is said with it, then the load turns on by itself: what we want off is said again in time.
"""

from __future__ import annotations

import asyncio
import json
import math
import random as random_module
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiomqtt
import structlog

from cloud_sync.mqtt_client import MqttClient
from control.domain.energy import Point, Quality
from control.domain.errors import DeviceError
from control.energy.site import LoadSpec
from edge.adapters.wire_time import moment
from edge.energy.ports import LoadReading, WriteNotTaken, unknown
from edge.ports import Clock
from edge.retrying import Backoff

TOPIC = "island/loads/{}/{}"
STALE_AFTER_S, LOST_AFTER_S = 3.0, 10.0
FOLLOW_WITHIN_S = 1.0
REFRESH_FRAC = 0.5
RATING_TIMES = 1.5
MESSAGE_BYTES_MAX = 4096
INCOMING_MAX = 1024
KEEPALIVE_S, TIMEOUT_S = 10, 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBus:
    """Where the field's broker is."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _State:
    """What a load said. Numbers that cannot be are None; `heard_s` is monotonic."""

    heard_s: float
    at: datetime | None
    power_kw: float | None
    rated_kw: float | None
    on: bool | None
    command_id: str


@dataclass(slots=True)
class _Order:
    """What a load was told last."""

    on: bool
    command_id: str
    sent_s: float
    until_s: float
    followed: bool = False


class MqttLoads:
    """All configured loads. `random` comes from the root."""

    def __init__(
        self, bus: LoadBus, *, gateway: str, loads: Sequence[LoadSpec], clock: Clock, random: random_module.Random
    ) -> None:
        self._bus, self._gateway, self._clock, self._random = bus, gateway, clock, random
        self._specs = {spec.id: spec for spec in loads}
        self._states: dict[str, _State] = {}
        self._orders: dict[str, _Order] = {}
        self._client: MqttClient | None = None
        self._told_lost = False

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client is not None

    async def run(self) -> None:
        """Keep the connection for ever."""
        backoff = Backoff(self._random)
        while True:
            try:
                await self._session(backoff)
            except (aiomqtt.MqttError, OSError) as error:
                if not self._told_lost:
                    log.warning("load_bus_lost", host=self._bus.host, port=self._bus.port, error=str(error))
                self._told_lost = True
            finally:
                self._client = None
            await asyncio.sleep(backoff.next_s())

    def read(self) -> Mapping[str, LoadReading]:
        """Every configured load as it last said."""
        return {load: self._reading(load) for load in self._specs}

    async def switch(self, load_id: str, on: bool, until_s: float) -> None:
        """Want it on or off for that many seconds from now. Raises WriteNotTaken, DeviceError."""
        if self._client is None:
            raise DeviceError(f"{load_id}: the broker of the loads is not connected")
        order, now_s = self._orders.get(load_id), self._clock.monotonic()
        if order is None or order.on != on:
            if order is None and on and self._is_on(load_id):
                return  # as it is by itself
            await self._send(load_id, on, until_s)
        elif order.followed:
            left_s = order.until_s - now_s
            if self._is_on(load_id) is not on or (not on and left_s < REFRESH_FRAC * until_s):
                await self._send(load_id, on, until_s)
        elif now_s - order.sent_s >= FOLLOW_WITHIN_S:
            # By the same name once more: a load that only takes its time has followed this one, too.
            await self._send(load_id, on, until_s, command_id=order.command_id)
            found = self._is_on(load_id)
            raise WriteNotTaken(load_id, "on", wanted=float(on), found=None if found is None else float(found))

    async def _session(self, backoff: Backoff) -> None:
        """One connection."""
        bus = self._bus
        client = MqttClient(
            bus.host,
            bus.port,
            identifier=f"{self._gateway}-loads-{self._random.getrandbits(48):012x}",
            username=bus.username,
            password=bus.password,
            tls=None,
            keepalive_s=KEEPALIVE_S,
            timeout_s=TIMEOUT_S,
            incoming_max=INCOMING_MAX,
        )
        async with client:
            await client.subscribe(TOPIC.format("+", "state"), qos=0)
            log.info("load_bus_up", host=bus.host, port=bus.port)
            self._client, self._told_lost = client, False
            backoff.succeeded()
            async for message in client.messages:
                self._take(message.topic.value, message.payload, retained=bool(message.retain))

    def _take(self, topic: str, payload: object, *, retained: bool) -> None:
        """A state, if it is one. What a broker kept is as old as it says itself; without a time it says nothing."""
        load_id = topic.split("/")[2]
        if load_id not in self._specs or not isinstance(payload, bytes) or len(payload) > MESSAGE_BYTES_MAX:
            return
        said = _object(payload)
        if said is None:
            return
        at, before = moment(said.get("at")), self._states.get(load_id)
        if before is not None and at is not None and at == before.at:
            return  # the same second once more is no news
        age_s = self._kept_s(at) if retained else 0.0
        if age_s is None:
            return
        on, command_id = said.get("on"), said.get("command_id")
        self._states[load_id] = state = _State(
            heard_s=self._clock.monotonic() - age_s,
            at=at,
            power_kw=_number(said.get("power_kw")),
            rated_kw=_number(said.get("rated_kw")),
            on=on if isinstance(on, bool) else None,
            command_id=command_id if isinstance(command_id, str) else "",
        )
        order = self._orders.get(load_id)
        if order is not None and state.command_id == order.command_id and state.on is order.on:
            order.followed = True

    def _kept_s(self, at: datetime | None) -> float | None:
        return None if at is None else max(0.0, (self._clock.now() - at).total_seconds())

    def _is_on(self, load_id: str) -> bool | None:
        state = self._states.get(load_id)
        fresh = state is not None and self._clock.monotonic() - state.heard_s <= LOST_AFTER_S
        return state.on if state is not None and fresh else None

    async def _send(self, load_id: str, on: bool, until_s: float, *, command_id: str = "") -> None:
        now_s = self._clock.monotonic()
        command_id = command_id or f"{self._random.getrandbits(64):016x}"
        until = (self._clock.now() + timedelta(seconds=until_s)).isoformat()
        client = self._client
        assert client is not None
        self._orders[load_id] = _Order(on, command_id, now_s, now_s + until_s)
        body = json.dumps({"command_id": command_id, "on": on, "until": until})
        try:
            await client.publish(TOPIC.format(load_id, "set"), body, qos=0)
        except aiomqtt.MqttError as error:
            raise DeviceError(f"{load_id}: the broker of the loads does not take messages") from error

    def _reading(self, load_id: str) -> LoadReading:
        spec, state = self._specs[load_id], self._states.get(load_id)
        if state is None:
            lost = unknown("kW", Quality.LOST)
            return LoadReading(id=load_id, power_kw=lost, rated_kw=lost, on=None)
        age_s = max(0.0, self._clock.monotonic() - state.heard_s)
        rated_kw = state.rated_kw if state.rated_kw else spec.rated_kw or None
        highest_kw = RATING_TIMES * max(spec.rated_kw, state.rated_kw or 0.0)
        power_kw = state.power_kw
        if power_kw is not None and abs(power_kw) > highest_kw:
            power_kw = None
        return LoadReading(
            id=load_id,
            power_kw=_aged(power_kw, age_s),
            rated_kw=_aged(rated_kw, age_s),
            on=self._is_on(load_id),
        )


def _aged(kw: float | None, age_s: float) -> Point:
    if age_s > LOST_AFTER_S:
        return unknown("kW", Quality.LOST, age_s=age_s)
    if kw is None:
        return unknown("kW", age_s=age_s)
    return Point(kw, "kW", age_s, Quality.STALE if age_s > STALE_AFTER_S else Quality.GOOD)


def _object(payload: bytes) -> dict[str, object] | None:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _number(value: object) -> float | None:
    """A finite number; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
