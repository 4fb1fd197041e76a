"""agentclpr (PyPI) for `benchmarks.read`: as its package ships it. `_peer_loop` holds the conversation.

A crop goes to its recogniser alone: its detector finds nothing in a picture that is all plate. The recogniser drops
the first character of a tight crop, so it gets the size and the margin at which it read most of a sample.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _peer_loop import models_in, serve

CROP_WIDTH_PX, CROP_HEIGHT_PX, CROP_MARGIN_PX = 128, 32, 26


class Shipped:
    """Detector, text detector in the plate, recogniser."""

    scenes = True

    def __init__(self) -> None:
        import agentclpr

        self.name = f"agentclpr {version('agentclpr')}"
        self.models = models_in(Path(agentclpr.__file__).parent)
        self._system = agentclpr.CLPSystem()

    def read_scene(self, image: Any) -> list[str]:
        """As `CLPSystem` answers."""
        return [text for _, (text, _) in self._system(image)]

    def read_crop(self, image: Any) -> list[str]:
        """The recogniser on the whole picture."""
        import cv2

        plate = cv2.resize(image, (CROP_WIDTH_PX, CROP_HEIGHT_PX), interpolation=cv2.INTER_AREA)
        margin = CROP_MARGIN_PX
        plate = cv2.copyMakeBorder(plate, 0, 0, margin, margin, cv2.BORDER_REPLICATE)
        return [text for text, _ in self._system.ocr(plate, det=False, cls=False)]


if __name__ == "__main__":
    sys.exit(serve(Shipped))
