"""Motion JPEG over HTTP: owns taking one stream apart into pictures. No socket in here.

A server sends `multipart/x-mixed-replace`; each part has headers, perhaps a Content-Length, and a JPEG.
"""

from __future__ import annotations

import re

from control.domain.errors import DeviceError

PART_BYTES_MAX = 8 * 1024 * 1024
HEADER_BYTES_MAX = 8 * 1024
_LENGTH = re.compile(rb"^content-length:\s*(\d+)\s*$", re.IGNORECASE | re.MULTILINE)


def boundary_of(content_type: str) -> bytes:
    """The separator that a Content-Type names; raises DeviceError when it is no multipart stream."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if not kind.lower().startswith("multipart/"):
        raise DeviceError(f"camera answered {kind or 'no type'!r} instead of a multipart stream; check camera.url")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "boundary" and value:
            return b"--" + value.strip().strip('"').removeprefix("--").encode("latin-1", "replace")
    raise DeviceError("camera named no boundary in its multipart stream")


class MjpegParser:
    """Feed it bytes as they come, get whole JPEGs."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._buffer = bytearray()
        self._length: int | None = None
        self._in_part = False

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures completed by `data`; raises DeviceError on a part without end."""
        self._buffer += data
        pictures: list[bytes] = []
        while (picture := self._next()) is not None:
            if picture:
                pictures.append(picture)
        if len(self._buffer) > PART_BYTES_MAX + HEADER_BYTES_MAX:
            raise DeviceError(f"camera sent more than {PART_BYTES_MAX} bytes without a picture")
        return pictures

    def _next(self) -> bytes | None:
        """One picture, b"" for progress without one, None when more bytes are needed."""
        return self._body() if self._in_part else self._head()

    def _head(self) -> bytes | None:
        start = self._buffer.find(self._boundary)
        end = self._buffer.find(b"\r\n\r\n", max(start, 0))
        if start < 0 or end < 0:
            return None
        length = _LENGTH.search(bytes(self._buffer[start:end]).replace(b"\r\n", b"\n"))
        self._length = int(length[1]) if length else None
        if self._length is not None and self._length > PART_BYTES_MAX:
            raise DeviceError(f"camera announced a picture of {self._length} bytes")
        del self._buffer[: end + 4]
        self._in_part = True
        return b""

    def _body(self) -> bytes | None:
        end = self._length if self._length is not None else self._buffer.find(b"\r\n" + self._boundary)
        if end < 0 or len(self._buffer) < end:
            return None
        picture = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._in_part = False
        return picture
