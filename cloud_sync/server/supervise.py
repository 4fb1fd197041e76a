"""Tasks that must not die: owns the outermost loop of each worker of the server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

FIRST_PAUSE_S = 0.5
PAUSE_S_MAX = 30.0
CALM_S = 60.0

log = structlog.get_logger()


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs `work` again whenever it ends or fails, with a growing pause; a calm minute makes the pause short again."""
    pause_s = FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await work()
            log.warning("worker_ended", worker=name)
        except Exception:
            log.exception("worker_failed", worker=name)
        pause_s = FIRST_PAUSE_S if loop.time() - began > CALM_S else min(pause_s * 2, PAUSE_S_MAX)
        await asyncio.sleep(random.uniform(pause_s / 2, pause_s))


@asynccontextmanager
async def running(name: str, work: Callable[[], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    """A named, supervised task for as long as the block lasts."""
    task = asyncio.create_task(for_ever(name, work), name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10.0)
