"""A whole gateway in real time with pretended devices, its journal and its hut page on a free port."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloud_sync.contract.pass_code import issue
from cloud_sync.contract.signed import KeyPair
from cloud_sync.server.broker import free_port
from control.domain.permits import Permit, PermitClass, PermitSnapshot
from control.domain.plates import PlateColour
from control.domain.readings import Unavailable
from edge.adapters.sqlite_journal import SqliteJournal
from edge.api.app import HutServer
from edge.app import Gateway, Parts
from edge.clock import SystemClock
from edge.config import HutConfig
from edge.config_reading import Secret
from edge.inference import LaneTally
from edge.pass_watch import PassWatch
from edge.passes import PassVerifier
from edge.policy import LivePolicy
from edge.ports import Frame
from edge.retrying import Backoff
from edge.vehicle_desk import VehicleDesk
from vision.head import Head

PIN = "402917"


def load_bench():
    if "lane_bench" not in sys.modules:
        path = Path(__file__).parent.parent / "lane_bench.py"
        spec = importlib.util.spec_from_file_location("lane_bench", path)
        sys.modules["lane_bench"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["lane_bench"])
    return sys.modules["lane_bench"]


bench_module = load_bench()


class PacedCamera(bench_module.FakeCamera):
    """Gives the picture that the test chose, ten times a second."""

    def __init__(self, clock: Any, make_picture: Any) -> None:
        super().__init__()
        self._clock, self._make = clock, make_picture
        self.lost: str | None = None
        self._number = 0

    async def next(self) -> Frame | Unavailable:
        await asyncio.sleep(0.05)
        self._number += 1
        if self.lost:
            self.latest = Unavailable(self._clock.monotonic(), self.lost)
        else:
            self.latest = Frame(self._make(self._number), self._clock.now(), self._clock.monotonic())
        return self.latest


class NoWorker:
    """Inference is pretended; nothing has to run."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    def tally(self, lane_id: str) -> LaneTally:
        return LaneTally(read=7, dropped=2, waited_s_max=0.4)

    def queue_age_s(self, lane_id: str) -> float:
        return 0.25


class FakeUplink:
    connected = True


@dataclass
class Hut:
    gateway: Gateway
    bench: Any
    url: str
    uplink: FakeUplink
    policy: LivePolicy
    pass_key: KeyPair

    def scan(self, plate: str, *, key: KeyPair | None = None, permit_id: str = "XK-2026-000529") -> None:
        """A driver holds a pass for this gate to the hand scanner; another `key` makes it a stranger's."""
        now = datetime.now(UTC)
        ends = now + timedelta(hours=6)
        permit = Permit(permit_id, plate, PermitClass.SPECIAL, now - timedelta(hours=1), ends, frozenset({"east"}), 2)
        self.bench.lane.passes.scanned(issue(permit, issued_at=now, key=key or self.pass_key))

    async def hold(self, *plates: Any) -> str:
        """Bring a vehicle to the barrier and wait until it is held; gives the arrival's id."""
        self.bench.barrier.loop_a = True
        self.bench.inference.seen = bench_module.Seen(plates)
        async with asyncio.timeout(60):
            while self.bench.lane.held is None:
                seen = self.gateway.parts.changes.count
                await self.gateway.parts.changes.after(seen, timeout_s=0.2)
        return self.bench.lane.held.arrival_id

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.02)


def permits() -> PermitSnapshot:
    now = datetime.now(UTC)
    permit = Permit(
        permit_id="P-2026-118",
        plate="琼C78083",
        permit_class=PermitClass.SPECIAL,
        valid_from=now - timedelta(hours=3),
        valid_until=now + timedelta(hours=6),
        holder="海岛起重",
    )
    return PermitSnapshot(version=4, taken_at=now - timedelta(hours=2), permits={"琼C78083": (permit,)})


def small_head() -> Head:
    """What ships with a gateway, of two types and three features."""
    features = np.eye(3, dtype=np.float32)[[0, 1] * 6]
    return Head.fit(features, ["car", "truck"] * 6, name="shipped head", made_at="2026-11-01T00:00:00Z")


@asynccontextmanager
async def running_hut(folder: Path, make_picture: Any) -> AsyncIterator[Hut]:
    clock = SystemClock()
    journal_at = SqliteJournal.open(folder / "journal.db", gateway_id="gw", boot_id="b", clock=clock)
    async with journal_at as journal:
        pass_key = KeyPair.generate()
        watch = PassWatch(PassVerifier([pass_key.public], clock), clock, lane_id="east-in-1")
        bench = bench_module.build_bench(clock, journal, folder, permits=permits(), passes=watch)
        bench.lane.camera = PacedCamera(clock, make_picture)
        policy, uplink = LivePolicy(bench_module.RULES), FakeUplink()
        policy.snapshot = permits()
        port = free_port("127.0.0.1")
        server = HutServer(HutConfig(port=port, pin=Secret(PIN, "test")), clock=clock)
        parts = Parts(
            gateway_id="gw",
            name="东门",
            data_dir=folder,
            lanes=(bench.lane,),
            journal=journal,
            inference=NoWorker(),
            policy=policy,
            store=bench.lane._evidence._store,
            evidence=bench.lane._evidence,
            changes=bench.lane._changes,
            clock=clock,
            new_backoff=lambda: Backoff(random.Random(1)),
            health_period_s=5.0,
            keep_days=30,
            size_mb_max=100,
            uplink=uplink,
            services=(("hut", server.run),),
            vehicles=VehicleDesk(
                data_dir=folder,
                models_dir=lambda: None,
                shipped=lambda _: small_head(),
                looker=bench.inference,
                journal=journal,
                policy=policy,
                clock=clock,
            ),
        )
        gateway = Gateway(parts)
        server.serve(gateway)
        task = asyncio.create_task(gateway.run())
        try:
            hut = Hut(gateway, bench, f"http://127.0.0.1:{port}", uplink, policy, pass_key)
            await listening(port)
            yield hut
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


@pytest.fixture
async def hut(tmp_path: Path, make_noisy) -> AsyncIterator[Hut]:
    async with running_hut(tmp_path, make_noisy) as hut:
        yield hut


@pytest.fixture
def unsure():
    return bench_module.plate("琼C7B083", PlateColour.YELLOW, weak=3)


@pytest.fixture
def electric():
    return bench_module.plate("琼AD12345", PlateColour.GREEN)
