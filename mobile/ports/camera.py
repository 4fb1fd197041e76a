"""The camera as the app sees it: owns a picture's shape, the states of a camera, and its Protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, upright. `luma` has a byte for each pixel, row by row from the top; `rgb` three, or is empty."""

    width_px: int
    height_px: int
    luma: bytes = field(repr=False)
    rgb: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        pixels = self.width_px * self.height_px
        if pixels <= 0 or len(self.luma) != pixels or len(self.rgb) not in (0, 3 * pixels):
            raise ValueError(f"{len(self.luma)} and {len(self.rgb)} bytes are no {self.width_px}x{self.height_px} px.")


class CameraState(StrEnum):
    """What a camera is at. `DENIED`: the person or the system does not let the app use it."""

    OFF = "off"
    STARTING = "starting"
    ON = "on"
    DENIED = "denied"
    MISSING = "missing"
    FAILED = "failed"


class Camera(Protocol):
    """Gives pictures. No call blocks; pictures and states come from another thread."""

    @property
    def state(self) -> CameraState:
        """What it is at now."""
        ...

    @property
    def has_light(self) -> bool:
        """Whether there is a lamp that can be switched now."""
        ...

    @property
    def texture(self) -> Any:
        """The picture as a Kivy texture where the platform draws it itself, otherwise None."""
        ...

    @property
    def turned_deg(self) -> int:
        """How far the texture has to be turned clockwise to be upright; frames are read in any direction."""
        ...

    def start(self) -> None:
        """Begins; asks for permission where that is needed."""
        ...

    def stop(self) -> None:
        """Gives the camera back, its lamp off."""
        ...

    def newest(self) -> Frame | None:
        """The last picture; the same object until there is another."""
        ...

    def light(self, on: bool) -> bool:
        """Switches the lamp; whether it is on now."""
        ...

    def open_settings(self) -> bool:
        """Opens the place where the permission is given; False where there is none."""
        ...


class NoCamera:
    """A place without a camera, or one that may not be used."""

    has_light = False
    texture = None
    turned_deg = 0

    def __init__(self, state: CameraState = CameraState.MISSING) -> None:
        self.state = state

    def start(self) -> None:
        """Nothing can begin."""

    def stop(self) -> None:
        """Nothing runs."""

    def newest(self) -> Frame | None:
        """Never a picture."""
        return None

    def light(self, on: bool) -> bool:
        """Never a light."""
        return False

    def open_settings(self) -> bool:
        """No place to open."""
        return False
