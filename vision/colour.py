"""Colour of a plate's ground from its pixels: owns the statistics, and what happens when they contradict the network.

A network that learned colours from renderings can call a blue plate green, and a green plate passes the gate.
So the pixels are asked as well, by rules that nobody trained. A strong contradiction makes the colour
`unknown`, and with it the verdict `unsure` (`control.domain.plates.identify`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.plates import PlateColour

# Hue in OpenCV's half degrees. Between the bands lies ground that votes for nobody.
_BANDS: dict[PlateColour, tuple[int, int]] = {
    PlateColour.YELLOW: (10, 34),
    PlateColour.GREEN: (42, 88),
    PlateColour.BLUE: (98, 130),
}
# A pixel with less saturation, or less chroma in grey levels, than this has no hue worth counting.
SATURATION_MIN = 60
CHROMA_MIN = 28
# Share of the coloured pixels that one band must have, and share of all pixels that must be coloured.
BAND_FRAC_MIN = 0.7
COLOURED_FRAC_MIN = 0.25
# Share of bright pixels below which the characters are light on dark, and above which they are dark on light.
# On real plates it is 0.25 to 0.45 for blue and 0.56 to 0.68 for yellow (5th to 95th percentile).
LIGHT_FRAC_MAX = 0.46
DARK_FRAC_MIN = 0.54
# The plate's size in pixels at which that is measured.
CONTRAST_SIZE = (160, 40)

# A network less sure of the colour than this does not know it.
NETWORK_CONFIDENCE_MIN = 0.5
# Largest difference between the channels, in grey levels, of a picture without colour; compression leaves a little.
GREY_CHROMA_MAX = 6

# Farm and aviation plates are green to the eye, with light characters; a paper plate is white.
_SIGHTS: dict[PlateColour, PlateColour] = {
    PlateColour.FARM_GREEN: PlateColour.GREEN,
    PlateColour.PAPER: PlateColour.WHITE,
}
_LIGHT_CHARACTERS = frozenset({PlateColour.BLUE, PlateColour.BLACK, PlateColour.FARM_GREEN})
_NEW_ENERGY = frozenset({PlateColour.GREEN, PlateColour.YELLOW_GREEN})


class Contrast(StrEnum):
    """Whether the characters are lighter or darker than their ground: light or hue of a lamp cannot change it."""

    LIGHT_ON_DARK = "light_on_dark"
    DARK_ON_LIGHT = "dark_on_light"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class ColourReading:
    """A colour and how sure it is (0 to 1)."""

    colour: PlateColour
    confidence: float


@dataclass(frozen=True, slots=True)
class PixelReading:
    """What the pixels of a plate say without a network; `colour` is blue, yellow, green or unknown."""

    colour: PlateColour
    confidence: float
    contrast: Contrast


def read_pixels(plate_bgr: NDArray[np.uint8]) -> PixelReading:
    """Colour and contrast of a plate cut out and made upright; (h, w, 3) uint8, any size.

    Only the coloured grounds are claimed: white, black and grey are what bad light makes of any plate.
    """
    inner = _without_rim(plate_bgr)
    bands, coloured_frac = _band_fracs(inner)
    contrast = _contrast(inner)
    colour = max(bands, key=bands.__getitem__)
    if coloured_frac < COLOURED_FRAC_MIN or bands[colour] < BAND_FRAC_MIN:
        return PixelReading(PlateColour.UNKNOWN, 0.0, contrast)
    return PixelReading(colour, bands[colour], contrast)


def settle(network: ColourReading, pixels: PixelReading) -> ColourReading:
    """The colour to report: the network's, or `unknown` when it is unsure or the pixels clearly say otherwise.

    The confidence of `unknown` is how sure it is that the network may not be believed.
    """
    if network.colour is PlateColour.UNKNOWN or network.confidence < NETWORK_CONFIDENCE_MIN:
        return ColourReading(PlateColour.UNKNOWN, 1.0 - network.confidence)
    if not _contradict(network.colour, pixels):
        return network
    return ColourReading(PlateColour.UNKNOWN, max(pixels.confidence, BAND_FRAC_MIN))


def is_grey(image_bgr: NDArray[np.uint8]) -> bool:
    """Whether a whole picture has no colours at all: cameras in night mode send such, and nobody can tell a ground."""
    sample = image_bgr[::8, ::8]
    return int(np.ptp(sample, axis=2).max()) <= GREY_CHROMA_MAX


def _contradict(network: PlateColour, pixels: PixelReading) -> bool:
    if network in _NEW_ENERGY and not _may_be_new_energy(pixels):
        return True
    sight = _SIGHTS.get(network, network)
    if sight is pixels.colour:
        return False
    # What little hue a black ground has is that of the lamp.
    if pixels.colour is PlateColour.UNKNOWN or network is PlateColour.BLACK:
        return network in _LIGHT_CHARACTERS and pixels.contrast is Contrast.DARK_ON_LIGHT
    return network is not PlateColour.YELLOW_GREEN or pixels.colour is PlateColour.BLUE


def _may_be_new_energy(pixels: PixelReading) -> bool:
    """Green is a free pass, so it needs a sign of its own, and none against it.

    GA 36-2018: new-energy plates carry black characters. A blue plate under a green lamp does not.
    """
    if pixels.contrast is Contrast.UNCLEAR:
        return pixels.colour in (PlateColour.GREEN, PlateColour.YELLOW)
    return pixels.contrast is Contrast.DARK_ON_LIGHT


def _band_fracs(inner_bgr: NDArray[np.uint8]) -> tuple[dict[PlateColour, float], float]:
    """Share of each band among the coloured pixels, and share of the coloured pixels among all."""
    hue, saturation, value = cv2.split(cv2.cvtColor(inner_bgr, cv2.COLOR_BGR2HSV))
    chroma = cv2.multiply(saturation, value, scale=1 / 255)
    coloured = (saturation >= SATURATION_MIN) & (chroma >= CHROMA_MIN)
    count = int(coloured.sum())
    if count == 0:
        return dict.fromkeys(_BANDS, 0.0), 0.0
    hues = hue[coloured]
    fracs = {colour: float(((hues >= low) & (hues <= high)).mean()) for colour, (low, high) in _BANDS.items()}
    return fracs, count / coloured.size


def _contrast(inner_bgr: NDArray[np.uint8]) -> Contrast:
    """Characters cover the smaller part of a plate: what Otsu's threshold makes the minority is their side.

    Each pixel is first divided by the mean around it, so that shadows, lamps and dirt do not count.
    """
    grey = cv2.cvtColor(cv2.resize(inner_bgr, CONTRAST_SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    brightness = grey.astype(np.float32) + 8
    around = cv2.blur(brightness, (CONTRAST_SIZE[1] + 1, CONTRAST_SIZE[1] + 1))
    levelled = np.clip(brightness / around * 96, 0, 255).astype(np.uint8)
    _, bright = cv2.threshold(levelled, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright_frac = float(bright.mean())
    if bright_frac < LIGHT_FRAC_MAX:
        return Contrast.LIGHT_ON_DARK
    return Contrast.DARK_ON_LIGHT if bright_frac > DARK_FRAC_MIN else Contrast.UNCLEAR


def _without_rim(plate_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The plate without its rim: corners are never exact, and a bumper has colours too."""
    height, width = plate_bgr.shape[:2]
    rim_y, rim_x = height // 6, width // 20
    inner = plate_bgr[rim_y : height - rim_y, rim_x : width - rim_x]
    return inner if inner.size else plate_bgr
