"""Command line of the simulated microgrid: `python -m hw_sim.microgrid --config FILE [--check] [--seconds N]`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

from control.domain.errors import ConfigurationError
from hw_sim.microgrid.config import MicrogridConfig, load
from hw_sim.microgrid.service import Addresses, SimulatedMicrogrid


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal comes or the seconds are over."""
    parser = argparse.ArgumentParser(prog="hw_sim.microgrid", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a TOML file like hw_sim/microgrid.example.toml")
    parser.add_argument("--check", action="store_true", help="check the configuration, print it, and end")
    parser.add_argument("--seconds", type=float, help="end by itself after so many seconds")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # A master that goes away in the middle of a request is nothing to tell.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    logging.getLogger("microgrid.ocpp.wire").setLevel(logging.WARNING)
    try:
        config = load(options.config)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        print("\n".join(_lines(config)))
        return 0
    return asyncio.run(_run(config, options.seconds))


async def _run(config: MicrogridConfig, seconds: float | None) -> int:
    microgrid = SimulatedMicrogrid(config, now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with microgrid.running() as at:
        _tell(config, at)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
    return 0


def _tell(config: MicrogridConfig, at: Addresses) -> None:
    host = config.site.host
    print(f"simulated microgrid on http://{host}:{at.http_port}/state", flush=True)
    ports = {"meter": at.meter_port, "breaker": at.breaker_port, **at.inverter_ports, **at.storage_ports}
    for name, port in ports.items():
        print(f"  {name}: Modbus TCP {host}:{port} unit 1", flush=True)
    if at.mqtt_port:
        print(f"  loads: MQTT {host}:{at.mqtt_port}", flush=True)


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
