"""The gateway's half of `benchmarks.sync`, a process of its own: sends a full journal, and gate events meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from pathlib import Path

from control.domain.events import DeviceLost, VehiclePassed
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.mqtt import MqttSettings, MqttUplink
from edge.adapters.sqlite_journal import SqliteJournal
from edge.clock import SystemClock

AT = "2026-11-21T02:42:31.000Z"
BACKLOG_LANE = 1
GATE_EVENT_EVERY_S = 0.05


class NoDown:
    """Nothing is expected from above."""

    async def receive(self, kind: str, payload: bytes) -> None:
        """Drop it."""


async def send(path: Path, port: int, gateway: str, password: str, events: int) -> dict[str, object]:
    """Fill, connect, wait until the cloud has all of it."""
    settings = JournalSettings(ballast_bytes=0)
    opened = SqliteJournal.open(path, gateway_id=gateway, boot_id="boot", clock=SystemClock(), settings=settings)
    async with opened as journal:
        for start in range(0, events, 1000):
            await journal.append_many([DeviceLost("camera", "east-in", f"test {start + i}", AT) for i in range(1000)])
        uplink = MqttUplink(
            gateway=gateway,
            settings=MqttSettings("127.0.0.1", port, gateway, password),
            journal=journal,
            down=NoDown(),
            clock=SystemClock(),
            random=random.random,
        )
        print("full", flush=True)
        began_s = time.perf_counter()
        task = asyncio.create_task(uplink.run())
        waits_ms = await _drain(journal)
        took_s = time.perf_counter() - began_s
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return {"took_s": took_s, "gate_event_ms": waits_ms}


async def _drain(journal: SqliteJournal) -> list[float]:
    """Milliseconds from the append of a gate event to the cloud's acknowledgement, while the backlog lasts."""
    waits_ms = []
    while journal.backlog()[str(BACKLOG_LANE)]:
        began_s = time.perf_counter()
        await journal.append(VehiclePassed("a", "east-in", "passed", AT))
        for pause_s in itertools.repeat(0.001):
            if not journal.backlog()["0"]:
                break
            await asyncio.sleep(pause_s)
        waits_ms.append((time.perf_counter() - began_s) * 1e3)
        await asyncio.sleep(GATE_EVENT_EVERY_S)
    return waits_ms


if __name__ == "__main__":
    path, port, gateway, password, events = sys.argv[1:]
    print(json.dumps(asyncio.run(send(Path(path), int(port), gateway, password, int(events)))))
