"""Lanes without a barrier: every picture of a folder, every plate of a film, is decided, journalled and kept."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from control.domain.passages import Direction
from control.domain.plates import PlateColour
from control.domain.readings import Unavailable
from edge.adapters.camera import StreamCamera, VideoStream
from edge.adapters.folder import FolderSource
from edge.adapters.sqlite_journal import SqliteJournal
from edge.changes import Changes
from edge.clock import SystemClock
from edge.evidence import EvidenceStore
from edge.lane_facts import LaneSettings
from edge.passages import EvidenceDesk, PassageDesk, StandingPolicy
from edge.picture_lane import FolderLane, Tally, WatchLane
from edge.retrying import Backoff


def load_bench():
    if "lane_bench" not in sys.modules:
        path = Path(__file__).with_name("lane_bench.py")
        spec = importlib.util.spec_from_file_location("lane_bench", path)
        sys.modules["lane_bench"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["lane_bench"])
    return sys.modules["lane_bench"]


bench = load_bench()


class ByBrightness:
    """Pretended reader: a dark picture has no plate, a middle one is electric, a bright one is a fuel car."""

    async def read(self, lane_id, frame):
        level = float(frame.image.mean())
        if level < 60:
            return bench.Seen(())
        if level > 240:
            return Unavailable(0.0, "reader_failed")
        if level > 150:
            return bench.Seen((bench.plate("琼A12345", PlateColour.BLUE),))
        return bench.Seen((bench.plate("琼AD12345", PlateColour.GREEN),))


@asynccontextmanager
async def parts_of(folder: Path) -> AsyncIterator[dict]:
    clock, names = SystemClock(), itertools.count()
    opened = SqliteJournal.open(folder / "journal.db", gateway_id="gw", boot_id="b", clock=clock)
    async with opened as journal:
        store = EvidenceStore(folder / "evidence")
        yield {
            "inference": ByBrightness(),
            "journal": journal,
            "desk": PassageDesk(
                policy=StandingPolicy(bench.snapshot(), bench.RULES), clock=clock, new_id=lambda: f"a{next(names)}"
            ),
            "evidence": EvidenceDesk(store=store, journal=journal, clock=clock),
            "changes": Changes(),
            "clock": clock,
        }


SETTINGS = LaneSettings("yard", "院", "Yard", "east", Direction.IN)


def grey(level: int) -> np.ndarray:
    return np.full((240, 320, 3), level, np.uint8)


async def test_every_picture_of_a_folder_is_an_arrival_of_its_own(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, level in (("1", 100), ("2", 100), ("3", 200), ("4", 20), ("5", 250)):
        cv2.imwrite(str(pictures / f"{name}.jpg"), grey(level))
    (pictures / "6.jpg").write_bytes(b"no picture")
    async with parts_of(tmp_path) as parts:
        lane = FolderLane(SETTINGS, FolderSource(pictures, parts["clock"]), **parts)
        await lane.run()
        decided = [row.body for row in await parts["journal"].recent(["passage_decided"], 50)][::-1]
        media = await parts["journal"].recent(["media_stored"], 50)
    assert [body["outcome"] for body in decided] == ["admit", "admit", "refuse", "hold", "hold", "hold"]
    codes = [body["reasons"][0]["code"] for body in decided]
    assert codes[3:] == ["no_plate", "plate_unavailable", "plate_unavailable"]
    assert [body["unavailable"] for body in decided[4:]] == ["reader_failed", "picture_unreadable"]
    assert len({body["arrival_id"] for body in decided}) == 6
    stored = {row.body["sha256"] for row in media}
    named = {body[key] for body in decided for key in ("frame_sha256", "crop_sha256") if body[key]}
    assert stored == named
    assert lane.finished.is_set()
    summary = lane.tally.summary()
    assert (summary["pictures"], summary["read"], summary["unreadable"]) == (6, 3, 1)
    assert summary["decisions"] == {"admit": 2, "hold": 3, "refuse": 1}


async def test_a_film_is_one_passage_for_each_vehicle(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (320, 240))
    for level in [100] * 12:
        writer.write(grey(level))
    writer.release()
    async with parts_of(tmp_path) as parts:
        stream = VideoStream(str(path), 5.0, realtime=True, ends=True)
        camera = StreamCamera(
            stream, clock=parts["clock"], backoff=Backoff(random.Random(1)), frozen_after_s=0, fps_max=0
        )
        lane = WatchLane(SETTINGS, camera, ended=camera.ended, **parts)
        async with asyncio.timeout(60):
            await lane.run()
        decided = await parts["journal"].recent(["passage_decided"], 50)
    assert [row.body["plate"]["text"] for row in decided] == ["琼AD12345"]


class WithoutVehicles(ByBrightness):
    """Looks for vehicles where it is asked to, and finds none."""

    async def read(self, lane_id, frame):
        seen = await super().read(lane_id, frame)
        return replace(seen, vehicles=() if frame.vehicles else None)


async def test_a_plate_in_a_film_without_any_vehicle_is_held(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (320, 240))
    for step in range(40):
        picture = grey(100)
        cv2.rectangle(picture, (step * 6, 80), (step * 6 + 60, 160), (180, 180, 180), -1)
        writer.write(picture)
    writer.release()
    async with parts_of(tmp_path) as parts:
        stream = VideoStream(str(path), 5.0, realtime=True, ends=True)
        camera = StreamCamera(
            stream, clock=parts["clock"], backoff=Backoff(random.Random(1)), frozen_after_s=0, fps_max=0
        )
        lane = WatchLane(SETTINGS, camera, ended=camera.ended, **(parts | {"inference": WithoutVehicles()}))
        async with asyncio.timeout(90):
            await lane.run()
        decided = await parts["journal"].recent(["passage_decided"], 50)
    assert [(row.body["outcome"], row.body["reasons"][0]["code"]) for row in decided] == [
        ("hold", "plate_without_vehicle")
    ]


def test_an_empty_tally_has_no_times() -> None:
    assert Tally().summary()["picture_ms_p50"] is None


def test_quantiles_are_of_the_sorted_times() -> None:
    summary = Tally(picture_ms=[3.0, 1.0, 2.0]).summary()
    assert (summary["picture_ms_p50"], summary["picture_ms_p99"]) == (2.0, 3.0)
