"""Rendered plates as a gate's camera meets them: owns the trials that `safety` and `calibration` count.

A trial is named by its seed and number alone, so that any process draws the same one. Kinds and light take turns.
Nothing here was trained on: texts, places and weather are drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.plates import PlateColour, PlateKind
from vision.render import weather
from vision.render.plates import RENDERED_KINDS, colour_of, random_plate, render_plate
from vision.render.scenes import paste_plate, random_quad

# The picture around a plate, in widths of the plate.
SCENE_WIDTHS, SCENE_HEIGHT_WIDTHS = 1.6, 1.1
PLATE_WIDTH_PX_MIN, PLATE_WIDTH_PX_MAX = 70, 240
# How far the corners that a detector finds lie from the true ones, as a share of the plate's width.
CORNER_ERROR_FRAC = 0.012
# On the road most plates are blue or green: these come this many times as often as every other kind.
COMMON = {PlateKind.SMALL: 6, PlateKind.NEV_SMALL: 6, PlateKind.LARGE: 3, PlateKind.NEV_LARGE: 2, PlateKind.TRACTOR: 2}


class Light(StrEnum):
    """What the hour and the weather do to a trial."""

    DAY = "day"
    LAMP = "lamp"
    NIGHT = "night"
    DIRT = "dirt"
    RAIN = "rain"
    GLARE = "glare"


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture with one plate on it: what is true of it, and corners as a detector would give them."""

    text: str
    kind: PlateKind
    colour: PlateColour
    rows: int
    light: Light
    scene: NDArray[np.uint8]
    quad: NDArray[np.float32]

    @property
    def is_new_energy(self) -> bool:
        """Whether the true plate stands for a new-energy vehicle."""
        return self.kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)


_TURNS: tuple[PlateKind, ...] = tuple(kind for kind in RENDERED_KINDS for _ in range(COMMON.get(kind, 1)))


def trial(seed: int, number: int) -> Trial:
    """The picture number `number` of a seed."""
    rng = np.random.default_rng((seed, number))
    kind = _TURNS[number % len(_TURNS)]
    light = tuple(Light)[number // len(_TURNS) % len(Light)]
    text, _, two_rows = random_plate(rng, kind)
    plate = render_plate(text, kind, two_rows=two_rows, rng=rng)
    width = float(np.exp(rng.uniform(np.log(PLATE_WIDTH_PX_MIN), np.log(PLATE_WIDTH_PX_MAX))))
    size = round(width * SCENE_WIDTHS), round(width * SCENE_HEIGHT_WIDTHS)
    centre = (size[0] * rng.uniform(0.45, 0.55), size[1] * rng.uniform(0.4, 0.6))
    quad = random_quad(rng, centre=centre, width_px=width, aspect=plate.shape[0] / plate.shape[1])
    scene = _LIGHTS[light](paste_plate(_ground(rng, size), plate, quad), rng)
    scene = weather.degrade(scene, rng, strength=float(rng.uniform(0.0, 0.5)))
    inexact = quad + rng.normal(0, CORNER_ERROR_FRAC * width, quad.shape)
    rows = 2 if two_rows else 1
    return Trial(text, kind, colour_of(kind), rows, light, scene, inexact.astype(np.float32))


def _ground(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A vehicle's rear and a street in coarse patches, `size` = (width, height) pixels."""
    patches = rng.integers(20, 200, (5, 8, 3)).astype(np.float32)
    grey = patches.mean(axis=2, keepdims=True)
    patches = (grey + (patches - grey) * rng.uniform(0.1, 0.8)).astype(np.uint8)
    smooth = cv2.resize(patches, size, interpolation=cv2.INTER_CUBIC)
    return weather.noise(smooth, rng, sigma=4.0)


def _day(scene: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return weather.exposure(scene, gain=float(rng.uniform(0.8, 1.25)))


def _lamp(scene: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sodium, mercury, neon or a wrong white balance: the hue of every ground moves."""
    blue, green, red = rng.uniform(0.5, 1.25, 3)
    return weather.exposure(scene, gain=float(rng.uniform(0.6, 1.0)), cast=(blue, green, red))


def _night(scene: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return weather.night(scene, rng, strength=float(rng.uniform(0.2, 0.8)))


def _dirt(scene: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return weather.dirt(scene, rng, strength=float(rng.uniform(0.1, 0.6)))


def _rain(scene: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return weather.rain(scene, rng, strength=float(rng.uniform(0.1, 0.6)))


def _glare(scene: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return weather.glare(scene, rng, strength=float(rng.uniform(0.2, 0.7)))


_LIGHTS: dict[Light, Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]] = {
    Light.DAY: _day,
    Light.LAMP: _lamp,
    Light.NIGHT: _night,
    Light.DIRT: _dirt,
    Light.RAIN: _rain,
    Light.GLARE: _glare,
}
