"""Reading codes out of pictures: owns the Protocol, the pace of looking, and which of several codes is meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from mobile.ports.camera import Camera, Frame

# A pass, the longest code of ours, has at most 700 characters; what is longer is cut and then refused.
TEXT_CHARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A code in a picture: its text, and how far its middle is from the picture's middle (px)."""

    text: str
    off_middle_px: float


class CodeReader(Protocol):
    """Finds QR codes. Takes some milliseconds: call it in a thread."""

    def read(self, frame: Frame) -> tuple[Seen, ...]:
        """All QR codes of a picture, in any order; none where there is none."""
        ...


def meant(seen: Iterable[Seen]) -> str | None:
    """The text of the code that is nearest to the middle of the picture."""
    nearest = min(seen, key=lambda one: one.off_middle_px, default=None)
    return None if nearest is None else nearest.text[:TEXT_CHARS_MAX]


def off_middle(frame: Frame, corners: Iterable[tuple[float, float]]) -> float:
    """How far the middle of the corners (px, from the top left) is from the picture's middle."""
    points = tuple(corners)
    across = sum(x for x, _ in points) / len(points) - frame.width_px / 2
    down = sum(y for _, y in points) / len(points) - frame.height_px / 2
    return float((across**2 + down**2) ** 0.5)


async def codes(camera: Camera, reader: CodeReader, *, every_s: float) -> AsyncIterator[str]:
    """The code in each new picture, read in a thread, at most every `every_s`; ends when the reading is given up."""
    last: Frame | None = None
    while True:
        frame = camera.newest()
        if frame is not None and frame is not last:
            last = frame
            text = meant(await asyncio.to_thread(reader.read, frame))
            if text is not None:
                yield text
        await asyncio.sleep(every_s)
