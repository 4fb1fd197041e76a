"""The composition root: owns which adapter stands behind which port, from one configuration.

The only place that makes ids, random numbers and the system clock.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import uuid_utils

from edge.adapters.barrier import ModbusBarrier
from edge.adapters.camera import MjpegStream, PictureStream, StreamCamera, VideoStream
from edge.adapters.display import ModbusDisplay
from edge.adapters.folder import FolderSource
from edge.adapters.media_upload import MediaSettings, MediaUpload
from edge.adapters.modbus import ModbusLink
from edge.adapters.mqtt import MqttSettings, MqttUplink, tls_context
from edge.adapters.sqlite_journal import SqliteJournal
from edge.adapters.update_fetch import UpdateFetch
from edge.api.app import HutServer
from edge.app import Gateway, Lane, Parts
from edge.changes import Changes
from edge.clock import SystemClock
from edge.config import (
    BarrierConfig,
    BarrierKind,
    CameraConfig,
    CameraKind,
    CloudConfig,
    LaneConfig,
    SiteConfig,
)
from edge.display_words import DisplayBoard
from edge.downlink import Downlink, SnapshotFile
from edge.evidence import EvidenceStore
from edge.gate_lane import GateLane
from edge.head_orders import HeadOrders
from edge.inference import InferenceWorker
from edge.kept_reader import KeptReader
from edge.lane_facts import LaneSettings
from edge.model_setup import fetch_settings, heads_dir_of, inbox_of, public_key, reader_settings, shelf_of, update_terms
from edge.model_shelf import shown
from edge.model_updates import ModelUpdates
from edge.passages import EvidenceDesk, PassageDesk
from edge.picture_lane import FolderLane, WatchLane
from edge.policy import LivePolicy
from edge.ports import Clock
from edge.reader_process import ReaderProcess
from edge.retrying import Backoff
from edge.rules_file import delivered_rules, load_rules
from edge.vehicle_desk import VehicleDesk
from vision.vehicle_classifier import shipped_head

Service = tuple[str, Callable[[], Awaitable[None]]]


def new_id() -> str:
    """A name for an arrival or a command, sortable by time."""
    return str(uuid_utils.uuid7())


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every lane is given."""

    config: SiteConfig
    clock: Clock
    random: random.Random
    journal: SqliteJournal
    inference: InferenceWorker
    desk: PassageDesk
    evidence: EvidenceDesk
    changes: Changes

    def backoff(self) -> Backoff:
        return Backoff(self.random)

    def for_pictures(self) -> dict[str, Any]:
        return {
            "inference": self.inference,
            "journal": self.journal,
            "desk": self.desk,
            "evidence": self.evidence,
            "changes": self.changes,
            "clock": self.clock,
        }


@asynccontextmanager
async def built(config: SiteConfig) -> AsyncIterator[Gateway]:
    """A gateway ready to run; closes what it opened."""
    clock, chance = SystemClock(), random.Random()
    data_dir = config.gateway.data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    journal_at = data_dir / "journal.db"
    opened = SqliteJournal.open(journal_at, gateway_id=config.gateway.id, boot_id=str(uuid.uuid4()), clock=clock)
    async with opened as journal, _reading(config, clock, chance, journal) as reading:
        yield await _gateway(config, clock, chance, journal, reading)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reader, its models' versions, and who is told of changes."""

    reader: KeptReader
    updates: ModelUpdates
    changes: Changes

    def services(self, journal: SqliteJournal) -> list[Service]:
        watch = partial(self.reader.watch.report, journal)
        return [("reader", self.reader.run), ("reader-watch", watch), ("model-updates", self.updates.run)]


@asynccontextmanager
async def _reading(
    config: SiteConfig, clock: Clock, chance: random.Random, journal: SqliteJournal
) -> AsyncIterator[_Reading]:
    settings = replace(reader_settings(config.vision), heads_dir=heads_dir_of(config))
    changes = Changes()
    reader = KeptReader(settings, start=ReaderProcess.start, clock=clock, backoff=Backoff(chance))
    updates = ModelUpdates(
        shelf=shelf_of(config),
        reader=reader,
        shipped=config.vision.models_dir,
        inbox=inbox_of(config),
        terms=update_terms(config),
        journal=journal,
        changes=changes,
        clock=clock,
    )
    await updates.begin()
    try:
        yield _Reading(reader, updates, changes)
    finally:
        await reader.aclose()


async def _gateway(
    config: SiteConfig, clock: Clock, chance: random.Random, journal: SqliteJournal, reading: _Reading
) -> Gateway:
    inference, changes = InferenceWorker(reading.reader, clock), reading.changes
    rules = load_rules(config.rules.file) if config.rules.file else delivered_rules()
    policy = LivePolicy(rules)
    store = EvidenceStore(config.gateway.data_dir / "evidence", config.evidence.free_mb_min)
    evidence = EvidenceDesk(store=store, journal=journal, clock=clock)
    desk = PassageDesk(policy=policy, clock=clock, new_id=new_id)
    shared = _Shared(config, clock, chance, journal, inference, desk, evidence, changes)
    lanes = tuple(_lane(shared, lane) for lane in config.lane)
    services = reading.services(journal)
    if (fetching := fetch_settings(config)) is not None:
        fetch = UpdateFetch(fetching, inbox=inbox_of(config), clock=clock, chance=chance)
        services.append(("model-fetch", fetch.run))
    vehicles = _vehicle_desk(config, clock, journal, policy, reading, inference)
    downlink, uplink = None, None
    if config.cloud.broker_host:
        downlink = await _downlink(config, clock, journal, policy, changes)
        uplink = _uplink(config, clock, chance, journal, downlink)
        services.append(("uplink", uplink.run))
        services.append(("head-orders", _head_orders(config, clock, journal, reading, downlink).run))
    if config.cloud.api_url and config.cloud.token is not None:
        services.append(("media-upload", _media_upload(config.cloud, chance, journal, store).run))
    hut: HutServer | None = HutServer(config.hut, clock=clock) if config.hut.enabled else None
    if hut is not None:
        services.append(("hut", hut.run))
    gateway = Gateway(
        Parts(
            gateway_id=config.gateway.id,
            name=config.gateway.name,
            data_dir=config.gateway.data_dir,
            lanes=lanes,
            journal=journal,
            inference=inference,
            policy=policy,
            store=store,
            evidence=evidence,
            changes=changes,
            clock=clock,
            new_backoff=shared.backoff,
            health_period_s=config.gateway.health_period_s,
            keep_days=config.evidence.keep_days,
            size_mb_max=config.evidence.size_mb_max,
            uplink=uplink,
            commands=downlink,
            pending_media=journal.media_pending if config.cloud.api_url else None,
            services=tuple(services),
            reader=reading.reader,
            models_version=lambda: shown(reading.updates.version),
            vehicles=vehicles,
        )
    )
    if hut is not None:
        hut.serve(gateway)
    return gateway


def _vehicle_desk(
    config: SiteConfig,
    clock: Clock,
    journal: SqliteJournal,
    policy: LivePolicy,
    reading: _Reading,
    inference: InferenceWorker,
) -> VehicleDesk:
    return VehicleDesk(
        data_dir=config.gateway.data_dir,
        models_dir=lambda: reading.reader.settings.models_dir,
        shipped=shipped_head,
        looker=inference,
        journal=journal,
        policy=policy,
        clock=clock,
    )


# --------------------------------------------------------------------------------------------------------- the cloud


def _head_orders(
    config: SiteConfig, clock: Clock, journal: SqliteJournal, reading: _Reading, downlink: Downlink
) -> HeadOrders:
    return HeadOrders(
        downlink,
        data_dir=config.gateway.data_dir,
        models_dir=lambda: reading.reader.settings.models_dir,
        journal=journal,
        clock=clock,
    )


async def _downlink(
    config: SiteConfig, clock: Clock, journal: SqliteJournal, policy: LivePolicy, changes: Changes
) -> Downlink:
    assert config.cloud.public_key_file is not None, "checked with the configuration"
    key = public_key(config.cloud.public_key_file, "cloud.public_key_file")
    file = SnapshotFile(config.gateway.data_dir / "snapshot.signed", key)
    downlink = Downlink(gateway=config.gateway.id, key=key, file=file, journal=journal, clock=clock)
    downlink.on_snapshot(policy.take)
    downlink.on_snapshot(lambda _: changes.tell())
    await downlink.load()
    if downlink.snapshot is not None:
        policy.take(downlink.snapshot)
    return downlink


def _uplink(
    config: SiteConfig, clock: Clock, chance: random.Random, journal: SqliteJournal, downlink: Downlink
) -> MqttUplink:
    cloud = config.cloud
    assert cloud.password is not None, "checked with the configuration"
    settings = MqttSettings(
        host=cloud.broker_host,
        port=cloud.broker_port,
        username=cloud.username,
        password=cloud.password.reveal(),
        tls=tls_context(cloud.tls_ca_file, cloud.tls_cert_file, cloud.tls_key_file) if cloud.tls else None,
    )
    return MqttUplink(
        gateway=config.gateway.id,
        settings=settings,
        journal=journal,
        down=downlink,
        clock=clock,
        random=chance.random,
    )


def _media_upload(
    cloud: CloudConfig, chance: random.Random, journal: SqliteJournal, store: EvidenceStore
) -> MediaUpload:
    assert cloud.token is not None, "checked with the configuration"
    settings = MediaSettings(api_url=cloud.api_url, token=cloud.token.reveal())
    return MediaUpload(settings=settings, journal=journal, path_of=store.path_of, random=chance.random)


# --------------------------------------------------------------------------------------------------------- the lanes


def _lane(shared: _Shared, lane: LaneConfig) -> Lane:
    settings = LaneSettings(
        lane_id=lane.id,
        name=lane.name,
        name_en=lane.name_en or lane.name,
        gate_id=lane.gate_id,
        direction=lane.direction,
        turn_period_s=shared.config.gateway.turn_period_ms / 1000,
        command_ttl_s=lane.barrier.command_ttl_s,
    )
    if lane.camera.kind is CameraKind.FOLDER:
        return FolderLane(settings, _folder(lane.camera, shared.clock), **shared.for_pictures())
    camera = _camera(shared, lane.camera)
    if lane.barrier.kind is BarrierKind.NONE:
        return WatchLane(settings, camera, ended=camera.ended, **shared.for_pictures())
    link = _link(lane.barrier)
    return GateLane(
        settings,
        camera=camera,
        barrier=ModbusBarrier(link),
        board=_board(lane, link, shared.clock),
        new_id=new_id,
        **shared.for_pictures(),
    )


def _folder(camera: CameraConfig, clock: Clock) -> FolderSource:
    assert isinstance(camera.path, Path), "checked with the configuration"
    return FolderSource(camera.path, clock, loop=camera.loop, pace_s=camera.pace_s)


def _camera(shared: _Shared, camera: CameraConfig) -> StreamCamera:
    film = camera.kind is CameraKind.VIDEO
    return StreamCamera(
        _stream(camera),
        clock=shared.clock,
        backoff=shared.backoff(),
        frozen_after_s=0.0 if film else camera.frozen_after_s,
        fps_max=0.0 if film else camera.fps_max,
    )


def _stream(camera: CameraConfig) -> PictureStream:
    match camera.kind:
        case CameraKind.MJPEG:
            return MjpegStream(camera.url, camera.timeout_s)
        case CameraKind.RTSP:
            return VideoStream(camera.url, camera.timeout_s)
        case _:
            path = str(camera.path)
            return VideoStream(path, camera.timeout_s, realtime=camera.realtime, ends=not camera.loop, loop=camera.loop)


def _link(barrier: BarrierConfig) -> ModbusLink:
    return ModbusLink(host=barrier.host, port=barrier.port, unit=barrier.unit, timeout_s=barrier.timeout_s)


def _board(lane: LaneConfig, barrier_link: ModbusLink, clock: Clock) -> DisplayBoard:
    display = lane.display
    if display.kind is BarrierKind.NONE:
        return DisplayBoard(None, clock, lane_id=lane.id)
    link = barrier_link
    if display.host:
        link = ModbusLink(host=display.host, port=display.port, unit=display.unit, timeout_s=display.timeout_s)
    return DisplayBoard(ModbusDisplay(link), clock, lane_id=lane.id)
