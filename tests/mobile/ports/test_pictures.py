"""What leaves the phone is upright, small enough, and says nothing about where it was taken."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobile.ports.desktop.reader import ZxingReader
from mobile.ports.pictures import JPEG, PDF, PictureLimits, PictureProblem, Prepared, frames_of, prepared
from mobile.ports.reader import meant

LIMITS = PictureLimits()
# Tags of Exif 2.32: orientation, the camera's maker, and the part with the place.
ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


def _photo(size: tuple[int, int] = (1_200, 800), *, orientation: int = 1, kind: str = "JPEG") -> bytes:
    """Red on the left half, blue on the right, with a place in it."""
    picture = Image.new("RGB", size, (200, 30, 30))
    picture.paste((30, 30, 200), (size[0] // 2, 0, *size))
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, "Maker"
    exif.get_ifd(GPS).update({1: "N", 2: (19.0, 8.0, 24.0), 3: "E", 4: (110.0, 34.0, 48.0)})
    file = io.BytesIO()
    picture.save(file, kind, exif=exif, **({"comment": "seen at home"} if kind == "JPEG" else {}))
    return file.getvalue()


def _taken(content: bytes, limits: PictureLimits = LIMITS) -> tuple[Prepared, Image.Image]:
    found = prepared(content, limits)
    assert isinstance(found, Prepared)
    return found, Image.open(io.BytesIO(found.content))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_place_maker_and_comment_are_taken_out(kind: str) -> None:
    before = _photo(kind=kind)
    assert GPS in Image.open(io.BytesIO(before)).getexif()
    found, picture = _taken(before)
    assert found.media_type == JPEG
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Maker" not in found.content
    assert b"seen at home" not in found.content


def test_a_picture_is_turned_upright() -> None:
    # 6: the row that is stored first is the right side of the scene.
    found, picture = _taken(_photo(orientation=6))
    assert (found.width_px, found.height_px) == picture.size == (800, 1_200)
    top, bottom = picture.getpixel((400, 100)), picture.getpixel((400, 1_100))
    assert top[0] > 150 > top[2]
    assert bottom[2] > 150 > bottom[0]


def test_a_large_photo_becomes_small_enough() -> None:
    found, picture = _taken(_photo((5_000, 3_000)))
    assert max(picture.size) == LIMITS.side_max
    assert len(found.content) < LIMITS.bytes_max


def test_a_picture_that_packs_badly_is_packed_worse_and_then_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 600, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    full, _ = _taken(file.getvalue())
    tight, _ = _taken(file.getvalue(), PictureLimits(bytes_max=len(full.content) - 1))
    assert len(tight.content) < len(full.content)
    assert prepared(file.getvalue(), PictureLimits(bytes_max=1_000)) is PictureProblem.TOO_LARGE


def test_what_is_transparent_becomes_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(file, "PNG")
    _, picture = _taken(file.getvalue())
    assert min(picture.getpixel((150, 150))) > 250


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", PictureProblem.EMPTY),
        (b"GIF89a" + bytes(100), PictureProblem.TYPE),
        (b"hello", PictureProblem.TYPE),
        (bytes(4) + b"ftypheic" + bytes(100), PictureProblem.HEIC),
        (b"\xff\xd8\xff" + bytes(500), PictureProblem.DAMAGED),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR", PictureProblem.DAMAGED),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", PictureProblem.DAMAGED),
        (_photo((150, 900)), PictureProblem.TOO_SMALL),
    ],
)
def test_a_file_that_is_no_picture_is_named(content: bytes, problem: PictureProblem) -> None:
    assert prepared(content, LIMITS) is problem


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_was_cut_off_is_damaged(kind: str) -> None:
    whole = _photo(kind=kind)
    assert prepared(whole[: len(whole) // 2], LIMITS) is PictureProblem.DAMAGED


def test_more_pixels_than_fit_into_the_memory_are_not_unpacked() -> None:
    assert prepared(_photo((1_000, 1_000)), PictureLimits(pixels_max=999_999)) is PictureProblem.TOO_LARGE
    bomb = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(bomb, "PNG")
    assert prepared(bomb.getvalue(), LIMITS) is PictureProblem.TOO_LARGE


def test_a_pdf_stays_as_it_is() -> None:
    content = b"%PDF-1.7\n..."
    found = prepared(content, LIMITS)
    assert isinstance(found, Prepared)
    assert (found.content, found.media_type) == (content, PDF)
    assert prepared(content, PictureLimits(bytes_max=5)) is PictureProblem.TOO_LARGE


def test_a_code_is_found_in_a_chosen_photo_small_or_large(draw: Any) -> None:
    frames = frames_of(draw.png(draw.board("HELLO")), LIMITS, (320, 2_400))
    assert not isinstance(frames, PictureProblem)
    assert [max(one.width_px, one.height_px) for one in frames] == [320, 720]
    assert [meant(ZxingReader().read(one)) for one in frames] == ["HELLO", "HELLO"]


@pytest.mark.parametrize(("content", "problem"), [(b"", "empty"), (b"%PDF-1.4", "type"), (b"\xff\xd8\xff", "damaged")])
def test_a_chosen_file_without_a_picture_is_named(content: bytes, problem: str) -> None:
    assert frames_of(content, LIMITS, (800,)) == problem
