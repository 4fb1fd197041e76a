"""Command line of the simulated devices: `python -m hw_sim --config FILE [--check] [--seconds N]`.

A file with lanes is a gate; one with inverters, storages, chargers or loads a microgrid (`hw_sim.microgrid`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
import tomllib
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2

from control.domain.errors import ConfigurationError
from edge.rules_file import delivered_rules
from hw_sim.config import SimConfig, load
from hw_sim.microgrid import __main__ as microgrid
from hw_sim.service import SimulatedGate

_MICROGRID_TABLES = {"site", "inverter", "storage", "charger", "load"}


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal comes or the seconds are over."""
    parser = argparse.ArgumentParser(prog="hw_sim", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a TOML file like hw_sim/sim.example.toml")
    parser.add_argument("--check", action="store_true", help="check the configuration, print it, and end")
    parser.add_argument("--seconds", type=float, help="end by itself after so many seconds")
    options = parser.parse_args(arguments)
    if _is_microgrid(options.config):
        return microgrid.main(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        config = load(options.config)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        print("\n".join(_lines(config)))
        return 0
    cv2.setNumThreads(1)
    return asyncio.run(_run(config, options.seconds))


def _is_microgrid(file: Path) -> bool:
    """What cannot be read is left to the gate's reader, which says why."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
    return not tables.keys().isdisjoint(_MICROGRID_TABLES)


async def _run(config: SimConfig, seconds: float | None) -> int:
    rules = delivered_rules()
    gate = SimulatedGate(config, rules, now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with gate.running() as addresses:
        print(f"simulated gate on http://{config.gate.host}:{addresses.http_port}/state", flush=True)
        for lane_id, port in addresses.modbus_ports.items():
            print(f"  {lane_id}: barrier on Modbus TCP {config.gate.host}:{port} unit 1", flush=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
    return 0


def _lines(tree: object, prefix: str = "") -> list[str]:
    """The configuration as `key = value` lines."""
    found: list[str] = []
    assert is_dataclass(tree)
    for f in fields(tree):
        value, name = getattr(tree, f.name), f"{prefix}{f.name}"
        if is_dataclass(value):
            found += _lines(value, f"{name}.")
        elif isinstance(value, tuple):
            found += [line for index, item in enumerate(value) for line in _lines(item, f"{name}[{index}].")]
        else:
            found.append(f"{name} = {value}")
    return found


if __name__ == "__main__":
    sys.exit(main())
