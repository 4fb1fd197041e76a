"""Watches for passes at one lane: owns when the camera's pictures are searched for codes, and hearing the hand scanner.

A picture is searched only where a pass can matter, in a thread of its own, and never waited for by the lane: the
normal way from picture to barrier does not know of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from control.domain.passes import PassProblem
from control.domain.readings import Unavailable
from control.gate.lane import Phase
from edge.arrival import Arrival
from edge.passes import PassSource, PassVerifier, ShownPass
from edge.ports import Clock, Frame, PassReader, PassScanner
from edge.slots import Slot

log = structlog.get_logger(__name__)

# A plate that is not sure by now may need a pass; nearly all vehicles are through before.
UNREAD_AFTER_S = 1.0
SEARCH_GAP_S, SEARCH_GAP_LATER_S, LATER_AFTER_S = 0.4, 1.0, 15.0
SEARCH_MAX_S = 1.0
SCAN_GAP_S = 0.25


class PassWatch:
    """One lane's eyes for passes. `run` serves until cancelled; `on_shown` hears of every pass that counts."""

    def __init__(
        self,
        verifier: PassVerifier,
        clock: Clock,
        *,
        lane_id: str,
        reader: PassReader | None = None,
        scanner: PassScanner | None = None,
    ) -> None:
        self._verifier, self._clock, self._lane_id = verifier, clock, lane_id
        self._reader, self.scanner = reader, scanner
        self._pictures: Slot[Frame] = Slot()
        self._searched_s = -1e9
        self._scanned_s = -1e9
        self._on_shown: Callable[[ShownPass], None] = lambda shown: None
        self.searches = 0
        self.latest: ShownPass | None = None

    def on_shown(self, listener: Callable[[ShownPass], None]) -> None:
        """Call `listener` with every pass that is shown from now on."""
        self._on_shown = listener

    async def run(self) -> None:
        """Search pictures and hear the scanner until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self._reader is not None:
                tasks.create_task(self._search(self._reader), name=f"{self._lane_id}-passes")
            if self.scanner is not None:
                tasks.create_task(self.scanner.run(self.scanned), name=f"{self._lane_id}-scanner")

    @property
    def scanner_trouble(self) -> Unavailable | None:
        """Why the hand scanner cannot be heard; None also where there is none."""
        return None if self.scanner is None else self.scanner.trouble

    # ------------------------------------------------------------------------------------------------- the camera

    def see(self, frame: Frame, arrival: Arrival | None, phase: Phase) -> None:
        """A picture came: offer it for the search where a pass can matter now. Never waits."""
        if self._reader is None or arrival is None or not self._can_matter(arrival, phase):
            return
        waited_s = frame.taken_s - arrival.begun_s
        gap_s = SEARCH_GAP_S if waited_s < LATER_AFTER_S else SEARCH_GAP_LATER_S
        if 0.0 <= frame.taken_s - self._searched_s < gap_s:
            return
        self._searched_s = frame.taken_s
        self._pictures.put(frame)

    def _can_matter(self, arrival: Arrival, phase: Phase) -> bool:
        if arrival.guard_outcome is not None:
            return False
        if phase is Phase.READING:
            return self._clock.monotonic() - arrival.begun_s >= UNREAD_AFTER_S
        return phase in (Phase.WAITING, Phase.REFUSED)

    async def _search(self, reader: PassReader) -> None:
        """One picture at a time. One that takes too long is no longer waited for; its thread is not given another."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix=f"{self._lane_id}-passes") as thread:
            while True:
                frame = await self._pictures.take()
                search = loop.run_in_executor(thread, reader.read, frame.image)
                done, _ = await asyncio.wait([search], timeout=SEARCH_MAX_S)
                if not done:
                    log.warning("the search for a pass takes long", lane=self._lane_id)
                self.searches += 1
                for text in await search:
                    self._take(text, PassSource.CAMERA)

    # ------------------------------------------------------------------------------------------------ the scanner

    def scanned(self, text: str) -> None:
        """A line from the hand scanner. A device that types without end is heard a few times a second."""
        now_s = self._clock.monotonic()
        if 0.0 <= now_s - self._scanned_s < SCAN_GAP_S:
            return
        self._scanned_s = now_s
        self._take(text, PassSource.SCANNER)

    def _take(self, text: str, source: PassSource) -> None:
        shown = self._verifier.read(text, source)
        if self.latest is None or self.latest.code != shown.code:
            said = shown.said.value if isinstance(shown.said, PassProblem) else "genuine"
            log.info("pass shown", lane=self._lane_id, source=source.value, said=said)
        self.latest = shown
        self._on_shown(shown)
