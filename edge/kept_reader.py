"""A reader that is always being kept up: owns starting it again, changing its models, and telling of its loss once.

A picture waits a short while for a reader that is being started; after that it is `Unavailable` at once, so that
lanes hold their vehicles instead of waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import structlog

from control.domain.errors import ConfigurationError
from control.domain.events import DeviceBack, DeviceLost
from control.domain.readings import Unavailable
from edge.facts import iso
from edge.journal import Journal, JournalError
from edge.ports import Clock, FrameReading, Picture
from edge.reader_process import ReaderFailedError, ReaderLostError, ReaderSettings
from edge.retrying import Backoff

log = structlog.get_logger(__name__)

DEVICE, DOWN = "reader", "reader_down"
JOURNAL_RETRY_S = 1.0
PATIENCE_S = 3.0
# So many pictures one after another on which our own code fails are a reader that does not work.
FAILED_IN_A_ROW_MAX = 3


class RunningReader(Protocol):
    """One reader process."""

    models: dict[str, str]

    async def read(self, image: Picture, *, vehicles: bool = False) -> FrameReading:
        """Raises ReaderFailedError or ReaderLostError."""
        ...

    async def aclose(self) -> None:
        """End it."""
        ...


Start = Callable[[ReaderSettings], Awaitable[RunningReader]]


class KeptReader:
    """One per gateway. `begin` first, then `run` beside the worker that reads."""

    def __init__(self, settings: ReaderSettings, *, start: Start, clock: Clock, backoff: Backoff) -> None:
        self.settings = settings
        self._start, self._clock, self._backoff = start, clock, backoff
        self._reader: RunningReader | None = None
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._down_since_s = clock.monotonic()
        self._in_hand = asyncio.Lock()
        self._in_a_row = 0
        self.losses = 0
        self.failures = 0
        self.watch = LossWatch(clock)

    def use(self, models_dir: Path | None) -> None:
        """Which models to begin with."""
        self.settings = replace(self.settings, models_dir=models_dir)

    async def begin(self) -> None:
        """Start the first reader; raises ConfigurationError or ReaderLostError."""
        self._take(await self._start(self.settings))

    async def run(self) -> None:
        """Start the reader again whenever it is gone, for ever."""
        while True:
            await self._down.wait()
            await self._clock.sleep(self._backoff.next_s())
            await self._start_again()

    async def _start_again(self) -> None:
        settings = self.settings
        try:
            fresh = await self._start(settings)
        except (ConfigurationError, ReaderLostError) as error:
            self.losses += 1
            log.warning("reader does not start", why=str(error))
            return
        if settings is not self.settings:
            # The models were changed meanwhile, and the reader with them.
            await fresh.aclose()
            return
        self._take(fresh)
        log.info("reader is up again")

    async def switch(self, models_dir: Path | None) -> None:
        """Read with other models from now on; the picture in hand is still finished with the old ones.

        Raises ConfigurationError or ReaderLostError, and then nothing has changed.
        """
        settings = replace(self.settings, models_dir=models_dir)
        fresh = await self._start(settings)
        async with self._in_hand:
            old, self.settings = self._reader, settings
            self._take(fresh)
        if old is not None:
            await old.aclose()

    async def read(self, image: Picture, *, vehicles: bool = False) -> FrameReading:
        """One picture; raises ReaderFailedError or ReaderLostError."""
        await self._wait_until_up()
        async with self._in_hand:
            reading = await self._read(image, vehicles=vehicles)
        self._in_a_row = 0
        self._backoff.succeeded()
        self.watch.works()
        return reading

    async def _read(self, image: Picture, *, vehicles: bool) -> FrameReading:
        assert self._reader is not None
        try:
            return await self._reader.read(image, vehicles=vehicles)
        except ReaderFailedError as error:
            self.failures += 1
            self._in_a_row += 1
            if self._in_a_row == 1:
                log.error("reader failed on a picture", why=str(error))  # noqa: TRY400 the traceback is its own text
            if self._in_a_row >= FAILED_IN_A_ROW_MAX:
                self.watch.lost("reader_failing")
            raise
        except ReaderLostError as error:
            self._lose(error)
            raise

    async def aclose(self) -> None:
        """End the reader."""
        if self._reader is not None:
            await self._reader.aclose()

    async def _wait_until_up(self) -> None:
        if self._reader is not None:
            return
        left_s = self._down_since_s + PATIENCE_S - self._clock.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                await self._up.wait()
        except TimeoutError as error:
            raise ReaderLostError(DOWN, "it is being started again") from error

    def _take(self, reader: RunningReader) -> None:
        self._reader, self._in_a_row = reader, 0
        self._up.set()
        self._down.clear()

    def _lose(self, error: ReaderLostError) -> None:
        log.error("reader is lost and is started again", why=str(error))
        self.losses += 1
        self.watch.lost(error.why)
        self._reader, self._down_since_s = None, self._clock.monotonic()
        self._up.clear()
        self._down.set()


class LossWatch:
    """Turns the reader's losses into facts: one when it goes, one when it reads again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gone: Unavailable | None = None
        self._told: Unavailable | None = None
        self.changed = asyncio.Event()

    @property
    def gone(self) -> Unavailable | None:
        """Since when and why it does not read; None while it does."""
        return self._gone

    def lost(self, why: str) -> None:
        """It is gone; more than once changes nothing."""
        if self._gone is None:
            self._gone = Unavailable(self._clock.monotonic(), why)
            self.changed.set()

    def works(self) -> None:
        """It has read a picture."""
        if self._gone is not None:
            self._gone = None
            self.changed.set()

    async def report(self, journal: Journal) -> None:
        """Journal every change, for ever; a journal that is full is waited for."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            try:
                await self._report(journal)
            except JournalError as error:
                log.warning("the reader's loss is not journalled", why=str(error))
                self.changed.set()
                await self._clock.sleep(JOURNAL_RETRY_S)

    async def _report(self, journal: Journal) -> None:
        gone, at = self._gone, iso(self._clock.now())
        if gone is self._told:
            return
        if self._told is not None:
            after_s = round(self._clock.monotonic() - self._told.since, 1)
            await journal.append(DeviceBack(DEVICE, None, after_s, at))
            self._told = None
        if gone is not None:
            await journal.append(DeviceLost(DEVICE, None, gone.why, at))
            self._told = gone
