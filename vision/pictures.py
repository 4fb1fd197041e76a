"""Files to pixels: owns the decoding of any picture file into upright BGR, and the refusal of what is none.

Bounded on purpose: a picture of more than `KEPT_PIXELS` is made smaller while it is decoded, and `Picture`
remembers by how much, so that corners can be told in pixels of the original. Video belongs to `vision.video`.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from control.domain.errors import IslandError
from control.domain.readings import Box, PlateReading, Quad, VehicleReading

BgrImage = NDArray[np.uint8]

# What is kept after decoding: 12 million pixels, 36 MB.
KEPT_PIXELS = 12_000_000
# A baseline JPEG is reduced while it is decoded, so its own size hardly matters: phones take 200 megapixels.
PIXELS_MAX = 250_000_000
# Everything else must be unpacked whole before it can be reduced.
PIXELS_MAX_UNPACKED = 100_000_000
FILE_MB_MAX = 512
# A JPEG that was cut short is still read when this share of its rows is there.
ROWS_FRAC_MIN = 0.9

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "gif", "webp"),
        *("tif", "tiff", "bmp", "dib", "ppm", "pgm", "pnm", "avif", "jp2"),
    )
)
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "DIB", "PPM", "AVIF", "JPEG2000")
_END_OF_JPEG = b"\xff\xd9"
_ORIENTATION_TAG = 0x0112

# What Pillow's decoders raise on damaged input, besides their own errors.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    EOFError,
    struct.error,
    zlib.error,
)


class PictureError(IslandError):
    """A file or its bytes cannot be read as a picture; the text is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Upright pixels, and how many pixels of the original one of them stands for (1.0 unless reduced)."""

    image_bgr: BgrImage
    scale_x: float = 1.0
    scale_y: float = 1.0

    def original_quad(self, quad: Quad) -> Quad:
        """Corners in pixels of the upright original."""
        a, b, c, d = ((x * self.scale_x, y * self.scale_y) for x, y in quad)
        return a, b, c, d

    def original_box(self, box: Box) -> Box:
        """A box in pixels of the upright original."""
        x0, y0, x1, y1 = box
        return x0 * self.scale_x, y0 * self.scale_y, x1 * self.scale_x, y1 * self.scale_y


def in_original(picture: Picture, plates: Iterable[PlateReading]) -> tuple[PlateReading, ...]:
    """The same readings with their corners in pixels of the upright original."""
    return tuple(replace(plate, quad=picture.original_quad(plate.quad)) for plate in plates)


def vehicles_in_original(
    picture: Picture, vehicles: tuple[VehicleReading, ...] | None
) -> tuple[VehicleReading, ...] | None:
    """The same vehicles with their boxes in pixels of the upright original; None stays None."""
    if vehicles is None:
        return None
    return tuple(replace(vehicle, box=picture.original_box(vehicle.box)) for vehicle in vehicles)


def read_picture(path: Path) -> Picture:
    """Decode a picture file. Raises PictureError with a sentence that does not repeat the path."""
    return decode_picture(_file_bytes(path))


def _file_bytes(path: Path) -> bytes:
    try:
        if not path.exists():
            raise PictureError("There is no such file.")
        if not path.is_file():
            raise PictureError("This is a folder or a device, not a file.")
        size_mb = path.stat().st_size // 2**20
        if size_mb > FILE_MB_MAX:
            raise PictureError(f"The file is too large: {size_mb} MB, at most {FILE_MB_MAX} MB are read.")
        return path.read_bytes()
    except PermissionError as error:
        raise PictureError("The file may not be opened: permission denied.") from error
    except (OSError, ValueError) as error:
        raise PictureError(f"The file cannot be opened: {_reason(error)}.") from error


def decode_picture(data: bytes) -> Picture:
    """Decode the bytes of a picture file: first frame, EXIF orientation applied, alpha over white, 8 bits a channel.

    Raises PictureError when the bytes are no picture, damaged, cut short, or larger than the limits above.
    """
    if not data:
        raise PictureError("The file is empty (0 bytes).")
    with warnings.catch_warnings():
        # Pillow warns of damaged metadata; what matters to us is an error or a picture.
        warnings.simplefilter("ignore")
        return _decode(data)


def _decode(data: bytes) -> Picture:
    image = _open(data)
    width, height = image.size
    _check_size(image)
    orientation = _orientation(image)
    pixels = _pixels(image, data)
    upright = _turn_upright(pixels, orientation)
    if orientation >= 5:
        width, height = height, width
    return Picture(upright, width / upright.shape[1], height / upright.shape[0])


def _open(data: bytes) -> ImageFile.ImageFile:
    # Our own limits are in `_check_size`; Pillow's would refuse the pictures of 200-megapixel phones.
    Image.MAX_IMAGE_PIXELS = None
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.UnidentifiedImageError as error:
        raise PictureError("This is not a picture in a format that can be read.") from error
    except _DAMAGED as error:
        raise PictureError(f"The picture is damaged: {_reason(error)}.") from error


def _check_size(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise PictureError("The picture is damaged: it has no pixels.")
    reducible = image.format in ("JPEG", "MPO") and not _is_progressive(image)
    limit = PIXELS_MAX if reducible else PIXELS_MAX_UNPACKED
    if width * height > limit:
        megapixels = width * height / 1e6
        raise PictureError(
            f"The picture is too large: {width} x {height} is {megapixels:.0f} megapixels, "
            f"more than the {limit // 1_000_000} that are read of this format."
        )


def _is_progressive(image: Image.Image) -> bool:
    return bool(image.info.get("progressive"))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it is damaged."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DAMAGED:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _pixels(image: ImageFile.ImageFile, data: bytes) -> BgrImage:
    factor = _reduction(image)
    jpeg = image.format in ("JPEG", "MPO")
    try:
        return _to_bgr(image, factor)
    except MemoryError as error:
        raise PictureError("The picture is too large for this machine's memory.") from error
    except _DAMAGED as error:
        if jpeg and "truncated" in str(error) and not _is_progressive(image):
            return _what_is_left(data, factor)
        raise PictureError(f"The picture is damaged or cut short: {_reason(error)}.") from error


def _reduction(image: Image.Image) -> int:
    """By how much the sides are divided so that at most about KEPT_PIXELS remain."""
    width, height = image.size
    return max(1, math.ceil(math.sqrt(width * height / KEPT_PIXELS)))


def _what_is_left(data: bytes, factor: int) -> BgrImage:
    """A JPEG that was cut short: the decoder repeats one colour below the cut, which tells how much is missing."""
    try:
        image = Image.open(io.BytesIO(data + _END_OF_JPEG), formats=("JPEG",))
        pixels = _to_bgr(image, factor)
    except _DAMAGED as error:
        raise PictureError("The picture is cut short, and nothing of it can be shown.") from error
    same_as_last = (pixels == pixels[-1:, -1:]).all(axis=(1, 2))
    missing_rows = len(pixels) if same_as_last.all() else int(np.argmin(same_as_last[::-1]))
    rows_frac = 1 - missing_rows / len(pixels)
    if rows_frac < ROWS_FRAC_MIN:
        raise PictureError(
            f"The picture is cut short: about {rows_frac:.0%} of it is there, at least {ROWS_FRAC_MIN:.0%} is needed."
        )
    return pixels


def _to_bgr(image: Image.Image, factor: int) -> BgrImage:
    width, height = image.size
    if factor > 1 and image.format in ("JPEG", "MPO"):
        # The decoder itself halves the sides, once or more; the rest is done below.
        image.draft(None, (math.ceil(width / factor), math.ceil(height / factor)))
    image.load()
    left = _reduction(image)
    if left > 1 and image.mode in ("L", "RGB", "RGBA", "CMYK", "YCbCr", "LA"):
        return _convert(image.reduce(left))
    pixels = _convert(image)
    if left > 1:
        pixels = cv2.resize(pixels, None, fx=1 / left, fy=1 / left, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _convert(image: Image.Image) -> BgrImage:
    if image.mode.startswith("I") or image.mode == "F":
        return cv2.cvtColor(_to_eight_bits(np.asarray(image)), cv2.COLOR_GRAY2BGR)
    if image.mode == "L":
        return cv2.cvtColor(np.asarray(image), cv2.COLOR_GRAY2BGR)
    if image.has_transparency_data:
        image = _over_white(image)
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)


def _to_eight_bits(deep: NDArray) -> BgrImage:
    """Grey of 10 to 32 bits, or floating point, stretched so that its brightest pixel is white."""
    values = np.nan_to_num(deep.astype(np.float32), posinf=0.0, neginf=0.0)
    brightest = float(values.max())
    if brightest <= 0:
        return np.zeros(deep.shape, np.uint8)
    return np.clip(values * (255 / brightest), 0, 255).astype(np.uint8)


def _over_white(image: Image.Image) -> Image.Image:
    with_alpha = image.convert("RGBA")
    ground = Image.new("RGBA", with_alpha.size, "white")
    ground.alpha_composite(with_alpha)
    return ground


def _turn_upright(pixels: BgrImage, orientation: int) -> BgrImage:
    """Undo an EXIF orientation (Exif 2.32, tag 0x0112): 5 to 8 swap the sides."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _reason(error: BaseException) -> str:
    """The decoder's own words on one line, without a full stop."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:160].rstrip(".")
