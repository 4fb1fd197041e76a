"""Telling others that something changed: owns a list of listeners, and nothing about what changed."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[], None]


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
        """Tells those who listen now; whoever is taken away meanwhile is not told any more."""
        for listener in tuple(self._listeners):
            if any(one is listener for one in self._listeners):
                listener()
