"""What the gateway asks of the outside: owns the small protocols, each of one capability.

Their implementations are in `edge.adapters`; the journal's protocol is `edge.journal`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from control.domain.readings import PlateReading, Unavailable, VehicleReading

Picture = npt.NDArray[np.uint8]


class Clock(Protocol):
    """Time, aware UTC and monotonic seconds; the pace of every cycle."""

    def now(self) -> datetime:
        """Wall clock, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds of this clock go by."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, BGR (h, w, 3). `jpeg` is what the camera sent, when it sent a JPEG; `taken_s` is monotonic.

    `vehicles` asks the reader to look for vehicles too, which costs time and is not needed in every picture.
    """

    image: Picture
    at: datetime
    taken_s: float
    jpeg: bytes | None = None
    name: str = ""
    moving: bool = True
    vehicles: bool = False


class Camera(Protocol):
    """Pictures of a lane; the newest counts, older ones are dropped."""

    async def run(self) -> None:
        """Keep the picture coming, reconnecting for ever; returns only when a file has ended."""
        ...

    async def next(self) -> Frame | Unavailable:
        """Wait for a picture newer than the last one given, or for the camera's loss."""
        ...

    @property
    def latest(self) -> Frame | Unavailable:
        """The newest picture, or why there is none."""
        ...


class PictureSource(Protocol):
    """Pictures that are each an arrival of their own; none is dropped."""

    def pictures(self) -> AsyncIterator[Frame | UnreadablePicture]:
        """Every picture in order."""
        ...


@dataclass(frozen=True, slots=True)
class UnreadablePicture:
    """A file that holds no picture we can decode."""

    name: str
    why: str


class FrameReading(Protocol):
    """What one picture holds."""

    @property
    def plates(self) -> tuple[PlateReading, ...]:
        """Plates, best first."""
        ...

    @property
    def vehicles(self) -> tuple[VehicleReading, ...] | None:
        """Vehicles, best first; None where nobody looked for any."""
        ...

    @property
    def ms(self) -> float:
        """Milliseconds it took."""
        ...


class Reader(Protocol):
    """Reads plates and, when asked, vehicles; synchronous and CPU-bound."""

    def read(self, image_bgr: Picture, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
        """Read one picture, or with `crop` one plate already cut out; with `vehicles` look for vehicles too."""
        ...


class PassReader(Protocol):
    """Finds QR codes; synchronous, CPU-bound, and done within some 20 ms whatever the picture shows."""

    def read(self, image_bgr: Picture) -> tuple[str, ...]:
        """The texts of the codes in one picture, none longer than a pass may be."""
        ...


class PassScanner(Protocol):
    """A hand scanner that types what it reads, a line a code."""

    @property
    def trouble(self) -> Unavailable | None:
        """Why no line can come now; None while the scanner is there."""
        ...

    async def run(self, take: Callable[[str], None]) -> None:
        """Hand over every line, reconnecting for ever. A line that is too long for a pass comes cut short."""
        ...


class LampColour(StrEnum):
    """Colour of the message display's text."""

    NONE = "none"
    GREEN = "green"
    RED = "red"
    AMBER = "amber"


@dataclass(frozen=True, slots=True)
class BarrierState:
    """One reading of a lane's field devices. A loop that reports its own fault is None, not False."""

    loop_a: bool | None
    loop_b: bool | None
    beam: bool | None
    limit_open: bool
    limit_closed: bool
    fault: bool
    position_percent: int


class Barrier(Protocol):
    """A barrier with two loops and a beam. Every method raises DeviceError when the controller misbehaves."""

    async def read(self) -> BarrierState:
        """Inputs as they are now."""
        ...

    async def command(self, action: str, *, command_id: str) -> None:
        """Pulse `open` or `close`; returns when the controller has taken it."""
        ...

    async def beat(self) -> None:
        """Tell the controller's watchdog that we are alive."""
        ...

    async def aclose(self) -> None:
        """Let go of the connection."""
        ...


class Display(Protocol):
    """A message display of 40 characters."""

    async def show(self, text: str, colour: LampColour) -> None:
        """Show a text; raises DeviceError."""
        ...

    async def aclose(self) -> None:
        """Let go of the connection."""
        ...


JsonObject = dict[str, Any]
