"""What is done about errors of our own: owns the log of faults, and that the app goes on.

The log says where in the program it happened and of which kind it was. Messages and values stay out of it: they may
hold a name, a plate or a token.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from kivy.base import ExceptionHandler, ExceptionManager

LOG_BYTES_MAX = 200_000


class FaultLog:
    """Appends faults to a file that keeps its newer half when it is full."""

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self.path, self._now = path, now
        self.count = 0
        self._last: list[str] = []

    def note(self, fault: BaseException) -> None:
        """One fault: when, kind, and the places it passed through; the same one again and again is written once."""
        self.count += 1
        what = [type(fault).__qualname__]
        what += [
            f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(fault.__traceback__)
        ]
        if what == self._last:
            return
        self._last = what
        entry = f"{self._now().isoformat(timespec='seconds')} " + "\n".join(what)
        before = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        if len(before) > LOG_BYTES_MAX:
            before = before[len(before) // 2 :].partition("\n")[2]
        self.path.write_text(f"{before}{entry}\n", encoding="utf-8")


class Barrier(ExceptionHandler):  # type: ignore[misc]
    """Between a fault in one screen and the end of the app: the fault is noted and told, the app goes on."""

    def __init__(self, log: FaultLog, tell: Callable[[], None]) -> None:
        self._log, self._tell = log, tell

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stand behind Kivy's events and behind the loop's forgotten tasks."""
        ExceptionManager.add_handler(self)
        loop.set_exception_handler(self._of_loop)

    def handle_exception(self, exception: BaseException) -> int:
        """Called by Kivy. What ends programs on purpose goes on its way."""
        if not isinstance(exception, Exception):
            return int(ExceptionManager.RAISE)
        self.met(exception)
        return int(ExceptionManager.PASS)

    def met(self, fault: Exception) -> None:
        """Note it and tell the person."""
        self._log.note(fault)
        self._tell()

    def _of_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if isinstance(fault, Exception):
            self.met(fault)
