"""Model updates of a running gateway: owns taking a switched version over, the folder of updates, and going back.

The folder `updates/` in the gateway's data folder takes signed updates from whoever brings them; the command line
installs them too. Either way this service sees the switch on the shelf, loads the new models beside the old ones, and
watches them for their first minutes: models that crash or fail then are given up for the version before.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from control.domain.errors import ConfigurationError, IslandError
from control.domain.events import DeviceBack, DeviceLost
from control.domain.readings import Unavailable
from edge.changes import Changes
from edge.facts import iso
from edge.journal import Journal, JournalError
from edge.kept_reader import KeptReader
from edge.model_install import Terms, install
from edge.model_shelf import SHIPPED, ModelShelf, ModelShelfError, shown
from edge.ports import Clock
from edge.reader_process import ReaderLostError
from vision.bundle import SUFFIX

log = structlog.get_logger(__name__)

DEVICE = "models"
REFUSED, ROLLED_BACK = "update_refused", "update_rolled_back"
LOOK_S = 1.0
# A file that has not grown for so long has arrived whole.
SETTLED_S = 3.0
PROBATION_S = 600.0
LOSSES_MAX, FAILURES_MAX = 1, 2


@dataclass(slots=True)
class _Probation:
    """What the reader had on its account when new models came, and since when, seconds of the clock."""

    since_s: float
    losses: int
    failures: int


class ModelUpdates:
    """One per gateway. `begin` instead of the reader's own; `run` beside the reader."""

    def __init__(
        self,
        *,
        shelf: ModelShelf,
        reader: KeptReader,
        shipped: Path | None,
        inbox: Path,
        terms: Terms | None,
        journal: Journal,
        changes: Changes,
        clock: Clock,
    ) -> None:
        """Without `terms` nobody's signature is trusted, and files in the inbox are left alone."""
        self._shelf, self._reader, self._shipped, self._inbox = shelf, reader, shipped, inbox
        self._terms, self._journal, self._changes, self._clock = terms, journal, changes, clock
        self._probation: _Probation | None = None
        self._seen: dict[str, tuple[int, float]] = {}
        self._going_back = False
        self._trouble: Unavailable | None = None
        self.version = SHIPPED

    async def begin(self) -> None:
        """Start the reader with the version in use, or with the one before when that cannot be.

        Raises ConfigurationError when not even the shipped models can be used.
        """
        while True:
            version = await self._standing_version()
            self._reader.use(self._shelf.models_dir(version, self._shipped))
            try:
                await self._reader.begin()
            except (ConfigurationError, ReaderLostError) as error:
                if version == SHIPPED:
                    raise
                await self._go_back(str(error))
            else:
                self._took(version)
                return

    async def run(self) -> None:
        """Look after versions and updates for ever."""
        while True:
            await self._look_at_shelf()
            await self._look_at_probation()
            await self._look_at_inbox()
            await self._clock.sleep(LOOK_S)

    # ------------------------------------------------------------------------------------------------------ the shelf

    async def _standing_version(self) -> str:
        try:
            return (await asyncio.to_thread(self._shelf.read)).in_use
        except ModelShelfError as error:
            log.warning("the versions of the models cannot be told", why=str(error))
            return self.version

    async def _look_at_shelf(self) -> None:
        version = await self._standing_version()
        if version == self.version:
            return
        try:
            await self._reader.switch(self._shelf.models_dir(version, self._shipped))
        except (ConfigurationError, ReaderLostError) as error:
            await self._go_back(str(error))
            return
        going_back = self._going_back
        self._took(version)
        log.info("models are in use", version=shown(version))
        if not going_back:
            await self._tell_back()

    def _took(self, version: str) -> None:
        self.version, self._going_back = version, False
        account = _Probation(self._clock.monotonic(), self._reader.losses, self._reader.failures)
        self._probation = account if version != SHIPPED else None

    async def _look_at_probation(self) -> None:
        trial = self._probation
        if trial is None:
            return
        losses, failures = self._reader.losses - trial.losses, self._reader.failures - trial.failures
        if losses > LOSSES_MAX or failures > FAILURES_MAX:
            await self._go_back(f"the reader was lost {losses} times and failed on {failures} pictures")
        elif self._clock.monotonic() - trial.since_s > PROBATION_S:
            self._probation = None
            log.info("models have proved themselves", version=shown(self.version))

    async def _go_back(self, why: str) -> None:
        """The next look at the shelf takes the version before into use."""
        try:
            standing = await asyncio.to_thread(self._shelf.back, at=iso(self._clock.now()), failed=why)
        except (ModelShelfError, OSError) as error:
            log.warning("no way back to other models", why=str(error))
            return
        self._probation, self._going_back = None, standing.in_use != self.version
        log.error("models failed and are given up", why=why, now=shown(standing.in_use))
        await self._tell_lost(ROLLED_BACK)

    # ------------------------------------------------------------------------------------------------------ the inbox

    async def _look_at_inbox(self) -> None:
        if self._terms is None:
            return
        for file in await asyncio.to_thread(self._arrived):
            await self._install(file, self._terms)

    def _arrived(self) -> list[Path]:
        """Files that have stopped growing, oldest name first."""
        now_s, seen = self._clock.monotonic(), {}
        files = sorted(self._inbox.glob(f"*{SUFFIX}")) if self._inbox.is_dir() else []
        for file in files:
            size = file.stat().st_size
            size_before, since_s = self._seen.get(file.name, (-1, now_s))
            seen[file.name] = (size, since_s if size == size_before else now_s)
        self._seen = seen
        return [file for file in files if now_s - seen[file.name][1] >= SETTLED_S]

    async def _install(self, file: Path, terms: Terms) -> None:
        now: datetime = self._clock.now()
        try:
            version = await asyncio.to_thread(
                install, file, self._shelf, terms, self._reader.settings, now=now, say=lambda text: log.info(text)
            )
        except (IslandError, OSError) as error:
            log.error("model update refused", file=file.name, why=str(error))  # noqa: TRY400 an expected refusal
            await asyncio.to_thread(_set_aside, file, str(error))
            await self._tell_lost(REFUSED)
            return
        log.info("model update installed", file=file.name, version=version)
        await asyncio.to_thread(file.unlink, missing_ok=True)
        await self._look_at_shelf()

    # ----------------------------------------------------------------------------------------------------- the journal

    async def _tell_lost(self, why: str) -> None:
        """Once for a trouble; it ends when another version has come into use."""
        self._changes.tell()
        if self._trouble is None or self._trouble.why != why:
            self._trouble = Unavailable(self._clock.monotonic(), why)
            await self._append(DeviceLost(DEVICE, None, why, iso(self._clock.now())))

    async def _tell_back(self) -> None:
        self._changes.tell()
        if self._trouble is not None:
            after_s = round(self._clock.monotonic() - self._trouble.since, 1)
            self._trouble = None
            await self._append(DeviceBack(DEVICE, None, after_s, iso(self._clock.now())))

    async def _append(self, event: object) -> None:
        try:
            await self._journal.append(event)
        except JournalError as error:
            log.warning("the models' trouble is not journalled", why=str(error))


def _set_aside(file: Path, why: str) -> None:
    """A refused update is kept beside its reason, under a name that is not looked at again."""
    file.replace(file.with_name(file.name + ".refused"))
    file.with_name(file.name + ".refused.txt").write_text(why + "\n", encoding="utf-8")
