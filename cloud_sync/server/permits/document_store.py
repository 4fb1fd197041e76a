"""Papers as files: owns how many are looked at at once, and that one person's wait for one another.

They are data of strangers. Whether bytes are accepted is `control.permits.documents`' to say, in a thread.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from weakref import WeakValueDictionary

from cloud_sync.server.hashed_files import HashedFiles
from control.permits.documents import AcceptedDocument, DocumentLimits, RejectedDocument, inspect


class DocumentStore(HashedFiles):
    """Papers that people send; `checks_at_once` are looked at at the same time."""

    def __init__(self, folder: Path, *, free_bytes_min: int, checks_at_once: int) -> None:
        super().__init__(folder, free_bytes_min=free_bytes_min)
        self._checks = asyncio.Semaphore(checks_at_once)
        self._senders: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

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
