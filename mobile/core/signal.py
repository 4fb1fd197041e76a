"""Telling others that something changed: owns a list of listeners, and nothing about what changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

Listener = Callable[[], None]
log = logging.getLogger("mobile")


class Signal:
    """Calls its listeners in the order in which they came, in the loop of whoever emits."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def connect(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; what comes back takes it away again, any number of times."""
        self._listeners.append(listener)

        def disconnect() -> None:
            self._listeners[:] = [one for one in self._listeners if one is not listener]

        return disconnect

    def emit(self) -> None:
        """Tells those who listen now; whoever is taken away meanwhile is not told any more.

        A listener's mistake is the loop's to report: what is told has happened, and the others hear of it too.
        """
        for listener in tuple(self._listeners):
            if any(one is listener for one in self._listeners):
                _call(listener)


def _call(listener: Listener) -> None:
    try:
        listener()
    except Exception as mistake:  # noqa: BLE001 - told to the loop, as of a call_soon
        _report(mistake)


def _report(mistake: Exception) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        log.warning("a listener failed: %s", type(mistake).__name__)  # its text may name what a person entered
    else:
        loop.call_exception_handler({"message": "a listener failed", "exception": mistake})
