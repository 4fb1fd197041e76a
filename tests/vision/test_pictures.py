"""Any file becomes upright pixels or one clear sentence; nothing else comes out, and nothing is printed."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision.pictures import KEPT_PIXELS, Picture, PictureError, decode_picture, read_picture

WIDTH, HEIGHT = 96, 64
# Corners of the test picture, top left first, clockwise: red, green, blue, white.
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters() -> Image.Image:
    """A picture with a colour of its own in each quarter, so that every turn of it can be told."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for colour, place in ((RED, (0, 0)), (GREEN, (1, 0)), (BLUE, (1, 1)), (WHITE, (0, 1))):
        image.paste(colour, (place[0] * 48, place[1] * 32, place[0] * 48 + 48, place[1] * 32 + 32))
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(width: int = 256, height: int = 192) -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def corners(picture: Picture) -> list[tuple[int, ...]]:
    """Colours (RGB, rounded to 0 or 255) in the four quarters, clockwise from the top left."""
    image = picture.image_bgr
    height, width = image.shape[:2]
    places = [(height // 4, width // 4), (height // 4, width * 3 // 4)]
    places += [(height * 3 // 4, width * 3 // 4), (height * 3 // 4, width // 4)]
    return [tuple(int(channel > 128) * 255 for channel in image[place][::-1]) for place in places]


def deep(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


FORMATS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encoded(quarters(), "JPEG", quality=95),
    "progressive jpeg": lambda: encoded(quarters(), "JPEG", quality=95, progressive=True),
    "cmyk jpeg": lambda: encoded(quarters().convert("CMYK"), "JPEG", quality=95),
    "png": lambda: encoded(quarters(), "PNG"),
    "png with alpha": lambda: encoded(quarters().convert("RGBA"), "PNG"),
    "png with palette": lambda: encoded(quarters().convert("P"), "PNG"),
    "tiff": lambda: encoded(quarters(), "TIFF"),
    "cmyk tiff": lambda: encoded(quarters().convert("CMYK"), "TIFF"),
    "gif, animated": lambda: encoded(quarters(), "GIF", save_all=True, append_images=[quarters().rotate(180)]),
    "webp, animated": lambda: encoded(
        quarters(), "WEBP", lossless=True, save_all=True, append_images=[quarters().rotate(180)]
    ),
    "bmp": lambda: encoded(quarters(), "BMP"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_pixels(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    picture = decode_picture(FORMATS[name]())
    assert picture.image_bgr.shape == (HEIGHT, WIDTH, 3)
    assert picture.image_bgr.dtype == np.uint8
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_greys(kind: str) -> None:
    shallow = np.asarray(quarters().convert("L"))
    image = decode_picture(encoded(deep(quarters()), kind)).image_bgr
    assert np.abs(image[..., 0].astype(int) - shallow).max() <= 1


def test_twelve_bits_in_sixteen_are_not_dark() -> None:
    dark = Image.fromarray(np.full((8, 8), 4095, np.uint16))
    assert decode_picture(encoded(dark, "PNG")).image_bgr.min() == 255


def test_a_black_picture_of_sixteen_bits_is_black() -> None:
    assert decode_picture(encoded(Image.fromarray(np.zeros((4, 4), np.uint16)), "PNG")).image_bgr.max() == 0


def test_what_is_transparent_is_white() -> None:
    image = decode_picture(encoded(Image.new("RGBA", (5, 5), (10, 20, 30, 0)), "PNG")).image_bgr
    assert (image == 255).all()


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P"])
def test_modes_without_three_channels(mode: str) -> None:
    picture = decode_picture(encoded(quarters().convert(mode), "PNG"))
    assert picture.image_bgr.shape == (HEIGHT, WIDTH, 3)


STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize(("orientation", "turn"), STORED_AS.items())
def test_exif_orientation_is_undone(orientation: int, turn: Image.Transpose | None) -> None:
    stored = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode_picture(encoded(stored, "JPEG", exif=exif, quality=95))
    assert picture.image_bgr.shape == (HEIGHT, WIDTH, 3)
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_impossible_orientation_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(decode_picture(encoded(quarters(), "JPEG", exif=exif, quality=95))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_odd_sizes_are_pictures_too(size: tuple[int, int], kind: str) -> None:
    assert decode_picture(encoded(Image.new("RGB", size), kind)).image_bgr.shape == (size[1], size[0], 3)


# ----------------------------------------------------------------------------------------------------------- refusals


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def empty_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"")) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"This is a letter, not a picture.\n" * 40, "not a picture"),
        (b"\xff\xd8\xff\xe0", "damaged|not a picture"),
        (b"\x00" * 5000, "not a picture"),
        (empty_png(40_000, 40_000), "too large: 40000 x 40000"),
        (empty_png(100, 100), "damaged"),
        (encoded(noise(), "PNG")[:30_000], "cut short"),
        (encoded(noise(), "BMP")[:30_000], "cut short"),
        (encoded(noise(), "JPEG", progressive=True)[:9_000], "cut short"),
    ],
)
def test_what_is_no_picture_is_said_in_a_sentence(data: bytes, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        decode_picture(data)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_lost_its_end_is_read_and_one_that_lost_half_is_not() -> None:
    whole = encoded(noise(), "JPEG", quality=90)
    nearly = decode_picture(whole[: len(whole) * 97 // 100])
    assert nearly.image_bgr.shape == (192, 256, 3)
    with pytest.raises(PictureError, match=r"cut short: about \d+% of it"):
        decode_picture(whole[: len(whole) // 2])


def test_damage_anywhere_gives_a_picture_or_a_picture_error(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(11)
    picture_like = 0
    for data in [make() for make in FORMATS.values()] + [encoded(deep(noise(40, 30)), "TIFF")]:
        for _ in range(25):
            spoilt = bytearray(data)
            for place in rng.integers(0, len(spoilt), rng.integers(1, 12)):
                spoilt[place] = rng.integers(256)
            cut = int(rng.integers(1, len(spoilt) + 1)) if rng.random() < 0.3 else len(spoilt)
            with contextlib.suppress(PictureError):
                picture_like += decode_picture(bytes(spoilt[:cut])).image_bgr.ndim == 3
    assert picture_like > 50
    assert capfd.readouterr() == ("", "")


# -------------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_sixty_megapixels_are_reduced_and_remember_by_how_much(kind: str) -> None:
    options = {"compress_level": 1} if kind == "PNG" else {}
    large = quarters().resize((9000, 6700), Image.Resampling.NEAREST)
    picture = decode_picture(encoded(large, kind, **options))
    height, width = picture.image_bgr.shape[:2]
    assert KEPT_PIXELS / 6 < height * width <= KEPT_PIXELS
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]
    far = picture.original_quad(((0, 0), (width, 0), (width, height), (0, height)))[2]
    assert far == pytest.approx((9000, 6700))


def test_a_small_picture_keeps_its_pixels() -> None:
    picture = decode_picture(FORMATS["png"]())
    assert (picture.scale_x, picture.scale_y) == (1.0, 1.0)


# -------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", ["车牌 琼C·12345.jpg", "no_ending", "a.PNG"])
def test_names_do_not_matter(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FORMATS["jpeg"]())
    assert corners(read_picture(tmp_path / name)) == [RED, GREEN, BLUE, WHITE]


def test_missing_files_and_folders_are_said(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        read_picture(tmp_path / "none.jpg")
    with pytest.raises(PictureError, match="folder"):
        read_picture(tmp_path)
    with pytest.raises(PictureError, match="cannot be opened"):
        read_picture(tmp_path / ("x" * 400))
