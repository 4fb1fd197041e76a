"""The visitor's app under Xvfb with software rendering, against the real cloud: first frame, memory, scrolling.

Each start is a new process on the data of the one before; the server runs on the same cores. The history of points is
scrolled by a finger until it has moved over all rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import argon2
import asyncpg

from benchmarks import _points_rows
from benchmarks._display import ROOT, display
from benchmarks.api import CORES, served
from cloud_sync.server.postgres import EmbeddedPostgres, migrate
from control.domain.errors import IslandError
from mobile.core.client import build_client

FIRST_FRAME_S_MAX = 1.5
MEMORY_MB_MAX = 200.0
FRAMES_PER_S_MIN = 30.0
USERNAME, PASSWORD = "bench", "a password for one benchmark"
RUN_WITHIN_S = 600


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[str]:
    """A PostgreSQL of its own with all tables."""
    server = EmbeddedPostgres(folder)
    await server.start()
    try:
        await migrate(server.url())
        yield server.url()
    finally:
        await server.stop()


async def visitor(url: str, *, entries: int) -> None:
    """One visitor with so many entries, who can sign in."""
    connection = await asyncpg.connect(url)
    try:
        [person] = await _points_rows.fill(connection, accounts=1, entries=entries, last=datetime.now(UTC))
        await connection.execute(
            "UPDATE users SET username = $2, password_hash = $3 WHERE user_id::text = $1",
            *(person, USERNAME, argon2.PasswordHasher().hash(PASSWORD)),
        )
    finally:
        await connection.close()


async def signed_in(phone: Path, server: str) -> None:
    """The person signs in on this phone."""
    await asyncio.to_thread(phone.mkdir)
    client = build_client(phone, server, "visitor")
    await client.session.sign_in(USERNAME, PASSWORD)
    await client.stop()


async def started(environment: dict[str, str], phone: Path, server: str, *, rows: int) -> dict[str, float]:
    """One start of the app in its own process; `rows` 0 ends it after the first frame."""
    command = (sys.executable, "-m", "benchmarks._app_driver", str(phone), server, str(rows))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE
    )
    async with asyncio.timeout(RUN_WITHIN_S):
        output, _ = await process.communicate()
    if process.returncode:
        raise IslandError(f"The app ended with status {process.returncode}.")
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


async def measured(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """All starts, then one that scrolls."""
    phone = folder / "phone"
    with display() as environment:
        async with database(folder) as url:
            await visitor(url, entries=arguments.rows)
            async with served(folder, url) as port:
                server = f"http://127.0.0.1:{port}"
                await signed_in(phone, server)
                # The first start compiles nothing and fills the caches of the phone; it is not counted.
                await started(environment, phone, server, rows=0)
                starts = [await started(environment, phone, server, rows=0) for _ in range(arguments.starts)]
                return figures(starts, await started(environment, phone, server, rows=arguments.rows), arguments)


def figures(
    starts: list[dict[str, float]], scrolled: dict[str, float], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Each figure beside its limit, as a ratio that is at most 1 when it holds."""
    first_frame_s = statistics.median(one["first_frame_s"] for one in starts)
    ratios = {
        "first_frame": first_frame_s / FIRST_FRAME_S_MAX,
        "memory": scrolled["memory_mb"] / MEMORY_MB_MAX,
        "frames": FRAMES_PER_S_MIN / scrolled["frames_per_s"],
    }
    return {
        "benchmark": "app",
        "cores": len(os.sched_getaffinity(0)),
        "starts": arguments.starts,
        "first_frame_s": round(first_frame_s, 3),
        "first_frame_s_worst": round(max(one["first_frame_s"] for one in starts), 3),
        "first_frame_cpu_s": round(statistics.median(one["first_frame_cpu_s"] for one in starts), 3),
        "limit_first_frame_s": FIRST_FRAME_S_MAX,
        "memory_mb": round(scrolled["memory_mb"], 1),
        "limit_memory_mb": MEMORY_MB_MAX,
        "rows": int(scrolled["rows"]),
        "frames_per_s": round(scrolled["frames_per_s"], 1),
        "frame_ms_p99": round(scrolled["frame_ms_p99"], 1),
        "limit_frames_per_s": FRAMES_PER_S_MIN,
        "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "within_limits": all(ratio <= 1 for ratio in ratios.values()),
    }


def main(arguments: list[str]) -> int:
    """Serve, start, scroll; 0 within the limits."""
    parser = argparse.ArgumentParser(prog="island bench app", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rows", type=int, default=1_000, help="entries of the history")
    parser.add_argument("--starts", type=int, default=5)
    chosen = parser.parse_args(arguments)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # app, display and server inherit it
    folder = Path(tempfile.mkdtemp(prefix="island-bench-app-"))
    folder.chmod(0o755)
    try:
        found = asyncio.run(measured(folder, chosen))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found) if chosen.json else "\n".join(f"{key}: {value}" for key, value in found.items()))
    return 0 if found["within_limits"] else 1
