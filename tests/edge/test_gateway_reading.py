"""A whole gateway with its real reader process: killed, updated and updated badly while pictures come."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloud_sync.contract.v1 import KeyPair
from edge.app import Gateway
from edge.build import built
from edge.config import load
from edge.reader_process import ReaderProcess
from vision import bundle
from vision.golden import EXPECTED, render_golden
from vision.runtime import MODELS_DIR

SITE = """
[gateway]
id = "gw"
name = "东门"
data_dir = "var"
[[lane]]
id = "east-in-1"
name = "东入口"
gate_id = "east"
[lane.camera]
kind = "folder"
path = "pictures"
loop = true
pace_s = 0.1
[vision]
update_key_file = "models.pub"
update_picture_ms_max = 60000.0
"""
KEY = KeyPair.generate()


@asynccontextmanager
async def running(root: Path) -> AsyncIterator[Gateway]:
    (root / "site.toml").write_text(SITE, encoding="utf-8")
    (root / "models.pub").write_text(KEY.public.text())
    render_golden(root / "golden")
    expected = root / "golden" / EXPECTED
    expected.write_text("".join(expected.read_text(encoding="utf-8").splitlines(keepends=True)[3:7]), encoding="utf-8")
    (root / "pictures").mkdir()
    shutil.copy(root / "golden" / "04.png", root / "pictures" / "a.png")
    async with built(load(root / "site.toml", {})) as gateway:
        task = asyncio.create_task(gateway.run())
        try:
            async with asyncio.timeout(150):
                yield gateway
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.05)


def read_count(gateway: Gateway) -> int:
    return gateway.parts.inference.tally("east-in-1").read


async def more_pictures(gateway: Gateway, count: int = 2) -> None:
    before = read_count(gateway)
    await until(lambda: read_count(gateway) >= before + count)


def alarms(root: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{root}/var/journal.db?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT kind, body FROM lane_1 ORDER BY seq").fetchall()
    return [{"kind": kind, **json.loads(body)} for kind, body in rows]


def update(root: Path, version: str, *, golden: Path) -> None:
    made = root / f"{version}.made"
    bundle.pack(MODELS_DIR, golden, made, version=version, made_at=datetime.now(UTC), key=KEY)
    inbox = root / "var" / "updates"
    inbox.mkdir(exist_ok=True)
    made.rename(inbox / f"{version}.islandmodels")


async def test_pictures_are_read_again_after_the_reader_was_killed(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await more_pictures(gateway)
        assert gateway.parts.reader is not None
        process = gateway.parts.reader._reader
        assert isinstance(process, ReaderProcess)
        os.kill(process.pid, signal.SIGKILL)
        await more_pictures(gateway)
        await until(lambda: len(alarms(tmp_path)) == 2)
    lost, back = alarms(tmp_path)
    assert (lost["kind"], lost["device"], lost["why"]) == ("device_lost", "reader", "reader_died")
    assert (back["kind"], back["device"]) == ("device_back", "reader")


async def test_an_update_comes_into_use_and_a_bad_one_does_not(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await more_pictures(gateway)
        assert gateway.models == "shipped"
        update(tmp_path, "v2", golden=tmp_path / "golden")
        await until(lambda: gateway.models == "v2")
        await more_pictures(gateway)
        wrong = tmp_path / "golden" / EXPECTED
        wrong.write_text(wrong.read_text(encoding="utf-8").replace("12345", "54321"), encoding="utf-8")
        update(tmp_path, "v3", golden=tmp_path / "golden")
        await until(lambda: (tmp_path / "var" / "updates" / "v3.islandmodels.refused.txt").exists())
        await more_pictures(gateway)
        assert gateway.models == "v2"
        assert gateway.health().lanes[0]["models"] == "v2"
        await until(lambda: len(alarms(tmp_path)) == 1)
        assert gateway.parts.inference.tally("east-in-1").failed == 0
    assert (alarms(tmp_path)[0]["device"], alarms(tmp_path)[0]["why"]) == ("models", "update_refused")
