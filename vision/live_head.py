"""The head that the classifier uses right now: owns taking a switched version over without a restart.

Whoever switches writes to the shelf; every process that classifies looks at the shelf's stamp before a picture.
"""

from __future__ import annotations

from pathlib import Path

from control.domain.errors import IslandError
from vision.head import Head
from vision.head_shelf import SHIPPED, HeadShelf


class LiveHead:
    """`current` is always a head that works: one that cannot be used leaves the last good one in place."""

    def __init__(self, shipped: Head, heads_dir: Path | None = None) -> None:
        """Without a folder of versions the shipped head is used for ever."""
        self.shipped = shipped
        self.version = SHIPPED
        self.problem = ""
        self._shelf = HeadShelf(heads_dir) if heads_dir is not None else None
        self._head, self._stamp = shipped, 0

    def current(self) -> Head:
        """The version in use; costs one look at a file. `problem` says why it is not the one that was asked for."""
        if self._shelf is not None and (stamp := self._shelf.stamp) != self._stamp:
            self._stamp = stamp
            self._take(self._shelf)
        return self._head

    def _take(self, shelf: HeadShelf) -> None:
        try:
            version = shelf.read().in_use
            self._head, self.version = shelf.load(version, self.shipped), version
            self.problem = ""
        except IslandError as error:
            self.problem = str(error)
