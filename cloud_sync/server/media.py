"""Evidence pictures in the cloud: owns which bytes are taken, and how large they may be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from cloud_sync.server.hashed_files import HashedFiles
from cloud_sync.server.problems import Problem

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


class MediaStore(HashedFiles):
    """Pictures that gateways send, of a bounded size. Taking one twice does nothing more."""

    def __init__(self, folder: Path, *, size_bytes_max: int, free_bytes_min: int = 0) -> None:
        super().__init__(folder, free_bytes_min=free_bytes_min)
        self._size_bytes_max = size_bytes_max

    async def take(self, sha256: str, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Stores a stream whose hash must be `sha256`; its type and size. Raises Problem; leaves nothing half."""
        self.path_of(sha256)
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > self._size_bytes_max:
                raise Problem("too_large", detail=f"more than {self._size_bytes_max} bytes")
        media_type = sniffed_type(bytes(data[:16]))
        if media_type is None:
            raise Problem("not_a_picture")
        await self.keep(sha256, bytes(data))
        return media_type, len(data)
