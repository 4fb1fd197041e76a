"""The lane's cycle on virtual time, with a real journal: every passage, every person, every crash."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control.domain.permits import Permit, PermitClass
from control.domain.plates import PlateColour
from control.domain.readings import Unavailable
from control.gate.lane import GuardAction, Phase
from edge.adapters.sqlite_journal import SqliteJournal
from edge.clock import SystemClock
from edge.guards import Answer, Source
from edge.journal import JournalError

_spec = importlib.util.spec_from_file_location("lane_bench", Path(__file__).with_name("lane_bench.py"))
bench_module = importlib.util.module_from_spec(_spec)
sys.modules["lane_bench"] = bench_module
_spec.loader.exec_module(bench_module)
build_bench, plate, choice, snapshot = (
    bench_module.build_bench,
    bench_module.plate,
    bench_module.choice,
    bench_module.snapshot,
)

ELECTRIC = plate("琼AD12345", PlateColour.GREEN)
FUEL = plate("琼A12345", PlateColour.BLUE)
UNSURE = plate("琼C7B083", PlateColour.YELLOW, weak=3)


def open_journal(folder: Path):
    return SqliteJournal.open(folder / "journal.db", gateway_id="gw", boot_id="boot", clock=SystemClock())


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with open_journal(tmp_path) as journal:
        yield journal


@pytest.fixture
async def bench(clock, journal, tmp_path: Path):
    bench = build_bench(clock, journal, tmp_path)
    await bench.run(1.0)
    return bench


async def ask(bench, wish) -> Answer:
    task = asyncio.create_task(bench.lane.ask(wish))
    await asyncio.sleep(0)
    await bench.run(0.1)
    return await task


async def test_an_electric_car_is_let_in_and_the_arm_closes_behind_it(bench) -> None:
    await bench.arrive(ELECTRIC)
    await bench.drive_through()
    assert [action for action, _ in bench.barrier.pulses] == ["open", "close"]
    assert bench.barrier.position == 0
    assert bench.lane.state.phase is Phase.IDLE
    (decided,) = await bench.events("passage_decided")
    assert (decided["outcome"], decided["plate"]["text"]) == ("admit", "琼AD12345")
    assert decided["plate"]["frames"] >= 2
    results = await bench.events("barrier_result")
    assert [result["outcome"] for result in results] == ["done", "done"]
    (passed,) = await bench.events("vehicle_passed")
    assert (passed["arrival_id"], passed["movement"]) == (decided["arrival_id"], "passed")


async def test_the_command_is_in_the_journal_before_the_barrier_is_touched(bench, monkeypatch) -> None:
    known: list[list[str]] = []
    give = bench.barrier.command

    async def command(action: str, *, command_id: str) -> None:
        known.append([body["command_id"] for body in await bench.events("barrier_commanded")])
        assert known[-1][-1] == command_id
        await give(action, command_id=command_id)

    monkeypatch.setattr(bench.barrier, "command", command)
    await bench.arrive(ELECTRIC)
    await bench.drive_through()
    assert [len(ids) for ids in known] == [1, 2]


async def test_many_frames_are_one_arrival(bench) -> None:
    await bench.arrive(ELECTRIC)
    await bench.run(20.0)
    assert len(await bench.events("passage_decided")) == 1
    assert [action for action, _ in bench.barrier.pulses] == ["open"]


async def test_two_cars_nose_to_tail_are_two_arrivals(bench) -> None:
    await bench.arrive(ELECTRIC)
    await bench.drive_through()
    await bench.arrive(plate("琼AF54321", PlateColour.GREEN))
    await bench.drive_through()
    decided = await bench.events("passage_decided")
    assert [body["plate"]["text"] for body in decided] == ["琼AD12345", "琼AF54321"]
    assert len({body["arrival_id"] for body in decided}) == 2


async def test_a_fuel_car_is_refused_and_backs_out(bench) -> None:
    await bench.arrive(FUEL)
    assert bench.lane.board.shown_code == "fuel_without_permit"
    await bench.back_out()
    assert bench.barrier.pulses == []
    (passed,) = await bench.events("vehicle_passed")
    assert passed["movement"] == "backed_out"


async def test_a_permit_opens(clock, journal, tmp_path: Path) -> None:
    permit = Permit(
        "P-1",
        "琼A12345",
        PermitClass.SPECIAL,
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )
    bench = build_bench(clock, journal, tmp_path, permits=snapshot(permits={"琼A12345": (permit,)}))
    await bench.run(0.5)
    await bench.arrive(FUEL)
    (decided,) = await bench.events("passage_decided")
    assert (decided["outcome"], decided["permit_id"]) == ("admit_under_permit", "P-1")
    assert len(bench.barrier.pulses) == 1


async def test_an_unsure_plate_waits_for_the_guard_who_reads_and_admits(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    held = bench.lane.held
    assert held is not None
    assert bench.barrier.pulses == []
    answer = await ask(bench, choice(GuardAction.ADMIT, held.arrival_id, corrected_plate="琼C78083", permit_id="P-9"))
    assert answer is Answer.DONE
    assert [action for action, _ in bench.barrier.pulses] == ["open"]
    (guard,) = await bench.events("guard_decided")
    assert (guard["outcome"], guard["source"], guard["by"]) == ("admit_under_permit", "hut", "Chen")
    (corrected,) = await bench.events("plate_corrected")
    assert (corrected["raw_text"], corrected["corrected_text"]) == ("琼C7B083", "琼C78083")
    await bench.drive_through()
    assert bench.lane.held is None


async def test_the_first_person_wins(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    arrival_id = bench.lane.held.arrival_id
    assert await ask(bench, choice(GuardAction.REFUSE, arrival_id)) is Answer.DONE
    console = choice(GuardAction.ADMIT, arrival_id, source=Source.CONSOLE, command_id="c-1")
    assert await ask(bench, console) is Answer.ALREADY_DECIDED
    assert bench.barrier.pulses == []
    assert len(await bench.events("guard_decided")) == 1


async def test_hut_and_console_at_once_open_once(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    arrival_id = bench.lane.held.arrival_id
    wishes = [
        choice(GuardAction.ADMIT, arrival_id, source=Source.CONSOLE, command_id="c-1"),
        choice(GuardAction.ADMIT, arrival_id),
    ]
    tasks = [asyncio.create_task(bench.lane.ask(wish)) for wish in wishes]
    await asyncio.sleep(0)
    await bench.run(0.2)
    console, hut = await asyncio.gather(*tasks)
    assert hut is Answer.DONE
    assert console is Answer.ALREADY_DECIDED
    assert len(bench.barrier.pulses) == 1


async def test_a_choice_for_a_vehicle_that_left_does_nothing(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    arrival_id = bench.lane.held.arrival_id
    await bench.back_out()
    assert await ask(bench, choice(GuardAction.ADMIT, arrival_id)) is Answer.GONE
    assert bench.barrier.pulses == []


async def test_no_plate_is_held_with_its_picture(bench) -> None:
    await bench.arrive()
    await bench.run(5.0)
    (decided,) = await bench.events("passage_decided")
    assert (decided["outcome"], decided["reasons"][0]["code"]) == ("hold", "no_plate")
    (media,) = await bench.events("media_stored")
    assert media["sha256"] == decided["frame_sha256"]


async def test_a_lost_camera_holds_and_is_told_once(bench) -> None:
    bench.camera.latest = Unavailable(bench.clock.monotonic(), "camera_frozen")
    await bench.run(5.0)
    bench.barrier.loop_a = True
    await bench.run(5.0)
    (decided,) = await bench.events("passage_decided")
    assert (decided["outcome"], decided["unavailable"]) == ("hold", "camera_frozen")
    (lost,) = await bench.events("device_lost")
    assert (lost["device"], lost["why"]) == ("camera", "camera_frozen")
    bench.camera.latest = Unavailable(0.0, "camera_starting")
    await bench.run(1.0)
    (back,) = await bench.events("device_back")
    assert back["device"] == "camera"


async def test_a_vehicle_that_no_reader_looked_at_is_held_as_unread_and_not_as_without_a_plate(bench) -> None:
    bench.inference.seen = Unavailable(bench.clock.monotonic(), "reader_down")
    bench.barrier.loop_a = True
    await bench.run(5.0)
    (decided,) = await bench.events("passage_decided")
    assert (decided["outcome"], decided["unavailable"]) == ("hold", "reader_down")
    assert decided["reasons"][0]["code"] == "plate_unavailable"
    assert bench.lane.arrival.passage.picture("frame") is not None
    bench.inference.seen = bench_module.Seen((ELECTRIC,))
    await bench.run(5.0)
    newest = (await bench.events("passage_decided"))[-1]
    assert "plate_appeared_late" not in [reason["code"] for reason in newest["reasons"]]
    assert newest["outcome"] == "admit"


async def test_a_reader_that_is_back_has_looked(bench) -> None:
    bench.inference.seen = Unavailable(bench.clock.monotonic(), "reader_down")
    bench.barrier.loop_a = True
    await bench.run(1.0)
    bench.inference.seen = bench_module.Seen(())
    await bench.run(4.0)
    (decided,) = await bench.events("passage_decided")
    assert (decided["reasons"][0]["code"], decided["unavailable"]) == ("no_plate", None)


async def test_a_dropped_picture_does_not_say_that_the_reader_is_gone(bench) -> None:
    bench.inference.seen = Unavailable(bench.clock.monotonic(), "picture_dropped")
    bench.barrier.loop_a = True
    await bench.run(5.0)
    (decided,) = await bench.events("passage_decided")
    assert decided["reasons"][0]["code"] == "no_plate"


async def test_a_silent_barrier_is_told_once_and_its_vehicle_waits(bench) -> None:
    bench.barrier.silent = True
    await bench.run(2.0)
    lost = [(body["device"], body["why"]) for body in await bench.events("device_lost")]
    assert lost == [("barrier", "barrier_unavailable")]
    bench.barrier.silent = False
    await bench.arrive(ELECTRIC)
    (back,) = await bench.events("device_back")
    assert back["after_s"] == pytest.approx(2.0, abs=0.2)
    assert [action for action, _ in bench.barrier.pulses] == ["open"]


async def test_a_moment_of_silence_is_not_told(bench) -> None:
    for _ in range(3):
        bench.barrier.silent = True
        await bench.run(0.4)
        bench.barrier.silent = False
        await bench.run(0.4)
    assert await bench.events("device_lost", "device_back") == []


async def test_a_broken_loop_is_told_by_its_own_name(bench) -> None:
    bench.barrier.loop_b = None
    await bench.run(2.0)
    bench.barrier.loop_b = False
    await bench.run(0.5)
    (lost,) = await bench.events("device_lost")
    (back,) = await bench.events("device_back")
    assert (lost["device"], lost["why"], back["device"]) == ("loop_b", "loop_b_unavailable", "loop_b")


async def test_a_stuck_arm_fails_its_command_and_is_told(bench) -> None:
    bench.barrier.stuck = True
    await bench.arrive(ELECTRIC)
    await bench.run(10.0)
    (result,) = await bench.events("barrier_result")
    assert result["outcome"] == "failed"
    assert "barrier_stuck" in [body["why"] for body in await bench.events("device_lost")]
    assert len(bench.barrier.pulses) == 1


async def test_it_never_closes_on_a_vehicle(bench) -> None:
    def check(bench) -> None:
        closing = [p for p in bench.barrier.pulses if p[0] == "close"]
        assert not closing or not (bench.barrier.loop_b or bench.barrier.beam)

    await bench.arrive(ELECTRIC)
    await bench.run(1.5)
    bench.barrier.loop_b = bench.barrier.beam = True
    bench.barrier.loop_a = False
    await bench.run(120.0, check=check)
    assert bench.barrier.position == 1


async def test_a_journal_that_cannot_write_opens_nothing(bench, monkeypatch) -> None:
    async def full(_: object) -> None:
        raise JournalError("disk full")

    write = bench.journal.append_many
    monkeypatch.setattr(bench.journal, "append_many", full)
    await bench.arrive(ELECTRIC)
    await bench.run(5.0)
    assert bench.barrier.pulses == []
    assert bench.lane.journal_broken
    monkeypatch.setattr(bench.journal, "append_many", write)
    await bench.run(1.0)
    assert [action for action, _ in bench.barrier.pulses] == ["open"]


async def test_an_expired_command_is_never_given(bench, monkeypatch) -> None:
    write = bench.journal.append_many

    async def slow(events):
        receipts = await write(events)
        bench.clock.advance(6.0)
        return receipts

    monkeypatch.setattr(bench.journal, "append_many", slow)
    await bench.arrive(ELECTRIC)
    assert bench.barrier.pulses == []
    assert [body["outcome"] for body in await bench.events("barrier_result")][:1] == ["expired"]


async def test_after_a_bug_the_lane_begins_as_after_a_start(bench, monkeypatch) -> None:
    give = bench.barrier.command

    async def broken(action: str, *, command_id: str) -> None:
        raise RuntimeError("a bug")

    bench.barrier.command = broken
    with pytest.raises(RuntimeError):
        await bench.arrive(ELECTRIC)
    bench.barrier.command = give
    bench.lane.begin_anew()
    await bench.run(2.0)
    assert [action for action, _ in bench.barrier.pulses] == ["open"]
    assert (await bench.events("barrier_result"))[0]["outcome"] == "unknown_after_crash"
    given = [body["command_id"] for body in await bench.events("barrier_commanded")]
    assert bench.barrier.pulses[0][1] == given[1] != given[0]


class PowerCut(BaseException):
    """The machine goes off."""


@pytest.mark.parametrize("after_the_pulse", [False, True])
async def test_a_crash_around_the_act_repeats_no_command(clock, tmp_path: Path, after_the_pulse: bool) -> None:
    async with open_journal(tmp_path) as journal:
        bench = build_bench(clock, journal, tmp_path, prefix="before")
        await bench.run(0.5)
        give = bench.barrier.command

        async def command(action: str, *, command_id: str) -> None:
            if after_the_pulse:
                await give(action, command_id=command_id)
            raise PowerCut

        bench.barrier.command = command
        with pytest.raises(PowerCut):
            await bench.arrive(ELECTRIC)
        bench.barrier.command = give
    given_before = list(bench.barrier.pulses)
    clock.advance(0.3)
    async with open_journal(tmp_path) as journal:
        again = build_bench(clock, journal, tmp_path, barrier=bench.barrier, prefix="after")
        again.inference.seen = bench_module.Seen((ELECTRIC,))
        await again.run(2.0)
        await again.drive_through()
        results = await again.events("barrier_result")
        commands = [body["command_id"] for body in await again.events("barrier_commanded")]
    assert results[0]["outcome"] == "unknown_after_crash"
    assert len(set(commands)) == len(commands)
    pulses = [command_id for _, command_id in bench.barrier.pulses]
    assert len(set(pulses)) == len(pulses)
    new = bench.barrier.pulses[len(given_before) :]
    # An arm that is up is only closed; one that never moved opens for the vehicle that still stands there.
    assert [action for action, _ in new] == (["close"] if after_the_pulse else ["open", "close"])
    assert bench.barrier.position == 0
