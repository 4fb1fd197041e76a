"""What goes down to the microgrids: owns publishing settings (retained, the newest released version) and takeovers.

The connection and the turns are `downlink`'s.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from cloud_sync.contract.v1 import (
    EnergySettingsOrder,
    EnergyTakeover,
    KeyPair,
    TakeoverMode,
    seal_energy_settings,
    seal_takeover,
    topic_down,
)
from cloud_sync.mqtt_client import MqttClient
from cloud_sync.server import energy_settings
from cloud_sync.server.services import Clock
from cloud_sync.server.sql import as_json

log = structlog.get_logger()
TAKEOVER_AGAIN_AFTER = timedelta(seconds=5)


class EnergyDownlink:
    """One per publisher. `forget` makes everything retained go down again after a loss of the broker."""

    def __init__(self, *, pool: asyncpg.Pool, key: KeyPair, clock: Clock) -> None:
        self._pool, self._key, self._clock = pool, key, clock
        self._published: dict[str, int] = {}

    def forget(self) -> None:
        """Nothing is known to lie on the broker."""
        self._published.clear()

    async def publish(self, client: MqttClient) -> None:
        """What is new: settings first, then what people took over."""
        await self._publish_settings(client)
        await self._publish_takeovers(client)

    async def _publish_settings(self, client: MqttClient) -> None:
        for row in await energy_settings.newest_released(self._pool):
            gateway, version = row["gateway_id"], row["version"]
            if self._published.get(gateway, 0) >= version:
                continue
            payload = seal_energy_settings(_settings_order(row), self._key)
            await client.publish(topic_down(gateway, "energy"), payload, qos=1, retain=True)
            self._published[gateway] = version
            await self._pool.execute(
                "UPDATE energy_settings SET published_at = $3 WHERE gateway_id = $1 AND version = $2",
                *(gateway, version, self._clock()),
                timeout=5.0,
            )
            log.info("energy_settings_published", gateway=gateway, version=version)

    async def _publish_takeovers(self, client: MqttClient) -> None:
        """Like commands: until they are answered or expire; a gateway counts an id once."""
        now = self._clock()
        before = now - TAKEOVER_AGAIN_AFTER
        for row in await energy_settings.unanswered_takeovers(self._pool, now=now, published_before=before):
            takeover = _takeover(row)
            payload = seal_takeover(takeover, self._key)
            await client.publish(topic_down(takeover.gateway, "takeover"), payload, qos=1, retain=False)
            await self._pool.execute(
                "UPDATE energy_takeovers SET published_at = $2 WHERE command_id = $1",
                *(takeover.command_id, self._clock()),
                timeout=5.0,
            )
            log.info("takeover_published", command_id=takeover.command_id, gateway=takeover.gateway)


def _settings_order(row: Any) -> EnergySettingsOrder:
    return EnergySettingsOrder(
        gateway=row["gateway_id"],
        version=row["version"],
        settings=as_json(row["settings"]),
        effective_at=row["effective_at"],
        issued_by=row["issued_by"],
        issued_at=row["issued_at"],
        reason=row["reason"],
    )


def _takeover(row: Any) -> EnergyTakeover:
    return EnergyTakeover(
        command_id=row["command_id"],
        gateway=row["gateway_id"],
        mode=TakeoverMode(row["mode"]),
        storage_kw=row["storage_kw"],
        issued_by=row["issued_by"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        note=row["note"],
    )
