"""Starts a program that ends when its parent does: `python -m hw_sim.bound PROGRAM ARGUMENT...`.

The demonstration leaves no orphan behind even when it is killed itself. Linux only; elsewhere it just starts.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Become `command`, with SIGTERM promised for the day the parent dies."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)  # The parent died before the promise was made.
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
