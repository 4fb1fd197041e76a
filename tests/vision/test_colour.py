"""The pixels' own opinion of a plate's ground, and what it does to the network's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from control.domain.plates import PlateColour, PlateKind, Verdict, identify
from vision.colour import ColourReading, Contrast, PixelReading, is_grey, read_pixels, settle
from vision.render.plates import random_plate, render_plate
from vision.render.weather import degrade, exposure, night, noise

DARK, LIGHT = Contrast.DARK_ON_LIGHT, Contrast.LIGHT_ON_DARK


def drawn(kind: PlateKind, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    text, kind, two_rows = random_plate(rng, kind)
    plate = noise(render_plate(text, kind, two_rows=two_rows, rng=rng), rng, sigma=3)
    plate.setflags(write=False)
    return plate


@pytest.mark.parametrize(
    ("kind", "colour", "contrast"),
    [
        (PlateKind.SMALL, PlateColour.BLUE, LIGHT),
        (PlateKind.LARGE, PlateColour.YELLOW, DARK),
        (PlateKind.COACH, PlateColour.YELLOW, DARK),
        (PlateKind.TRAILER, PlateColour.YELLOW, DARK),
        (PlateKind.NEV_LARGE, PlateColour.GREEN, DARK),
        (PlateKind.TRACTOR, PlateColour.GREEN, LIGHT),
        (PlateKind.MILITARY, PlateColour.UNKNOWN, DARK),
    ],
)
def test_each_ground_is_seen(kind: PlateKind, colour: PlateColour, contrast: Contrast) -> None:
    for seed in range(12):
        reading = read_pixels(drawn(kind, seed))
        assert (reading.colour, reading.contrast) == (colour, contrast)


def test_green_is_never_denied_and_never_taken_for_another() -> None:
    for seed in range(40):
        reading = read_pixels(drawn(PlateKind.NEV_SMALL, seed))
        assert reading.colour in (PlateColour.GREEN, PlateColour.UNKNOWN)
        assert settle(ColourReading(PlateColour.GREEN, 0.9), reading).colour is PlateColour.GREEN


def test_weather_does_not_deny_a_new_energy_plate() -> None:
    denied = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        seen = degrade(drawn(PlateKind.NEV_SMALL, seed), rng, strength=0.5)
        denied += settle(ColourReading(PlateColour.GREEN, 0.9), read_pixels(seen)).colour is PlateColour.UNKNOWN
    assert denied <= 1


def test_a_blue_plate_never_passes_as_green_whatever_the_lamp() -> None:
    """Casts of lamps and the dark change the hue; that the characters are lighter than the ground stays."""
    rng = np.random.default_rng(5)
    for seed in range(40):
        plate = drawn(PlateKind.SMALL, seed)
        cast = tuple(rng.uniform(0.45, 1.2, 3))
        for seen in (plate, exposure(plate, gain=1.0, cast=cast), night(plate, rng, strength=0.5)):
            settled = settle(ColourReading(PlateColour.GREEN, 0.99), read_pixels(seen))
            assert settled.colour is PlateColour.UNKNOWN
            assert identify("琼AD12345", settled.colour).verdict is Verdict.UNSURE


def pixels(colour: PlateColour, contrast: Contrast = Contrast.UNCLEAR) -> PixelReading:
    return PixelReading(colour, 0.0 if colour is PlateColour.UNKNOWN else 0.9, contrast)


@pytest.mark.parametrize(
    ("network", "seen", "kept"),
    [
        (PlateColour.BLUE, pixels(PlateColour.BLUE, LIGHT), True),
        (PlateColour.BLUE, pixels(PlateColour.UNKNOWN, LIGHT), True),
        (PlateColour.BLUE, pixels(PlateColour.UNKNOWN, DARK), False),
        (PlateColour.BLUE, pixels(PlateColour.GREEN), False),
        (PlateColour.GREEN, pixels(PlateColour.GREEN, DARK), True),
        (PlateColour.GREEN, pixels(PlateColour.GREEN, LIGHT), False),
        (PlateColour.GREEN, pixels(PlateColour.BLUE), False),
        (PlateColour.GREEN, pixels(PlateColour.UNKNOWN, LIGHT), False),
        (PlateColour.GREEN, pixels(PlateColour.UNKNOWN), False),
        (PlateColour.GREEN, pixels(PlateColour.GREEN), True),
        (PlateColour.GREEN, pixels(PlateColour.UNKNOWN, DARK), True),
        (PlateColour.YELLOW_GREEN, pixels(PlateColour.GREEN, DARK), True),
        (PlateColour.YELLOW_GREEN, pixels(PlateColour.YELLOW, DARK), True),
        (PlateColour.YELLOW_GREEN, pixels(PlateColour.BLUE), False),
        (PlateColour.YELLOW, pixels(PlateColour.BLUE), False),
        (PlateColour.YELLOW, pixels(PlateColour.UNKNOWN, LIGHT), True),
        (PlateColour.FARM_GREEN, pixels(PlateColour.GREEN, LIGHT), True),
        (PlateColour.WHITE, pixels(PlateColour.UNKNOWN, DARK), True),
        (PlateColour.WHITE, pixels(PlateColour.GREEN, DARK), False),
        (PlateColour.BLACK, pixels(PlateColour.YELLOW, DARK), False),
        (PlateColour.BLACK, pixels(PlateColour.BLUE, LIGHT), True),
    ],
)
def test_settling(network: PlateColour, seen: PixelReading, kept: bool) -> None:
    settled = settle(ColourReading(network, 0.95), seen)
    assert settled.colour is (network if kept else PlateColour.UNKNOWN)
    assert 0.7 <= settled.confidence <= 0.95


def test_a_network_that_does_not_know_is_not_overruled_into_knowing() -> None:
    for network, seen in itertools.product(PlateColour, PlateColour):
        settled = settle(ColourReading(network, 0.3), pixels(seen))
        assert settled.colour is PlateColour.UNKNOWN
        assert settled.confidence == pytest.approx(0.7)


def test_settling_gives_the_network_s_colour_or_none() -> None:
    for network, seen, contrast in itertools.product(PlateColour, PlateColour, Contrast):
        settled = settle(ColourReading(network, 0.8), PixelReading(seen, 0.75, contrast))
        assert settled.colour in (network, PlateColour.UNKNOWN)
        assert 0 < settled.confidence <= 0.8


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (7, 3)])
def test_any_size_has_an_answer(size: tuple[int, int]) -> None:
    assert read_pixels(np.zeros((*size, 3), np.uint8)).colour is PlateColour.UNKNOWN


def test_night_mode_is_recognised_by_the_whole_picture() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (90, 160, 1), np.uint8).repeat(3, axis=2)
    assert is_grey(grey)
    assert is_grey(np.zeros((1, 1, 3), np.uint8))
    coloured = grey.copy()
    coloured[40:60, 40:80] = (200, 90, 20)
    assert not is_grey(coloured)
