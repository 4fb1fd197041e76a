"""What a camera saw: owns the reading of a plate and of a vehicle, or the fact that there is none."""

from __future__ import annotations

from dataclasses import dataclass

from control.domain.plates import EnergyClass, PlateColour, PlateIdentity, PlateKind, Verdict, identify
from control.domain.vehicles import VehicleType

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class CharacterReading:
    """One character with its probability (0 to 1) and the runners-up, best first."""

    char: str
    probability: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PlateReading:
    """One plate as read. `confidence` is the probability that the whole text is right."""

    characters: tuple[CharacterReading, ...]
    colour: PlateColour
    colour_confidence: float
    confidence: float
    quad: Quad
    rows: int = 1
    frames: int = 1

    @property
    def text(self) -> str:
        """The characters in order, without the dot."""
        return "".join(c.char for c in self.characters)

    @property
    def identity(self) -> PlateIdentity:
        """Kind, energy and verdict by `control.domain.plates.identify`."""
        return identify(self.text, self.colour)

    @property
    def kind(self) -> PlateKind:
        """Kind by text and colour together."""
        return self.identity.kind

    @property
    def energy(self) -> EnergyClass:
        """Drive by text and colour together."""
        return self.identity.energy

    @property
    def verdict(self) -> Verdict:
        """Summary by text and colour together."""
        return self.identity.verdict


@dataclass(frozen=True, slots=True)
class VehicleReading:
    """One vehicle; `box` is x0, y0, x1, y1 in pixels.

    `confidence` is the probability of `type`; `alternatives` are other types with theirs, best first.
    """

    type: VehicleType
    confidence: float
    box: Box
    alternatives: tuple[tuple[VehicleType, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A reading that could not be had. Never replaced by an empty list, a zero or the last value.

    `since` is seconds of the caller's monotonic clock; `why` a short code such as `camera_frozen`.
    """

    since: float
    why: str
