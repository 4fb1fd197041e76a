"""The microgrid's cycle: owns one second of collect, decide, journal, act, publish, and its pace.

What is decided is `control.energy.dispatch`. A change of mode is in the journal before the breaker moves; where the
journal is broken the breaker may still open, which is always safe, but not close. What slow disks hold up (telemetry,
alarms) never holds up the next second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from control.domain.energy import GridMode
from control.domain.events import EnergyModeChanged
from control.energy.dispatch_types import Commands, Dispatch, DispatchState, SiteNow
from control.energy.plan import ValueCurve
from control.energy.settings import EnergySettings
from control.energy.site import SiteSpec
from edge.changes import Changes
from edge.energy.acting import Actor
from edge.energy.alarms import AlarmDesk
from edge.energy.conditions import Condition, Presence, Trouble, conditions
from edge.energy.device_rows import device_rows
from edge.energy.field import Field, FieldNow
from edge.energy.means import Second
from edge.energy.seconds import SecondMaker
from edge.energy.sessions import SessionBook
from edge.energy.settings_desk import SettingsDesk
from edge.energy.snapshot import SnapshotMaker, Wish
from edge.energy.stuck import StuckWatch
from edge.facts import iso
from edge.journal import Journal, JournalError
from edge.ports import Clock

log = structlog.get_logger(__name__)

JOURNAL_PATIENCE_S = 0.3
# Changes of mode that wait for a broken journal; then the oldest are given up.
UNTOLD_MAX = 100


class Decide(Protocol):
    """The fast loop: `control.energy.dispatch.dispatch`."""

    def __call__(
        self,
        now: SiteNow,
        state: DispatchState,
        *,
        settings: EnergySettings,
        site: SiteSpec,
        curves: Mapping[str, ValueCurve],
    ) -> Dispatch:
        """One second's answer."""
        ...


class Planning(Protocol):
    """What the cycle asks of the planner; see `edge.energy.planning`."""

    @property
    def curves(self) -> Mapping[str, ValueCurve]:
        """What stored energy is worth now; empty before the first plan."""
        ...

    def see(self, picture: SiteNow, now: FieldNow, second: Second) -> None:
        """The newest picture; never waits."""
        ...

    def inform(self, maker: SnapshotMaker) -> None:
        """Hand what the forecast and the month know to the next picture."""
        ...

    @property
    def late_s(self) -> float | None:
        """By how much the plan is overdue; None while it is not."""
        ...


class Diagnosis(Protocol):
    """What is known of the PV plant's health; see `edge.energy.pv_watch`."""

    @property
    def rows(self) -> Mapping[str, dict[str, object]]:
        """What it adds to the inverters' rows."""
        ...

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is wrong with the plant."""
        ...

    def see(self, now: FieldNow, commands: Commands) -> None:
        """The newest readings and the limits just commanded; never waits."""
        ...


class Recorder(Protocol):
    """Where seconds go; never waits. See `edge.energy.telemetry`."""

    def offer(self, second: Second, events: list[object], *, matters: bool) -> None:
        """One second, events of the telemetry lane, and whether this second matters."""
        ...


class Wishes(Protocol):
    """What a person asks for at the moment."""

    @property
    def wish(self) -> Wish:
        """See Wish."""
        ...


@dataclass(slots=True)
class Pace:
    """How the cycle keeps time. `late` began more than a tenth late; `missed` never began."""

    cycles: int = 0
    late: int = 0
    missed: int = 0
    took_s: float = 0.0
    took_s_max: float = 0.0


@dataclass(frozen=True, slots=True)
class Published:
    """One whole second, for those who show it."""

    picture: SiteNow
    field: FieldNow
    dispatched: Dispatch
    second: Second


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleParts:
    """What a cycle works with."""

    site: SiteSpec
    field: Field
    actor: Actor
    decide: Decide
    settings: SettingsDesk
    wishes: Wishes
    planning: Planning
    diagnosis: Diagnosis
    recorder: Recorder
    alarms: AlarmDesk
    sessions: SessionBook
    stuck: StuckWatch
    journal: Journal
    clock: Clock
    changes: Changes
    cycle_s: float = 1.0


@dataclass(slots=True)
class EnergyCycle:
    """`run` turns until cancelled; `turn` is one second and can be driven on virtual time."""

    parts: CycleParts
    state: DispatchState = field(default_factory=DispatchState)
    pace: Pace = field(default_factory=Pace)
    published: Published | None = None
    _snapshots: SnapshotMaker = field(init=False)
    _seconds: SecondMaker = field(init=False)
    _presence: Presence = field(default_factory=Presence)
    _untold: list[EnergyModeChanged] = field(default_factory=list)
    _telling: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        parts = self.parts
        self._snapshots = SnapshotMaker(parts.site, parts.clock.monotonic())
        self._seconds = SecondMaker(parts.site, parts.cycle_s)

    async def run(self) -> None:
        """One turn every cycle. A turn that takes too long is followed at once; what was missed is counted."""
        clock, cycle_s = self.parts.clock, self.parts.cycle_s
        due_s = clock.monotonic()
        while True:
            began_s = clock.monotonic()
            self._count_start(began_s - due_s)
            await self.turn()
            self.pace.took_s = clock.monotonic() - began_s
            self.pace.took_s_max = max(self.pace.took_s_max, self.pace.took_s)
            due_s += cycle_s
            skipped = int(max(clock.monotonic() - due_s, 0.0) // cycle_s)
            self.pace.missed += skipped
            due_s += skipped * cycle_s
            await clock.sleep(max(due_s - clock.monotonic(), 0.0))

    def _count_start(self, late_s: float) -> None:
        self.pace.cycles += 1
        if late_s > self.parts.cycle_s / 10:
            self.pace.late += 1

    async def turn(self) -> Published:
        """Collect, decide, journal, act, publish."""
        parts = self.parts
        await parts.settings.look()
        now = await parts.field.collect()
        stuck = parts.stuck.see(now)
        picture = self._picture(now, stuck)
        decided = parts.decide(
            picture,
            self.state,
            settings=parts.settings.current.settings,
            site=parts.site,
            curves=parts.planning.curves,
        )
        dispatched = await self._journalled(decided)
        mode_changed = dispatched.state.mode is not self.state.mode
        self.state = dispatched.state
        await parts.actor.act(dispatched.commands, now)
        return await self._publish(picture, now, dispatched, stuck, mode_changed=mode_changed)

    def _picture(self, now: FieldNow, stuck: frozenset[str]) -> SiteNow:
        parts = self.parts
        parts.planning.inform(self._snapshots)
        return self._snapshots.take(
            now,
            wall=parts.clock.now(),
            settings=parts.settings.current.settings,
            wish=parts.wishes.wish,
            suspect=stuck,
        )

    # ------------------------------------------------------------------------------------------------------ journal

    async def _journalled(self, decided: Dispatch) -> Dispatch:
        """The decision as it may be acted on: its change of mode is on the disk."""
        if decided.state.mode is not self.state.mode:
            why = decided.why or decided.binding
            at = iso(self.parts.clock.now())
            self._untold.append(EnergyModeChanged(self.state.mode.value, decided.state.mode.value, why, at))
            del self._untold[:-UNTOLD_MAX]
            log.info("microgrid mode", before=self.state.mode.value, after=decided.state.mode.value, why=why)
        if self._untold and not await self._told() and decided.commands.breaker_closed:
            self._untold = [event for event in self._untold if event.after != decided.state.mode.value]
            return replace(decided, commands=_without_breaker(decided.commands), state=_kept(decided.state, self.state))
        return decided

    async def _told(self) -> bool:
        try:
            async with asyncio.timeout(JOURNAL_PATIENCE_S):
                await self.parts.journal.append_many(tuple(self._untold))
        except JournalError as error:
            log.warning("mode not journalled", why=str(error))
            return False
        except TimeoutError:
            # The journal has it and will write it as soon as the disk lets it: to tell it again would double it.
            self._untold.clear()
            return False
        self._untold.clear()
        return True

    # ------------------------------------------------------------------------------------------------------ publish

    async def _publish(
        self, picture: SiteNow, now: FieldNow, dispatched: Dispatch, stuck: frozenset[str], *, mode_changed: bool
    ) -> Published:
        parts = self.parts
        parts.diagnosis.see(now, dispatched.commands)
        second = self._seconds.make(
            picture,
            now,
            dispatched,
            wall=parts.clock.now(),
            settings_version=parts.settings.current.number,
            devices=device_rows(now, parts.site, parts.diagnosis.rows),
        )
        news = await self._tell_alarms(now, dispatched, stuck)
        parts.recorder.offer(second, list(parts.sessions.see(now.chargers)), matters=mode_changed or news)
        parts.planning.see(picture, now, second)
        self.published = Published(picture, now, dispatched, second)
        if mode_changed or news:
            parts.changes.tell()
        return self.published

    async def _tell_alarms(self, now: FieldNow, dispatched: Dispatch, stuck: frozenset[str]) -> bool:
        """Whether there is news. While the disk has not taken the last news, no more is made."""
        if self._telling is not None and not self._telling.done():
            return False
        parts = self.parts
        silent, answering = self._presence.see(now)
        trouble = Trouble(
            not_taken=parts.actor.not_taken(frozenset(silent)),
            stuck=stuck,
            breaker_overdue=parts.actor.breaker_overdue,
            plan_late_s=parts.planning.late_s,
            refused=parts.settings.refused,
            others=parts.diagnosis.conditions,
        )
        news = parts.alarms.see(conditions(now, dispatched, trouble), silent, answering)
        if not news:
            return False
        self._telling = asyncio.create_task(self._tell(news), name="energy-alarms")
        await asyncio.wait([self._telling], timeout=JOURNAL_PATIENCE_S)
        return True

    async def _tell(self, news: list[object]) -> None:
        try:
            await self.parts.journal.append_many(tuple(news))
        except JournalError as error:
            log.warning("alarms not journalled", why=str(error))
        else:
            self.parts.alarms.told()

    async def aclose(self) -> None:
        """End what is under way; the devices' own timers bring them to rest."""
        await self.parts.actor.aclose()
        await self.parts.field.aclose()
        await self.parts.settings.aclose()
        if self._telling is not None:
            await asyncio.gather(self._telling, return_exceptions=True)

    @property
    def mode(self) -> GridMode:
        """What the controller does about the grid."""
        return self.state.mode


def _without_breaker(commands: Commands) -> Commands:
    return replace(commands, breaker_closed=None)


def _kept(decided: DispatchState, before: DispatchState) -> DispatchState:
    """A change of mode that could not be journalled has not happened."""
    return replace(decided, mode=before.mode, mode_since_s=before.mode_since_s, mode_s=before.mode_s)
