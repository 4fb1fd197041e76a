"""Taking an MJPEG stream apart, however its bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.errors import DeviceError
from edge.adapters import mjpeg
from edge.adapters.mjpeg import MjpegParser, boundary_of

PICTURES = [b"\xff\xd8one\xff\xd9", b"\xff\xd8" + b"\r\n" * 40 + b"\xff\xd9", b"\xff\xd8three\xff\xd9"]


def stream(*, with_length: bool) -> bytes:
    parts = []
    for picture in PICTURES:
        length = f"Content-Length: {len(picture)}\r\n" if with_length else ""
        parts.append(f"--edge\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + picture + b"\r\n")
    return b"".join(parts) + b"--edge\r\n"


@given(cuts=st.lists(st.integers(0, 400), max_size=8), with_length=st.booleans())
def test_any_cut_gives_the_same_pictures(cuts: list[int], with_length: bool) -> None:
    data = stream(with_length=with_length)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    parser = MjpegParser(b"--edge")
    found = [p for a, b in itertools.pairwise(places) for p in parser.feed(data[a:b])]
    assert found == PICTURES


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", b"--frame"),
        ('multipart/x-mixed-replace;boundary="--myboundary"', b"--myboundary"),
        ("Multipart/X-Mixed-Replace; charset=x; Boundary=a", b"--a"),
    ],
)
def test_boundary(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("content_type", ["", "text/html", "multipart/x-mixed-replace"])
def test_something_else_is_the_cameras_fault(content_type: str) -> None:
    with pytest.raises(DeviceError):
        boundary_of(content_type)


def test_a_picture_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mjpeg, "PART_BYTES_MAX", 1000)
    parser = MjpegParser(b"--edge")
    parser.feed(b"x" * 9000)
    with pytest.raises(DeviceError, match="without a picture"):
        parser.feed(b"x" * 200)


def test_an_announced_giant_is_refused() -> None:
    with pytest.raises(DeviceError, match="announced"):
        MjpegParser(b"--edge").feed(b"--edge\r\nContent-Length: 999999999\r\n\r\n")
