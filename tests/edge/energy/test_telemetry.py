"""Seconds, means and energies: balanced, told once, and the same over any restart."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from control.energy.dispatch_types import Commands, Dispatch
from edge.energy.means import Period, Second, begins, second_of
from edge.energy.store import EnergyStore, EnergyStoreError


def second(at_s: float, **kw: float) -> Second:
    return Second(at_s=at_s, dt_s=1.0, mode="grid_tied", binding="none", settings_version=1, kw=kw)


def test_a_period_has_means_energies_and_how_much_was_known() -> None:
    period = Period(10, 0)
    for at in range(5):
        period.add(second(at, pv=360.0, load=720.0, storage=-36.0, grid=396.0))
    for at in range(5, 8):
        period.add(second(at, pv=360.0, grid=-72.0))
    sample = period.sample("t")
    assert sample.kw == pytest.approx({"pv": 360.0, "load": 720.0, "storage": -36.0, "grid": (5 * 396 - 3 * 72) / 8})
    assert sample.kwh["pv"] == pytest.approx(0.8)
    assert sample.kwh["imported"] == pytest.approx(0.55)
    assert sample.kwh["exported"] == pytest.approx(0.06)
    assert (sample.kwh["charged"], sample.kwh["discharged"]) == (pytest.approx(0.05), 0.0)
    assert sample.good_frac == 0.5
    assert sample.peak_import_kw == 396.0


def test_a_second_survives_the_file() -> None:
    one = replace(second(7.25, pv=1.5, grid=-2.25), soc_frac=0.5, frequency_hz=49.98)
    assert second_of(7.25, one.body()) == one


@pytest.mark.parametrize(("at_s", "period_s", "expected"), [(1234.9, 10, 1230), (899.99, 900, 0), (900.0, 900, 900)])
def test_periods_begin_on_the_clock(at_s: float, period_s: int, expected: int) -> None:
    assert begins(at_s, period_s) == expected


async def test_flows_balance_and_are_told_every_ten_seconds(open_bench) -> None:
    async with open_bench() as bench:
        bench.plant.sun_kw = 100.0
        await bench.run(35)
        told = await bench.told("energy_sample")
    tens = [row for row in told if row["period_s"] == 10]
    assert len(tens) == 3
    kw = tens[-1]["kw"]
    assert kw["pv"] == 200.0
    assert kw["load"] == pytest.approx(380.0, abs=0.05)
    assert kw["grid"] == pytest.approx(180.0, abs=0.05)
    assert tens[-1]["devices"]["pumps"] == {
        "kind": "load",
        "name": "pumps",
        "name_en": "",
        "tier": 3,
        "quality": "good",
        "kw": 80.0,
        "on": True,
    }
    [minute] = [row for row in told if row["period_s"] == 60]
    assert minute["devices"]["pv1"]["strings"] == {"s1": {"kw": 100.0}}
    assert "strings" not in tens[-1]["devices"]["pv1"]


async def test_what_is_not_known_is_absent_and_what_follows_is_not(open_bench) -> None:
    async with open_bench() as bench:
        bench.plant.sun_kw = 100.0
        bench.plant.silent = {"pv2"}
        await bench.run(15)
        first = bench.cycle.published.second.kw
        bench.plant.silent = {"pv2", "b1"}
        await bench.run(5)
        second_kw = bench.cycle.published.second.kw
    assert first["pv"] == pytest.approx(200.0, abs=0.05), "it follows from the feeders' own meters"
    assert "storage" not in second_kw
    assert "pv" not in second_kw, "two unknown flows follow from nothing"
    assert second_kw["load"] == 380.0


async def test_seconds_are_told_around_what_matters_only(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(30)
        assert not [row for row in await bench.told("energy_sample") if row["period_s"] == 1]
        bench.plant.silent = {"b1"}
        await bench.run(60)
        ones = [row for row in await bench.told("energy_sample") if row["period_s"] == 1]
    assert 25 <= len(ones) <= 40
    assert len({row["at"] for row in ones}) == len(ones)


@pytest.mark.parametrize("killed_after", [1, 60, 61, 905])
async def test_no_energy_counts_twice_over_a_restart(open_bench, killed_after: int) -> None:
    async with open_bench() as bench:
        await bench.run(killed_after)
    async with open_bench() as bench:
        await bench.run(1000 - killed_after)
        told = await bench.told("energy_sample")
        bench.clock.elapsed_s += 1000
        await bench.run(1)
        told = await bench.told("energy_sample")
    for period_s in (10, 60, 900):
        rows = [row for row in told if row["period_s"] == period_s]
        assert len({row["at"] for row in rows}) == len(rows), period_s
        # One second begins each run: what happened before it was not measured.
        total = sum(row["kwh"]["imported"] for row in rows)
        assert total == pytest.approx(998 * 380 / 3600, abs=0.01), period_s


async def test_a_period_that_was_told_but_not_kept_is_not_told_again(open_bench, tmp_path) -> None:
    """Power cut: the journal has the last means, the file of samples has lost its last seconds."""
    async with open_bench() as bench:
        await bench.run(65)
    with sqlite3.connect(tmp_path / "energy.db") as db:
        db.execute("DELETE FROM samples WHERE number > 30")
    db.close()
    async with open_bench() as bench:
        await bench.run(30)
        rows = [row["at"] for row in await bench.told("energy_sample") if row["period_s"] == 10]
    assert len(set(rows)) == len(rows)


async def test_a_clock_that_leaps_back_loses_no_energy_and_one_that_leaps_ahead_makes_none(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(100)
        bench.clock.leap_s = -600.0
        await bench.run(100)
        bench.clock.leap_s = 7200.0
        await bench.run(100)
        bench.clock.leap_s = 20000.0
        await bench.run(1)
        rows = [row for row in await bench.told("energy_sample") if row["period_s"] == 10]
    assert sum(row["kwh"]["imported"] for row in rows) == pytest.approx(300 * 380 / 3600, abs=0.15)
    assert len({row["at"] for row in rows}) == len(rows)


async def test_a_broken_journal_is_told_later_and_a_broken_file_stops_nothing(open_bench) -> None:
    async with open_bench() as bench:
        bench.journal.refuses = True
        await bench.run(25)
        bench.journal.refuses = False
        await bench.run(1)
        assert [row["period_s"] for row in await bench.told("energy_sample")] == [10, 10, 60]

        async def full(*_: object, **__: object) -> None:
            raise EnergyStoreError("the disk is full")

        whole, bench.store.add = bench.store.add, full
        await bench.run(20)
        bench.store.add = whole
        await bench.run(20)
        rows = [row for row in await bench.told("energy_sample") if row["period_s"] == 10]
    assert len(rows) == 6
    assert sum(row["kwh"]["imported"] for row in rows) == pytest.approx(58 * 380 / 3600, abs=0.01)


async def test_what_was_shed_counts_as_unserved(open_bench) -> None:
    def decide(now, state, **_):
        commands = Commands(storage_kw={}, pv_limit_kw={}, ev_limit_kw={}, load_on={"pumps": False})
        return Dispatch(commands=commands, state=state, binding="import_max")

    async with open_bench(decide=decide) as bench:
        await bench.run(30)
        kw = bench.cycle.published.second.kw
    assert kw["shed"] == 80.0
    assert kw["load"] == pytest.approx(300.0, abs=0.05)


async def test_charging_sessions_begin_and_end_once(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        bench.plant.plugged, bench.plant.session, bench.plant.ev_kw = True, "tx-1", 40.0
        await bench.run(400)
    async with open_bench(plant=bench.plant) as bench:
        bench.plant.ev_kw = -20.0
        await bench.run(180)
        bench.plant.plugged, bench.plant.session, bench.plant.ev_kw = False, "", 0.0
        await bench.run(2)
        told = await bench.told("charging_session")
    assert [row["phase"] for row in told] == ["started", "updated", "updated", "ended"]
    assert told[-1]["fed_back_kwh"] == pytest.approx(1.0, abs=0.02)


async def test_old_samples_are_forgotten_by_rule(tmp_path) -> None:
    async with EnergyStore.open(tmp_path / "energy.db") as store:
        for at_s in range(100):
            await store.add(at_s=at_s, body={})
            await store.add_mean(period_s=60, at_s=60 * at_s, body={})
        await store.prune(now_s=100, keep_s={1: 10})
        await store.prune(now_s=6000, keep_s={60: 600})
        assert len(await store.samples(from_s=0)) == 10
        assert len(await store.means(period_s=60, from_s=0)) == 10


async def test_a_damaged_file_is_set_aside(tmp_path) -> None:
    (tmp_path / "energy.db").write_bytes(b"no database at all, but long enough to be read as one" * 20)
    async with EnergyStore.open(tmp_path / "energy.db") as store:
        assert await store.samples(from_s=0) == []
    assert (tmp_path / "energy.db.damaged").exists()
