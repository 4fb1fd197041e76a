"""Pictures of codes as a camera sees them: askew, out of focus, dark, noisy. All from a seed."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from mobile.ports.camera import Frame

Picture = NDArray[np.uint8]
WIDTH_PX, HEIGHT_PX = 720, 540
WALL = (150, 150, 150)


class CodePictures:
    """Draws them, in the order of channels that OpenCV has (BGR)."""

    def board(self, text: str, *, side_px: int = 300, left_px: int = 210) -> Picture:
        """A code on a grey wall."""
        file = io.BytesIO()
        segno.make_qr(text, error="m", boost_error=False).save(file, kind="png", scale=8, border=4)
        code = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)
        code = cv2.resize(code, (side_px, side_px), interpolation=cv2.INTER_AREA)
        wall = np.full((HEIGHT_PX, WIDTH_PX, 3), WALL[0], np.uint8)
        top = (HEIGHT_PX - side_px) // 2
        wall[top : top + side_px, left_px : left_px + side_px] = code
        return wall

    def askew(self, picture: Picture, *, degrees: float, narrowed: float) -> Picture:
        """Turned, and seen from the side: `narrowed` of the far edge's height is gone."""
        height, width = picture.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.9)
        turned = cv2.warpAffine(picture, turn, (width, height), borderValue=WALL)
        cut = narrowed * height / 2
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        seen = np.array([[0, 0], [width, cut], [width, height - cut], [0, height]], np.float32)
        return cv2.warpPerspective(turned, cv2.getPerspectiveTransform(flat, seen), (width, height), borderValue=WALL)

    def unsharp(self, picture: Picture, sigma_px: float) -> Picture:
        """Out of focus."""
        return cv2.GaussianBlur(picture, (0, 0), sigma_px)

    def dusky(self, picture: Picture, *, gain: float, noise: float) -> Picture:
        """Little light: darker, with the noise of a small sensor."""
        rough = np.random.default_rng(7).normal(0, noise, picture.shape)
        return np.clip(picture * gain + rough, 0, 255).astype(np.uint8)

    def frame(self, picture: Picture) -> Frame:
        """As a camera gives it."""
        rgb, luma = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return Frame(picture.shape[1], picture.shape[0], luma.tobytes(), rgb.tobytes())

    def png(self, picture: Picture) -> bytes:
        """As a file."""
        return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture(scope="session")
def draw() -> CodePictures:
    """Draws pictures of codes."""
    return CodePictures()
