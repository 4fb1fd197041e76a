"""Kernels made ready without disturbing control: owns where and when they are compiled.

A child of low priority compiles them into Numba's cache on the disk, so that neither its work nor its memory is ours;
then a thread loads them from there, and each serves from that moment. Until then their plain twins serve.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from control.energy import dispatch, planner
from control.energy.kernels import warm_all
from edge.ports import Clock

log = structlog.get_logger(__name__)

ROOT = Path(__file__).resolve().parents[2]
NICENESS = 10
LIMIT_S = 600.0
# Importing them is what names their kernels.
WITH_KERNELS = (dispatch, planner)


async def warm(clock: Clock) -> float:
    """Make all kernels ready; seconds it took."""
    began_s = clock.monotonic()
    await _compile_apart()
    with ThreadPoolExecutor(1, thread_name_prefix="energy-kernels") as thread:
        await asyncio.get_running_loop().run_in_executor(thread, _load)
    took_s = clock.monotonic() - began_s
    log.info("kernels ready", seconds=round(took_s, 1))
    return took_s


async def _compile_apart() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "edge.energy.warming",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            status = await process.wait()
        if status:
            log.warning("kernels were not compiled apart", status=status)
    except TimeoutError:
        log.warning("compiling kernels took too long", limit_s=LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _load() -> None:
    """In a thread that gives way: a thread's priority is its own on Linux."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    warm_all()


if __name__ == "__main__":
    os.nice(NICENESS)
    warm_all()
