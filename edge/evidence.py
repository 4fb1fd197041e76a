"""Evidence pictures: owns the files under their content hash, their making, and when they may go.

A file is written beside its place, flushed to the disk and moved in, so that a name always stands for
whole content. What the journal says about a picture is written by the cycles, not here.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from control.domain.errors import DeviceError
from control.domain.readings import Quad
from edge.ports import Frame, Picture

JPEG_QUALITY = 88
CROP_WIDTH_PX, CROP_MARGIN = 280, 0.12
CROP_ASPECT_ONE_ROW, CROP_ASPECT_TWO_ROWS = 440 / 140, 440 / 220
MEDIA_TYPE = "image/jpeg"


class EvidenceFull(DeviceError):
    """There is no room for a picture."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One picture in memory with its name-to-be."""

    data: bytes
    sha256: str
    role: str

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return len(self.data)


def evidence_of(data: bytes, role: str) -> Evidence:
    """Name a picture by its content."""
    return Evidence(data, hashlib.sha256(data).hexdigest(), role)


def frame_evidence(frame: Frame) -> Evidence:
    """The whole picture: as the camera sent it, or encoded once."""
    return evidence_of(frame.jpeg if frame.jpeg is not None else encode(frame.image), "frame")


def crop_evidence(image: Picture, quad: Quad, *, rows: int = 1) -> Evidence:
    """The plate, straightened, with a margin around it."""
    return evidence_of(encode(crop_plate(image, quad, rows=rows)), "crop")


def encode(image: Picture) -> bytes:
    """JPEG bytes of a BGR picture."""
    good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert good, "OpenCV encodes every BGR picture"
    return data.tobytes()


def crop_plate(image: Picture, quad: Quad, *, rows: int) -> Picture:
    """The quad (top left, top right, bottom right, bottom left) as an upright rectangle."""
    width = CROP_WIDTH_PX
    height = round(width / (CROP_ASPECT_TWO_ROWS if rows == 2 else CROP_ASPECT_ONE_ROW))
    corners = np.asarray(quad, np.float32)
    middle = corners.mean(axis=0)
    corners = middle + (corners - middle) * (1 + 2 * CROP_MARGIN)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.warpPerspective(image, cv2.getPerspectiveTransform(corners.astype(np.float32), target), (width, height))


@dataclass(frozen=True, slots=True)
class EvidenceStore:
    """Files below `root` as `ab/cd/abcd….jpg`."""

    root: Path
    free_mb_min: int = 0

    def path_of(self, sha256: str) -> Path:
        """Where a picture lies, or would."""
        return self.root / sha256[:2] / sha256[2:4] / f"{sha256}.jpg"

    async def keep(self, evidence: Evidence) -> None:
        """Store one picture durably; storing it twice is the same. Raises EvidenceFull."""
        await asyncio.to_thread(self._keep, evidence)

    def _keep(self, evidence: Evidence) -> None:
        path = self.path_of(evidence.sha256)
        if path.exists():
            return
        try:
            self._check_room()
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(path, evidence.data)
        except OSError as error:
            raise EvidenceFull(f"evidence {self.root}: {error.strerror or error}; free some disk space") from error

    def _check_room(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        free_mb = shutil.disk_usage(self.root).free // 1_000_000
        if free_mb < self.free_mb_min:
            raise EvidenceFull(f"evidence {self.root}: only {free_mb} MB free; evidence.free_mb_min keeps the rest")

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or None where there is no such file."""
        try:
            return self.path_of(sha256).read_bytes()
        except FileNotFoundError:
            return None

    async def prune(
        self, *, now: datetime, keep_days: float, size_mb_max: int, in_cloud: Callable[[str], bool]
    ) -> list[str]:
        """Remove what is too old, then the oldest above the size; only what the cloud has. Gives the names."""
        return await asyncio.to_thread(self._prune, now - timedelta(days=keep_days), size_mb_max, in_cloud)

    def _prune(self, oldest: datetime, size_mb_max: int, in_cloud: Callable[[str], bool]) -> list[str]:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        removed = []
        for modified_s, size, path in files:
            excess = total > size_mb_max * 1_000_000
            if (excess or modified_s < oldest.timestamp()) and in_cloud(path.stem):
                path.unlink(missing_ok=True)
                total -= size
                removed.append(path.stem)
        return removed

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.root.glob("??/??/*.jpg"):
            status = path.stat()
            yield status.st_mtime, status.st_size, path


def _write_durably(path: Path, data: bytes) -> None:
    beside = path.with_suffix(f".{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        _flush_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
