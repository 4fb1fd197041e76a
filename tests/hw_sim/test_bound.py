"""A bound program ends with its parent, also with one that died before the program had started."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil


async def test_a_program_is_not_started_for_a_dead_parent(tmp_path: Path):
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await dead.wait()
    mark = tmp_path / "started"
    late = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hw_sim.bound", str(dead.pid)),
        *(sys.executable, "-c", f"open({str(mark)!r}, 'w')"),
    )
    assert await late.wait() == 1
    assert not mark.exists()


async def test_a_program_ends_with_its_parent():
    sleeps = "print('up', flush=True); import time; time.sleep(600)"
    begin = "import subprocess, sys, time; from hw_sim.bound import bound\n"
    begin += f"child = subprocess.Popen(bound(sys.executable, '-c', {sleeps!r}))\n"
    begin += "print(child.pid, flush=True); time.sleep(600)"
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", begin, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    said = {(await parent.stdout.readline()).decode().strip() for _ in range(2)}
    said.remove("up")
    child = psutil.Process(int(said.pop()))
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(60):
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.05)
