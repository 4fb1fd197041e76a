"""A folder of pictures as a camera: owns their order and what cannot be decoded. None is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from edge.adapters.camera import decode_jpeg
from edge.ports import Clock, Frame, UnreadablePicture

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Pictures of one folder and those below it, sorted by path."""

    folder: Path
    clock: Clock
    loop: bool = False
    pace_s: float = 0.0

    async def pictures(self) -> AsyncIterator[Frame | UnreadablePicture]:
        """Every picture in order; with `loop` for ever."""
        while True:
            for path in picture_files(self.folder):
                yield await asyncio.to_thread(self._load, path)
                if self.pace_s:
                    await self.clock.sleep(self.pace_s)
            if not self.loop:
                return
            await self.clock.sleep(0.01)

    def _load(self, path: Path) -> Frame | UnreadablePicture:
        name = str(path.relative_to(self.folder)) if self.folder.is_dir() else path.name
        try:
            data = path.read_bytes()
        except OSError as error:
            return UnreadablePicture(name, f"cannot be read: {error.strerror}")
        image = decode_jpeg(data)
        if image is None:
            return UnreadablePicture(name, "holds no picture that can be decoded")
        jpeg = data if data[:2] == b"\xff\xd8" else None
        return Frame(image, self.clock.now(), self.clock.monotonic(), jpeg, name)


def picture_files(folder: Path) -> list[Path]:
    """The picture files below a folder, or the one file that was named."""
    if folder.is_file():
        return [folder]
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
