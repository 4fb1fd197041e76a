"""The composition root: owns which parts a gateway has, from one configuration, and its way to the cloud.

The only place, with what it calls in `gate_build` and `energy.build`, that makes ids, random numbers and the system
clock. What reads pictures is loaded only where there are lanes, what plans energy only where there is a microgrid.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from edge.adapters.mqtt import MqttSettings, MqttUplink, tls_context
from edge.adapters.sqlite_journal import SqliteJournal
from edge.app import Gateway, Parts
from edge.changes import Changes
from edge.clock import SystemClock
from edge.config import SiteConfig
from edge.downlink import Downlink, SnapshotFile
from edge.keys import public_key
from edge.metrics_server import MetricsServer
from edge.policy import LivePolicy
from edge.rules_file import delivered_rules, load_rules
from edge.shared import Service, Shared

if TYPE_CHECKING:
    from edge.energy.part import EnergyPart
    from edge.gate_build import Gate


@asynccontextmanager
async def built(config: SiteConfig) -> AsyncIterator[Gateway]:
    """A gateway ready to run; closes what it opened."""
    clock, chance = SystemClock(), random.Random()
    data_dir = config.gateway.data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    journal_at = data_dir / "journal.db"
    opened = SqliteJournal.open(journal_at, gateway_id=config.gateway.id, boot_id=str(uuid.uuid4()), clock=clock)
    async with opened as journal, AsyncExitStack() as stack:
        rules = load_rules(config.rules.file) if config.rules.file else delivered_rules()
        shared = Shared(config, clock, chance, journal, Changes(), LivePolicy(rules))
        gate = await _gate(shared, stack)
        energy = await _energy(shared, stack)
        yield await _gateway(shared, gate, energy)


async def _gate(shared: Shared, stack: AsyncExitStack) -> Gate | None:
    if not shared.config.lane:
        return None
    from edge.gate_build import gate_built

    return await stack.enter_async_context(gate_built(shared))


async def _energy(shared: Shared, stack: AsyncExitStack) -> EnergyPart | None:
    if shared.config.energy is None:
        return None
    from edge.energy.build import energy_built

    return await stack.enter_async_context(energy_built(shared, shared.config.energy))


async def _gateway(shared: Shared, gate: Gate | None, energy: EnergyPart | None) -> Gateway:
    config = shared.config
    services: list[Service] = [] if gate is None else list(gate.services)
    downlink, uplink = None, None
    if config.cloud.broker_host:
        downlink = await _downlink(shared)
        uplink = _uplink(shared, downlink)
        services.append(("uplink", uplink.run))
        services += _orders(shared, gate, energy, downlink)
    metrics = MetricsServer(config.gateway.metrics_port) if config.gateway.metrics_port else None
    if metrics is not None:
        services.append(("metrics", metrics.run))
    gateway = Gateway(
        Parts(
            gateway_id=config.gateway.id,
            name=config.gateway.name,
            data_dir=config.gateway.data_dir,
            lanes=() if gate is None else gate.lanes,
            journal=shared.journal,
            policy=shared.policy,
            changes=shared.changes,
            clock=shared.clock,
            new_backoff=shared.backoff,
            health_period_s=config.gateway.health_period_s,
            keep_days=config.evidence.keep_days,
            size_mb_max=config.evidence.size_mb_max,
            inference=None if gate is None else gate.inference,
            store=None if gate is None else gate.store,
            evidence=None if gate is None else gate.evidence,
            energy=energy,
            uplink=uplink,
            commands=downlink,
            pending_media=shared.journal.media_pending if config.cloud.api_url else None,
            services=tuple(services),
            reader=None if gate is None else gate.reader,
            models_version=lambda: "" if gate is None else gate.models_version,
            vehicles=None if gate is None else gate.vehicles,
        )
    )
    if gate is not None and gate.hut is not None:
        gate.hut.serve(gateway)
    if metrics is not None:
        metrics.serve(gateway)
    return gateway


def _orders(shared: Shared, gate: Gate | None, energy: EnergyPart | None, downlink: Downlink) -> list[Service]:
    """Who carries out what comes down besides the snapshot and the guards' commands."""
    services: list[Service] = []
    if gate is not None:
        from edge.gate_build import head_orders

        services.append(head_orders(shared, gate, downlink))
    if energy is not None:
        services.append(energy.obey(downlink))
    return services


async def _downlink(shared: Shared) -> Downlink:
    cloud = shared.config.cloud
    assert cloud.public_key_file is not None, "checked with the configuration"
    key = public_key(cloud.public_key_file, "cloud.public_key_file")
    file = SnapshotFile(shared.config.gateway.data_dir / "snapshot.signed", key)
    gateway = shared.config.gateway.id
    downlink = Downlink(gateway=gateway, key=key, file=file, journal=shared.journal, clock=shared.clock)
    downlink.on_snapshot(shared.policy.take)
    downlink.on_snapshot(lambda _: shared.changes.tell())
    await downlink.load()
    if downlink.snapshot is not None:
        shared.policy.take(downlink.snapshot)
    return downlink


def _uplink(shared: Shared, downlink: Downlink) -> MqttUplink:
    cloud = shared.config.cloud
    assert cloud.password is not None, "checked with the configuration"
    settings = MqttSettings(
        host=cloud.broker_host,
        port=cloud.broker_port,
        username=cloud.username,
        password=cloud.password.reveal(),
        tls=tls_context(cloud.tls_ca_file, cloud.tls_cert_file, cloud.tls_key_file) if cloud.tls else None,
    )
    return MqttUplink(
        gateway=shared.config.gateway.id,
        settings=settings,
        journal=shared.journal,
        down=downlink,
        clock=shared.clock,
        random=shared.random.random,
    )
