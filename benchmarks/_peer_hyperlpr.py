"""hyperlpr (PyPI) for `benchmarks.read`. Needs OpenCV below 5, whose dnn module still opens Caffe's files.

It was written for a numpy and an OpenCV that had two names more; they are given back to it.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _peer_loop import models_in, serve


class Shipped:
    """Its own pipeline on scenes, its recogniser without segmentation on crops."""

    scenes = True

    def __init__(self) -> None:
        import cv2
        import numpy as np

        np.int = int
        cv2.estimateRigidTransform = lambda source, target, full: cv2.estimateAffine2D(source, target)[0]
        import hyperlpr

        self.name = f"hyperlpr {version('hyperlpr')}"
        self.models = models_in(Path(hyperlpr.__file__).parent)
        self._reader = hyperlpr.PR

    def read_scene(self, image: Any) -> list[str]:
        """As `HyperLPR_plate_recognition` answers."""
        return [found[0] for found in self._reader.plate_recognition(image)]

    def read_crop(self, image: Any) -> list[str]:
        """The recogniser on the whole picture."""
        return [self._reader.segmentation_free_recognition(image)[0]]


if __name__ == "__main__":
    sys.exit(serve(Shipped))
