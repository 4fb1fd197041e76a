"""Builds `vision/render/glyphs.png` from free fonts: owns which font draws which character.

One row of cells per variant, one column per character of `vision.render.glyphs.CHARACTERS`, each cell
90 x 180 px (a 45 x 90 mm character at two pixels per millimetre), ink stretched to fill the cell.
Roadgeek 2014 (MIT) is nearest to the digits and letters of GA 36; Noto Sans CJK (OFL 1.1) draws the Chinese
characters. New-energy plates have a 6 and a 9 with round hooks, as Noto Sans CJK and DejaVu Sans Condensed
(Bitstream Vera licence) have, a 1 with a flag and a D whose stem is drawn out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vision.render.glyphs import CELL_HEIGHT, CELL_WIDTH, CHARACTERS, NEW_ENERGY_VARIANTS, VARIANTS

CJK_FACE_SIMPLIFIED = 2


def draw_cell(char: str, font: ImageFont.FreeTypeFont, *, flagged: bool) -> np.ndarray:
    """Coverage of one character, uint8 (180, 90), its ink box stretched to the cell.

    With `flagged` as on new-energy plates: 1 has a flag, D has its stem's ends drawn out to the left.
    """
    if char == "1":
        return flagged_bar_cell() if flagged else bar_cell()
    canvas = Image.new("L", (800, 800), 0)
    ImageDraw.Draw(canvas).text((200, 100), char, font=font, fill=255)
    ink = canvas.crop(canvas.getbbox())
    if flagged and char == "D":
        return drawn_out(np.asarray(ink.resize((CELL_WIDTH - 8, CELL_HEIGHT), Image.Resampling.LANCZOS)))
    return np.asarray(ink.resize((CELL_WIDTH, CELL_HEIGHT), Image.Resampling.LANCZOS))


def flagged_bar_cell() -> np.ndarray:
    """The digit 1 of new-energy plates: the bar with a flag that falls to the left."""
    cell = np.roll(bar_cell(), 8, axis=1)
    cv2.line(cell, (46, 10), (20, 38), 255, 18, cv2.LINE_AA)
    return cell


def drawn_out(narrow: np.ndarray) -> np.ndarray:
    cell = np.zeros((CELL_HEIGHT, CELL_WIDTH), np.uint8)
    cell[:, 8:] = narrow
    cell[:16, :30] = cell[-16:, :30] = 255
    return cell


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
        flagged = row in NEW_ENERGY_VARIANTS
        cells = [draw_cell(c, latin_font if c.isascii() else chinese_font, flagged=flagged) for c in CHARACTERS]
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roadgeek", type=Path, default=Path("/usr/share/fonts/truetype/roadgeek"))
    parser.add_argument("--noto", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    parser.add_argument("--dejavu", type=Path, default=Path("/usr/share/fonts/truetype/dejavu"))
    parser.add_argument("--out", type=Path, default=Path("vision/render/glyphs.png"))
    args = parser.parse_args()
    latin = [args.roadgeek / "RG2014B.ttf", args.roadgeek / "RG2014C.ttf"]
    latin += [args.noto / "NotoSansCJK-Bold.ttc", args.dejavu / "DejaVuSansCondensed-Bold.ttf"]
    chinese = [args.noto / "NotoSansCJK-Bold.ttc", args.noto / "NotoSansCJK-Regular.ttc"] * 2
    assert len(latin) == VARIANTS + len(NEW_ENERGY_VARIANTS)
    Image.fromarray(build(latin, chinese)).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
