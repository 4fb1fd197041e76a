"""Replaying a past year under other settings: owns the worker, which year is taken, and the figures of the comparison.

The year is our own where at least 330 days of quarter hours are stored, else the simulated reference year; the result
says which. The kernels run in a thread and let go of the interpreter; one replay a person, one at a time a process.
What was just compared is kept: a page that is opened again, an export and a dialog ask the same thing.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from cloud_sync.server.energy_flow import known
from cloud_sync.server.problems import Problem
from cloud_sync.server.records_whatif import Figure, Limit, MonthPair, WhatIfResult, YearSource
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from control.energy.kernels import warm_all
from control.energy.reference_year import reference_year
from control.energy.scenario import Scenario
from control.energy.settings import EnergySettings
from control.energy.site import StorageSpec
from control.energy.whatif import WhatIf, YearResult, what_if

log = structlog.get_logger()

STEP_S = 900
STEPS_A_DAY = 86400 // STEP_S
DAYS_MIN = 330
DAYS_MAX = 365
TIMEOUT_S = 30.0
WARM_TIMEOUT_S = 300.0
WARM_AFTER_S = 5.0
WAITING_MAX = 3  # requests of one person that wait for the one that runs
RESULTS_KEPT = 32
CRITICAL_FRAC = 0.6  # share of the load that must be carried when the grid is gone, as in the reference year

Floats = npt.NDArray[np.float64]
Replay = Callable[[Scenario, EnergySettings, EnergySettings], WhatIf]
YearKey = tuple[str, str]  # gateway and local day: a year ends with the day before


@dataclass(frozen=True, slots=True)
class Year:
    """A scenario with where it is from."""

    scenario: Scenario
    source: YearSource


class WhatIfDesk:
    """One a process. `warm` compiles the kernels once; `compare` answers with figures. Raises Problem."""

    def __init__(
        self, *, replay: Replay = what_if, warm_kernels: Callable[[], float] = warm_all, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._replay, self._warm_kernels, self._timeout_s = replay, warm_kernels, timeout_s
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="whatif")
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()
        self._warmed: asyncio.Future[float] | None = None
        self._years: dict[YearKey, Year] = {}
        self._results: dict[tuple[YearKey, EnergySettings, EnergySettings], WhatIfResult] = {}

    async def run(self) -> None:
        """Warms soon after the start, so that the first person need not wait; then there is nothing more to do."""
        await asyncio.sleep(WARM_AFTER_S)
        await self.warm()
        # The compiler stays; a full collection that looks at it would stop every request for a tenth of a second.
        gc.collect()
        gc.freeze()
        await asyncio.Event().wait()

    async def warm(self) -> None:
        """Compiles (or loads) every kernel, off the loop; those that ask meanwhile wait for it."""
        if self._warmed is None:
            self._warmed = asyncio.get_running_loop().run_in_executor(self._pool, self._warm_kernels)
        async with asyncio.timeout(WARM_TIMEOUT_S):
            seconds = await asyncio.shield(self._warmed)
        log.debug("whatif_warm", seconds=round(seconds, 1))

    async def compare(
        self, given: Services, gateway_id: str, username: str, now: EnergySettings, draft: EnergySettings
    ) -> WhatIfResult:
        """Both settings over one year. Raises Problem `whatif_busy` or `whatif_slow`."""
        await self.warm()
        key = (gateway_id, f"{given.today_from():%Y-%m-%d}")
        year = await self._year(given, key)
        asked = (key, now, draft)
        if asked in self._results:
            return self._results[asked]
        turn = await self._turn(username)
        if asked in self._results:
            turn.release()
            return self._results[asked]
        job = asyncio.get_running_loop().run_in_executor(self._pool, self._compared, year, now, draft)
        # The thread cannot be stopped: the person's turn ends with it, not with our patience.
        job.add_done_callback(lambda done: self._finished(turn, asked, done))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(job)
        except TimeoutError as error:
            raise Problem("whatif_slow", retry_after_s=5) from error

    async def _turn(self, username: str) -> asyncio.Lock:
        """The person's turn, taken; a few requests wait for the one before. Raises Problem `whatif_busy`."""
        if self._waiting[username] >= WAITING_MAX:
            raise Problem("whatif_busy", retry_after_s=1)
        turn = self._turns.setdefault(username, asyncio.Lock())
        self._waiting[username] += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                await turn.acquire()
        except TimeoutError as error:
            raise Problem("whatif_busy", retry_after_s=1) from error
        finally:
            self._waiting[username] -= 1
        return turn

    def _finished(
        self,
        turn: asyncio.Lock,
        asked: tuple[YearKey, EnergySettings, EnergySettings],
        done: asyncio.Future[WhatIfResult],
    ) -> None:
        turn.release()
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            log.error("whatif_failed", error=repr(error))
            return
        self._results[asked] = done.result()
        for oldest in list(self._results)[:-RESULTS_KEPT]:
            del self._results[oldest]

    def _compared(self, year: Year, now: EnergySettings, draft: EnergySettings) -> WhatIfResult:
        began_s = time.perf_counter()
        made = self._replay(year.scenario, now, draft)
        return _result(year, made, draft, time.perf_counter() - began_s)

    async def _year(self, given: Services, key: YearKey) -> Year:
        gateway_id, day = key
        if key not in self._years:
            found = await measured_year(given.pool, gateway_id, today_from=given.today_from())
            self._years = {other: one for other, one in self._years.items() if other[1] == day}
            self._years[key] = found or await asyncio.to_thread(_reference)
        return self._years[key]

    def close(self) -> None:
        """Takes no more work; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@lru_cache(maxsize=1)
def _reference() -> Year:
    scenario = reference_year(step_s=STEP_S)
    months = scenario.month_names
    return Year(scenario, YearSource("reference", months[0], months[-1], scenario.steps // STEPS_A_DAY, 0.0))


# ---------------------------------------------------------------- our own year


async def measured_year(db: Reader, gateway_id: str, *, today_from: datetime) -> Year | None:
    """The last 365 whole days from stored quarter hours; None where fewer than 330 are there."""
    since = today_from - timedelta(days=DAYS_MAX)
    rows = await db.fetch(
        "SELECT at, pv_kw, load_kw, ev_kw, storage_kw, curtailed_kw, mode FROM energy_samples"
        " WHERE gateway_id = $1 AND period_s = 900 AND at >= $2 AND at < $3 AND load_kw IS NOT NULL"
        " AND pv_kw IS NOT NULL ORDER BY at",
        *(gateway_id, since, today_from),
    )
    steps = DAYS_MAX * STEPS_A_DAY
    if len(rows) < DAYS_MIN * STEPS_A_DAY:
        return None
    load, pv, storage = (np.full(steps, np.nan) for _ in range(3))
    up = np.ones(steps, dtype=np.bool_)
    for row in rows:
        place = int((row["at"] - since).total_seconds() // STEP_S)
        load[place] = row["load_kw"] + max(row["ev_kw"] or 0.0, 0.0)
        pv[place] = row["pv_kw"] + (row["curtailed_kw"] or 0.0)
        storage[place] = row["storage_kw"] or 0.0
        up[place] = row["mode"] not in ("islanded", "islanding", "black_start")
    spec = await _storage(db, gateway_id, storage)
    if spec is None:
        return None
    filled = float(np.mean(np.isnan(load)))
    start = np.datetime64(since.replace(tzinfo=None), "s")
    zeros = np.zeros(steps)
    scenario = Scenario(
        name=gateway_id,
        at0=since,
        step_s=float(STEP_S),
        local=start + np.arange(steps) * np.timedelta64(STEP_S, "s"),
        load_kw=_whole(load),
        pv_kw=_whole(pv),
        import_price=zeros,
        export_price=zeros,
        co2_kg_per_kwh=zeros,
        grid_up=up,
        storage=spec,
        soc_initial_frac=0.5,
        wear_cost_per_kwh=0.0,
        import_max_kw=0.0,
        export_max_kw=0.0,
        critical_frac=CRITICAL_FRAC,
    )
    months = scenario.month_names
    return Year(scenario, YearSource("measured", months[0], months[-1], DAYS_MAX, filled))


def _whole(values: Floats) -> Floats:
    """Missing quarter hours from the same time of the nearest day that has one."""
    by_day = values.reshape(-1, STEPS_A_DAY)
    for column in by_day.T:
        there = np.flatnonzero(~np.isnan(column))
        if len(there):
            nearest = there[np.abs(there[:, None] - np.arange(len(column))).argmin(axis=0)]
            column[:] = column[nearest]
    return np.nan_to_num(values)


async def _storage(db: Reader, gateway_id: str, power_kw: Floats) -> StorageSpec | None:
    """All storages as one; powers as the devices tell them, else the highest that were seen."""
    row = await db.fetchrow("SELECT body -> 'devices' AS devices FROM energy_state WHERE gateway_id = $1", gateway_id)
    devices: dict[str, Any] = as_json(row["devices"]) if row else {}
    found = [one for one in devices.values() if isinstance(one, dict) and one.get("kind") == "storage"]
    capacity = sum(known(one.get("capacity_kwh")) or 0.0 for one in found)
    if capacity <= 0:
        return None
    charge = sum(known(one.get("charge_max_kw")) or 0.0 for one in found)
    discharge = sum(known(one.get("discharge_max_kw")) or 0.0 for one in found)
    return StorageSpec(
        id="storage",
        capacity_kwh=capacity,
        charge_max_kw=charge or max(1.0, -float(np.nanmin(power_kw))),
        discharge_max_kw=discharge or max(1.0, float(np.nanmax(power_kw))),
    )


# ---------------------------------------------------------------- figures


def _result(year: Year, made: WhatIf, draft: EnergySettings, seconds: float) -> WhatIfResult:
    now_t, draft_t = made.now.replay.carbon_kg / 1000, made.draft.replay.carbon_kg / 1000
    dearer = made.draft.bill - made.now.bill
    avoided = now_t - draft_t
    months = zip(made.now.replay.monthly, made.draft.replay.monthly, strict=True)
    return WhatIfResult(
        source=year.source,
        steps=year.scenario.steps,
        seconds=seconds,
        figures=_figures(made),
        months=tuple(MonthPair(a.month, a.carbon_kg / 1000, b.carbon_kg / 1000) for a, b in months),
        limits=_limits(made.draft, draft),
        yuan_per_t=dearer / avoided if avoided > 0.05 and dearer > 0 else None,
    )


def _figures(made: WhatIf) -> tuple[Figure, ...]:
    now, draft = made.now, made.draft
    rows: tuple[tuple[str, str, Callable[[YearResult], float], int, int], ...] = (
        ("bill", "10k_yuan", lambda one: one.bill / 10_000, -1, 1),
        ("carbon", "tCO2e", lambda one: one.replay.carbon_kg / 1000, -1, 0),
        ("peak", "kW", lambda one: one.replay.peak_import_kw, -1, 0),
        ("cycles", "times", lambda one: one.replay.cycles, -1, 0),
        ("own", "%", lambda one: one.replay.self_sufficiency_frac * 100, 1, 1),
        ("ride", "h", lambda one: one.ride_through_h_worst, 1, 1),
    )
    return tuple(
        Figure(key, unit, value(now), value(draft), better, digits) for key, unit, value, better, digits in rows
    )


def _limits(year: YearResult, draft: EnergySettings) -> tuple[Limit, ...]:
    """The hard ones; load that an outage leaves out is no limit of the settings, and the import target is a wish."""
    return (
        Limit("import", year.limits_kept, draft.import_max_kw),
        Limit("export", year.replay.peak_export_kw <= draft.export_max_kw + 1e-6, draft.export_max_kw),
        Limit("ride", year.ride_through_h_worst + 1e-9 >= draft.ride_through_h, draft.ride_through_h),
    )
