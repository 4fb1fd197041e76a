"""The cloud's program: `python -m cloud_sync.server --config cloud.toml [--check | --rebuild-projections]`."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import uvicorn

from cloud_sync.server import build, config, projections, retention
from cloud_sync.server.broker import free_port
from control.domain.errors import ConfigurationError, IslandError

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2

log = structlog.get_logger()


class CloudServer(uvicorn.Server):
    """Ends the live streams at the first signal, so that open pages do not hold up the shutdown."""

    def __init__(self, settings: config.CloudConfig) -> None:
        self.app = build.create_app(settings)
        self._host = settings.server.host
        self._port = settings.server.port or free_port(settings.server.host)
        super().__init__(
            uvicorn.Config(
                self.app,
                host=self._host,
                port=self._port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=settings.server.shutdown_timeout_s,
                timeout_keep_alive=30,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn's signal handler."""
        given = getattr(self.app.state, "services", None)
        if given is not None:
            given.live.close()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Tells where the console is once it answers."""
        await super().startup(sockets=sockets)
        if self.should_exit:
            return
        # What is there now stays. Without this a full collection looks at all of it and stops every request meanwhile.
        gc.collect()
        gc.freeze()
        print(f"console: http://{self._host}:{self._port}/", flush=True)
        if self.app.state.first_account:
            print(f"first account: {self.app.state.first_account}", flush=True)
        if self.app.state.demo_accounts:
            print(f"same password: {' '.join(self.app.state.demo_accounts)}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Parses, reads the configuration, runs; the exit status."""
    parser = argparse.ArgumentParser(prog="island cloud", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="cloud.toml; see cloud.example.toml")
    parser.add_argument("--check", action="store_true", help="validate and print the configuration, then end")
    parser.add_argument("--rebuild-projections", action="store_true", help="make the tables anew from the events")
    chosen = parser.parse_args(arguments)
    try:
        settings = config.load(chosen.config)
        if chosen.check:
            print("\n".join(config.shown(settings)))
            return 0
        configure_logging()
        with _only_one(settings.server.data_dir):
            if chosen.rebuild_projections:
                return asyncio.run(_rebuild(settings))
            return _serve(settings)
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except IslandError as error:
        print(f"failed: {error}", file=sys.stderr)
        return EXIT_FAILED


def _serve(settings: config.CloudConfig) -> int:
    server = CloudServer(settings)
    with suppress(KeyboardInterrupt):  # uvicorn repeats Ctrl-C after its clean shutdown
        server.run()
    return 0 if server.started else EXIT_FAILED


async def _rebuild(settings: config.CloudConfig) -> int:
    async with AsyncExitStack() as stack:
        given = await build.opened_services(stack, settings)
        async with given.pool.acquire() as connection:
            count = await projections.rebuild(connection)
        await retention.run_once(given)
    print(f"rebuilt from {count} events")
    return 0


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """One process a data folder: two would fight over the embedded database and broker."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "cloud.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(f"{data_dir} is in use by another cloud: stop it or change data_dir") from error
        yield


def configure_logging() -> None:
    """Lines for operators on stderr; a traceback comes without local variables, which may be plates and secrets."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    lines = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*structlog.get_config()["processors"][:-1], lines],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main())
