"""A vehicle to look at: real pictures are not part of the repository."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def drawn_car() -> np.ndarray:
    """A red car from the front on a grey road, 640 x 480, drawn well enough for a detector."""
    image = np.full((480, 640, 3), (95, 95, 98), np.uint8)
    image[:200] = (200, 180, 160)
    cv2.rectangle(image, (170, 230), (470, 370), (40, 40, 170), cv2.FILLED)
    cv2.fillPoly(image, [np.array([[205, 232], [245, 150], [395, 150], [435, 232]])], (40, 40, 150))
    cv2.fillPoly(image, [np.array([[222, 228], [253, 162], [387, 162], [418, 228]])], (70, 60, 50))
    for x in (185, 405):
        cv2.rectangle(image, (x, 262), (x + 50, 292), (235, 240, 250), cv2.FILLED)
    cv2.rectangle(image, (255, 262), (385, 296), (30, 30, 30), cv2.FILLED)
    for y in range(268, 296, 8):
        cv2.line(image, (258, y), (382, y), (120, 120, 120), 2)
    cv2.rectangle(image, (170, 325), (470, 350), (30, 30, 120), cv2.FILLED)
    for x in (185, 400):
        cv2.rectangle(image, (x, 360), (x + 55, 400), (15, 15, 15), cv2.FILLED)
    for x in (160, 480):
        cv2.ellipse(image, (x, 225), (16, 10), 0, 0, 360, (35, 35, 140), cv2.FILLED)
    image = cv2.GaussianBlur(image, (0, 0), 1.2)
    noise = np.random.default_rng(1).normal(0, 4, image.shape)
    drawn = np.clip(image + noise, 0, 255).astype(np.uint8)
    drawn.setflags(write=False)
    return drawn
