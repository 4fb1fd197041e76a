"""A board with a pass behind a windscreen: owns its picture, dulled by the glass and with the sky's reflection."""

from __future__ import annotations

import cv2
import numpy as np
import segno

from hw_sim.canvas import Colour
from hw_sim.scenery import Texture

# Boards that a lane camera of 960 x 540 pixels reads at its stop line: an A3 sheet, a little larger in a low car.
BOARD_TALL_M, BOARD_M = 0.30, 0.38
GLASS_CLEAR, SHEEN = 0.82, 0.3


def pass_board(text: str, glass: Colour) -> Texture:
    """The code of a pass on white, as it looks through `glass` (BGR); premultiplied BGRA."""
    code = segno.make_qr(text, error="m", boost_error=False)
    modules = np.array([[bool(dark) for dark in row] for row in code.matrix_iter(border=4)])
    grey = cv2.resize(np.where(modules, 26, 244).astype(np.uint8), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    board = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.float32)
    board = board * GLASS_CLEAR + np.array(glass, np.float32) * (1 - GLASS_CLEAR)
    rows, columns = np.mgrid[0 : board.shape[0], 0 : board.shape[1]] / board.shape[0]
    sheen = np.clip(1 - np.abs(columns + 0.6 * rows - 0.9) / 0.35, 0, 1)[..., None] * SHEEN
    board = board * (1 - sheen) + np.array((228, 214, 196), np.float32) * sheen
    return Texture(np.dstack([board.astype(np.uint8), np.full(board.shape[:2], 255, np.uint8)]))
