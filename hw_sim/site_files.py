"""Configuration of a demonstration: owns the files, ports and secrets that its programs are started with."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from control.domain.errors import IslandError
from hw_sim import energy_files
from hw_sim.energy_files import EnergySite
from hw_sim.microgrid.config import Sky

GATEWAY_ID = "gw-east"
GATE_ID = "east"
DEMO_USER = "demo"
# Below the range that the kernel gives to outgoing connections.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class DemoLane:
    """One lane of the demonstration."""

    lane_id: str
    name: str
    name_en: str
    label: str
    direction: str


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything listens on loopback."""

    cloud: int
    broker: int
    hut: int
    sim: int
    modbus: tuple[int, ...]
    scanners: tuple[int, ...]
    energy_metrics: int = 0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the person who starts the demonstration chooses."""

    seed: int = 1
    speed: float = 1.0
    lanes_in: int = 1
    lanes_out: int = 1
    interval_s: float = 13.0
    hour: float | None = None
    weather: str = "clear"
    energy: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A folder with all files, and what is in them. `energy` is the microgrid, where there is one."""

    folder: Path
    lanes: tuple[DemoLane, ...]
    ports: Ports
    hut_pin: str
    energy: EnergySite | None = None

    @property
    def energy_metrics_url(self) -> str:
        """Figures of the microgrid's gateway."""
        return f"http://127.0.0.1:{self.ports.energy_metrics}/metrics"

    @property
    def microgrid_file(self) -> Path:
        """Configuration of the simulated microgrid."""
        return self.folder / "microgrid.toml"

    @property
    def energy_file(self) -> Path:
        """Configuration of the microgrid's gateway."""
        return self.folder / "energy.toml"

    @property
    def journal_files(self) -> tuple[Path, ...]:
        """The journals of all gateways."""
        others = () if self.energy is None else (self.folder / "edge-energy" / "journal.db",)
        return (self.journal_file, *others)

    @property
    def cloud_url(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.ports.cloud}"

    @property
    def sim_url(self) -> str:
        """The simulated gate's address."""
        return f"http://127.0.0.1:{self.ports.sim}"

    @property
    def hut_url(self) -> str:
        """The hut page's address."""
        return f"http://127.0.0.1:{self.ports.hut}"

    @property
    def cloud_file(self) -> Path:
        """Configuration of the cloud."""
        return self.folder / "cloud.toml"

    @property
    def sim_file(self) -> Path:
        """Configuration of the simulated gate."""
        return self.folder / "sim.toml"

    @property
    def edge_file(self) -> Path:
        """Configuration of the gateway."""
        return self.folder / "site.toml"

    @property
    def journal_file(self) -> Path:
        """The gateway's journal."""
        return self.folder / "edge" / "journal.db"

    @property
    def public_key_file(self) -> Path:
        """The key that the gateway trusts for permits and commands."""
        return self.folder / "cloud" / "secrets" / "downlink.pem.pub"


def lanes_of(options: DemoOptions) -> tuple[DemoLane, ...]:
    """Entry lanes first, then exit lanes."""
    entries = [
        DemoLane(f"east-in-{n}", f"东入口 {n}", f"East entry {n}", f"E-IN-{n}", "in")
        for n in range(1, options.lanes_in + 1)
    ]
    exits = [
        DemoLane(f"east-out-{n}", f"东出口 {n}", f"East exit {n}", f"E-OUT-{n}", "out")
        for n in range(1, options.lanes_out + 1)
    ]
    return (*entries, *exits)


def make_site(folder: Path, options: DemoOptions) -> Site:
    """Choose free ports, make secrets, write the files of cloud and simulator. `write_edge` follows later."""
    lanes = lanes_of(options)
    gate_ports = 5 + 2 * len(lanes)
    ports = _free_ports(gate_ports + (energy_files.ports_needed() if options.energy else 0))
    modbus, scanners = tuple(ports[5 : 5 + len(lanes)]), tuple(ports[5 + len(lanes) : gate_ports])
    site = Site(
        folder=folder,
        lanes=lanes,
        ports=Ports(*ports[:4], modbus, scanners, energy_metrics=ports[4]),
        hut_pin=_kept_secret(folder / "secrets" / "hut.pin", _pin),
        energy=_energy(folder, options, ports[gate_ports:]) if options.energy else None,
    )
    _kept_secret(folder / "secrets" / "gateway", lambda: secrets.token_urlsafe(32))
    site.cloud_file.write_text(_cloud_toml(site), encoding="utf-8")
    site.sim_file.write_text(_sim_toml(site, options), encoding="utf-8")
    if site.energy is not None:
        site.microgrid_file.write_text(energy_files.microgrid_text(site.energy), encoding="utf-8")
    return site


def _energy(folder: Path, options: DemoOptions, ports: list[int]) -> EnergySite:
    for name in ("gateway-energy", "chargers"):
        _kept_secret(folder / "secrets" / name, lambda: secrets.token_urlsafe(24))
    site = energy_files.energy_site(
        ports, folder / "secrets" / "chargers", seed=options.seed, hour=None, sky=Sky(options.weather)
    )
    return energy_files.staged(site, hour=options.hour, at=datetime.now(UTC))


def write_edge(site: Site) -> None:
    """The gateways' files; the cloud has made its public key by now."""
    site.edge_file.write_text(_edge_toml(site), encoding="utf-8")
    if site.energy is not None:
        site.energy_file.write_text(_energy_toml(site, site.energy), encoding="utf-8")


def _kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in the file; a new one, for its owner's eyes only, where there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make() + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _pin() -> str:
    return "".join(secrets.choice("123456789") for _ in range(8))


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    found: list[int] = []
    start = secrets.randbelow(len(_PORTS))
    for offset in range(len(_PORTS)):
        port = _PORTS[(start + offset) % len(_PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise IslandError(f"{count} free ports between {_PORTS.start} and {_PORTS.stop} are needed on 127.0.0.1.")


def _cloud_toml(site: Site) -> str:
    head = f"""# Written by the demonstration.
[server]
data_dir = "cloud"
port = {site.ports.cloud}
name = "博鳌零碳示范区"

[broker]
port = {site.ports.broker}

[auth]
demo_user = "{DEMO_USER}"

[[gateways]]
id = "{GATEWAY_ID}"
secret_file = "secrets/gateway"
name = "东门 East gate"
"""
    if site.energy is None:
        return head
    return f"""{head}
[[gateways]]
id = "{energy_files.GATEWAY_ID}"
secret_file = "secrets/gateway-energy"
name = "{energy_files.GATEWAY_NAME}"
"""


def _energy_toml(site: Site, energy: EnergySite) -> str:
    return f"""# Written by the demonstration.
[gateway]
id = "{energy_files.GATEWAY_ID}"
name = "{energy_files.GATEWAY_NAME}"
data_dir = "edge-energy"
metrics_port = {site.ports.energy_metrics}

[cloud]
broker_host = "127.0.0.1"
broker_port = {site.ports.broker}
username = "{energy_files.GATEWAY_ID}"
password_file = "secrets/gateway-energy"
api_url = "{site.cloud_url}"
token_file = "secrets/gateway-energy"
public_key_file = "{site.public_key_file.relative_to(site.folder)}"
tls = false

[hut]
enabled = false

{energy_files.energy_table(energy)}"""


def _sim_toml(site: Site, options: DemoOptions) -> str:
    hour = "" if options.hour is None else f"hour = {float(options.hour)}\n"
    head = f"""# Written by the demonstration.
[gate]
seed = {options.seed}
http_port = {site.ports.sim}
speed = {float(options.speed)}
showcase = true
paused = true
weather = {json.dumps(options.weather)}
{hour}
[drivers]
patience_s = 90.0
"""
    return head + "".join(
        f"""
[[lane]]
id = "{lane.lane_id}"
label = "{lane.label}"
direction = "{lane.direction}"
modbus_port = {port}
scanner_port = {scanner}
interval_s = {float(options.interval_s)}
first_s = {2.0 + 4.0 * index}
"""
        for index, (lane, port, scanner) in enumerate(
            zip(site.lanes, site.ports.modbus, site.ports.scanners, strict=True)
        )
    )


def _edge_toml(site: Site) -> str:
    head = f"""# Written by the demonstration.
[gateway]
id = "{GATEWAY_ID}"
name = "东门"
data_dir = "edge"

[cloud]
broker_host = "127.0.0.1"
broker_port = {site.ports.broker}
username = "{GATEWAY_ID}"
password_file = "secrets/gateway"
api_url = "{site.cloud_url}"
token_file = "secrets/gateway"
public_key_file = "{site.public_key_file.relative_to(site.folder)}"
tls = false

[hut]
port = {site.ports.hut}
pin_file = "secrets/hut.pin"
"""
    return head + "".join(
        f"""
[[lane]]
id = "{lane.lane_id}"
name = "{lane.name}"
name_en = "{lane.name_en}"
gate_id = "{GATE_ID}"
direction = "{lane.direction}"

[lane.camera]
kind = "mjpeg"
url = "{site.sim_url}/lane/{lane.lane_id}/stream.mjpg"

[lane.barrier]
kind = "modbus"
port = {port}

[lane.display]
kind = "modbus"

[lane.scanner]
kind = "tcp"
port = {scanner}
"""
        for lane, port, scanner in zip(site.lanes, site.ports.modbus, site.ports.scanners, strict=True)
    )
