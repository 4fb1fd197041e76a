"""The demonstration as a person starts it: real programs, a summary at the end, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

KEYS = {
    "vehicles",
    "admitted",
    "admitted_under_permit",
    "held",
    "refused",
    "wrong_decisions",
    "events_journalled",
    "events_in_cloud",
    "console",
}


class Running:
    """One demonstration; `said` collects what it says on the error stream."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode())

    async def until_said(self, words: str, timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while not any(words in line for line in self.said):
                assert self.process.returncode is None, "".join(self.said)
                await asyncio.sleep(0.05)

    async def output(self) -> list[str]:
        assert self.process.stdout is not None
        text = (await self.process.stdout.read()).decode()
        await self.process.wait()
        await self._listening
        return text.splitlines()


@pytest.fixture
async def start(island_folder: Path) -> AsyncIterator:
    made: list[Running] = []

    async def begin(*arguments: str) -> Running:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hw_sim.demo", "--json", "--data", str(island_folder), *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        made.append(Running(process))
        return made[-1]

    yield begin
    for running in made:
        if running.process.returncode is None:
            with suppress(ProcessLookupError):
                running.process.terminate()
            await running.process.wait()


def left_behind(folder: Path) -> list[str]:
    """Processes that still work in the demonstration's folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words)[:200])
    return found


@pytest.mark.timeout(900)
async def test_demo_runs_to_its_summary(start, island_folder: Path):
    running = await start("--seconds", "12", "--hour", "10", "--speed", "1.5")
    lines = await running.output()
    assert running.process.returncode == 0, "".join(running.said)
    summary = json.loads(lines[-1])
    assert set(summary) >= KEYS
    assert summary["vehicles"] > 0
    assert summary["wrong_decisions"] == 0
    assert summary["violations"] == 0
    assert summary["events_in_cloud"] == summary["events_journalled"] > 0
    decided = sum(summary[key] for key in ("admitted", "admitted_under_permit", "held", "refused"))
    assert 0 < decided <= summary["vehicles"]
    energy = summary["energy"]
    assert energy["load_kwh"] > 0
    assert energy["pv_kwh"] > 0
    assert (energy["unserved_kwh"], energy["violations"], energy["blackouts"]) == (0, 0, 0)
    assert any("127.0.0.1" in line and "console" in line for line in running.said)
    assert any("a vehicle comes" in line for line in running.said)
    assert any("/microgrid/what-if" in line for line in running.said)
    assert any("started in" in line for line in running.said)
    assert left_behind(island_folder) == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("words", ["cloud, PostgreSQL and broker", "sign in"])
async def test_signal_ends_everything_at_any_time(start, island_folder: Path, words: str):
    running = await start()
    await running.until_said(words, 180)
    running.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(90):
        await running.output()
    assert left_behind(island_folder) == []
    assert "Traceback" not in "".join(running.said)


@pytest.mark.timeout(600)
async def test_killed_demo_leaves_no_orphan(start, island_folder: Path):
    running = await start()
    await running.until_said("simulated microgrid and its gateway", 180)
    async with asyncio.timeout(60):
        while not any("hw_sim.microgrid" in words for words in left_behind(island_folder)):
            await asyncio.sleep(0.1)
    assert len(left_behind(island_folder)) > 5
    running.process.kill()
    await running.process.wait()
    until_s = asyncio.get_running_loop().time() + 60
    while left_behind(island_folder) and asyncio.get_running_loop().time() < until_s:
        await asyncio.sleep(0.2)
    assert left_behind(island_folder) == []
