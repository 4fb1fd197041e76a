"""The simulated gate's configuration: owns its keys and their defaults.

`hw_sim/sim.example.toml` documents every key, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from control.domain.errors import ConfigurationError
from control.domain.passages import Direction
from edge.config_reading import read_tree
from hw_sim.scenery import Weather


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """The whole place. `hour` fixes the light; without it the light follows Hainan's clock."""

    seed: int = 1
    host: str = "127.0.0.1"
    http_port: int = 8470
    speed: float = 1.0
    showcase: bool = False
    paused: bool = False
    hour: float | None = None
    weather: Weather = Weather.CLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverConfig:
    """How long drivers wait, in seconds."""

    leave_after_red_s: float = 4.0
    patience_s: float = 180.0
    change_mind_after_s: float = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """Pictures a second while something moves, while something waits, and on an empty lane."""

    fps_moving: float = 7.0
    fps_waiting: float = 5.0
    fps_empty: float = 2.0
    jpeg_quality: int = 84


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneConfig:
    """One lane with its camera's label and its controller's port; `scanner_port` gives it a hand scanner."""

    id: str
    label: str = ""
    direction: Direction = Direction.IN
    modbus_port: int = 5020
    scanner_port: int | None = None
    interval_s: float = 14.0
    first_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimConfig:
    """The whole file."""

    gate: GateConfig = field(default_factory=GateConfig)
    drivers: DriverConfig = field(default_factory=DriverConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    lane: tuple[LaneConfig, ...] = ()


def load(path: Path) -> SimConfig:
    """Read and check a file. Raises ConfigurationError that names file and key."""
    config = read_tree(path, SimConfig, {}, prefix="ISLAND_SIM")
    check(config, path)
    return config


def check(config: SimConfig, path: Path) -> None:
    """What types alone cannot say."""
    ids = [lane.id for lane in config.lane]
    if not ids or len(set(ids)) != len(ids):
        raise ConfigurationError(f"{path}: needs at least one [[lane]], each with an id of its own.")
    if config.gate.speed <= 0 or config.gate.speed > 20:
        raise ConfigurationError(f"{path}: gate.speed must be above 0 and at most 20.")
    if any(lane.interval_s <= 0 for lane in config.lane):
        raise ConfigurationError(f"{path}: lane.interval_s must be above 0.")
