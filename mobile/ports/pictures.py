"""Pictures before they leave the phone: owns turning them upright, making them smaller, and taking everything out that
is no picture (place, time, device). Pillow has a python-for-android recipe.

The server has the last word on what it takes; the limits here only save a person a long upload that would be refused.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import StrEnum

from PIL import Image, ImageOps

from mobile.ports.camera import Frame

PDF, JPEG = "application/pdf", "image/jpeg"
_QUALITIES = (88, 80, 70, 60)
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What is sent. Bytes and the least side are the rules `document.bytes_max` and `document.side_least` as delivered.

    `pixels_max` is what is unpacked in the phone's memory at most; `side_max` (px) is enough to read an insurance.
    """

    bytes_max: int = 10_000_000
    side_least: int = 200
    side_max: int = 2_400
    pixels_max: int = 60_000_000


class PictureProblem(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    TYPE = "type"
    HEIC = "heic"
    DAMAGED = "damaged"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is sent; width and height in pixels are 0 for a PDF."""

    content: bytes = field(repr=False)
    media_type: str
    width_px: int = 0
    height_px: int = 0


def prepared(content: bytes, limits: PictureLimits) -> Prepared | PictureProblem:
    """The file as it is sent, or why it is not. Takes up to a second: call it in a thread. Never raises.

    A PDF stays as it is. A picture becomes a JPEG without any words about where, when and with what it was taken.
    """
    if not content:
        return PictureProblem.EMPTY
    if content.startswith(b"%PDF-"):
        return Prepared(content, PDF) if len(content) <= limits.bytes_max else PictureProblem.TOO_LARGE
    problem = _type_problem(content)
    if problem is not None:
        return problem
    picture = _opened(content, limits)
    if isinstance(picture, PictureProblem):
        return picture
    if min(picture.size) < limits.side_least:
        return PictureProblem.TOO_SMALL
    packed = _packed(picture, limits)
    return Prepared(packed, JPEG, *picture.size) if packed else PictureProblem.TOO_LARGE


def frames_of(content: bytes, limits: PictureLimits, sides: tuple[int, ...]) -> tuple[Frame, ...] | PictureProblem:
    """A chosen picture for the code reader, once for each longest side (px): small first, because that is quick."""
    if not content:
        return PictureProblem.EMPTY
    problem = _type_problem(content)
    picture = problem or _opened(content, limits)
    if isinstance(picture, PictureProblem):
        return picture
    longest = max(picture.size)
    wanted = tuple(side for side in sides if side < longest) + ((longest,) if longest <= max(sides) else ())
    return tuple(frame_of(_within(picture, side)) for side in wanted)


def frame_of(picture: Image.Image) -> Frame:
    """A picture as a frame, with its colours."""
    rgb = picture.convert("RGB")
    return Frame(rgb.width, rgb.height, rgb.convert("L").tobytes(), rgb.tobytes())


def _type_problem(content: bytes) -> PictureProblem | None:
    if content[:3] == b"\xff\xd8\xff" or content[:8] == b"\x89PNG\r\n\x1a\n":
        return None
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return None
    return PictureProblem.HEIC if content[4:8] == b"ftyp" else PictureProblem.TYPE


def _opened(content: bytes, limits: PictureLimits) -> Image.Image | PictureProblem:
    """The picture upright, in colours, within the longest side."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > limits.pixels_max:
                return PictureProblem.TOO_LARGE
            # A JPEG can be unpacked at a half, a quarter or an eighth of its size, which saves memory and time.
            picture.draft("RGB", (limits.side_max, limits.side_max))
            upright = ImageOps.exif_transpose(picture)
            return _within(_on_white(upright), limits.side_max)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return PictureProblem.TOO_LARGE
    # Pillow's readers let these through for broken files, whatever the format.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError):
        return PictureProblem.DAMAGED


def _on_white(picture: Image.Image) -> Image.Image:
    """In colours, what is transparent as white. The result knows nothing but its pixels."""
    clean = Image.new("RGB", picture.size, _WHITE)
    if picture.has_transparency_data:
        seen_through = picture.convert("RGBA")
        clean.paste(seen_through, mask=seen_through.getchannel("A"))
    else:
        clean.paste(picture.convert("RGB"))
    return clean


def _within(picture: Image.Image, side: int) -> Image.Image:
    if max(picture.size) <= side:
        return picture
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _packed(picture: Image.Image, limits: PictureLimits) -> bytes:
    """As JPEG, worse until it fits; empty where no quality does."""
    for quality in _QUALITIES:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= limits.bytes_max:
            return file.getvalue()
    return b""
