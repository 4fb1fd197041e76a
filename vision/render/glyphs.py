"""The glyph atlas: owns reading `glyphs.png` and handing out one character at a wanted size and stroke.

The atlas is built by `vision/training/glyph_atlas.py`; licences of its fonts lie in `FONT_LICENCES.txt`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from control.domain.plates import ALPHABET

# 临 is drawn on paper plates but never read as text, so it is no part of the alphabet.
CHARACTERS = ALPHABET + "临"
CELL_WIDTH = 90
CELL_HEIGHT = 180
# Fonts for plates of GA 36-2007, then those with the lighter letters and the own digits of new-energy plates.
VARIANTS = 2
NEW_ENERGY_VARIANTS = (2, 3)
STROKES = (-2, -1, 0, 1, 2)


@lru_cache(maxsize=1)
def _atlas() -> np.ndarray:
    path = Path(__file__).with_name("glyphs.png")
    atlas = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    expected = ((VARIANTS + len(NEW_ENERGY_VARIANTS)) * CELL_HEIGHT, len(CHARACTERS) * CELL_WIDTH)
    assert atlas is not None, f"{path} is missing"
    assert atlas.shape == expected, f"{path} does not fit the alphabet: rebuild it"
    return atlas


@lru_cache(maxsize=8192)
def glyph(char: str, width: int, height: int, *, variant: int = 0, stroke: int = 0) -> np.ndarray:
    """Coverage of one character, uint8 (height, width), read-only.

    `variant` picks the font pair, `stroke` (of `STROKES`) thins or thickens by about half a millimetre a step.
    Raises ValueError for a character that no plate carries.
    """
    column = CHARACTERS.find(char)
    if column < 0 or len(char) != 1:
        raise ValueError(f"no glyph for {char!r}: plates carry only {CHARACTERS}")
    cell = _atlas()[
        variant * CELL_HEIGHT : (variant + 1) * CELL_HEIGHT, column * CELL_WIDTH : (column + 1) * CELL_WIDTH
    ]
    if stroke:
        cell = _restroke(cell, stroke)
    scaled = cv2.resize(cell, (width, height), interpolation=cv2.INTER_AREA)
    scaled.setflags(write=False)
    return scaled


def _restroke(cell: np.ndarray, stroke: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(stroke) + 1, 2 * abs(stroke) + 1))
    framed = cv2.copyMakeBorder(cell, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0)
    changed = cv2.dilate(framed, kernel) if stroke > 0 else cv2.erode(framed, kernel)
    return changed[4:-4, 4:-4]
