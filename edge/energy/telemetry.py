"""What the microgrid did, second by second: owns samples, means, and which of them the cloud is told.

Every second goes into the gateway's file of samples. Means of 10 s, 60 s and 900 s go into the journal's telemetry
lane, single seconds only around what matters (a change of mode, an alarm). A period is told once: after a restart the
journal says which was the last, and the open one is filled again from the samples, so that no energy counts twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from control.domain.events import EnergySample
from edge.energy.means import Period, Second, begins, second_of
from edge.energy.stays import StayBook
from edge.energy.store import SECOND_S, EnergyStore, EnergyStoreError
from edge.facts import iso
from edge.journal import Journal, JournalError
from edge.ports import Clock

log = structlog.get_logger(__name__)

PERIODS_S = (10, 60, 900)
# Events that a broken journal did not take wait for it, so many at most; then the oldest are given up.
WAITING_MAX = 500
# Seconds that a slow disk holds up; then the oldest are given up.
QUEUE_MAX = 120
# Around what matters so many seconds before and after are told one by one.
BEFORE_S, AFTER_S = 10, 20
# A clock that leaps back by less goes on filling the open period; by more, the labels go back with it.
LEAP_BACK_MAX_S = 3600.0
PRUNE_EVERY_S = 600.0
REMEMBERED_MAX = 4000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Offered:
    """What one cycle handed over."""

    second: Second
    events: list[object]
    matters: bool


@dataclass(slots=True)
class Telemetry:
    """`offer` is called once a cycle and never waits; `run` writes what was offered, whatever file or journal do."""

    store: EnergyStore
    journal: Journal
    clock: Clock
    keep_s: Mapping[int, float]
    _open: dict[int, Period] = field(default_factory=dict)
    _recent: deque[Second] = field(default_factory=lambda: deque(maxlen=BEFORE_S))
    _queue: deque[_Offered] = field(default_factory=lambda: deque(maxlen=QUEUE_MAX))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: list[object] = field(default_factory=list)
    _to_keep: list[tuple[Period, EnergySample]] = field(default_factory=list)
    _told_until_s: float = -1.0
    _prune_at_s: float = 0.0
    _broken: str = ""
    dropped: int = 0
    _stays: StayBook = field(init=False)

    def __post_init__(self) -> None:
        self._stays = StayBook(self.store)

    async def load(self) -> None:
        """Go on where the last run ended. Raises EnergyStoreError."""
        last = await self._last_told()
        now_s = self._wall_s()
        await self._stays.load(now_s=now_s)
        for period_s in PERIODS_S:
            from_s = max(last.get(period_s, 0) + period_s, begins(now_s, period_s) - 2 * period_s)
            for at_s, body in await self.store.samples(from_s=from_s):
                self._fill(period_s, second_of(at_s, body))
        await self._keep()

    async def _last_told(self) -> dict[int, int]:
        """The beginning of the last period that is in the journal, seconds since 1970, by length."""
        found: dict[int, int] = {}
        for row in await self.journal.recent(("energy_sample",), REMEMBERED_MAX):
            at_s = round((datetime.fromisoformat(row.body["at"]) - EPOCH).total_seconds())
            period_s = row.body["period_s"]
            found[period_s] = max(found.get(period_s, at_s), at_s)
        return found

    def offer(self, second: Second, events: list[object], *, matters: bool) -> None:
        """One second more, and events to tell; with `matters` the seconds around it are told one by one."""
        if len(self._queue) == QUEUE_MAX:
            self.dropped += 1
        self._queue.append(_Offered(second, events, matters))
        self._wake.set()

    async def run(self) -> None:
        """For ever: write what was offered."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.settle()

    async def settle(self) -> None:
        """Write what was offered so far."""
        while self._queue:
            offered = self._queue.popleft()
            self._waiting += offered.events
            self._stays.offer(offered.events)
            await self._take(offered.second, matters=offered.matters)

    async def _take(self, second: Second, *, matters: bool) -> None:
        self._recent.append(second)
        for period_s in PERIODS_S:
            self._fill(period_s, second)
        try:
            await self.store.add(at_s=second.at_s, body=second.body())
            await self._keep()
            await self._stays.keep()
            await self._prune(second.at_s)
        except EnergyStoreError as error:
            self._tell_broken(str(error))
        else:
            self._tell_broken("")
        self._tell_seconds(second, matters=matters)
        await self._send()

    # ------------------------------------------------------------------------------------------------------- periods

    def _fill(self, period_s: int, second: Second) -> None:
        period = self._open.get(period_s)
        if period is not None and _is_over(period, second):
            self._to_keep.append((period, period.sample(_iso(period.begins_s))))
            self._wait(self._to_keep[-1][1])
            period = None
        if period is None:
            period = self._open[period_s] = Period(period_s, begins(second.at_s, period_s))
        period.add(second)

    async def _keep(self) -> None:
        """The means that are over go into the file; while it is broken they wait."""
        del self._to_keep[:-WAITING_MAX]
        while self._to_keep:
            period, sample = self._to_keep[0]
            body = {"kw": sample.kw, "kwh": sample.kwh, "soc": sample.soc_frac, "good": sample.good_frac}
            body |= {"mode": sample.mode, "peak": sample.peak_import_kw}
            await self.store.add_mean(period_s=period.period_s, at_s=period.begins_s, body=body)
            del self._to_keep[0]

    async def _prune(self, at_s: float) -> None:
        now_s = self.clock.monotonic()
        if now_s >= self._prune_at_s:
            self._prune_at_s = now_s + PRUNE_EVERY_S
            await self.store.prune(now_s=at_s, keep_s=self.keep_s)
            if longest_s := max(self.keep_s.values(), default=0.0):
                await self.store.prune_stays(older_s=at_s - longest_s)

    # ------------------------------------------------------------------------------------------------------- telling

    def _tell_seconds(self, second: Second, *, matters: bool) -> None:
        now_s = self.clock.monotonic()
        if matters:
            if now_s > self._told_until_s:
                for earlier in list(self._recent)[:-1]:
                    self._wait(_of_one(earlier))
            self._told_until_s = now_s + AFTER_S
        if now_s <= self._told_until_s:
            self._wait(_of_one(second))

    def _wait(self, sample: object) -> None:
        self._waiting.append(sample)
        excess = len(self._waiting) - WAITING_MAX
        if excess > 0:
            self.dropped += excess
            del self._waiting[:excess]

    async def _send(self) -> None:
        if not self._waiting:
            return
        try:
            await self.journal.append_many(tuple(self._waiting))
        except JournalError:
            return  # the journal's own trouble is told by the journal; they wait for the next second
        self._waiting.clear()

    def _tell_broken(self, why: str) -> None:
        if why != self._broken and bool(why) is not bool(self._broken):
            log.warning("energy samples are not kept", why=why) if why else log.info("energy samples are kept again")
        self._broken = why

    def _wall_s(self) -> float:
        return (self.clock.now() - EPOCH).total_seconds()


def _is_over(period: Period, second: Second) -> bool:
    return second.at_s >= period.ends_s or second.at_s < period.begins_s - LEAP_BACK_MAX_S


def _of_one(second: Second) -> EnergySample:
    alone = Period(SECOND_S, int(second.at_s))
    alone.add(second)
    return alone.sample(iso(EPOCH + timedelta(seconds=second.at_s)))


def _iso(at_s: int) -> str:
    return iso(EPOCH + timedelta(seconds=at_s))
