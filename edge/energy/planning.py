"""The planner as the gateway runs it: owns when a plan is made, by what it is made, and which one is in force.

A plan is made every `plan_period_s` of the settings and soon after what changes its grounds, in a thread of its own.
One that fails or comes late leaves the previous one in force, and the alarm `plan_late` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from control.energy.dispatch_types import SiteNow
from control.energy.plan import Plan, ValueCurve
from control.energy.plan_input import PlanInput
from control.energy.site import SiteSpec
from edge.energy.field import FieldNow
from edge.energy.history import History
from edge.energy.means import Second
from edge.energy.plan_events import planned_event, ride_through_h
from edge.energy.plan_grounds import Forecast, grounds, slot_of
from edge.energy.settings_desk import SettingsDesk, Version
from edge.energy.snapshot import SnapshotMaker
from edge.energy.store import EnergyStoreError
from edge.journal import Journal, JournalError
from edge.ports import Clock

log = structlog.get_logger(__name__)

TELL_EVERY_S = 300.0
# Two changes in a row make one plan.
SETTLE_S = 2.0
# A forecast that is so far off for so long is a reason to plan anew.
ERROR_FRAC, ERROR_FLOOR_FRAC, ERROR_S = 0.2, 0.05, 60.0
LATE_AFTER_PERIODS = 2.0
LOOK_S = 1.0

MakePlan = Callable[[PlanInput, Plan | None], Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningParts:
    """What planning works with."""

    site: SiteSpec
    settings: SettingsDesk
    history: History
    forecast: Forecast
    make_plan: MakePlan
    journal: Journal
    clock: Clock
    thread: ThreadPoolExecutor


@dataclass(slots=True)
class PlanningDesk:
    """`run` plans until cancelled; the cycle calls `see` and `inform` and reads `curves`. Nothing of it ever waits."""

    parts: PlanningParts
    plan: Plan | None = None
    ride_through_h: float | None = None
    made: int = 0
    failed: int = 0
    kernels_ready: bool = False
    _seen: tuple[SiteNow, Second] | None = None
    _reason: str = "start"
    _reason_at_s: float = -1e9
    _planned_s: float | None = None
    _started_s: float = field(init=False)
    _told_s: float = -1e9
    _told_ground: tuple[str, int] = ("", -1)
    _wrong_since_s: float | None = None

    def __post_init__(self) -> None:
        self._started_s = self.parts.clock.monotonic()
        self.parts.settings.on_change(self._settings_changed)

    # ------------------------------------------------------------------------------------------------ for the cycle

    @property
    def curves(self) -> Mapping[str, ValueCurve]:
        """What stored energy is worth now; empty before the first plan."""
        return {} if self.plan is None else self.plan.curves

    @property
    def late_s(self) -> float | None:
        """By how much the plan is overdue; None while it is not."""
        since_s = self._started_s if self._planned_s is None else self._planned_s
        allowed_s = LATE_AFTER_PERIODS * self.parts.settings.current.settings.plan_period_s
        over_s = self.parts.clock.monotonic() - since_s - allowed_s
        return over_s if over_s > 0 else None

    def see(self, picture: SiteNow, now: FieldNow, second: Second) -> None:
        """The newest picture; what changes the grounds of the plan asks for a new one."""
        before, self._seen = self._seen, (picture, second)
        if before is None:
            return
        if before[1].mode != second.mode:
            self._ask("mode")
        if {one.id for one in picture.evs} - {one.id for one in before[0].evs}:
            self._ask("ev_plugged_in")
        if self._forecast_is_wrong(second):
            self._ask("forecast_error")

    def inform(self, maker: SnapshotMaker) -> None:
        """Hand what the forecast and the month know to the next picture."""
        now = self.parts.clock.now()
        maker.peak_so_far_kw = self.parts.history.peak_kw(now=now)
        rated_kw = sum(one.rated_ac_kw for one in self.parts.site.pvs)
        maker.ev_worth_per_kwh = {} if self.plan is None else self.plan.ev_worth_per_kwh
        at = self._slot(now)
        if self.plan is not None and at is not None and rated_kw:
            maker.expected_pv_frac = float(self.plan.pv_kw.mid[at]) / rated_kw

    def _slot(self, now: datetime) -> int | None:
        return None if self.plan is None else slot_of(self.plan, now)

    def _forecast_is_wrong(self, second: Second) -> bool:
        """Whether load or PV has been far from the forecast for a while, since the last plan."""
        at = self._slot(self.parts.clock.now())
        if self.plan is None or at is None:
            return False
        expected = {"load": float(self.plan.load_kw.mid[at]), "pv": float(self.plan.pv_kw.mid[at])}
        floor_kw = ERROR_FLOOR_FRAC * max(self.parts.site.grid.import_max_kw, 1.0)
        wrong = any(
            name in second.kw and abs(second.kw[name] - kw) > max(ERROR_FRAC * abs(kw), floor_kw)
            for name, kw in expected.items()
        )
        now_s = self.parts.clock.monotonic()
        if not wrong:
            self._wrong_since_s = None
        elif self._wrong_since_s is None:
            self._wrong_since_s = now_s
        elif now_s - self._wrong_since_s >= ERROR_S:
            self._wrong_since_s = None
            return True
        return False

    def kernels_are_ready(self) -> None:
        """The compiled kernels serve from now on: what the plain ones could not solve is planned anew."""
        self.kernels_ready = True
        self._ask("kernels")

    def _settings_changed(self, _: Version) -> None:
        self._ask("settings")

    def _ask(self, reason: str) -> None:
        if not self._reason:
            self._reason_at_s = self.parts.clock.monotonic()
        self._reason = self._reason or reason

    # ------------------------------------------------------------------------------------------------------ planning

    async def run(self) -> None:
        """Look every second whether a plan is due."""
        while True:
            if self.due():
                await self.make()
            await self.parts.clock.sleep(LOOK_S)

    def due(self) -> bool:
        """Whether it is time for a plan: by the period, or because something changed and has settled."""
        now_s = self.parts.clock.monotonic()
        if self._seen is None:
            return False
        if self._reason:
            return now_s - self._reason_at_s >= SETTLE_S
        period_s = self.parts.settings.current.settings.plan_period_s
        return self._planned_s is None or now_s - self._planned_s >= period_s

    async def make(self) -> Plan | None:
        """Make one plan and put it in force. None where the past could not be read."""
        assert self._seen is not None, "a plan needs a picture"
        parts, (picture, second) = self.parts, self._seen
        now, reason, self._reason = parts.clock.now(), self._reason or "period", ""
        version, previous = parts.settings.current, self.plan
        self.failed += 1  # until it is made
        try:
            await parts.history.refresh(now=now)
        except EnergyStoreError as error:
            log.warning("the forecast has no past", why=str(error))

        def work() -> tuple[Plan, float | None]:
            given = grounds(parts.site, parts.history, parts.forecast, picture, second, version, now)
            began_s = parts.clock.monotonic()
            plan = parts.make_plan(given, previous)
            made_ms = 1000.0 * (parts.clock.monotonic() - began_s)
            return replace(plan, made_ms=made_ms), ride_through_h(parts.site, picture, given)

        plan, hours = await asyncio.get_running_loop().run_in_executor(parts.thread, work)
        self.plan, self.ride_through_h = plan, hours
        self.made, self.failed = self.made + 1, self.failed - 1
        self._planned_s = parts.clock.monotonic()
        log.debug("plan made", reason=reason, rung=plan.rung.value, ms=round(plan.made_ms, 1))
        await self._tell(plan, hours)
        return plan

    async def _tell(self, plan: Plan, hours: float | None) -> None:
        """At most every five minutes, unless the rung or the settings changed."""
        now_s, ground = self.parts.clock.monotonic(), (plan.rung.value, plan.settings_version)
        if now_s - self._told_s < TELL_EVERY_S and ground == self._told_ground:
            return
        try:
            await self.parts.journal.append(planned_event(plan, hours))
        except JournalError as error:
            log.warning("plan not journalled", why=str(error))
            return
        self._told_s, self._told_ground = now_s, ground
