"""hyperlpr3 (PyPI) for `benchmarks.read`. Its package holds no weights: it fetches them from its maker at first use."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _peer_loop import models_in, serve


class Shipped:
    """Its own pipeline on scenes, its recogniser on crops."""

    scenes = True

    def __init__(self) -> None:
        import hyperlpr3
        from hyperlpr3.config.settings import _DEFAULT_FOLDER_

        self.name = f"hyperlpr3 {version('hyperlpr3')}"
        self.models = models_in(Path(_DEFAULT_FOLDER_))
        self._catcher = hyperlpr3.LicensePlateCatcher()

    def read_scene(self, image: Any) -> list[str]:
        """As `LicensePlateCatcher` answers."""
        return [found[0] for found in self._catcher(image)]

    def read_crop(self, image: Any) -> list[str]:
        """The recogniser on the whole picture."""
        return [self._catcher.pipeline.recognizer(image)[0]]


if __name__ == "__main__":
    sys.exit(serve(Shipped))
