"""A peer of `benchmarks.read` in a process of its own, so that it may live in another virtual environment.

Owns the conversation: the first line says whether the peer is there, `{"name", "model_bytes", "scenes"}` or
`{"error"}`; then one JSON line a picture, `{"file", "side_px", "crop"}`, is answered by `{"ms", "cpu_ms", "texts"}`.
Imports nothing of ours. `side_px` makes the picture smaller first, outside the measured time. The modules
`_peer_NAME.py` beside it say how each peer is asked.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, Protocol, TextIO

MODEL_SUFFIXES = frozenset({".onnx", ".caffemodel", ".mnn", ".h5"})


class Peer(Protocol):
    """A reader of plates that somebody else made. `scenes` is whether it finds plates by itself."""

    name: str
    models: Iterable[Path]
    scenes: bool

    def read_scene(self, image: Any) -> list[str]:
        """Texts of the plates in a picture (h, w, 3) BGR."""

    def read_crop(self, image: Any) -> list[str]:
        """Text of one plate that fills the picture."""


def serve(load: Callable[[], Peer]) -> int:
    """Answer until the input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # peers print as they work
    warnings.simplefilter("ignore")
    try:
        peer = load()
    # A peer whose weights are fetched at its first start fails with an OSError where there is no network.
    except (ImportError, PackageNotFoundError, AttributeError, OSError) as error:
        _say(answers, {"error": _reason(error)})
        return 0
    logging.disable(logging.CRITICAL)
    size = sum(path.stat().st_size for path in peer.models)
    _say(answers, {"name": peer.name, "model_bytes": size, "scenes": peer.scenes})
    for line in sys.stdin:
        _say(answers, _measure(peer, json.loads(line)))
    return 0


def models_in(folder: Path) -> list[Path]:
    """Every file of weights below a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix in MODEL_SUFFIXES)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return "installed, but it cannot fetch its weights at the first start"
    return f"not usable ({error})"


def _measure(peer: Peer, task: dict[str, Any]) -> dict[str, Any]:
    import cv2

    image = cv2.imread(task["file"])
    image = image if task["crop"] else _smaller(cv2, image, task["side_px"])
    read = peer.read_crop if task["crop"] else peer.read_scene
    started, cpu_started = time.perf_counter(), time.process_time()
    try:
        texts = read(image)
    except (ValueError, IndexError, ZeroDivisionError, TypeError, cv2.error):
        texts = []  # some fail on plates at the edge of a picture, which then count as not read
    ms, cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu_started) * 1000
    return {"ms": ms, "cpu_ms": cpu_ms, "texts": texts}


def _smaller(cv2: Any, image: Any, side_px: int) -> Any:
    scale = side_px / max(image.shape[:2]) if side_px else 1.0
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
