"""The cycle as tables of seconds on virtual time: losses, refusals, leaps, restarts, a full disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from control.domain.energy import GridMode
from control.energy.dispatch_types import Commands, Dispatch
from edge.energy.cycle import EnergyCycle
from edge.energy.field import Line
from edge.energy.state_note import state_body, state_from


def commands(**given) -> Commands:
    return Commands(**({"storage_kw": {}, "pv_limit_kw": {}, "ev_limit_kw": {}, "load_on": {}} | given))


def keep_the_coupling_at_zero(now, state, **_) -> Dispatch:
    """Storage takes what the meter shows; without a meter everything rests."""
    if now.grid_kw is None:
        given = commands(storage_kw={"b1": 0.0}, pv_limit_kw={"pv1": 0.0, "pv2": 0.0})
        return Dispatch(commands=given, state=replace(state, mode=GridMode.HOLD), binding="meter_lost")
    battery_kw = sum(one.power_kw or 0.0 for one in now.storages) + now.grid_kw
    given = commands(storage_kw={"b1": min(max(battery_kw, -400.0), 400.0)}, pv_limit_kw={"pv1": None, "pv2": None})
    return Dispatch(commands=given, state=replace(state, mode=GridMode.GRID_TIED), binding="grid_zero")


def leave_a_dead_grid(now, state, **_) -> Dispatch:
    """Opens when the grid is dead, closes when it is back."""
    off = GridMode.ISLANDED
    if now.grid_live is False:
        return Dispatch(commands=commands(breaker_closed=False), state=replace(state, mode=off), binding="grid_lost")
    if now.breaker_closed is False:
        tied = replace(state, mode=GridMode.GRID_TIED)
        return Dispatch(commands=commands(breaker_closed=True), state=tied, binding="grid_back")
    return Dispatch(commands=commands(), state=state, binding="none")


async def test_a_second_collects_decides_and_acts(open_bench) -> None:
    async with open_bench(decide=keep_the_coupling_at_zero) as bench:
        await bench.run(2)
        assert abs(bench.plant.grid_kw()) < 0.05
        bench.plant.sun_kw = 250.0
        await bench.run(1)
        assert abs(bench.plant.grid_kw()) < 0.05
        assert bench.plant.battery_kw == pytest.approx(-120, abs=0.1)


async def test_every_device_is_written_and_its_watchdog_fed_every_second(open_bench) -> None:
    async with open_bench(decide=keep_the_coupling_at_zero) as bench:
        await bench.run(5)
        assert [id_ for id_, _ in bench.plant.writes].count("b1") == 5
        assert bench.plant.beats == 10


@pytest.mark.parametrize("device", ["meter", "breaker", "b1", "pv1"])
async def test_a_lost_device_is_told_once_and_its_return_once(open_bench, device: str) -> None:
    async with open_bench() as bench:
        await bench.run(5)
        bench.plant.silent = {device}
        await bench.run(2)
        assert await bench.told("device_lost") == []
        await bench.run(30)
        [lost] = await bench.told("device_lost")
        bench.plant.silent = set()
        await bench.run(5)
        [back] = await bench.told("device_back")
    assert lost["device"] == back["device"] == device
    assert lost["lane_id"] is None
    assert back["after_s"] == pytest.approx(30, abs=1)


async def test_a_loss_is_not_told_again_by_the_next_run(open_bench) -> None:
    async with open_bench() as bench:
        bench.plant.silent = {"b1"}
        await bench.run(5)
    async with open_bench() as again:
        again.plant.silent = {"b1"}
        await again.run(10)
        assert len(await again.told("device_lost", "device_back")) == 1
        again.plant.silent = set()
        await again.run(1)
        assert [row["kind"] for row in await again.told("device_lost", "device_back")] == ["device_lost", "device_back"]


async def test_a_charger_and_a_load_have_patience(open_bench) -> None:
    async with open_bench() as bench:
        bench.plant.silent = {"cp1"}
        await bench.run(59)
        assert await bench.told("device_lost") == []
        await bench.run(5)
        assert [row["device"] for row in await bench.told("device_lost")] == ["cp1"]


async def test_without_the_meter_the_site_is_safe_within_three_seconds(open_bench) -> None:
    async with open_bench(decide=keep_the_coupling_at_zero) as bench:
        bench.plant.sun_kw = 400.0
        await bench.run(5)
        bench.plant.silent = {"meter"}
        await bench.run(3)
        assert bench.plant.battery_kw == 0.0
        assert bench.plant.limits == {"pv1": 0.0, "pv2": 0.0}
        changed = await bench.told("energy_mode_changed")
    assert [(row["before"], row["after"]) for row in changed] == [("grid_tied", "hold")]


async def test_a_device_that_was_heard_two_seconds_ago_still_counts_and_then_no_more(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        bench.plant.silent = {"b1", "pv1"}
        seen = []
        for _ in range(4):
            await bench.run(1)
            picture = bench.cycle.published.picture
            seen.append((picture.storages[0].soc_frac is not None, picture.pvs[0].usable))
    assert seen == [(True, True), (True, True), (False, False), (False, False)]


async def test_a_meter_that_stands_still_is_not_believed(open_bench) -> None:
    async with open_bench(stuck_after_s=20) as bench:
        await bench.run(30)
        assert bench.cycle.published.picture.grid_kw is not None
        bench.plant.frozen = {"meter": 380.0}
        await bench.run(22)
        assert bench.cycle.published.picture.grid_kw is None
        assert [row["code"] for row in await bench.told("energy_alarm_raised")] == ["stuck_value"]
        bench.plant.frozen = {}
        await bench.run(2)
        assert bench.cycle.published.picture.grid_kw is not None


async def test_a_refused_write_is_an_alarm_once_and_over_when_taken(open_bench) -> None:
    async with open_bench(decide=keep_the_coupling_at_zero) as bench:
        bench.plant.deaf = {"b1"}
        await bench.run(4)
        assert await bench.told("energy_alarm_raised") == []
        await bench.run(30)
        [raised] = await bench.told("energy_alarm_raised")
        bench.plant.deaf = set()
        await bench.run(5)
        assert await bench.told("energy_alarm_cleared") == []
        await bench.run(10)
        [cleared] = await bench.told("energy_alarm_cleared")
    assert (raised["code"], raised["device"]) == ("write_not_taken", "b1")
    assert cleared["alarm_id"] == raised["alarm_id"]


async def test_an_alarm_keeps_its_id_over_a_restart(open_bench) -> None:
    async with open_bench(decide=keep_the_coupling_at_zero) as bench:
        bench.plant.deaf = {"b1"}
        await bench.run(10)
    async with open_bench(decide=keep_the_coupling_at_zero) as again:
        again.plant.deaf = {"b1"}
        await again.run(30)
        again.plant.deaf = set()
        await again.run(20)
        raised, cleared = await again.told("energy_alarm_raised", "energy_alarm_cleared")
    assert raised["alarm_id"] == cleared["alarm_id"]


async def test_a_limit_that_could_not_be_kept_is_an_alarm(open_bench) -> None:
    def over(now, state, **_) -> Dispatch:
        return Dispatch(commands=commands(), state=state, binding="import_max", unmet={"import_max": 120.04})

    async with open_bench(decide=over) as bench:
        await bench.run(10)
        [raised] = await bench.told("energy_alarm_raised")
    assert (raised["code"], raised["severity"], raised["evidence"]) == (
        "limit_exceeded",
        "critical",
        {"import_max": 120.0},
    )


# -------------------------------------------------------------------------------------------------------- the breaker


async def test_a_change_of_mode_is_in_the_journal_before_the_breaker_moves(open_bench) -> None:
    async with open_bench(decide=leave_a_dead_grid) as bench:
        await bench.run(2)
        order: list[str] = []
        append, write = bench.journal.append_many, bench.plant.write

        async def journalled(events):
            order.extend(type(event).__name__ for event in events)
            return await append(events)

        bench.journal.append_many = journalled
        bench.plant.write = lambda id_, value: (order.append(id_), write(id_, value))[1]
        bench.plant.grid_live = False
        await bench.run(1)
    assert order.index("EnergyModeChanged") < order.index("breaker")
    assert bench.plant.moves == [False]


async def test_a_crash_between_journal_and_breaker_moves_it_once(open_bench) -> None:
    async with open_bench(decide=leave_a_dead_grid) as bench:
        await bench.run(2)
        bench.plant.grid_live = False

        async def power_cut(*_: object) -> None:
            raise SystemError("power cut")

        bench.cycle.parts.actor.devices.breaker.open = power_cut
        with pytest.raises(SystemError, match="power cut"):
            await bench.run(1)
        bench.cycle.parts.actor._writing.clear()
        plant = bench.plant
    async with open_bench(decide=leave_a_dead_grid, plant=plant) as again:
        await again.run(20)
        assert plant.moves == [False]
        plant.grid_live = True
        await again.run(20)
        assert plant.moves == [False, True]


async def test_a_crash_after_the_breaker_moved_does_not_move_it_again(open_bench) -> None:
    async with open_bench(decide=leave_a_dead_grid) as bench:
        await bench.run(2)
        bench.plant.grid_live = False
        await bench.run(1)
        assert bench.plant.moves == [False]
    async with open_bench(decide=leave_a_dead_grid, plant=bench.plant) as again:
        await again.run(20)
    assert bench.plant.moves == [False]


async def test_with_a_full_disk_the_breaker_may_open_but_not_close(open_bench) -> None:
    async with open_bench(decide=leave_a_dead_grid) as bench:
        await bench.run(2)
        bench.journal.refuses = True
        bench.plant.grid_live = False
        await bench.run(2)
        assert bench.plant.moves == [False]
        bench.plant.grid_live = True
        await bench.run(5)
        assert bench.plant.moves == [False]
        assert bench.cycle.mode is GridMode.ISLANDED
        bench.journal.refuses = False
        await bench.run(2)
        assert bench.plant.moves == [False, True]
        changes = [(row["before"], row["after"]) for row in await bench.told("energy_mode_changed")]
    assert changes == [("grid_tied", "islanded"), ("islanded", "grid_tied")]


async def test_a_breaker_under_way_is_not_told_again(open_bench) -> None:
    async with open_bench(decide=leave_a_dead_grid) as bench:
        await bench.run(1)
        bench.plant.grid_live = False
        given: list[float] = []

        async def slow_to_open() -> None:
            given.append(bench.clock.elapsed_s)

        bench.cycle.parts.actor.devices.breaker.open = slow_to_open
        await bench.run(25)
    assert [round(at - given[0]) for at in given] == [0, 10, 20]


# ------------------------------------------------------------------------------------------------------------- time


async def test_a_leap_of_the_wall_clock_changes_no_command(open_bench) -> None:
    async with open_bench(decide=keep_the_coupling_at_zero) as bench:
        await bench.run(5)
        for leap_s in (3600.0, -86400.0, 0.0):
            bench.clock.leap_s = leap_s
            await bench.run(3)
            assert abs(bench.plant.grid_kw()) < 0.05
        assert await bench.told("energy_mode_changed", "device_lost", "energy_alarm_raised") == []


async def test_missed_and_late_cycles_are_counted(open_bench) -> None:
    class Paced(Exception):
        pass

    async with open_bench() as bench:
        clock, slept = bench.clock, []
        durations = iter([0.2, 1.3, 3.4, 0.1])

        async def sleep(seconds: float) -> None:
            slept.append(round(seconds, 3))
            clock.elapsed_s += seconds

        class Timed(EnergyCycle):
            async def turn(self):
                try:
                    clock.elapsed_s += next(durations)
                except StopIteration:
                    raise Paced from None
                return await super().turn()

        clock.sleep = sleep
        cycle = Timed(bench.cycle.parts)
        with pytest.raises(Paced):
            await cycle.run()
        await cycle.aclose()
    assert slept == [0.8, 0.0, 0.0, 0.2]
    assert (cycle.pace.cycles, cycle.pace.missed, cycle.pace.late) == (5, 2, 2)


async def test_a_device_that_hangs_holds_up_nobody_once_it_is_lost() -> None:
    async def never() -> int:
        await asyncio.Event().wait()
        return 1

    line = Line(never)
    for _ in range(3):
        task = line.ask(timeout_s=0.01)
        assert task is not None
        await asyncio.wait([task])
        heard = line.take()
    assert heard.lost
    assert line.ask(timeout_s=0.01) is None
    assert line.take().lost
    await line.aclose()


async def test_the_fast_loops_memory_survives_a_restart_but_not_a_long_pause(open_bench) -> None:
    async with open_bench() as bench:
        state = replace(bench.cycle.state, mode=GridMode.ISLANDED, storage_kw={"b1": 5.0}, last_s=3.0)
    body = state_body(state, wall_s=1000.0)
    again = state_from(body, wall_s=1030.0, now_s=7.0)
    assert (again.mode, again.storage_kw, again.last_s, again.mode_since_s) == (
        GridMode.ISLANDED,
        {"b1": 5.0},
        None,
        7.0,
    )
    assert state_from(body, wall_s=1100.0, now_s=7.0).mode is GridMode.GRID_TIED
    assert state_from(body, wall_s=900.0, now_s=7.0).mode is GridMode.GRID_TIED
    assert state_from({"wall_s": 1000.0, "state": {"mode": "nonsense"}}, wall_s=1000.0, now_s=0.0).storage_kw == {}


async def test_a_curtailed_inverter_is_held_to_give_what_its_neighbour_gives(open_bench) -> None:
    async with open_bench() as bench:
        bench.plant.sun_kw = 300.0
        await bench.run(1)
        bench.plant.limits["pv1"] = 100.0
        await bench.run(1)
        [first, second] = bench.cycle.published.picture.pvs
    assert (first.power_kw, first.available_kw) == (100.0, 300.0)
    assert second.available_kw == 300.0
