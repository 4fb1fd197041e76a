"""The MQTT client of both sides: owns its identity, its socket's options, and that a cancelled call stays cancelled.

aiomqtt's own time limits are `asyncio.wait_for`, which on Python 3.11 forgets a cancellation that arrives together
with the broker's answer. A task that goes on after it was cancelled keeps its task group from ever ending, so the
limits are set here.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiomqtt

NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class MqttClient(aiomqtt.Client):
    """Use as a context. A clean session under a name of its own each time: two with one name would throw each other
    out for ever."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        identifier: str,
        username: str | None,
        password: str | None,
        tls: ssl.SSLContext | None,
        keepalive_s: int,
        timeout_s: float,
        incoming_max: int,
    ) -> None:
        super().__init__(
            host,
            port,
            username=username,
            password=password,
            tls_context=tls,
            identifier=identifier,
            clean_session=True,
            keepalive=keepalive_s,
            timeout=math.inf,
            max_queued_incoming_messages=incoming_max,
            socket_options=[NO_DELAY],
        )
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        """Connected. Raises aiomqtt.MqttError."""
        async with self._in_time("connect"):
            return await super().__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        """Disconnected."""
        async with self._in_time("disconnect"):
            await super().__aexit__(*error)

    async def publish(self, /, *args: Any, **kwargs: Any) -> None:
        """As aiomqtt's. Raises aiomqtt.MqttError."""
        async with self._in_time("publish"):
            await super().publish(*args, **kwargs)

    async def subscribe(self, /, *args: Any, **kwargs: Any) -> Any:
        """As aiomqtt's. Raises aiomqtt.MqttError."""
        async with self._in_time("subscribe"):
            return await super().subscribe(*args, **kwargs)

    @asynccontextmanager
    async def _in_time(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError as error:
            raise aiomqtt.MqttError(f"{what} timed out after {self._timeout_s:.0f} s") from error
