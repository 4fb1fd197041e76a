"""Measures of vehicles: owns the shapes of the types in metres, and the colours of glass, rubber and chrome."""

from __future__ import annotations

from dataclasses import dataclass

from hw_sim.canvas import Colour

PX_PER_M = 300.0
GLASS_DARK: Colour = (44, 40, 36)
GLASS_SKY: Colour = (150, 132, 112)
RUBBER: Colour = (38, 37, 36)
CHROME: Colour = (206, 206, 204)


@dataclass(frozen=True, slots=True)
class Shape:
    """Measures of a type in metres: heights of bumper, bonnet and roof, and set-backs along the length."""

    width: float
    clearance: float
    nose: float
    bonnet: float
    roof: float
    bonnet_length: float
    screen_length: float
    roof_length: float
    screen_taper: float
    plate: float


SHAPES: dict[str, Shape] = {
    "car": Shape(1.84, 0.17, 0.82, 0.98, 1.46, 1.05, 0.75, 1.7, 0.15, 0.46),
    "pickup": Shape(1.9, 0.24, 1.0, 1.14, 1.8, 1.0, 0.5, 1.5, 0.1, 0.56),
    "van": Shape(1.9, 0.22, 0.98, 1.16, 2.05, 0.55, 0.6, 3.8, 0.08, 0.5),
    "cab": Shape(2.35, 0.32, 1.3, 1.34, 2.75, 0.04, 0.16, 2.0, 0.02, 0.62),
    "bus": Shape(2.5, 0.28, 1.12, 1.14, 3.05, 0.03, 0.14, 9.5, 0.01, 0.56),
    "tractor": Shape(1.3, 0.45, 1.2, 1.3, 2.15, 1.3, 0.1, 1.2, 0.05, 0.72),
    "cart": Shape(1.3, 0.25, 0.8, 0.9, 1.85, 0.35, 0.3, 1.7, 0.02, 0.5),
}
