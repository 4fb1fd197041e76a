"""The gate's part of the composition root: owns which adapter stands behind the lanes' ports.

Loaded only by a gateway that has lanes: it brings the libraries that read pictures.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from edge.adapters.barrier import ModbusBarrier
from edge.adapters.camera import MjpegStream, PictureStream, StreamCamera, VideoStream
from edge.adapters.display import ModbusDisplay
from edge.adapters.folder import FolderSource
from edge.adapters.media_upload import MediaSettings, MediaUpload
from edge.adapters.modbus import ModbusLink
from edge.adapters.pass_codes import ZxingPassReader
from edge.adapters.scanner import device_scanner, tcp_scanner
from edge.adapters.update_fetch import UpdateFetch
from edge.api.app import HutServer
from edge.config import BarrierConfig, BarrierKind, CameraConfig, CameraKind, LaneConfig, ScannerConfig, ScannerKind
from edge.display_words import DisplayBoard
from edge.downlink import Downlink
from edge.evidence import EvidenceStore
from edge.gate_lane import GateLane
from edge.head_orders import HeadOrders
from edge.inference import InferenceWorker
from edge.kept_reader import KeptReader
from edge.keys import public_key
from edge.lane_facts import LaneSettings
from edge.lanes import Lane
from edge.model_setup import fetch_settings, heads_dir_of, inbox_of, reader_settings, shelf_of, update_terms
from edge.model_shelf import shown
from edge.model_updates import ModelUpdates
from edge.pass_watch import PassWatch
from edge.passages import EvidenceDesk, PassageDesk
from edge.passes import PassVerifier
from edge.picture_lane import FolderLane, WatchLane
from edge.ports import Clock, PassScanner
from edge.reader_process import ReaderProcess
from edge.shared import Service, Shared, new_id
from edge.vehicle_desk import VehicleDesk
from vision.vehicle_classifier import shipped_head


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lanes, their reader, and what serves them."""

    lanes: tuple[Lane, ...]
    inference: InferenceWorker
    store: EvidenceStore
    evidence: EvidenceDesk
    reader: KeptReader
    updates: ModelUpdates
    vehicles: VehicleDesk
    services: tuple[Service, ...]
    hut: HutServer | None

    @property
    def models_version(self) -> str:
        """The version of the models in use, as people are shown it."""
        return shown(self.updates.version)


@asynccontextmanager
async def gate_built(shared: Shared) -> AsyncIterator[Gate]:
    """The gate's part, its reader's process ended at the end."""
    config, clock = shared.config, shared.clock
    settings = replace(reader_settings(config.vision), heads_dir=heads_dir_of(config))
    reader = KeptReader(settings, start=ReaderProcess.start, clock=clock, backoff=shared.backoff())
    updates = ModelUpdates(
        shelf=shelf_of(config),
        reader=reader,
        shipped=config.vision.models_dir,
        inbox=inbox_of(config),
        terms=update_terms(config),
        journal=shared.journal,
        changes=shared.changes,
        clock=clock,
    )
    await updates.begin()
    try:
        yield _gate(shared, reader, updates)
    finally:
        await reader.aclose()


def _gate(shared: Shared, reader: KeptReader, updates: ModelUpdates) -> Gate:
    config, clock, journal = shared.config, shared.clock, shared.journal
    inference = InferenceWorker(reader, clock)
    store = EvidenceStore(config.gateway.data_dir / "evidence", config.evidence.free_mb_min)
    evidence = EvidenceDesk(store=store, journal=journal, clock=clock)
    desk = PassageDesk(policy=shared.policy, clock=clock, new_id=new_id)
    given = _Given(shared, inference, desk, evidence, _verifier(shared))
    hut = HutServer(config.hut, clock=clock) if config.hut.enabled else None
    vehicles = VehicleDesk(
        data_dir=config.gateway.data_dir,
        models_dir=lambda: reader.settings.models_dir,
        shipped=shipped_head,
        looker=inference,
        journal=journal,
        policy=shared.policy,
        clock=clock,
    )
    return Gate(
        lanes=tuple(_lane(given, lane) for lane in config.lane),
        inference=inference,
        store=store,
        evidence=evidence,
        reader=reader,
        updates=updates,
        vehicles=vehicles,
        services=tuple(_services(shared, reader, updates, store, hut)),
        hut=hut,
    )


def _services(
    shared: Shared, reader: KeptReader, updates: ModelUpdates, store: EvidenceStore, hut: HutServer | None
) -> list[Service]:
    config = shared.config
    watch = partial(reader.watch.report, shared.journal)
    services: list[Service] = [("reader", reader.run), ("reader-watch", watch), ("model-updates", updates.run)]
    if (fetching := fetch_settings(config)) is not None:
        fetch = UpdateFetch(fetching, inbox=inbox_of(config), clock=shared.clock, chance=shared.random)
        services.append(("model-fetch", fetch.run))
    if config.cloud.api_url and config.cloud.token is not None:
        services.append(("media-upload", _media_upload(shared, store).run))
    if hut is not None:
        services.append(("hut", hut.run))
    return services


def head_orders(shared: Shared, gate: Gate, downlink: Downlink) -> Service:
    """Who carries out the console's orders about the vehicle head."""
    orders = HeadOrders(
        downlink,
        data_dir=shared.config.gateway.data_dir,
        models_dir=lambda: gate.reader.settings.models_dir,
        journal=shared.journal,
        clock=shared.clock,
    )
    return "head-orders", orders.run


def _media_upload(shared: Shared, store: EvidenceStore) -> MediaUpload:
    cloud = shared.config.cloud
    assert cloud.token is not None, "checked with the configuration"
    settings = MediaSettings(api_url=cloud.api_url, token=cloud.token.reveal())
    return MediaUpload(settings=settings, journal=shared.journal, path_of=store.path_of, random=shared.random.random)


@dataclass(frozen=True, slots=True)
class _Given:
    """What every lane is given."""

    shared: Shared
    inference: InferenceWorker
    desk: PassageDesk
    evidence: EvidenceDesk
    verifier: PassVerifier

    def for_pictures(self) -> dict[str, Any]:
        return {
            "inference": self.inference,
            "journal": self.shared.journal,
            "desk": self.desk,
            "evidence": self.evidence,
            "changes": self.shared.changes,
            "clock": self.shared.clock,
        }


# --------------------------------------------------------------------------------------------------------- the lanes


def _lane(given: _Given, lane: LaneConfig) -> Lane:
    shared = given.shared
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
        return FolderLane(settings, _folder(lane.camera, shared.clock), **given.for_pictures())
    camera = _camera(shared, lane.camera)
    if lane.barrier.kind is BarrierKind.NONE:
        return WatchLane(settings, camera, ended=camera.ended, **given.for_pictures())
    link = _link(lane.barrier)
    return GateLane(
        settings,
        camera=camera,
        barrier=ModbusBarrier(link),
        board=_board(lane, link, shared.clock),
        new_id=new_id,
        passes=_passes(shared, lane, given.verifier),
        **given.for_pictures(),
    )


def _passes(shared: Shared, lane: LaneConfig, verifier: PassVerifier) -> PassWatch:
    reader = ZxingPassReader() if lane.read_passes else None
    return PassWatch(verifier, shared.clock, lane_id=lane.id, reader=reader, scanner=_scanner(shared, lane.scanner))


def _scanner(shared: Shared, scanner: ScannerConfig) -> PassScanner | None:
    match scanner.kind:
        case ScannerKind.TCP:
            return tcp_scanner(scanner.host, scanner.port, clock=shared.clock, backoff=shared.backoff())
        case ScannerKind.DEVICE:
            assert scanner.path is not None, "checked with the configuration"
            return device_scanner(scanner.path, scanner.baud, clock=shared.clock, backoff=shared.backoff())
        case ScannerKind.NONE:
            return None


def _verifier(shared: Shared) -> PassVerifier:
    """Passes are signed with the key that permits and commands are."""
    cloud = shared.config.cloud
    trusted = cloud.public_key_file if cloud.broker_host else None
    keys = () if trusted is None else (public_key(trusted, "cloud.public_key_file"),)
    return PassVerifier(keys, shared.clock)


def _folder(camera: CameraConfig, clock: Clock) -> FolderSource:
    assert isinstance(camera.path, Path), "checked with the configuration"
    return FolderSource(camera.path, clock, loop=camera.loop, pace_s=camera.pace_s)


def _camera(shared: Shared, camera: CameraConfig) -> StreamCamera:
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
