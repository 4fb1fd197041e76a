"""One simulated microgrid and the gateway's configuration for it: owns writing both files, with free ports."""

from __future__ import annotations

import random
import re
import socket
import tomllib
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "hw_sim" / "microgrid.example.toml"
PASSWORD = "only-for-this-test-4711"


# Below those that systems give to outgoing connections, which could take a port between here and its use.
PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each once."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            break
    return found


@dataclass(frozen=True)
class EnergySite:
    """Where everything lies."""

    sim_toml: Path
    gateway_toml: Path
    data_dir: Path
    http_port: int
    metrics_port: int


def write_site(folder: Path, *, hour: float = 12.0, speed: float = 1.0, extra: str = "") -> EnergySite:
    """The example site with ports of its own. The day and the hour are fixed, so that the sun is."""
    example = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    devices = [example["meter"], example["breaker"], example["load_bus"], *example["inverter"], *example["storage"]]
    http, metrics, ocpp, *fresh_ports = free_ports(3 + len(devices))
    ports = {"http": http, "metrics": metrics, "ocpp": ocpp}
    text = EXAMPLE.read_text(encoding="utf-8")
    for key in ("http_port = 8480", "# hour = 10.5", '# day = "2026-03-24"', "speed = 1.0", 'url = ""'):
        assert key in text, key
    text = text.replace("http_port = 8480", f"http_port = {ports['http']}")
    text = text.replace("# hour = 10.5", f"hour = {hour}").replace('# day = "2026-03-24"', 'day = "2026-03-24"')
    text = text.replace("speed = 1.0", f"speed = {speed}").replace('sky = "auto"', 'sky = "clear"')
    text = text.replace('url = ""', f'url = "ws://127.0.0.1:{ports["ocpp"]}/ocpp"')
    text = text.replace('# password_file = "secrets/chargers"', 'password_file = "ocpp.password"')
    for device, fresh in zip(devices, fresh_ports, strict=True):
        # The whole number: 5102 is not the beginning of 51027.
        text = re.sub(rf"\bport = {device['port']}\b", f"port = {fresh}", text, count=1)
        device["port"] = fresh
    (folder / "ocpp.password").write_text(PASSWORD)
    sim_toml, gateway_toml = folder / "sim.toml", folder / "gateway.toml"
    sim_toml.write_text(text, encoding="utf-8")
    gateway_toml.write_text(_gateway(example, folder, ports) + extra, encoding="utf-8")
    return EnergySite(sim_toml, gateway_toml, folder / "edge", ports["http"], ports["metrics"])


def _gateway(example: dict, folder: Path, ports: dict[str, int]) -> str:
    rows = [
        "[gateway]",
        'id = "gw-energy"',
        'name = "微电网"',
        f'data_dir = "{folder / "edge"}"',
        f"metrics_port = {ports['metrics']}",
        "[energy]",
        "grid_return_s = 5.0",
        "[energy.grid]",
        f"import_max_kw = {example['grid']['import_max_kw']}",
        f"export_max_kw = {example['grid']['export_max_kw']}",
    ]
    for name in ("meter", "breaker"):
        rows += [f"[energy.{name}]", 'host = "127.0.0.1"', f"port = {example[name]['port']}"]
    for one in example["inverter"]:
        rows += ["[[energy.inverter]]", *_keys(one, "id", "name", "port", "rated_ac_kw"), 'host = "127.0.0.1"']
        for string in one["string"]:
            rows += ["[[energy.inverter.string]]", *_keys(string, "id", "rated_dc_kw", "tilt_deg", "azimuth_deg")]
    kept = ("id", "name", "port", "capacity_kwh", "charge_max_kw", "discharge_max_kw", "efficiency_charge")
    for one in example["storage"]:
        rows += ["[[energy.storage]]", *_keys(one, *kept, "efficiency_discharge", "grid_forming"), 'host = "127.0.0.1"']
    rows += ["[energy.ocpp]", f"port = {ports['ocpp']}", f'password_file = "{folder / "ocpp.password"}"']
    for one in example["charger"]:
        rows += ["[[energy.charger]]", *_keys(one, "id", "max_kw", "min_kw", "v2g_kw")]
    rows += ["[energy.load_bus]", 'host = "127.0.0.1"', f"port = {example['load_bus']['port']}"]
    for one in example["load"]:
        rows += ["[[energy.load]]", *_keys(one, "id", "name", "name_en", "tier", "sheddable", "rated_kw")]
    return "\n".join(rows) + "\n"


def _keys(table: dict, *names: str) -> list[str]:
    return [f"{name} = {_toml(table[name])}" for name in names if name in table]


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)
