"""agentclpr (PyPI) used better than its package does: what lies between its corners goes to its recogniser upright.

The package cuts an upright box and looks for text in it again, which loses a third of the plates and most of the time.
"""

from __future__ import annotations

import sys
from typing import Any

from _peer_agentclpr import CROP_HEIGHT_PX, CROP_WIDTH_PX, Shipped
from _peer_loop import serve

# Its corners cut into the characters; it reads most when the plate is taken this much larger.
GROWTH = 1.06


class Warped(Shipped):
    """Detector, warp, recogniser."""

    def __init__(self) -> None:
        super().__init__()
        self.name = f"{self.name} with a warp"
        self.models = [path for path in self.models if path.name.startswith("clp_")]

    def read_scene(self, image: Any) -> list[str]:
        """Every plate that the detector finds, cut along its corners."""
        plates = [self._upright(image, found[5:13]) for found in self._system.det(image)]
        return [text for plate in plates for text in self.read_crop(plate)]

    def _upright(self, image: Any, corners: Any) -> Any:
        import cv2
        import numpy as np

        # Its corners run bottom right, bottom left, top left, top right.
        right, bottom = CROP_WIDTH_PX, CROP_HEIGHT_PX
        target = np.array([[right, bottom], [0, bottom], [0, 0], [right, 0]], np.float32)
        grown = (target - (right / 2, bottom / 2)) / GROWTH + (right / 2, bottom / 2)
        mapping = cv2.getPerspectiveTransform(np.array(corners, np.float32).reshape(4, 2), grown.astype(np.float32))
        return cv2.warpPerspective(image, mapping, (right, bottom), borderMode=cv2.BORDER_REPLICATE)


if __name__ == "__main__":
    sys.exit(serve(Warped))
