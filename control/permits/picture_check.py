"""Structure of pictures: owns walking through JPEG, PNG and WebP to the size, without unpacking a pixel.

Sources: ISO/IEC 10918-1 annex B (JPEG), the PNG specification (third edition) chapters 5 and 11, RFC 9649 (WebP).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class PictureFault(StrEnum):
    """What is wrong with a picture's structure."""

    TRUNCATED = "truncated"
    NO_HEADER = "no_header"
    BAD_SEGMENT = "bad_segment"
    BAD_CHECKSUM = "bad_checksum"
    NO_PICTURE = "no_picture"
    EMPTY_PICTURE = "empty_picture"
    DATA_AFTER_END = "data_after_end"


class Size(NamedTuple):
    """Pixels."""

    width_px: int
    height_px: int


def _sized(width_px: int, height_px: int) -> Size | PictureFault:
    return Size(width_px, height_px) if width_px and height_px else PictureFault.EMPTY_PICTURE


# ----------------------------------------------------------------------------------------------------------- JPEG

_START_OF_SCAN = 0xDA
_END = b"\xff\xd9"
# Frames SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEGMENTS = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA))


def jpeg_size(content: bytes) -> Size | PictureFault:
    """The size in the frame header. Telephones append data of their own after the end, so that is allowed."""
    found: Size | PictureFault | None = None
    at = 2
    while True:
        # Any number of fill bytes FF may stand before a marker.
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 4 > len(content):
            return PictureFault.TRUNCATED
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if content[at] != 0xFF or marker not in _SEGMENTS or length < 2:
            return PictureFault.BAD_SEGMENT
        if marker == _START_OF_SCAN:
            break
        if marker in _FRAMES:
            found = found or _jpeg_frame(content[at + 4 : at + 2 + length])
        at += 2 + length
    if found is None:
        return PictureFault.NO_HEADER
    return found if content.find(_END, at) > 0 else PictureFault.TRUNCATED


def _jpeg_frame(body: bytes) -> Size | PictureFault:
    if len(body) < 6:
        return PictureFault.BAD_SEGMENT
    return _sized(int.from_bytes(body[3:5]), int.from_bytes(body[1:3]))


# ------------------------------------------------------------------------------------------------------------ PNG

_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PNG_SIDE_MAX = 2**31 - 1


def png_size(content: bytes) -> Size | PictureFault:
    """The size in IHDR; every chunk's checksum holds, and IEND is the end."""
    size: Size | None = None
    has_pixels = False
    at = 8
    while at < len(content):
        length = int.from_bytes(content[at : at + 4])
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            return PictureFault.TRUNCATED
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return PictureFault.BAD_CHECKSUM
        if size is None:
            header = _png_header(kind, content[at + 8 : end - 4])
            if isinstance(header, PictureFault):
                return header
            size = header
        has_pixels |= kind == b"IDAT"
        at = end
        if kind == b"IEND":
            return _png_end(size, at == len(content), has_pixels)
    return PictureFault.TRUNCATED


def _png_header(kind: bytes, body: bytes) -> Size | PictureFault:
    if kind != b"IHDR" or len(body) != 13 or body[8] not in _PNG_DEPTHS.get(body[9], ()):
        return PictureFault.NO_HEADER
    size = _sized(int.from_bytes(body[:4]), int.from_bytes(body[4:8]))
    if isinstance(size, Size) and max(size) > _PNG_SIDE_MAX:
        return PictureFault.NO_HEADER
    return size


def _png_end(size: Size, is_last: bool, has_pixels: bool) -> Size | PictureFault:
    if not has_pixels:
        return PictureFault.NO_PICTURE
    return size if is_last else PictureFault.DATA_AFTER_END


# ----------------------------------------------------------------------------------------------------------- WebP


def webp_size(content: bytes) -> Size | PictureFault:
    """The larger of the canvas and of every picture in it, since a reader may make room for either."""
    stated = 8 + int.from_bytes(content[4:8], "little")
    if stated > len(content):
        return PictureFault.TRUNCATED
    if stated < len(content):
        return PictureFault.DATA_AFTER_END
    sizes: list[Size] = []
    has_picture = False
    for kind, body in _webp_chunks(content):
        if body is None:
            return PictureFault.TRUNCATED
        has_picture |= kind in (b"VP8 ", b"VP8L", b"ANMF")
        size = _webp_size_of(kind, body)
        if isinstance(size, PictureFault):
            return size
        if size is not None:
            sizes.append(size)
    if not has_picture:
        return PictureFault.NO_PICTURE
    return Size(max(one.width_px for one in sizes), max(one.height_px for one in sizes))


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Chunks of the file; the body is None where the file ends inside."""
    at = 12
    while at < len(content):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        end = at + 8 + length
        yield content[at : at + 4], content[at + 8 : end] if end <= len(content) and at + 8 <= end else None
        at = end + length % 2


def _webp_size_of(kind: bytes, body: bytes) -> Size | PictureFault | None:
    """Size that a chunk states; None for a chunk that states none."""
    match kind:
        case b"VP8X" if len(body) >= 10:
            return Size(_uint24(body, 4) + 1, _uint24(body, 7) + 1)
        case b"ANMF" if len(body) >= 16:
            return Size(_uint24(body, 6) + 1, _uint24(body, 9) + 1)
        case b"VP8L" if len(body) >= 5 and body[0] == 0x2F:
            bits = int.from_bytes(body[1:5], "little")
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8 " if len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
            sides = (int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little"))
            return _sized(sides[0] & 0x3FFF, sides[1] & 0x3FFF)
        case b"VP8X" | b"ANMF" | b"VP8L" | b"VP8 ":
            return PictureFault.NO_HEADER
        case _:
            return None


def _uint24(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "little")
