"""A gateway and its simulated microgrid as two processes on loopback: owns their files, their lives and their answers.

Nothing is shortened: real protocols, real clocks. Each process is ended by its own number.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from control.domain.errors import IslandError
from hw_sim import energy_files
from hw_sim.microgrid.config import Sky

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
START_S, STOP_S, POLL_S = 60.0, 20.0, 0.05


class NotInTime(IslandError):
    """A process did not come to what was waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What kind of site: the hour of a clear day, what may be exported, how full the storages are."""

    export_max_kw: float = 0.0
    hour: float = 12.0
    day: str = "2026-07-15"
    soc_frac: float = 0.6
    grid_return_s: float = 20.0


@dataclass(slots=True)
class Stand:
    """Both processes; the simulator lives as long as the stand, the gateway may come and go."""

    folder: Path
    site: energy_files.EnergySite
    metrics_port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    gateway: subprocess.Popen[bytes] | None = None

    @property
    def gateway_file(self) -> Path:
        """The gateway's configuration."""
        return self.folder / "gateway.toml"

    # ---------------------------------------------------------------------------------------------------- processes

    def start_gateway(self) -> float:
        """Start it; the monotonic second in which that was."""
        began_s = time.monotonic()
        self.gateway = self._process("edge", self.gateway_file, "gateway.log", {**os.environ, **self.environment})
        return began_s

    def stop_gateway(self, number: int = signal.SIGTERM) -> None:
        """End it, and wait for that."""
        if self.gateway is not None:
            _end(self.gateway, number)
            self.gateway = None

    def _process(self, module: str, file: Path, log: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, "--config", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=environment,
            )

    # ------------------------------------------------------------------------------------------------------ answers

    def ask(self, path: str) -> dict[str, Any]:
        """The simulator's `/state`, `/truth` or `/time`."""
        found: dict[str, Any] = json.loads(_get(f"{self.site.url}{path}"))
        return found

    def tell(self, path: str, **body: Any) -> None:
        """An order to the simulator, as `/faults`."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.site.url}{path}", data, {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    def fault(self, device: str, fault: str, value: object = True) -> None:
        """Switch one fault."""
        self.tell("/faults", device=device, fault=fault, value=value)

    def figures(self) -> dict[str, float]:
        """The gateway's figures by name with labels; empty while it does not answer."""
        try:
            text = _get(f"http://{HOST}:{self.metrics_port}/metrics")
        except OSError:
            return {}
        rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def wait(self, until: Callable[[], bool], *, timeout_s: float, what: str) -> float:
        """The monotonic second in which it was so first. Raises NotInTime."""
        end_s = time.monotonic() + timeout_s
        while not until():
            if time.monotonic() > end_s:
                raise NotInTime(f"{what}: not within {timeout_s:.0f} s; see the logs in {self.folder}")
            if self.gateway is not None and self.gateway.poll() is not None:
                raise NotInTime(f"{what}: the gateway ended with {self.gateway.returncode}")
            time.sleep(POLL_S)
        return time.monotonic()

    def resident_mb(self) -> float:
        """What the gateway holds in memory, MB, its short-lived children not counted."""
        assert self.gateway is not None
        return _resident_kb(self.gateway.pid) / 1024.0

    def processor_s(self) -> float:
        """What the gateway has used of processors, s, its ended children not counted."""
        assert self.gateway is not None
        fields = Path(f"/proc/{self.gateway.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def stand(folder: Path, wishes: Wishes, environment: Mapping[str, str] | None = None) -> Iterator[Stand]:
    """The simulator runs, the gateway does not yet; both are ended at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    made = _written(folder, wishes, environment or {})
    simulator = made._process("hw_sim.microgrid", folder / "microgrid.toml", "microgrid.log", os.environ)
    try:
        made.wait(lambda: _answers(f"{made.site.url}/state"), timeout_s=START_S, what="the simulator's start")
        yield made
    finally:
        made.stop_gateway()
        _end(simulator, signal.SIGTERM)


def _written(folder: Path, wishes: Wishes, environment: Mapping[str, str]) -> Stand:
    metrics_port, *ports = _free_ports(energy_files.ports_needed() + 1)
    password_file = folder / "chargers"
    password_file.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    password_file.chmod(0o600)
    site = energy_files.energy_site(ports, password_file, seed=7, hour=wishes.hour, sky=Sky.CLEAR)
    config = site.config
    config = replace(
        config,
        site=replace(config.site, day=wishes.day),
        grid=replace(config.grid, export_max_kw=wishes.export_max_kw),
        storage=tuple(replace(one, soc_frac=wishes.soc_frac) for one in config.storage),
    )
    site = replace(site, config=config)
    (folder / "microgrid.toml").write_text(energy_files.microgrid_text(site), encoding="utf-8")
    made = Stand(folder, site, metrics_port, environment)
    head = f'[gateway]\nid = "gw-bench"\nname = "Bench"\ndata_dir = "data"\nmetrics_port = {metrics_port}\n'
    table = energy_files.energy_table(site).replace("grid_return_s = 20.0", f"grid_return_s = {wishes.grid_return_s}")
    made.gateway_file.write_text(f"{head}[hut]\nenabled = false\n{table}", encoding="utf-8")
    return made


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def _answers(url: str) -> bool:
    try:
        _get(url)
    except OSError:
        return False
    return True


def _resident_kb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    return 0.0
