"""The demonstration's child processes: owns starting, watching and ending them, each by its own number."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from control.domain.errors import IslandError
from hw_sim.bound import bound

STOP_TIMEOUT_S = 20.0
POLL_S = 0.15
LOG_TAIL_LINES = 12


class ProgramFailed(IslandError):
    """A program of the demonstration did not come up, or ended before it should."""


@dataclass(slots=True)
class Program:
    """One program: how it is started, where it writes, and its process while it runs."""

    name: str
    module: str
    arguments: tuple[str, ...]
    log_file: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the demonstration alone."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *bound(sys.executable, "-m", self.module, *self.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            )

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], *, timeout_s: float) -> None:
        """Raises ProgramFailed, with the end of its log, when it ends or is not ready in time."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        while loop.time() < until_s:
            if not self.running:
                raise ProgramFailed(f"{self.name} ended at its start:\n{self.log_tail()}")
            if await ready():
                return
            await asyncio.sleep(POLL_S)
        raise ProgramFailed(f"{self.name} was not ready after {timeout_s:.0f} s:\n{self.log_tail()}")

    async def stop(self) -> None:
        """Ask it to end, and kill it when it does not."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    def log_tail(self) -> str:
        """The last lines it wrote."""
        try:
            lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return "(it wrote nothing)"
        return "\n".join(f"    {line}" for line in lines[-LOG_TAIL_LINES:])


def check_alive(programs: Sequence[Program]) -> None:
    """Raises ProgramFailed naming a program that ended by itself."""
    for program in programs:
        if program.process is not None and not program.running:
            code = program.process.returncode
            raise ProgramFailed(f"{program.name} ended by itself (status {code}):\n{program.log_tail()}")
