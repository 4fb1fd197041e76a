"""A display without a screen: owns one Xvfb, on a number that it finds itself, ended by its own process number."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from control.domain.errors import IslandError
from hw_sim.bound import bound
from mobile.ui.window import PHONE_HEIGHT_DP, PHONE_WIDTH_DP

ROOT = Path(__file__).resolve().parent.parent
STOP_WITHIN_S = 20


@contextmanager
def display(width: int = PHONE_WIDTH_DP, height: int = PHONE_HEIGHT_DP) -> Iterator[dict[str, str]]:
    """What to add to the environment of a program that shows something; pixels are drawn by the processor."""
    program = shutil.which("Xvfb")
    if program is None:
        raise IslandError("Xvfb is needed. Debian: apt install xvfb")
    command = (program, "-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset")
    server = subprocess.Popen(bound(*command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    assert server.stdout is not None
    try:
        number = server.stdout.readline().strip()
        if not number:
            raise IslandError("Xvfb did not start.")
        yield {"DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1", "SDL_AUDIODRIVER": "dummy"}
    finally:
        server.terminate()
        server.wait(timeout=STOP_WITHIN_S)
        server.stdout.close()
