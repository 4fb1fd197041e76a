"""What goes down to the gateways: owns the signing key, the publishing of snapshots (retained) and of commands.

What is the microgrids' is published by `downlink_energy` in the same turns.

A change in the database wakes it (NOTIFY on `store.DOWNLINK_CHANNEL`); a slow look now and then makes up for
a notification that was lost. Snapshots follow one another no faster than one a second, so that many changes in a row
go down together; a revocation or a new watch entry waits for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import asyncpg
import structlog

from cloud_sync.contract.v1 import Command, KeyPair, Snapshot, seal_command, seal_head_order, seal_snapshot, topic_down
from cloud_sync.mqtt_client import MqttClient
from cloud_sync.server import queries_office, vehicle_heads
from cloud_sync.server.downlink_energy import EnergyDownlink
from cloud_sync.server.ingest_worker import BrokerAccess
from cloud_sync.server.secret_files import read_secret, write_secret
from cloud_sync.server.services import Clock
from cloud_sync.server.store import DOWNLINK_CHANNEL, URGENT

log = structlog.get_logger()

SLOW_LOOK_S = 2.0
SNAPSHOT_EVERY_S = 1.0
RECONNECT_S = 0.5
REPUBLISH_AFTER = timedelta(seconds=1.5)
HEAD_AGAIN_AFTER = timedelta(seconds=10)
_COMMANDS_SQL = (
    "SELECT * FROM commands WHERE result IS NULL AND expires_at > $1 AND (published_at IS NULL OR published_at < $2)"
    " ORDER BY issued_at LIMIT 100"
)


def load_or_make_key(path: Path) -> KeyPair:
    """The cloud's signing key, made at the first start, readable by its owner alone; the public half beside it.

    Raises ConfigurationError when others may read the file, ContractError when it holds no key.
    """
    pem = read_secret(path)
    key = KeyPair.from_pem(pem.encode()) if pem else KeyPair.generate()
    if not pem:
        write_secret(path, key.pem().decode())
        log.info("signing_key_made", path=str(path))
    path.with_name(path.name + ".pub").write_text(key.public.text() + "\n", encoding="utf-8")
    return key


class DownlinkPublisher:
    """`run` serves until the database goes away; the supervisor runs it again."""

    def __init__(
        self, *, access: BrokerAccess, pool: asyncpg.Pool, database_url: str, key: KeyPair, clock: Clock
    ) -> None:
        self._access, self._pool, self._url, self._key, self._clock = access, pool, database_url, key, clock
        self._energy = EnergyDownlink(pool=pool, key=key, clock=clock)
        self._wake = asyncio.Event()
        self._published: dict[str, int] = {}
        self._snapshot_due_s = 0.0
        self._told_lost = False

    async def run(self) -> None:
        """For ever: publish everything once, then what changes; after a loss of the broker everything again."""
        listener = await asyncpg.connect(self._url, timeout=5.0)
        try:
            await listener.add_listener(DOWNLINK_CHANNEL, lambda *notice: self._notified(str(notice[-1])))
            while not listener.is_closed():
                await self._session(listener)
                await asyncio.sleep(RECONNECT_S)
        finally:
            listener.terminate()

    def _notified(self, payload: str) -> None:
        if payload.startswith(URGENT):
            self._snapshot_due_s = 0.0
        self._wake.set()

    async def _session(self, listener: asyncpg.Connection) -> None:
        self._published.clear()
        self._energy.forget()
        self._snapshot_due_s = 0.0
        try:
            async with self._access.client("downlink") as client:
                self._told_lost = False
                log.info("downlink_up", host=self._access.host, port=self._access.port)
                while not listener.is_closed():
                    await self._turn(client)
        except aiomqtt.MqttError as error:
            level = log.debug if self._told_lost else log.warning
            level("downlink_lost_broker", error=str(error))
            self._told_lost = True

    async def _turn(self, client: MqttClient) -> None:
        self._wake.clear()
        await self.publish_commands(client)
        await self.publish_head_orders(client)
        await self._energy.publish(client)
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._snapshot_due_s:
            # Before anything is read: an urgent change that comes meanwhile makes it due again.
            self._snapshot_due_s = now_s + SNAPSHOT_EVERY_S
            if not await self.publish_snapshots(client):
                self._snapshot_due_s = 0.0
        pause_s = self._snapshot_due_s - now_s if self._snapshot_due_s > now_s else SLOW_LOOK_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._wake.wait()

    async def publish_snapshots(self, client: MqttClient) -> bool:
        """To every enabled gateway that has not been sent the newest version by us; False when there is none."""
        version = await self._pool.fetchval("SELECT max(version) FROM snapshot_versions", timeout=5.0)
        rows = await self._pool.fetch("SELECT gateway_id FROM gateways WHERE enabled ORDER BY gateway_id", timeout=5.0)
        behind = [row["gateway_id"] for row in rows if self._published.get(row["gateway_id"], -1) < version]
        if not behind:
            return False
        taken = await self._snapshot()
        for gateway in behind:
            payload = await asyncio.to_thread(seal_snapshot, replace(taken, gateway=gateway), self._key)
            await self._publish(client, gateway, "snapshot", payload, retain=True)
            self._published[gateway] = taken.version
        log.info("snapshot_published", version=taken.version, gateways=len(behind))
        return True

    async def _snapshot(self) -> Snapshot:
        now = self._clock()
        # One view of the database: version and rows belong together.
        async with (
            self._pool.acquire(timeout=5.0) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            permits = await queries_office.permit_snapshot(connection, now=now)
            rules = await queries_office.rule_rows(connection, now=now)
        return Snapshot("", permits, rules)

    async def publish_commands(self, client: MqttClient) -> None:
        """Those that wait for an answer, again and again until they expire: a gateway counts an id once."""
        now = self._clock()
        for row in await self._pool.fetch(_COMMANDS_SQL, now, now - REPUBLISH_AFTER, timeout=5.0):
            command = _command_of(row)
            await self._publish(client, command.gateway, "command", seal_command(command, self._key), retain=False)
            await self._pool.execute(
                "UPDATE commands SET published_at = $2 WHERE command_id = $1",
                command.command_id,
                self._clock(),
                timeout=5.0,
            )
            log.info("command_published", command_id=command.command_id, gateway=command.gateway)

    async def publish_head_orders(self, client: aiomqtt.Client) -> None:
        """Like commands: until they are answered or expire."""
        now = self._clock()
        for order in await vehicle_heads.unanswered(self._pool, now=now, published_before=now - HEAD_AGAIN_AFTER):
            await self._publish(client, order.gateway, "head", seal_head_order(order, self._key), retain=False)
            await self._pool.execute(
                "UPDATE head_orders SET published_at = $2 WHERE command_id = $1",
                order.command_id,
                self._clock(),
                timeout=5.0,
            )
            log.info("head_order_published", command_id=order.command_id, gateway=order.gateway)

    async def _publish(self, client: MqttClient, gateway: str, kind: str, payload: bytes, *, retain: bool) -> None:
        topic = topic_down(gateway, kind)
        await client.publish(topic, payload, qos=1, retain=retain)


def _command_of(row: Any) -> Command:
    return Command(
        command_id=row["command_id"],
        gateway=row["gateway_id"],
        arrival_id=row["arrival_id"],
        lane_id=row["lane_id"],
        outcome=row["outcome"],
        reason_code=row["reason_code"],
        issued_by=row["issued_by"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        note=row["note"],
        permit_id=row["permit_id"],
        corrected_plate=row["corrected_plate"],
    )
