"""Stays at the chargers: kept without a person, over restarts and broken files, and turned into expected power."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from control.energy.plan import Band
from control.energy.settings import EnergySettings
from edge.energy.history import SLOT_S, History
from edge.energy.plan_grounds import Outlook, grounds
from edge.energy.settings_desk import Version
from edge.energy.stays import STAYS_FROM_NOTE
from edge.energy.store import STAYS_KEPT, EnergyStore, EnergyStoreError

NOW = datetime(2026, 11, 21, 4, 7, 30, tzinfo=UTC)
SLOTS = 144


class Flat:
    """A forecast of 300 kW with a band of 30 kW, in two scenarios."""

    def __call__(self, past, *, starts_at, slots, load_now_kw, pv_now_kw) -> Outlook:
        even, none = np.full(slots, 300.0), np.zeros(slots)
        return Outlook(
            load=Band(even - 30.0, even, even + 30.0),
            pv=Band(none, none, none),
            pv_scenarios=np.zeros((2, slots)),
            load_scenarios=np.full((2, slots), 300.0),
            weights=np.ones(2),
        )


async def asked(bench, now: datetime = NOW):
    """The planner's question from what the bench measured last and the stays in its store."""
    history = History(bench.store, "Asia/Shanghai")
    await history.refresh(now=now)
    published = bench.cycle.published
    version = Version(0, EnergySettings())
    return grounds(bench.cycle.parts.site, history, Flat(), published.picture, published.second, version, now)


async def remember(store: EnergyStore, days: int, *, hour: int = 9, kwh: float = 30.0, now: datetime = NOW) -> None:
    """Quarter hours of `days` days, and on each a stay of two hours from that local hour on."""
    first_s = now.timestamp() // SLOT_S * SLOT_S - days * 86_400
    await store.put_note(STAYS_FROM_NOTE, {"at_s": first_s})
    body = {"kw": {"load": 300.0, "pv": 0.0}, "kwh": {}, "good": 1.0, "peak": 0.0, "soc": None, "mode": "grid_tied"}
    for at_s in range(int(first_s), int(now.timestamp()), 7200):
        await store.add_mean(period_s=SLOT_S, at_s=at_s, body=body)
    for day in range(days):
        at = (now - timedelta(days=day + 1)).replace(hour=hour - 8, minute=30).timestamp()
        await store.begin_stay(charger="cp1", session=str(day), arrived_s=at)
        await store.end_stay(charger="cp1", session=str(day), left_s=at + 7200, energy_kwh=kwh)


async def test_a_stay_is_kept_over_a_restart_with_nothing_that_names_anybody(open_bench, tmp_path) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        bench.plant.plugged, bench.plant.session, bench.plant.ev_kw = True, "tx-1", 40.0
        await bench.run(100)
        assert await bench.store.stays(from_s=0) == []
    async with open_bench(plant=bench.plant) as again:
        await again.run(80)
        again.plant.plugged, again.plant.session, again.plant.ev_kw = False, "", 0.0
        await again.run(2)
        [(arrived_s, left_s, energy_kwh)] = await again.store.stays(from_s=0)
        assert left_s - arrived_s == pytest.approx(180, abs=3)
        assert energy_kwh == 5.0
    with sqlite3.connect(tmp_path / "energy.db") as db:
        [row] = db.execute("SELECT charger, session FROM stays").fetchall()
    assert row == ("cp1", "")


async def test_told_twice_is_one_stay_and_one_without_a_beginning_is_none(tmp_path) -> None:
    async with EnergyStore.open(tmp_path / "energy.db") as store:
        for _ in range(2):
            await store.begin_stay(charger="a", session="1", arrived_s=100.0)
        for left_s in (200.0, 300.0):
            await store.end_stay(charger="a", session="1", left_s=left_s, energy_kwh=7.0)
        await store.end_stay(charger="a", session="2", left_s=400.0, energy_kwh=7.0)
        await store.begin_stay(charger="a", session="3", arrived_s=500.0)
        await store.begin_stay(charger="a", session="4", arrived_s=600.0)
        await store.end_stay(charger="a", session="3", left_s=650.0, energy_kwh=7.0)
        assert await store.stays(from_s=0) == [(100.0, 200.0, 7.0)]


async def test_old_stays_are_forgotten_but_not_by_a_clock_that_leapt(tmp_path) -> None:
    count = STAYS_KEPT + 10
    async with EnergyStore.open(tmp_path / "energy.db") as store:
        row = [("a", "", float(at), at + 1.0, 1.0) for at in range(count)]
        insert = "INSERT INTO stays (charger, session, arrived_s, left_s, energy_kwh) VALUES (?, ?, ?, ?, ?)"
        await store._do(lambda db: db.executemany(insert, row))
        await store.prune_stays(older_s=5.0)
        assert len(await store.stays(from_s=0)) == count - 5
        await store.prune_stays(older_s=1e12)
        assert len(await store.stays(from_s=0)) == STAYS_KEPT


async def test_who_is_expected_is_added_to_the_load_once_and_told_apart(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(1)
        await remember(bench.store, 28)
        given = await asked(bench)
    vehicles = given.load.mid - given.site_load.mid
    local_h = (12 + np.arange(SLOTS) / 4) % 24
    nine = (local_h >= 9) & (local_h < 10)
    assert vehicles.min() >= 0.0
    assert vehicles[nine].mean() > 5 * vehicles[(local_h >= 15) & (local_h < 22)].mean()
    # About one stay of 30 kWh on the one morning ahead.
    assert vehicles[(local_h >= 8) & (local_h < 12)].sum() / 4 == pytest.approx(30.0, rel=0.25)
    assert given.load.high[nine].min() > 330.0 + vehicles[nine].min()
    assert (given.load.low <= given.load.mid).all()
    assert np.allclose(given.load_scenarios, 300.0 + vehicles)


async def test_who_came_in_this_quarter_of_an_hour_is_not_expected_again(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(1)
        await remember(bench.store, 28, hour=12)
        early = await asked(bench, NOW.replace(minute=0, second=0))
        late = await asked(bench, NOW.replace(minute=14, second=59))
    power = [(one.load.mid - one.site_load.mid)[0] for one in (early, late)]
    assert power[1] < 0.01 * power[0]


async def test_with_no_past_a_usual_day_is_expected(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(1)
        given = await asked(bench, bench.clock.now())
    vehicles = given.load.mid - given.site_load.mid
    local_h = (12 + np.arange(SLOTS) / 4) % 24
    assert vehicles[(local_h >= 8) & (local_h < 22)].min() > 0.0
    assert vehicles[(local_h >= 0) & (local_h < 6)].max() == 0.0
    # One vehicle a day and charger, of 21 kWh.
    assert vehicles[:96].sum() / 4 == pytest.approx(21.3, rel=0.1)


@pytest.mark.parametrize("leap", [timedelta(days=-4000), timedelta(days=-20), timedelta(days=400)])
async def test_a_clock_that_leapt_makes_no_nonsense(open_bench, leap) -> None:
    async with open_bench() as bench:
        await bench.run(1)
        await remember(bench.store, 28)
        at = (NOW - timedelta(days=3)).timestamp()
        for session, left_s in (("back", at - 5e6), ("ahead", at + 5e8)):
            await bench.store.begin_stay(charger="cp1", session=session, arrived_s=at)
            await bench.store.end_stay(charger="cp1", session=session, left_s=left_s, energy_kwh=1e6)
        given = await asked(bench, NOW + leap)
    vehicles = given.load.mid - given.site_load.mid
    assert np.isfinite(given.load.high).all()
    assert 0.0 <= vehicles.min() <= vehicles.max() <= 60.0


async def test_a_broken_file_stops_no_plan_and_loses_no_stay_that_it_had(open_bench, tmp_path) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        bench.plant.plugged, bench.plant.session = True, "tx-1"
        await bench.run(30)
        real, bench.store._do = bench.store._do, _broken
        bench.plant.plugged, bench.plant.session = False, ""
        await bench.run(5)
        bench.store._do = real
        await bench.run(1)
        assert len(await bench.store.stays(from_s=0)) == 1
    with ThreadPoolExecutor(1) as thread:
        damaged = EnergyStore(sqlite3.connect(":memory:", check_same_thread=False), thread)
        with pytest.raises(EnergyStoreError):
            await History(damaged, "Asia/Shanghai").refresh(now=NOW)


async def _broken(_action):
    raise EnergyStoreError("the disk is full")
