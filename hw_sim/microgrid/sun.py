"""Where the sun stands and what a cloudless sky gives: owns short formulas that share nothing with the forecast.

Position: declination and equation of time as Fourier series of the day of the year (J. W. Spencer, 1971). Beam:
A. Meinel and M. Meinel, Applied Solar Energy (1976), with the air mass of F. Kasten and A. T. Young (1989).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from hw_sim.microgrid.noise import Values

SOLAR_CONSTANT_W_PER_M2 = 1361.0
_DIFFUSE_OF_BEAM = 0.10
_GROUND_ALBEDO = 0.2


@dataclass(frozen=True, slots=True)
class SunPosition:
    """Elevation above the horizon, and azimuth from north over east, both in radians."""

    elevation: float
    azimuth: float

    @property
    def up(self) -> bool:
        """Whether it gives light enough to count."""
        return self.elevation > math.radians(0.5)

    @property
    def westward(self) -> float:
        """How far it stands in the west: the part of its direction, -1 (due east) to 1 (due west), 0 at noon."""
        return -math.cos(self.elevation) * math.sin(self.azimuth)


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """W/m2 on each plane, from the sun's disc and from all else."""

    beam: Values
    diffuse: Values

    @property
    def total(self) -> Values:
        """Both together."""
        return self.beam + self.diffuse


def sun_position(at: datetime, *, latitude_deg: float, longitude_deg: float) -> SunPosition:
    """The sun's place for an aware time; good to about half a degree."""
    utc = at.astimezone(UTC)
    hours = utc.hour + utc.minute / 60 + (utc.second + utc.microsecond / 1e6) / 3600
    angle = 2 * math.pi * (utc.timetuple().tm_yday - 1 + (hours - 12) / 24) / 365.25
    declination = (
        0.006918
        - 0.399912 * math.cos(angle)
        + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle)
        + 0.000907 * math.sin(2 * angle)
        - 0.002697 * math.cos(3 * angle)
        + 0.00148 * math.sin(3 * angle)
    )
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(angle)
        - 0.032077 * math.sin(angle)
        - 0.014615 * math.cos(2 * angle)
        - 0.040849 * math.sin(2 * angle)
    )
    hour_angle = math.radians(15 * (hours - 12) + longitude_deg + equation_min / 4)
    latitude = math.radians(latitude_deg)
    up = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    east = -math.cos(declination) * math.sin(hour_angle)
    north = math.cos(latitude) * math.sin(declination) - math.sin(latitude) * math.cos(declination) * math.cos(
        hour_angle
    )
    return SunPosition(math.asin(max(-1.0, min(1.0, up))), math.atan2(east, north) % (2 * math.pi))


def irradiance(sun: SunPosition, *, tilt: Values, azimuth: Values, shade: Values) -> Light:
    """On tilted planes (angles in radians); `shade` is how much of the beam clouds take, 0 to 1, per plane.

    Clouds turn a part of the beam into diffuse light, and a dense one takes most of both.
    """
    if not sun.up:
        return Light(np.zeros_like(tilt), np.zeros_like(tilt))
    sine = math.sin(sun.elevation)
    degrees = math.degrees(sun.elevation)
    air_mass = 1.0 / (sine + 0.50572 * (degrees + 6.07995) ** -1.6364)
    beam_clear = SOLAR_CONSTANT_W_PER_M2 * 0.7 ** (air_mass**0.678)
    beam = beam_clear * (1.0 - shade)
    diffuse = beam_clear * sine * (_DIFFUSE_OF_BEAM + 0.22 * shade * (1.0 - 0.65 * shade))
    incidence = sine * np.cos(tilt) + math.cos(sun.elevation) * np.sin(tilt) * np.cos(sun.azimuth - azimuth)
    ground = (beam * sine + diffuse) * _GROUND_ALBEDO * (1.0 - np.cos(tilt)) / 2.0
    return Light(beam * np.maximum(0.0, incidence), diffuse * (1.0 + np.cos(tilt)) / 2.0 + ground)
