"""Papers as files: owns `data_dir/documents`, each named by its content hash, written whole or not at all.

They are data of strangers: nothing here opens, renders or runs one. Whether bytes are accepted is
`control.permits.documents`' to say, in a thread, few at a time.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
from pathlib import Path
from weakref import WeakValueDictionary

from cloud_sync.server.problems import Problem
from control.permits.documents import AcceptedDocument, DocumentLimits, RejectedDocument, inspect

_SHA256 = re.compile(r"[0-9a-f]{64}")


class DocumentStore:
    """Files in folders of the first two hash characters; `checks_at_once` papers are looked at at the same time."""

    def __init__(self, folder: Path, *, free_bytes_min: int, checks_at_once: int) -> None:
        self._folder, self._free_bytes_min = folder, free_bytes_min
        self._checks = asyncio.Semaphore(checks_at_once)
        self._senders: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def path_of(self, sha256: str) -> Path:
        """Where the bytes lie. Raises Problem `not_found` for what is no hash, so that no path can be smuggled in."""
        if not _SHA256.fullmatch(sha256):
            raise Problem("not_found")
        return self._folder / sha256[:2] / sha256

    def sender(self, user_id: str) -> asyncio.Lock:
        """Held while a person's paper is read and looked at: the bodies of one person wait for one another unread."""
        lock = self._senders.get(user_id)
        if lock is None:
            self._senders[user_id] = lock = asyncio.Lock()
        return lock

    async def inspected(self, content: bytes, limits: DocumentLimits) -> AcceptedDocument | RejectedDocument:
        """Whether the bytes are accepted."""
        async with self._checks:
            return await asyncio.to_thread(inspect, content, limits)

    async def keep(self, document: AcceptedDocument, content: bytes) -> None:
        """Writes an accepted paper, once. Raises Problem `storage_full`."""
        await asyncio.to_thread(self._write, self.path_of(document.sha256), content)

    def _write(self, target: Path, content: bytes) -> None:
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(target.parent).free - len(content) < self._free_bytes_min:
            raise Problem("storage_full", detail=f"less than {self._free_bytes_min} bytes are free")
        fresh = target.with_name(f".{target.name[:8]}.{secrets.token_hex(4)}")
        try:
            _write_synced(fresh, content)
            fresh.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise Problem("storage_full", detail=error.strerror or "") from error

    async def remove(self, sha256: str) -> None:
        """Deletes the bytes, whether or not they are there."""
        await asyncio.to_thread(self.path_of(sha256).unlink, missing_ok=True)


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """So that the name outlives a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
