"""Room on the disk for the journal: owns the ballast file and the marks at which telemetry gives way.

SQLite cannot even delete on a full disk. A ballast file that is removed first gives the room to recover;
what it frees is the reserve of lanes 0 and 1, and no other lane may write until the ballast is back.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

THIN_AT_FRAC = 0.80
DROP_AT_FRAC = 0.90


class Room(Enum):
    """How much room there is, from plenty to none but the reserve."""

    PLENTY = "plenty"
    THIN = "thin"  # telemetry is thinned out
    DROP = "drop"  # telemetry that was not sent is dropped
    RESERVE = "reserve"  # the ballast is gone: lanes 0 and 1 only


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of the journal's own files, and bytes that the file system has left."""

    journal_bytes: int
    free_bytes: int


def room_for(usage: Usage, *, journal_bytes_max: int, ballast_held: bool) -> Room:
    """The room there is. The journal's share is its own limit or what the disk has, whichever is less."""
    if not ballast_held:
        return Room.RESERVE
    share = min(journal_bytes_max, usage.journal_bytes + usage.free_bytes)
    used_frac = usage.journal_bytes / max(share, 1)
    if used_frac >= DROP_AT_FRAC:
        return Room.DROP
    return Room.THIN if used_frac >= THIN_AT_FRAC else Room.PLENTY


class Ballast:
    """A file of known size beside the journal that can be given up at once."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def held(self) -> bool:
        """Whether the file has its full size. A ballast of no size is always held."""
        try:
            return self._path.stat().st_size >= self._size_bytes
        except FileNotFoundError:
            return self._size_bytes == 0

    def release(self) -> bool:
        """Give the room up. False when there was none to give."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def restore(self) -> bool:
        """Take the room again when the disk has twice as much left. False while it has not."""
        if self.held:
            return True
        if shutil.disk_usage(self._path.parent).free < 2 * self._size_bytes:
            return False
        try:
            self._fill()
        except OSError:
            self.release()
            return False
        return True

    def _fill(self) -> None:
        with self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self._size_bytes)
            os.fsync(file.fileno())


def usage_of(path: Path, free_pages_bytes: int) -> Usage:
    """What the journal's files take, less the pages inside that are free again."""
    own = sum(_size(path.with_name(path.name + suffix)) for suffix in ("", "-wal"))
    return Usage(max(own - free_pages_bytes, 0), shutil.disk_usage(path.parent).free)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
