"""Codes are read out of bad pictures by the real reader, and out of several the one in the middle."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from control.points.rotating_code import CodeContent, qr_text
from mobile.ports.camera import Frame, NoCamera
from mobile.ports.desktop.reader import ZxingReader
from mobile.ports.reader import TEXT_CHARS_MAX, Seen, codes, meant

CODE = qr_text(CodeContent(device_number=77, step=3_000_000, counter=5, amount=500), b"k" * 32)


@pytest.mark.parametrize("degrees", [0, 12, 45, 90, 200])
@pytest.mark.parametrize("narrowed", [0.0, 0.25])
def test_a_code_is_read_from_any_side(draw: Any, degrees: float, narrowed: float) -> None:
    picture = draw.askew(draw.board(CODE), degrees=degrees, narrowed=narrowed)
    assert meant(ZxingReader().read(draw.frame(picture))) == CODE


@pytest.mark.parametrize("sigma_px", [1.0, 2.0, 2.5])
def test_a_code_is_read_out_of_focus_and_in_the_dark(draw: Any, sigma_px: float) -> None:
    picture = draw.dusky(draw.unsharp(draw.board(CODE), sigma_px), gain=0.4, noise=4.0)
    assert meant(ZxingReader().read(draw.frame(picture))) == CODE


def test_light_modules_on_a_dark_ground_are_read(draw: Any) -> None:
    assert meant(ZxingReader().read(draw.frame(255 - draw.board(CODE)))) == CODE


def test_of_two_codes_the_one_nearer_to_the_middle_is_meant(draw: Any) -> None:
    left, right = draw.board("LEFT", side_px=200, left_px=10), draw.board("RIGHT", side_px=200, left_px=400)
    both = np.where(right == 150, left, right)
    seen = ZxingReader().read(draw.frame(both))
    assert {one.text for one in seen} == {"LEFT", "RIGHT"}
    assert meant(seen) == "RIGHT"


def test_noise_holds_no_code() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (480, 640), np.uint8)
    assert ZxingReader().read(Frame(640, 480, noise.tobytes())) == ()


def test_a_very_long_text_is_cut() -> None:
    assert meant([Seen("x" * 5_000, 0.0)]) == "x" * TEXT_CHARS_MAX
    assert meant([]) is None


@pytest.mark.parametrize("size", [(0, 5), (5, 5), (3, 1)])
def test_a_frame_has_the_bytes_of_its_size(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="bytes are no"):
        Frame(*size, b"1234")


async def test_each_new_picture_is_read_once(draw: Any) -> None:
    first, second = draw.frame(draw.board("ONE")), draw.frame(draw.board("TWO"))
    shown = iter([None, first, first, first, second])
    read: list[Frame] = []

    class Shown(NoCamera):
        def newest(self) -> Frame | None:
            return next(shown, second)

    class Counting(ZxingReader):
        def read(self, frame: Frame) -> tuple[Seen, ...]:
            read.append(frame)
            return super().read(frame)

    found = codes(Shown(), Counting(), every_s=0)
    assert [await anext(found), await anext(found)] == ["ONE", "TWO"]
    assert read == [first, second]
    ending = asyncio.ensure_future(anext(found))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending


def test_the_phones_reader_asks_zbar_for_qr_codes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    corners = [SimpleNamespace(x=0, y=0), SimpleNamespace(x=2, y=2)]

    def decode(pixels: Any, symbols: Any) -> list[Any]:
        asked.append((pixels, symbols))
        return [
            SimpleNamespace(data="码".encode(), polygon=corners),
            SimpleNamespace(data=b"\xff", polygon=corners),
            SimpleNamespace(data=b"", polygon=corners),
        ]

    inner = SimpleNamespace(decode=decode, ZBarSymbol=SimpleNamespace(QRCODE="qr"))
    package = ModuleType("pyzbar")
    package.pyzbar = inner  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyzbar", package)
    monkeypatch.delitem(sys.modules, "mobile.ports.android.reader", raising=False)
    from mobile.ports.android.reader import ZbarReader

    monkeypatch.delitem(sys.modules, "mobile.ports.android.reader")
    frame = Frame(2, 2, b"1234")
    assert [one.text for one in ZbarReader().read(frame)] == ["码", "\N{REPLACEMENT CHARACTER}"]
    assert asked == [((b"1234", 2, 2), ["qr"])]
