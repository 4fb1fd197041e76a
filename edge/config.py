"""The gateway's configuration: owns its keys, their defaults, and the words that refuse a wrong file.

One TOML file becomes one frozen tree. `edge/site.example.toml` documents every key, and a test compares
the two; the microgrid's keys are `edge.energy.config`'s. Secrets come from a file (`KEY_file`) or from the
environment (`ISLAND_EDGE_SECTION_KEY`), never from the TOML itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from control.domain.errors import ConfigurationError
from control.domain.passages import Direction
from edge.config_reading import Secret, read_tree
from edge.energy.config import EnergyConfig, check_energy

WEAK_PINS = frozenset({"0000", "1111", "1234", "4321", "00000000", "111111", "123456", "654321", "12345678", "888888"})
PIN_LENGTH_MIN = 6
SCANNER_BAUDS = (9600, 19200, 38400, 115200)


class CameraKind(StrEnum):
    """Where the pictures come from."""

    MJPEG = "mjpeg"
    RTSP = "rtsp"
    FOLDER = "folder"
    VIDEO = "video"


class BarrierKind(StrEnum):
    """How the barrier is driven; `none` only decides."""

    MODBUS = "modbus"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """Who this gateway is and where it keeps its data."""

    id: str
    name: str
    data_dir: Path
    turn_period_ms: int = 50
    health_period_s: float = 5.0
    metrics_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """One camera. `url` for streams, `path` for a folder or a video."""

    kind: CameraKind
    url: str = ""
    path: Path | None = None
    timeout_s: float = 5.0
    frozen_after_s: float = 10.0
    fps_max: float = 12.0
    loop: bool = False
    pace_s: float = 0.0
    realtime: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierConfig:
    """One barrier controller."""

    kind: BarrierKind = BarrierKind.NONE
    host: str = "127.0.0.1"
    port: int = 502
    unit: int = 1
    timeout_s: float = 0.5
    watchdog_period_s: float = 1.0
    command_ttl_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayConfig:
    """The message display; it hangs on the barrier's controller unless it has a host of its own."""

    kind: BarrierKind = BarrierKind.NONE
    host: str = ""
    port: int = 502
    unit: int = 1
    timeout_s: float = 0.5


class ScannerKind(StrEnum):
    """How the hand scanner for passes is heard."""

    NONE = "none"
    TCP = "tcp"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerConfig:
    """One hand scanner: a serial-to-network bridge (`tcp`) or a serial device of this machine (`path`, `baud`)."""

    kind: ScannerKind = ScannerKind.NONE
    host: str = "127.0.0.1"
    port: int = 4001
    path: Path | None = None
    baud: int = 9600


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneConfig:
    """One lane. `read_passes` lets its camera look for the passes of vehicles that could not be let in at once."""

    id: str
    name: str
    gate_id: str
    direction: Direction = Direction.IN
    name_en: str = ""
    camera: CameraConfig
    barrier: BarrierConfig = field(default_factory=BarrierConfig)
    display: DisplayConfig = field(default_factory=DisplayConfig)
    read_passes: bool = True
    scanner: ScannerConfig = field(default_factory=ScannerConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudConfig:
    """The way to the cloud. Without `broker_host` the gateway works alone and keeps its journal."""

    broker_host: str = ""
    broker_port: int = 8883
    username: str = ""
    password: Secret | None = None
    api_url: str = ""
    token: Secret | None = None
    public_key_file: Path | None = None
    tls: bool = True
    tls_ca_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HutConfig:
    """The page for the guard's hut; without a `[hut]` table there is none."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = 8460
    pin: Secret | None = None
    session_h: float = 12.0
    language: str = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesConfig:
    """Where the dated rules come from before the cloud has sent any; empty means the built-in rows."""

    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionConfig:
    """The reader: its models (empty: the built-in ones), what they run on, how long a picture may take, and updates.

    Updates are believed when `update_key_file` holds their signature; without it, `cloud.public_key_file`.
    """

    models_dir: Path | None = None
    providers: tuple[str, ...] = ()
    threads: int = 1
    picture_s_max: float = 5.0
    update_key_file: Path | None = None
    update_picture_ms_max: float = 2000.0
    update_url: str = ""
    update_period_h: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """How long pictures are kept here once the cloud has them, and how much room they may take."""

    keep_days: float = 30.0
    size_mb_max: int = 20_000
    free_mb_min: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """The whole file: lanes, a microgrid, or both."""

    gateway: GatewayConfig
    lane: tuple[LaneConfig, ...] = ()
    energy: EnergyConfig | None = None
    cloud: CloudConfig = field(default_factory=CloudConfig)
    hut: HutConfig = field(default_factory=lambda: HutConfig(enabled=False))
    rules: RulesConfig = field(default_factory=RulesConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)


def load(path: Path, environment: Mapping[str, str]) -> SiteConfig:
    """Read and check one file; raises ConfigurationError that names file and key."""
    config = read_tree(path, SiteConfig, environment, prefix="ISLAND_EDGE")
    _check(path, config)
    return config


def _check(path: Path, config: SiteConfig) -> None:
    if not config.lane and config.energy is None:
        raise ConfigurationError(f"{path}: there is neither a [[lane]] nor [energy]; a gateway needs one of them.")
    _check_lanes(path, config.lane)
    if config.energy is not None:
        check_energy(path, config.energy)
    if config.hut.enabled and not config.lane:
        raise ConfigurationError(f"{path}: [hut] belongs to lanes; without a [[lane]] set hut.enabled = false.")
    _check_hut(path, config.hut)
    _check_cloud(path, config.cloud)
    _check_updates(path, config)


def _check_lanes(path: Path, lanes: tuple[LaneConfig, ...]) -> None:
    ids = [lane.id for lane in lanes]
    if len(set(ids)) != len(ids):
        raise ConfigurationError(f"{path}: lane.id is used twice; each lane needs an id of its own.")
    for lane in lanes:
        _check_camera(path, lane)
        _check_scanner(path, lane)


def _check_scanner(path: Path, lane: LaneConfig) -> None:
    scanner, where = lane.scanner, f"{path}: lane {lane.id!r}, scanner"
    if scanner.kind is ScannerKind.DEVICE and scanner.path is None:
        raise ConfigurationError(f"{where}.path is missing; kind 'device' reads from it.")
    if scanner.kind is not ScannerKind.NONE and lane.barrier.kind is BarrierKind.NONE:
        raise ConfigurationError(f"{where}: a pass opens a barrier, and this lane has none; set kind to 'none'.")
    if scanner.baud not in SCANNER_BAUDS:
        rates = ", ".join(map(str, SCANNER_BAUDS))
        raise ConfigurationError(f"{where}.baud must be one of {rates}, not {scanner.baud}.")


def _check_camera(path: Path, lane: LaneConfig) -> None:
    camera, where = lane.camera, f"{path}: lane {lane.id!r}, camera"
    from_file = camera.kind in (CameraKind.FOLDER, CameraKind.VIDEO)
    if from_file and camera.path is None:
        raise ConfigurationError(f"{where}.path is missing; kind {camera.kind.value!r} reads from it.")
    if from_file and camera.path is not None and not camera.path.exists():
        raise ConfigurationError(f"{where}.path {camera.path} does not exist.")
    if not from_file and not camera.url:
        raise ConfigurationError(f"{where}.url is missing; kind {camera.kind.value!r} reads from it.")
    if camera.kind is CameraKind.FOLDER and lane.barrier.kind is not BarrierKind.NONE:
        raise ConfigurationError(f"{where}: pictures in a folder cannot open a barrier; set barrier.kind to 'none'.")


def _check_hut(path: Path, hut: HutConfig) -> None:
    if not hut.enabled:
        return
    if hut.pin is None:
        raise ConfigurationError(
            f"{path}: hut.pin_file is missing. Write the guards' PIN (6 digits or more) into a file and name it, "
            "or set hut.enabled = false."
        )
    pin = hut.pin.reveal()
    if pin in WEAK_PINS or len(set(pin)) < 3 or len(pin) < PIN_LENGTH_MIN:
        raise ConfigurationError(f"{path}: the PIN of hut.pin_file is too easy; use 6 or more mixed digits.")
    if hut.language not in ("zh", "en"):
        raise ConfigurationError(f"{path}: hut.language must be 'zh' or 'en'.")


def _check_cloud(path: Path, cloud: CloudConfig) -> None:
    if not cloud.broker_host:
        return
    if not cloud.username or cloud.password is None:
        raise ConfigurationError(f"{path}: cloud.username and cloud.password_file are needed with cloud.broker_host.")
    if cloud.public_key_file is None:
        raise ConfigurationError(
            f"{path}: cloud.public_key_file is missing; without it no permit and no command can be believed."
        )
    if cloud.api_url and cloud.token is None:
        raise ConfigurationError(f"{path}: cloud.token_file is needed with cloud.api_url.")


def _check_updates(path: Path, config: SiteConfig) -> None:
    vision = config.vision
    if not vision.update_url:
        return
    if not vision.update_url.startswith(("http://", "https://")):
        raise ConfigurationError(f"{path}: vision.update_url must begin with https:// or http://.")
    if vision.update_key_file is None and config.cloud.public_key_file is None:
        raise ConfigurationError(f"{path}: vision.update_key_file is needed with vision.update_url.")
    if vision.update_period_h <= 0:
        raise ConfigurationError(f"{path}: vision.update_period_h must be more than 0.")


def describe(config: Any) -> Any:
    """The tree as plain values for `--check`; secrets masked."""
    if is_dataclass(config) and not isinstance(config, (type, Secret)):
        return {f.name: describe(getattr(config, f.name)) for f in fields(config)}
    if isinstance(config, tuple):
        return [describe(item) for item in config]
    if isinstance(config, Secret):
        return repr(config)
    return str(config) if isinstance(config, Path) else config
