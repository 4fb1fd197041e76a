"""rapidocr_onnxruntime (PyPI: PP-OCRv4) for `benchmarks.read`: its recogniser, since it does not know plates.

It reads crops, and in scenes the plates that we found, so that its time holds no search.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _peer_loop import models_in, serve


class Recogniser:
    """PP-OCRv4's recogniser alone."""

    scenes = False

    def __init__(self) -> None:
        import rapidocr_onnxruntime

        self.name = f"rapidocr_onnxruntime {version('rapidocr_onnxruntime')}"
        folder = Path(rapidocr_onnxruntime.__file__).parent
        self.models = [path for path in models_in(folder) if "_rec_" in path.name]
        self._read = rapidocr_onnxruntime.RapidOCR()

    def read_scene(self, image: Any) -> list[str]:
        """It has no detector of plates."""
        raise NotImplementedError

    def read_crop(self, image: Any) -> list[str]:
        """The text of the one line."""
        lines, _ = self._read(image, use_det=False, use_cls=False)
        return [text for text, _ in lines or []]


if __name__ == "__main__":
    sys.exit(serve(Recogniser))
