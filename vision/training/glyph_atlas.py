"""Builds `vision/render/glyphs.png` from free fonts: owns which font draws which character.

One row of cells per variant, one column per character of `vision.render.glyphs.CHARACTERS`, each cell
90 x 180 px (a 45 x 90 mm character at two pixels per millimetre), ink stretched to fill the cell.
Roadgeek 2014 (MIT) is nearest to the digits and letters of GA 36; Noto Sans CJK (OFL 1.1) draws the Chinese
characters. New-energy plates have letters of lighter strokes, and digits of their own: straight sides between half
circles, hooks that turn back, a 1 with a flag and a D whose stem is drawn out. These are drawn here as pen strokes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vision.render.glyphs import CELL_HEIGHT, CELL_WIDTH, CHARACTERS, NEW_ENERGY_VARIANTS, VARIANTS

CJK_FACE_SIMPLIFIED = 2


# Width in pixels of the pen that draws the digits of new-energy plates, by row of the atlas.
PENS = {2: 17, 3: 22}


def draw_cell(char: str, font: ImageFont.FreeTypeFont, *, pen: int | None) -> np.ndarray:
    """Coverage of one character, uint8 (180, 90), its ink box stretched to the cell.

    With `pen`, in pixels, as on new-energy plates.
    """
    if pen and char in PEN_STROKES:
        return pen_cell(char, pen)
    if char == "1":
        return bar_cell()
    canvas = Image.new("L", (800, 800), 0)
    ImageDraw.Draw(canvas).text((200, 100), char, font=font, fill=255)
    ink = canvas.crop(canvas.getbbox())
    cell = np.asarray(ink.resize((CELL_WIDTH, CELL_HEIGHT), Image.Resampling.LANCZOS))
    return lightened(cell) if pen and char.isascii() else cell


def lightened(cell: np.ndarray) -> np.ndarray:
    """The cell with strokes thinner by 2 px."""
    framed = cv2.copyMakeBorder(cell, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    return cv2.erode(framed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))[2:-2, 2:-2]


Arc = tuple[float, float, float, float, float, float]
# Each stroke is a line of (x, y) or an elliptic arc (x, y, x radius, y radius, from, to); x and y go from 0 to 1 over
# the cell's pen positions, degrees turn clockwise from three o'clock.
TOP: Arc = (0.5, 0.25, 0.5, 0.25, 180, 360)
BOTTOM: Arc = (0.5, 0.75, 0.5, 0.25, 0, 180)
LOWER_LOOP: tuple[Arc, ...] = ((0.5, 0.68, 0.5, 0.27, 0, 360), (0.5, 0.75, 0.5, 0.25, 0, 180))
UPPER_LOOP: tuple[Arc, ...] = ((0.5, 0.32, 0.5, 0.27, 0, 360), (0.5, 0.25, 0.5, 0.25, 180, 360))
PEN_STROKES: dict[str, tuple[tuple[tuple[float, float], ...] | Arc, ...]] = {
    "0": (TOP, BOTTOM, ((0, 0.25), (0, 0.75)), ((1, 0.25), (1, 0.75))),
    "1": (((0.62, 0), (0.62, 1)), ((0.62, 0.02), (0.25, 0.17))),
    "2": ((0.5, 0.25, 0.5, 0.25, 180, 375), ((0.98, 0.32), (0.02, 1)), ((0, 1), (1, 1))),
    "3": (((0.05, 0), (0.95, 0)), ((0.95, 0), (0.45, 0.4)), (0.45, 0.7, 0.55, 0.3, -95, 160)),
    "5": (((0.9, 0), (0.12, 0)), ((0.12, 0), (0.05, 0.46)), (0.45, 0.68, 0.55, 0.32, -145, 155)),
    "6": (*LOWER_LOOP, ((0, 0.25), (0, 0.75)), (0.5, 0.25, 0.5, 0.25, 180, 345)),
    "8": ((0.5, 0.24, 0.45, 0.24, 0, 360), (0.5, 0.73, 0.5, 0.27, 0, 360)),
    "9": (*UPPER_LOOP, ((1, 0.25), (1, 0.75)), (0.5, 0.75, 0.5, 0.25, 0, 165)),
    "D": (
        ((0.14, 0), (0.14, 1)),
        ((0, 0), (0.5, 0)),
        ((0, 1), (0.5, 1)),
        (0.5, 0.25, 0.5, 0.25, 270, 360),
        (0.5, 0.75, 0.5, 0.25, 0, 90),
        ((1, 0.25), (1, 0.75)),
    ),
}


def pen_cell(char: str, pen: int) -> np.ndarray:
    """A digit of new-energy plates drawn with a pen of `pen` pixels."""
    cell = np.zeros((CELL_HEIGHT, CELL_WIDTH), np.uint8)
    reach = np.array([CELL_WIDTH - 1 - pen, CELL_HEIGHT - 1 - pen], float)
    for stroke in PEN_STROKES[char]:
        points = arc_points(stroke) if isinstance(stroke[0], float | int) else np.array(stroke, float)
        pixels = np.round((points * reach + pen / 2) * 16).astype(np.int32)
        cv2.polylines(cell, [pixels], False, 255, pen, cv2.LINE_AA, shift=4)
    return cell


def arc_points(arc: Arc) -> np.ndarray:
    x, y, across, down, start, end = arc
    angles = np.deg2rad(np.linspace(start, end, 40))
    return np.stack([x + across * np.cos(angles), y + down * np.sin(angles)], axis=1)


def bar_cell() -> np.ndarray:
    """The digit 1 of Chinese plates: a plain bar about a quarter of the cell wide."""
    cell = np.zeros((CELL_HEIGHT, CELL_WIDTH), np.uint8)
    middle, half = CELL_WIDTH // 2, 11
    cell[:, middle - half : middle + half] = 255
    return cell


def build(latin: list[Path], chinese: list[Path]) -> np.ndarray:
    """The atlas, uint8 (variants * 180, characters * 90)."""
    rows = []
    for row, (latin_path, chinese_path) in enumerate(zip(latin, chinese, strict=True)):
        latin_font = ImageFont.truetype(str(latin_path), 400)
        chinese_font = ImageFont.truetype(str(chinese_path), 400, index=CJK_FACE_SIMPLIFIED)
        cells = [draw_cell(c, latin_font if c.isascii() else chinese_font, pen=PENS.get(row)) for c in CHARACTERS]
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roadgeek", type=Path, default=Path("/usr/share/fonts/truetype/roadgeek"))
    parser.add_argument("--noto", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    parser.add_argument("--out", type=Path, default=Path("vision/render/glyphs.png"))
    args = parser.parse_args()
    latin = [args.roadgeek / "RG2014B.ttf", args.roadgeek / "RG2014C.ttf"] * 2
    chinese = [args.noto / "NotoSansCJK-Bold.ttc", args.noto / "NotoSansCJK-Regular.ttc"] * 2
    assert set(PENS) == set(NEW_ENERGY_VARIANTS)
    assert len(latin) == VARIANTS + len(NEW_ENERGY_VARIANTS)
    Image.fromarray(build(latin, chinese)).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
