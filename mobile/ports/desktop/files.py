"""Choosing a file on a computer: owns reading it; the window's own dialog, which the app gives, asks for the path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from mobile.ports.files import FILE_BYTES_MAX, FileUnreadable, GivenFile, Kind

Ask = Callable[[Kind], Awaitable[Path | None]]


class DesktopFiles:
    """Files of the computer; without a dialog nobody can be asked."""

    can_photograph = False

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask

    async def choose(self, kind: Kind) -> GivenFile | None:
        """The file that a person points at."""
        path = None if self._ask is None else await self._ask(kind)
        return None if path is None else await asyncio.to_thread(read_file, path)

    async def photograph(self) -> GivenFile | None:
        """A computer takes no photos."""
        return None


def read_file(path: Path) -> GivenFile:
    """A file's bytes. Raises FileUnreadable."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise FileUnreadable(f"{path.name} has more than {FILE_BYTES_MAX} bytes; choose a smaller file.")
        return GivenFile(path.name, path.read_bytes())
    except OSError as error:
        raise FileUnreadable(f"{path.name} cannot be read ({error.strerror}); choose another file.") from error
