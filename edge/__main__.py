"""`./island edge`: runs one gateway. Owns the command line, logging and the way to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

import structlog

from control.domain.errors import IslandError
from edge.build import built
from edge.config import SiteConfig, describe, load

OK, FAILED, MISUSED = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(prog="island edge", description="Run one gateway at one entry point.")
    words.add_argument("--config", type=Path, required=True, metavar="FILE", help="site.toml; see site.example.toml")
    words.add_argument("--check", action="store_true", help="check the configuration, print it without secrets, end")
    words.add_argument("--exit-when-done", action="store_true", help="end after the last picture of every folder")
    words.add_argument(
        "--drain-timeout-s", type=float, default=60.0, help="then wait so long for the cloud to have all"
    )
    words.add_argument("--json", action="store_true", help="print what became of the pictures as one JSON line")
    words.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return words


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = parser().parse_args(arguments)
    set_up_logs(options.log_level)
    try:
        config = load(options.config, os.environ)
        if options.check:
            print(json.dumps(describe(config), ensure_ascii=False, indent=2))
            return OK
        return asyncio.run(run(config, options))
    except IslandError as error:
        print(f"edge: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return OK


class ErrorStream:
    """Writes a line to whatever the error stream is at that moment."""

    def msg(self, message: str) -> None:
        """One line."""
        print(message, file=sys.stderr, flush=True)

    log = debug = info = warning = error = critical = exception = msg


def set_up_logs(level: str) -> None:
    """One line an event, on the error stream."""
    number = logging.getLevelNamesMapping()[level.upper()]
    # A silent controller is told once by the lane; the library would repeat it at every try.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: ErrorStream(),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )


async def run(config: SiteConfig, options: argparse.Namespace) -> int:
    """Run the gateway until it is told to stop, or until its folders are done."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with built(config) as gateway:
        running = asyncio.create_task(gateway.run(), name="gateway")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        waits = {running, stopping}
        if options.exit_when_done:
            waits.add(asyncio.create_task(gateway.finished(), name="finished"))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        drained = True
        if options.exit_when_done and not stop.is_set() and config.cloud.broker_host:
            drained = await gateway.drained(options.drain_timeout_s)
        await _stop(*waits)
        if options.exit_when_done:
            show({**gateway.summary(), "drained": drained}, as_json=options.json)
    return OK if drained else FAILED


async def _stop(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def show(summary: dict[str, object], *, as_json: bool) -> None:
    """The figures, as JSON or line by line."""
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
        return
    for name, value in summary.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    sys.exit(main())
