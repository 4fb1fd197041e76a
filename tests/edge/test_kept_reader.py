"""A reader that crashes, hangs or fails is told of once and started again; real processes where it matters."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from control.domain.errors import ConfigurationError
from control.domain.events import DeviceBack, DeviceLost
from control.domain.plates import PlateKind
from edge.clock import SystemClock
from edge.kept_reader import KeptReader
from edge.reader_process import ReaderFailedError, ReaderLostError, ReaderProcess, ReaderSettings
from edge.retrying import Backoff
from vision.render.plates import render_plate
from vision.render.scenes import paste_plate

BLACK = np.zeros((20, 30, 3), np.uint8)


class Scripted:
    """A reader that answers with the next of `answers`: a value, or an error to raise."""

    def __init__(self, answers: list[Any]) -> None:
        self.models: dict[str, str] = {}
        self.closed = False
        self._answers = answers

    async def read(self, image: np.ndarray, *, vehicles: bool = False) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.closed = True


class Journal:
    """Keeps what is appended."""

    def __init__(self) -> None:
        self.events: list[object] = []

    async def append(self, event: object) -> None:
        self.events.append(event)


def kept(readers: list[Any], journal: Journal | None = None) -> KeptReader:
    async def start(settings: ReaderSettings) -> Any:
        reader = readers.pop(0)
        if isinstance(reader, Exception):
            raise reader
        return reader

    return KeptReader(
        ReaderSettings(), start=start, clock=SystemClock(), backoff=Backoff(random.Random(1), base_s=0.001)
    )


@asynccontextmanager
async def keeping(reader: KeptReader, journal: Journal) -> AsyncIterator[None]:
    await reader.begin()
    tasks = [asyncio.create_task(reader.run()), asyncio.create_task(reader.watch.report(journal))]
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await reader.aclose()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def told(journal: Journal) -> list[str]:
    return [event.why if isinstance(event, DeviceLost) else "back" for event in journal.events]


DIED = ReaderLostError("reader_died", "ended by SIGSEGV")


async def test_a_loss_is_told_once_and_once_that_it_is_back() -> None:
    journal = Journal()
    reader = kept([Scripted([1, DIED]), ReaderLostError("reader_died", "at once"), Scripted([2, 3])])
    async with keeping(reader, journal):
        assert await reader.read(BLACK) == 1
        with pytest.raises(ReaderLostError):
            await reader.read(BLACK)
        await until(lambda: told(journal) == ["reader_died"])
        assert await reader.read(BLACK) == 2
        assert await reader.read(BLACK) == 3
        await until(lambda: len(journal.events) == 2)
    assert told(journal) == ["reader_died", "back"]
    assert [event.device for event in journal.events] == ["reader", "reader"]
    assert isinstance(journal.events[1], DeviceBack)
    assert reader.losses == 2


async def test_pictures_do_not_wait_long_for_a_reader_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.kept_reader.PATIENCE_S", 0.05)
    reader = kept([Scripted([DIED]), *[ConfigurationError("no models")] * 10_000])
    async with keeping(reader, Journal()):
        with pytest.raises(ReaderLostError, match="reader_died"):
            await reader.read(BLACK)
        for _ in range(3):
            with pytest.raises(ReaderLostError, match="reader_down"):
                await reader.read(BLACK)


async def test_one_bad_picture_is_no_loss_but_several_in_a_row_are() -> None:
    journal = Journal()
    bad = ReaderFailedError("broken")
    with structlog.testing.capture_logs() as logs:
        await read_through(kept([Scripted([bad, 1, bad, bad, bad, bad, 2])]), journal, bad)
    assert [entry["log_level"] for entry in logs] == ["error", "error"]


async def read_through(reader: KeptReader, journal: Journal, bad: Exception) -> None:
    async with keeping(reader, journal):
        for answer in (bad, 1, bad, bad, bad, bad):
            if answer is bad:
                with pytest.raises(ReaderFailedError):
                    await reader.read(BLACK)
            else:
                assert await reader.read(BLACK) == 1
        await until(lambda: told(journal) == ["reader_failing"])
        assert await reader.read(BLACK) == 2
        await until(lambda: told(journal) == ["reader_failing", "back"])
    assert reader.failures == 5


async def test_models_change_without_losing_a_picture() -> None:
    class Slow(Scripted):
        async def read(self, image: np.ndarray, *, vehicles: bool = False) -> Any:
            await asyncio.sleep(0.02)
            assert not self.closed
            return "old"

    old = Slow([])
    async with keeping(reader := kept([old, Scripted(["new"])]), Journal()):
        in_hand = asyncio.create_task(reader.read(BLACK))
        await asyncio.sleep(0)
        await reader.switch(Path("fresh"))
        assert await in_hand == "old"
        assert old.closed
        assert await reader.read(BLACK) == "new"
    assert reader.settings.models_dir == Path("fresh")


async def test_models_that_do_not_start_change_nothing() -> None:
    async with keeping(reader := kept([Scripted([1]), ConfigurationError("bad checksum")]), Journal()):
        with pytest.raises(ConfigurationError):
            await reader.switch(Path("fresh"))
        assert await reader.read(BLACK) == 1
    assert reader.settings.models_dir is None


# ------------------------------------------------------------------------------------------------------ real processes


def scene(text: str = "琼AD12345") -> np.ndarray:
    ground = np.full((480, 640, 3), (90, 85, 80), np.uint8)
    plate = render_plate(text, PlateKind.NEV_SMALL)
    quad = np.array([[240, 220], [400, 220], [400, 270], [240, 270]], np.float32)
    return paste_plate(ground, plate, quad)


async def test_a_process_reads_as_the_reader_does_and_follows_the_size_of_the_picture() -> None:
    reader = await ReaderProcess.start(ReaderSettings())
    try:
        assert set(reader.models) >= {"plate_detector", "plate_recogniser"}
        assert (await reader.read(BLACK)).plates == ()
        large = await reader.read(scene())
        assert [plate.text for plate in large.plates] == ["琼AD12345"]
        assert (await reader.read(BLACK)).plates == ()
        assert large.plates[0].characters[0].char == "琼"
    finally:
        await reader.aclose()


async def test_a_process_that_dies_says_how() -> None:
    reader = await ReaderProcess.start(ReaderSettings())
    os.kill(reader.pid, signal.SIGSEGV)
    with pytest.raises(ReaderLostError, match="SIGSEGV") as lost:
        await reader.read(BLACK)
    assert lost.value.why == "reader_died"


async def test_a_process_that_hangs_is_ended() -> None:
    reader = await ReaderProcess.start(ReaderSettings(picture_s_max=0.3))
    os.kill(reader.pid, signal.SIGSTOP)
    with pytest.raises(ReaderLostError) as lost:
        await reader.read(BLACK)
    assert lost.value.why == "reader_stuck"
    with pytest.raises(ProcessLookupError):
        os.kill(reader.pid, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ReaderSettings(models_dir=Path("nowhere")), "models.toml is missing"),
        (ReaderSettings(providers=("abacus",)), "'abacus' is not available.*cpu"),
        (ReaderSettings(threads=0), "use 1 or more"),
    ],
)
async def test_what_cannot_start_says_why(settings: ReaderSettings, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        await ReaderProcess.start(settings)


async def test_the_gate_goes_on_when_the_reader_crashes() -> None:
    """The whole chain with a real process: crash, one alarm, a new process, readings again."""
    journal = Journal()
    reader = KeptReader(
        ReaderSettings(), start=ReaderProcess.start, clock=SystemClock(), backoff=Backoff(random.Random(1))
    )
    async with keeping(reader, journal):
        first = reader._reader
        assert isinstance(first, ReaderProcess)
        await reader.read(BLACK)
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(ReaderLostError):
            await reader.read(BLACK)
        while reader.watch.gone is not None:
            try:
                await reader.read(BLACK)
            except ReaderLostError:
                await asyncio.sleep(0.05)
        await until(lambda: told(journal) == ["reader_died", "back"])
