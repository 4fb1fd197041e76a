"""What disks, clocks and devices do to a running microgrid, and that the next second comes all the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_sync.contract.v1_energy_down import EnergySettingsOrder, EnergyTakeover, TakeoverMode, seal_takeover
from control.domain.energy import GridMode
from control.energy.dispatch_types import Commands, Dispatch
from control.energy.settings import EnergySettings, settings_json
from edge.energy import takeover as takeovers
from edge.energy.history import SLOT_S, History
from edge.energy.store import EnergyStore


def commands(**given) -> Commands:
    return Commands(**({"storage_kw": {}, "pv_limit_kw": {}, "ev_limit_kw": {}, "load_on": {}} | given))


def opened(now, state, **_) -> Dispatch:
    """Wants the breaker open, whatever is so."""
    return Dispatch(commands=commands(breaker_closed=False), state=state, binding="none")


def from_black(now, state, **_) -> Dispatch:
    """Wants the storage to make the bus."""
    given = commands(storage_kw={"b1": 0.0}, breaker_closed=False, grid_forming="b1")
    return Dispatch(commands=given, state=replace(state, mode=GridMode.BLACK_START), binding="black_start")


# -------------------------------------------------------------------------------------------------- breaker and bus


async def test_a_breaker_that_does_not_follow_is_one_alarm(open_bench) -> None:
    async with open_bench(decide=opened) as bench:

        async def says_yes_and_stays() -> None: ...

        bench.cycle.parts.actor.devices.breaker.open = says_yes_and_stays
        await bench.run(10)
        assert await bench.told("energy_alarm_raised") == []
        await bench.run(30)
        [raised] = await bench.told("energy_alarm_raised")
        bench.plant.closed = False
        await bench.run(12)
        [cleared] = await bench.told("energy_alarm_cleared")
    assert (raised["code"], raised["device"]) == ("breaker_not_following", "breaker")
    assert (raised["severity"], raised["evidence"]) == ("critical", {"wanted": "open"})
    assert cleared["alarm_id"] == raised["alarm_id"]


async def test_the_storage_that_makes_the_bus_is_started_on_a_dead_one_only(open_bench) -> None:
    async with open_bench(decide=from_black) as bench:
        await bench.run(3)
        assert bench.plant.starts == 0, "it runs already"
        bench.plant.bus_live = False
        await bench.run(5)
        assert bench.plant.starts == 1, "a converter takes some seconds"
        await bench.run(5)
        assert bench.plant.starts == 2
        bench.plant.bus_live = True
        await bench.run(20)
    assert bench.plant.starts == 2


async def test_nothing_is_started_onto_a_closed_or_a_silent_breaker(open_bench) -> None:
    def closed(now, state, **_) -> Dispatch:
        found = from_black(now, state)
        return replace(found, commands=replace(found.commands, breaker_closed=None))

    async with open_bench(decide=closed) as bench:
        bench.plant.bus_live = False
        await bench.run(10)
        bench.plant.closed = False
        bench.plant.silent = {"breaker"}
        await bench.run(10)
    assert bench.plant.starts == 0


async def test_a_dead_bus_is_believed_where_no_device_says_otherwise(open_bench) -> None:
    async with open_bench(decide=opened) as bench:
        await bench.run(2)
        breaker = bench.cycle.parts.actor.devices.breaker
        bench.plant.bus_live = False
        await bench.run(1)
        assert bench.cycle.published.picture.bus_hz == 0.0
        reading = await breaker.read()

        async def broken_sensor():
            return reading

        bench.plant.bus_live = True
        bench.cycle.parts.field._breaker._read = broken_sensor
        await bench.run(1)
        assert bench.cycle.published.picture.bus_hz == 50.0


# -------------------------------------------------------------------------------------------------------- the disk


async def test_a_disk_that_hangs_holds_up_neither_settings_nor_cycles(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        released, append = asyncio.Event(), bench.journal.append

        async def hangs(event: object) -> object:
            await released.wait()
            return await append(event)

        bench.journal.append = hangs
        taking = asyncio.create_task(bench.settings.take(b"signed", order(bench, 4)))
        await bench.run(3)
        assert bench.settings.current.number == 4
        assert bench.cycle.published.second.settings_version == 4
        released.set()
        await taking
        await bench.run(1)
        assert [row["version"] for row in await bench.told("energy_settings_taken")] == [4]


async def test_a_store_without_room_to_open_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "energy.db").mkdir()
    async with EnergyStore.open(tmp_path / "energy.db") as store:
        await store.add(at_s=1.0, body={"kw": {}})
        assert len(await store.samples(from_s=0)) == 1


async def test_a_takeover_is_carried_out_at_once_and_answered_when_the_journal_takes_it(
    open_bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeovers, "RETRY_S", 0.01)

    class Source:
        """One order, then nothing."""

        def __init__(self, bench) -> None:
            given = takeover(bench)
            self.orders = [(given, seal_takeover(given, bench.key))]

        async def next_takeover(self):
            return self.orders.pop() if self.orders else await asyncio.Event().wait()

    async with open_bench() as bench:
        bench.journal.refuses = True
        running = asyncio.create_task(bench.takeover.run(Source(bench)))
        async with asyncio.timeout(60):
            while not bench.takeover.wish.hold:
                await asyncio.sleep(0.01)
            bench.journal.refuses = False
            while not (told := await bench.told("command_result")):
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [row["outcome"] for row in told] == ["done"]


# ------------------------------------------------------------------------------------------------------- the clock


async def test_settings_that_come_while_the_clock_has_just_leapt_wait(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        given = order(bench, 3, in_s=3600.0)
        bench.clock.leap_s = 7200.0
        await bench.run(1)
        await bench.settings.take(b"signed", given)
        assert (bench.settings.current.number, bench.settings.waiting.number) == (0, 3)
        await bench.run(30)
        assert bench.settings.current.number == 0
        await bench.run(40)
        assert bench.settings.current.number == 3, "the clock stands by it"


async def test_a_takeover_taken_up_under_a_wrong_clock_lasts_no_longer_than_it_was_given_for(open_bench) -> None:
    async with open_bench() as bench:
        given = takeover(bench)
        await bench.takeover.take(given, seal_takeover(given, bench.key))
    bench.clock.leap_s = -86_400.0
    async with open_bench() as again:
        await again.run(1)
        assert again.takeover.wish.hold
        await again.run(60)
        assert not again.takeover.wish.hold


async def test_a_clock_that_was_ahead_does_not_end_learning(open_bench) -> None:
    async with open_bench() as bench:
        history, now = History(bench.store, "Asia/Shanghai"), datetime(2026, 7, 1, tzinfo=UTC)
        await bench.store.add_mean(period_s=SLOT_S, at_s=slot(now, 400 * 96), body=mean(load=900.0, imported=9000.0))
        await bench.store.add_mean(period_s=SLOT_S, at_s=slot(now, -1), body=mean(load=100.0, imported=25.0))
        await history.refresh(now=now)
        later = now + timedelta(seconds=SLOT_S)
        await bench.store.add_mean(period_s=SLOT_S, at_s=slot(later, -1), body=mean(load=200.0, imported=50.0))
        await history.refresh(now=later)
        assert history.past(now=later).load_kw.tolist() == [100.0, 200.0]
        assert history.peak_kw(now=later) == pytest.approx(200.0)


async def test_a_quarter_that_was_counted_twice_is_no_peak(open_bench) -> None:
    async with open_bench() as bench:
        history, now = History(bench.store, "Asia/Shanghai"), datetime(2026, 7, 10, tzinfo=UTC)
        body = mean(load=300.0, imported=300.0) | {"peak": 310.0}
        await bench.store.add_mean(period_s=SLOT_S, at_s=slot(now, -1), body=body)
        await history.refresh(now=now)
        assert history.peak_kw(now=now) == 310.0


async def test_a_clock_years_ahead_deletes_no_past(tmp_path: Path) -> None:
    async with EnergyStore.open(tmp_path / "energy.db") as store:
        for at_s in range(20):
            await store.add(at_s=at_s, body={})
            await store.add_mean(period_s=60, at_s=60 * at_s, body={})
        await store.prune(now_s=1e9, keep_s={1: 60.0, 60: 3600.0})
        assert len(await store.samples(from_s=0)) == 20
        assert len(await store.means(period_s=60, from_s=0)) == 20
        await store.prune(now_s=1e9, keep_s={1: 5.0, 60: 300.0})
        assert [at for at, _ in await store.samples(from_s=0)] == [15.0, 16.0, 17.0, 18.0, 19.0]
        assert [at / 60 for at, _ in await store.means(period_s=60, from_s=0)] == [15.0, 16.0, 17.0, 18.0, 19.0]


# -------------------------------------------------------------------------------------------------------- sessions


async def test_what_a_charger_counts_as_fed_back_is_told(open_bench) -> None:
    async with open_bench() as bench:
        chargers = bench.cycle.parts.field.devices.chargers
        read = chargers.read

        def counted():
            point = replace(read()["cp1"].energy_kwh, value=2.5)
            return {"cp1": replace(read()["cp1"], fed_back_kwh=point)}

        bench.plant.plugged, bench.plant.session, bench.plant.ev_kw = True, "cp1-1", -30.0
        await bench.run(2)
        chargers.read = counted
        await bench.run(2)
        bench.plant.session = ""
        await bench.run(1)
        told = await bench.told("charging_session")
    assert [row["phase"] for row in told] == ["started", "ended"]
    assert told[-1]["fed_back_kwh"] == 2.5


def order(bench, version: int, *, in_s: float = 0.0) -> EnergySettingsOrder:
    now = bench.clock.now()
    return EnergySettingsOrder(
        gateway="gw-energy",
        version=version,
        settings=settings_json(EnergySettings()),
        effective_at=now + timedelta(seconds=in_s),
        issued_by="operator",
        issued_at=now,
        reason="test",
    )


def takeover(bench) -> EnergyTakeover:
    now = bench.clock.now()
    return EnergyTakeover(
        command_id="c1",
        gateway="gw-energy",
        mode=TakeoverMode.HOLD,
        storage_kw=None,
        issued_by="operator",
        issued_at=now,
        expires_at=now + timedelta(seconds=60),
    )


def slot(now: datetime, number: int) -> int:
    return int(now.timestamp()) // SLOT_S * SLOT_S + number * SLOT_S


def mean(*, load: float, imported: float) -> dict[str, object]:
    return {
        "kw": {"load": load, "pv": 0.0},
        "kwh": {"imported": imported},
        "soc": 0.5,
        "good": 1.0,
        "mode": "grid_tied",
    }
