"""Starts a program that ends when its parent does: `python -m hw_sim.bound PARENT PROGRAM ARGUMENT...`.

The demonstration leaves no orphan behind even when it is killed itself. Linux only; elsewhere it just starts.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def bound(*command: str) -> tuple[str, ...]:
    """The command line that starts `command` so that it ends with this process."""
    return (sys.executable, "-m", "hw_sim.bound", str(os.getpid()), *command)


def main(parent: int, command: list[str]) -> None:
    """Become `command`, with SIGTERM promised for the day that process `parent` dies.

    The parent's number comes from the parent: it may have died before this process looked around.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)  # The parent died before the promise was made.
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
