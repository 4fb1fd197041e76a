"""One start of the visitor's app that measures itself: `python -m benchmarks._app_driver PHONE SERVER ROWS`.

Prints one JSON object. Seconds count from the start of the process, imports and all.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from mobile import start

FLING_STEPS = 6
FLING_PART = 0.55
SEEK_WITHIN_S = 400.0
SCROLL_S = 10.0


def age_s() -> float:
    """Seconds since this process began."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return float(Path("/proc/uptime").read_text().split()[0]) - started


def memory_mb() -> float:
    """Resident memory of this process, shared libraries and all."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Stopwatch:
    """Notes when frames come to the display."""

    def __init__(self, window: Any) -> None:
        self.first: dict[str, float] = {}
        self.seen = asyncio.Event()
        self.at_s: list[float] = []
        window.bind(on_flip=self._flipped)

    def _flipped(self, *_: object) -> None:
        if not self.first:
            self.first = {"first_frame_s": age_s(), "first_frame_cpu_s": time.process_time()}
            self.seen.set()
        self.at_s.append(time.perf_counter())


async def scrolled(app: Any, watch: Stopwatch, rows: int) -> dict[str, float]:
    """Open the history, load every row by going to its end, then fling through it."""
    from kivy.core.window import Window

    from benchmarks._finger import Finger
    from mobile.ui.kit import LazyList

    app.router.go("history")
    finger = Finger()
    async with asyncio.timeout(SEEK_WITHIN_S):
        while True:
            shown = next((one for one in app.router.front.walk() if isinstance(one, LazyList)), None)
            if shown is not None and len(shown.rows) >= rows:
                break
            if shown is not None:
                shown.scroll_y = 0.0
            await asyncio.sleep(0.05)
    shown.scroll_y = 1.0
    await asyncio.sleep(0.5)
    watch.at_s.clear()
    until_s = time.perf_counter() + SCROLL_S
    x, low = Window.width / 2, Window.height * (1 - FLING_PART) / 2
    while time.perf_counter() < until_s and shown.scroll_y > 0:
        reach = Window.height * FLING_PART
        finger.put("begin", x, low)
        for step in range(1, FLING_STEPS + 1):
            finger.put("update", x, low + reach * step / FLING_STEPS)
        finger.put("end", x, low + reach)
        await asyncio.sleep(0.35)
    gaps_s = sorted(later - earlier for earlier, later in pairwise(watch.at_s))
    return {
        "rows": len(shown.rows),
        "frames_per_s": len(gaps_s) / sum(gaps_s),
        "frame_ms_p99": gaps_s[int(len(gaps_s) * 0.99)] * 1e3,
        "memory_mb": memory_mb(),
    }


async def run(phone: Path, server: str, rows: int) -> None:
    """Serve the app until what is wanted is known."""
    app = start.made(start.Choices(role="visitor", server=server, data_dir=phone))
    from kivy.core.window import Window

    watch = Stopwatch(Window)
    serving = asyncio.create_task(app.serve(), name="app")
    await watch.seen.wait()
    more = await scrolled(app, watch, rows) if rows else {}
    print(json.dumps(watch.first | more), flush=True)
    app.stop()
    await serving


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
