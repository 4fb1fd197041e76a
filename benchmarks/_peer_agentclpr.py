"""The peer of `benchmarks.read` in a process of its own, so that it may live in another virtual environment.

Reads one JSON line a picture, `{"file", "side_px"}`, and answers `{"ms", "cpu_ms", "texts"}` or `{"error"}`.
Imports nothing of ours. The peer runs as its package ships it; `side_px` makes the picture smaller first, outside
the measured time.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib.metadata import PackageNotFoundError, version


def main() -> int:
    """Answer until the input ends; the first line says whether the peer is there."""
    answers, sys.stdout = sys.stdout, sys.stderr  # the peer prints as it works
    try:
        import cv2
        from agentclpr import CLPSystem

        greeting = {"name": f"agentclpr {version('agentclpr')}"}
    except (ImportError, PackageNotFoundError) as error:
        _say(answers, {"error": f"not installed ({error})"})
        return 0
    peer = CLPSystem()
    logging.disable(logging.CRITICAL)
    _say(answers, greeting)
    for line in sys.stdin:
        task = json.loads(line)
        image = _smaller(cv2, cv2.imread(task["file"]), task["side_px"])
        _say(answers, _measure(cv2, peer, image))
    return 0


def _smaller(cv2, image, side_px):
    scale = side_px / max(image.shape[:2]) if side_px else 1.0
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image


def _measure(cv2, peer, image):
    started, cpu_started = time.perf_counter(), time.process_time()
    try:
        texts = [text for _, (text, _) in peer(image)]
    except (ValueError, IndexError, ZeroDivisionError, cv2.error):
        texts = []  # it fails on plates at the edge of a picture, which then count as not read
    ms, cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu_started) * 1000
    return {"ms": ms, "cpu_ms": cpu_ms, "texts": texts}


def _say(answers, answer) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
