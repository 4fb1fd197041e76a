"""What-if: which year is replayed, one replay a person, patience that ends, and the figures of a comparison."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest

from cloud_sync.server import energy_whatif
from cloud_sync.server.energy_whatif import WhatIfDesk, measured_year
from cloud_sync.server.problems import Problem
from control.energy import booking, whatif
from control.energy.kernels import Kernel
from control.energy.settings import EnergySettings

INSERT = (
    "INSERT INTO energy_samples (gateway_id, period_s, at, mode, pv_kw, load_kw, ev_kw, storage_kw, curtailed_kw,"
    " good_frac, binding, settings_version) SELECT 'gw-east', 900, at, 'grid_tied', 100, 300, 20, -50, 5, 1, 'idle', 1"
    " FROM generate_series($1::timestamptz, $2::timestamptz, '15 minutes') AS at"
)
STATE = (
    "INSERT INTO energy_state (gateway_id, at, received_at, body) VALUES ('gw-east', now(), now(),"
    """ '{"devices": {"lfp": {"kind": "storage", "capacity_kwh": 500}, "cp": {"kind": "charger"}}}')"""
)


def warm() -> float:
    """The kernels of a replay by rules alone: compiling all would take a test's time many times over."""
    for module in (booking, whatif):
        for one in vars(module).values():
            if isinstance(one, Kernel):
                one.warm()
    return 0.0


async def test_a_year_by_rules_gives_figures_months_and_limits(services: Any) -> None:
    desk = WhatIfDesk(replay=partial(whatif.what_if, controller="rules"), warm_kernels=warm)
    draft = EnergySettings(reserve_frac=0.5, import_max_kw=8000.0)
    try:
        made = await desk.compare(services, "gw-east", "wu", EnergySettings(import_max_kw=6000.0), draft)
    finally:
        desk.close()
    assert (made.source.kind, made.source.days, made.steps) == ("reference", 365, 35_040)
    assert [one.key for one in made.figures] == ["bill", "carbon", "peak", "cycles", "own", "ride"]
    assert sum(one.now_t for one in made.months) == pytest.approx(made.figure("carbon").now, rel=1e-6)
    assert len(made.months) == 12
    assert made.figure("peak").draft > made.figure("peak").now
    assert {one.key: one.kept for one in made.limits} == {"import": True, "export": True, "ride": False}
    assert (made.figure("ride").unit, made.figure("ride").better) == ("h", 1)


async def test_our_own_year_is_taken_when_it_is_long_enough(services: Any) -> None:
    today = services.today_from()
    await services.pool.execute(STATE)
    await services.pool.execute(INSERT, today - timedelta(days=300), today - timedelta(minutes=15))
    assert await measured_year(services.pool, "gw-east", today_from=today) is None
    await services.pool.execute(INSERT, today - timedelta(days=340), today - timedelta(days=300, minutes=15))
    year = await measured_year(services.pool, "gw-east", today_from=today)
    assert year is not None
    assert (year.source.kind, year.source.days) == ("measured", 365)
    assert year.source.filled_frac == pytest.approx(25 / 365)
    scenario = year.scenario
    assert np.all(scenario.load_kw == 320.0)
    assert np.all(scenario.pv_kw == 105.0)
    assert (scenario.storage.capacity_kwh, scenario.storage.charge_max_kw) == (500.0, 50.0)


async def test_one_replay_a_person_and_patience_ends(services: Any) -> None:
    let_go, began = threading.Event(), threading.Event()

    def slow(*_: Any) -> Any:
        began.set()
        let_go.wait(60)
        raise RuntimeError("given up")

    desk = WhatIfDesk(replay=slow, warm_kernels=lambda: 0.0, timeout_s=0.2)
    settings = EnergySettings()
    try:
        with pytest.raises(Problem, match="whatif_slow"):
            await desk.compare(services, "gw-east", "wu", settings, settings)
        assert await asyncio.to_thread(began.wait, 60)
        with pytest.raises(Problem, match="whatif_busy"):
            await desk.compare(services, "gw-east", "wu", settings, settings)
        let_go.set()
        with pytest.raises((RuntimeError, Problem)):
            await desk.compare(services, "gw-east", "li", settings, settings)
    finally:
        let_go.set()
        desk.close()


async def test_the_same_question_is_answered_from_what_is_known(services: Any) -> None:
    asked: list[float] = []

    def counted(*given: Any) -> Any:
        asked.append(given[2].ride_through_h)
        return whatif.what_if(*given, controller="rules")

    desk = WhatIfDesk(replay=counted, warm_kernels=warm)
    now, draft = EnergySettings(), EnergySettings(ride_through_h=3.0)
    try:
        first, second = await asyncio.gather(*(desk.compare(services, "gw-east", "wu", now, draft) for _ in range(2)))
        third = await desk.compare(services, "gw-east", "li", now, draft)
        other = await desk.compare(services, "gw-east", "li", now, now)
    finally:
        desk.close()
    assert asked == [3.0, 2.0]
    assert first is second is third is not other


async def test_only_a_few_requests_of_a_person_wait(services: Any) -> None:
    let_go = threading.Event()

    def slow(*_: Any) -> Any:
        let_go.wait(120)
        raise RuntimeError("given up")

    desk = WhatIfDesk(replay=slow, warm_kernels=lambda: 0.0, timeout_s=120.0)
    drafts = [EnergySettings(ride_through_h=float(hours)) for hours in range(energy_whatif.WAITING_MAX + 1)]
    try:
        asking = [
            asyncio.create_task(desk.compare(services, "gw-east", "wu", EnergySettings(), draft)) for draft in drafts
        ]
        while desk._waiting["wu"] < energy_whatif.WAITING_MAX:
            await asyncio.sleep(0.01)
        with pytest.raises(Problem, match="whatif_busy"):
            await desk.compare(services, "gw-east", "wu", EnergySettings(), EnergySettings(ride_through_h=9.0))
        let_go.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
    finally:
        let_go.set()
        desk.close()
    assert [str(one) for one in answers] == ["given up"] * len(drafts)


def test_missing_quarters_come_from_the_nearest_day() -> None:
    values = np.arange(3 * 96, dtype=np.float64)
    values[96 + 5] = np.nan
    values[96 : 2 * 96 : 7] = np.nan
    whole = energy_whatif._whole(values.copy())
    assert not np.isnan(whole).any()
    assert whole[96 + 5] in (5.0, 2 * 96 + 5)
    assert np.all(energy_whatif._whole(np.full(96, np.nan)) == 0.0)
