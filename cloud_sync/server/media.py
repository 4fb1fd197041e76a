"""Evidence pictures in the cloud: owns their files below `data_dir/media`, named by content hash."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from cloud_sync.server.problems import Problem

SHA256 = re.compile(r"[0-9a-f]{64}")
_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"WEBP", 8, "image/webp"),
)


def sniffed_type(head: bytes) -> str | None:
    """The media type by the first bytes; what a sender calls it does not count."""
    for mark, offset, media_type in _SIGNATURES:
        if head[offset : offset + len(mark)] == mark:
            return media_type
    return None


class MediaStore:
    """Files in folders of the first two hash characters. Writing is complete or absent, and idempotent."""

    def __init__(self, folder: Path, *, size_bytes_max: int, free_bytes_min: int = 0) -> None:
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        self._size_bytes_max = size_bytes_max

    def path_of(self, sha256: str) -> Path:
        """Where the bytes lie; raises Problem `not_found` for what is no hash, so that no path can be smuggled in."""
        if not SHA256.fullmatch(sha256):
            raise Problem("not_found")
        return self._folder / sha256[:2] / sha256

    async def take(self, sha256: str, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Stores a stream whose hash must be `sha256`; its type and size. Raises Problem; leaves nothing half."""
        target = self.path_of(sha256)
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > self._size_bytes_max:
                raise Problem("too_large", detail=f"more than {self._size_bytes_max} bytes")
        media_type = sniffed_type(bytes(data[:16]))
        if media_type is None:
            raise Problem("not_a_picture")
        await asyncio.to_thread(self._write, target, bytes(data), sha256)
        return media_type, len(data)

    def _write(self, target: Path, data: bytes, sha256: str) -> None:
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Problem("hash_differs")
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(target.parent).free - len(data) < self._free_bytes_min:
            raise Problem("storage_full", detail=f"less than {self._free_bytes_min} bytes are free")
        fresh = target.with_name(f".{sha256[:8]}.{secrets.token_hex(4)}")
        try:
            _write_synced(fresh, data)
            fresh.replace(target)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise Problem("storage_full", detail=error.strerror or "") from error

    async def remove(self, sha256: str) -> None:
        """Deletes the bytes, whether or not they are there."""
        await asyncio.to_thread(self.path_of(sha256).unlink, missing_ok=True)


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
