"""Files named by the hash of what is in them: owns where they lie, and that each is there whole and for good, or not.

Whoever hands content over has decided that it is accepted; nothing here opens, renders or runs it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path

from cloud_sync.server.problems import Problem

_SHA256 = re.compile(r"[0-9a-f]{64}")


class HashedFiles:
    """Files in folders of the first two hash characters; each name ends with `suffix`."""

    def __init__(self, folder: Path, *, free_bytes_min: int, suffix: str = "") -> None:
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        self._suffix = suffix

    def path_of(self, sha256: str) -> Path:
        """Where the bytes lie. Raises Problem `not_found` for what is no hash, so that no path can be smuggled in."""
        if not _SHA256.fullmatch(sha256):
            raise Problem("not_found")
        return self._folder / sha256[:2] / f"{sha256}{self._suffix}"

    async def keep(self, sha256: str, content: bytes) -> None:
        """Writes content whose hash must be `sha256`, once. Raises Problem `hash_differs`, `storage_full`."""
        await asyncio.to_thread(self._keep, sha256, content)

    def _keep(self, sha256: str, content: bytes) -> None:
        target = self.path_of(sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Problem("hash_differs")
        if target.exists():
            return
        fresh = target.with_name(f".{sha256[:8]}.{secrets.token_hex(4)}")
        try:
            _make_folder(target.parent)
            if shutil.disk_usage(target.parent).free - len(content) < self._free_bytes_min:
                raise Problem("storage_full", detail=f"less than {self._free_bytes_min} bytes are free")
            _write_synced(fresh, content)
            fresh.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise Problem("storage_full", detail=error.strerror or "") from error

    async def remove(self, sha256: str) -> None:
        """Deletes the bytes, whether or not they are there."""
        await asyncio.to_thread(self.path_of(sha256).unlink, missing_ok=True)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync_folder(folder.parent)


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """So that a name outlives a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
