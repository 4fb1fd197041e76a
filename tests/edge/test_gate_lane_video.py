"""What a lane makes of many pictures: one arrival a vehicle, shown plates, clones, plates that become clear."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control.domain.passages import Direction
from control.domain.permits import Permit, PermitClass
from control.domain.plates import PlateColour
from control.domain.readings import PlateReading, Unavailable, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.lane import GuardAction, Phase
from edge.adapters.sqlite_journal import SqliteJournal
from edge.clock import SystemClock
from edge.guards import Answer


def load_bench():
    if "lane_bench" not in sys.modules:
        path = Path(__file__).with_name("lane_bench.py")
        spec = importlib.util.spec_from_file_location("lane_bench", path)
        sys.modules["lane_bench"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["lane_bench"])
    return sys.modules["lane_bench"]


tools = load_bench()
plate, Seen, choice = tools.plate, tools.Seen, tools.choice
ELECTRIC = plate("琼AD12345", PlateColour.GREEN)
UNSURE = plate("琼AD12345", PlateColour.GREEN, weak=4)
FUEL = plate("琼A12345", PlateColour.BLUE)
UNSURE_FUEL = plate("琼A12345", PlateColour.BLUE, weak=4)
AROUND = (40.0, 20.0, 260.0, 150.0)


def open_journal(folder: Path):
    return SqliteJournal.open(folder / "journal.db", gateway_id="gw", boot_id="boot", clock=SystemClock())


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with open_journal(tmp_path) as journal:
        yield journal


@pytest.fixture
async def bench(clock, journal, tmp_path: Path):
    bench = tools.build_bench(clock, journal, tmp_path)
    await bench.run(0.5)
    return bench


def moved(reading: PlateReading, *, x: float = 0.0, y: float = 0.0, size: float = 1.0) -> PlateReading:
    """The same plate elsewhere in the picture."""
    quad = tuple((150 + (px - 150) * size + x, 115 + (py - 115) * size + y) for px, py in reading.quad)
    return replace(reading, quad=quad)


def car(box: tuple[float, float, float, float] = AROUND, kind: VehicleType = VehicleType.CAR) -> VehicleReading:
    return VehicleReading(kind, 0.97, box)


async def ask(bench, wish) -> Answer:
    task = asyncio.create_task(bench.lane.ask(wish))
    await asyncio.sleep(0)
    await bench.run(0.1)
    return await task


async def outcomes(bench) -> list[tuple[str, str]]:
    return [(body["outcome"], body["reasons"][0]["code"]) for body in await bench.events("passage_decided")]


def opened(bench) -> int:
    return sum(action == "open" for action, _ in bench.barrier.pulses)


# ------------------------------------------------------------------------------------- a held plate that becomes clear


async def test_a_held_plate_that_becomes_clear_opens_by_itself(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    held = bench.lane.held
    assert held is not None
    told = bench.changes.count
    bench.inference.seen = Seen((ELECTRIC,))
    await bench.run(4.0)
    assert bench.lane.held is None
    assert opened(bench) == 1
    decided = await bench.events("passage_decided")
    assert [body["outcome"] for body in decided] == ["hold", "admit"]
    assert {body["arrival_id"] for body in decided} == {held.arrival_id}
    assert decided[1]["plate"]["confidence"] > 0.9 > decided[0]["plate"]["confidence"]
    (command, *_) = await bench.events("barrier_commanded")
    assert (command["cause"], command["arrival_id"]) == ("decision", held.arrival_id)
    assert bench.changes.count > told
    await bench.drive_through()
    assert [body["movement"] for body in await bench.events("vehicle_passed")] == ["passed"]


async def test_what_becomes_clear_and_is_not_admitted_is_refused(bench) -> None:
    await bench.arrive(UNSURE_FUEL)
    await bench.run(5.0)
    bench.inference.seen = Seen((FUEL,))
    await bench.run(6.0)
    assert [outcome for outcome, _ in await outcomes(bench)] == ["hold", "refuse"]
    assert bench.lane.state.phase is Phase.REFUSED
    assert opened(bench) == 0


async def test_a_persons_word_stands_when_the_plate_becomes_clear(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    assert await ask(bench, choice(GuardAction.REFUSE, bench.lane.held.arrival_id)) is Answer.DONE
    bench.inference.seen = Seen((ELECTRIC,))
    await bench.run(6.0)
    assert opened(bench) == 0
    assert len(await outcomes(bench)) == 1


async def test_another_plate_before_a_held_vehicle_opens_nothing(bench) -> None:
    await bench.arrive(UNSURE_FUEL)
    await bench.run(5.0)
    bench.inference.seen = Seen((UNSURE_FUEL, moved(plate("琼BF54321", PlateColour.GREEN), x=60, y=-60, size=1.3)))
    await bench.run(6.0)
    assert [outcome for outcome, _ in await outcomes(bench)] == ["hold"]
    assert opened(bench) == 0


async def test_a_plate_that_appears_at_a_standing_vehicle_is_a_persons_decision(bench) -> None:
    await bench.arrive()
    await bench.run(5.0)
    bench.inference.seen = Seen((ELECTRIC,), (car(),))
    await bench.run(6.0)
    assert await outcomes(bench) == [("hold", "no_plate"), ("hold", "plate_appeared_late")]
    assert opened(bench) == 0


async def test_a_held_vehicle_that_leaves_is_closed_as_left(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    await bench.back_out()
    assert bench.lane.held is None
    assert [body["movement"] for body in await bench.events("vehicle_passed")] == ["backed_out"]


# ---------------------------------------------------------------------------------------------- one arrival a vehicle


async def test_rolling_back_and_forth_is_one_arrival(bench) -> None:
    await bench.arrive(UNSURE)
    await bench.run(5.0)
    for _ in range(3):
        bench.barrier.loop_a = False
        bench.inference.seen = Seen((moved(UNSURE, y=-30, size=0.8),))
        await bench.run(6.0)
        bench.barrier.loop_a = True
        bench.inference.seen = Seen((UNSURE,))
        await bench.run(3.0)
    assert len({body["arrival_id"] for body in await bench.events("passage_decided")}) == 1
    assert await bench.events("vehicle_passed") == []
    assert bench.lane.held is not None


async def test_another_vehicle_in_the_place_of_one_that_rolled_back_is_its_own_arrival(bench) -> None:
    await bench.arrive(FUEL)
    bench.barrier.loop_a = False
    bench.inference.seen = Seen((moved(FUEL, x=60, y=-40, size=0.6),))
    await bench.run(4.0)
    bench.barrier.loop_a = True
    bench.inference.seen = Seen((ELECTRIC, moved(FUEL, x=60, y=-40, size=0.6)))
    await bench.run(4.0)
    decided = await bench.events("passage_decided")
    assert [(body["plate"]["text"], body["outcome"]) for body in decided] == [
        ("琼A12345", "refuse"),
        ("琼AD12345", "admit"),
    ]
    assert len({body["arrival_id"] for body in decided}) == 2


async def test_one_that_rolled_back_for_good_has_left(bench) -> None:
    await bench.arrive(FUEL)
    bench.barrier.loop_a = False
    bench.inference.seen = Seen((moved(FUEL, y=-30, size=0.7),))
    await bench.run(35.0)
    assert [body["movement"] for body in await bench.events("vehicle_passed")] == ["backed_out"]


@pytest.mark.parametrize("second", ["琼BF54321", "琼AD12346", "琼AD12345"], ids=["other", "one apart", "a clone"])
async def test_nose_to_tail_over_a_loop_that_never_clears_are_two_arrivals(bench, second: str) -> None:
    """The second plate is in the picture before the first has left."""
    behind = plate(second, PlateColour.GREEN)
    far = moved(behind, x=-60, y=-70, size=0.4)
    await bench.arrive(ELECTRIC, far)
    await bench.run(1.5)
    bench.inference.seen = Seen((moved(ELECTRIC, y=60, size=1.4), far))
    bench.barrier.loop_b = bench.barrier.beam = True
    await bench.run(1.0)
    bench.inference.seen = Seen((moved(behind, x=-20, y=-20, size=0.8),))
    await bench.run(0.5)
    bench.barrier.loop_b = bench.barrier.beam = False
    bench.inference.seen = Seen((behind,))
    await bench.run(8.0)
    decided = await bench.events("passage_decided")
    assert [body["plate"]["text"] for body in decided][:2] == ["琼AD12345", second]
    assert len({body["arrival_id"] for body in decided}) == 2
    assert decided[1]["outcome"] == ("hold" if second == "琼AD12345" else "admit")
    assert [body["movement"] for body in await bench.events("vehicle_passed")] == ["passed"]


async def test_a_second_vehicle_on_the_first_ones_opening_is_an_arrival_that_nobody_let_in(bench) -> None:
    behind = plate("琼BF54321", PlateColour.GREEN)
    await bench.arrive(ELECTRIC, moved(behind, x=-60, y=-70, size=0.4))
    await bench.run(1.5)
    bench.barrier.loop_b = bench.barrier.beam = True
    await bench.run(0.5)
    bench.barrier.loop_a = False
    bench.inference.seen = Seen((moved(behind, x=-20, y=-20, size=0.8),))
    await bench.run(0.5)
    bench.barrier.loop_a = True
    await bench.run(0.5)
    bench.barrier.loop_a = False
    bench.inference.seen = Seen(())
    await bench.run(1.0)
    bench.barrier.loop_b = bench.barrier.beam = False
    await bench.run(4.0)
    first, second = await bench.events("passage_decided")
    assert (first["outcome"], second["outcome"]) == ("admit", "hold")
    assert second["reasons"][0]["code"] == "tailgated"
    assert second["plate"]["text"] == "琼BF54321"
    passed = await bench.events("vehicle_passed")
    assert [body["arrival_id"] for body in passed] == [second["arrival_id"], first["arrival_id"]]
    assert {body["movement"] for body in passed} == {"passed"}
    stored = {body["arrival_id"] for body in await bench.events("media_stored")}
    assert stored == {first["arrival_id"], second["arrival_id"]}
    assert opened(bench) == 1


# -------------------------------------------------------------------------------------------------------- shown plates


async def test_a_plate_without_a_vehicle_opens_nothing(bench) -> None:
    bench.barrier.loop_a = True
    bench.inference.seen = Seen((ELECTRIC,), ())
    await bench.run(5.0)
    assert await outcomes(bench) == [("hold", "plate_without_vehicle")]
    bench.inference.seen = Seen((ELECTRIC,), (car(),))
    await bench.run(8.0)
    assert [code for _, code in await outcomes(bench)] == ["plate_without_vehicle"]
    assert opened(bench) == 0


async def test_a_plate_on_its_vehicle_opens_and_the_vehicle_is_looked_for_a_few_times(bench) -> None:
    bench.barrier.loop_a = True
    bench.inference.seen = Seen((ELECTRIC,), (car(),))
    await bench.run(30.0)
    assert opened(bench) == 1
    assert 1 <= bench.inference.looks <= 4
    (decided,) = await bench.events("passage_decided")
    assert decided["vehicle"]["type"] == "car"


async def test_the_first_picture_with_a_plate_is_searched_for_vehicles_and_the_next_one_is_not(bench) -> None:
    bench.inference.seen = Seen((ELECTRIC,), (car(),))
    before = len(bench.inference.read_s)
    for reads in (2, 3):
        bench.clock.advance(0.1)
        await bench.picture()
        assert bench.inference.looks == 1
        assert len(bench.inference.read_s) - before == reads


async def test_one_missed_vehicle_is_looked_for_again_before_anybody_is_called(bench) -> None:
    bench.barrier.loop_a = True
    bench.inference.seen = Seen((ELECTRIC,), ())
    while bench.inference.looks < 1:
        await bench.run(0.1)
    bench.inference.seen = Seen((ELECTRIC,), (car(),))
    await bench.run(3.0)
    assert [outcome for outcome, _ in await outcomes(bench)] == ["admit"]


async def test_a_reader_that_fails_on_vehicles_still_lets_vehicles_in(bench, monkeypatch) -> None:
    read = bench.inference.read

    async def failing(lane_id, frame):
        return Unavailable(frame.taken_s, "reader_failed") if frame.vehicles else await read(lane_id, frame)

    monkeypatch.setattr(bench.inference, "read", failing)
    await enter(bench, ELECTRIC)
    await enter(bench, plate("琼BF54321", PlateColour.GREEN))
    assert [outcome for outcome, _ in await outcomes(bench)] == ["admit", "admit"]


async def test_a_sure_type_that_contradicts_the_plate_calls_a_person(bench) -> None:
    bench.barrier.loop_a = True
    bench.inference.seen = Seen((ELECTRIC,), (car(kind=VehicleType.CRANE),))
    await bench.run(5.0)
    assert await outcomes(bench) == [("hold", "type_contradicts_plate")]


async def test_a_vehicle_without_a_plate_is_named_to_the_guard(bench) -> None:
    bench.barrier.loop_a = True
    bench.inference.seen = Seen((), (car(kind=VehicleType.GOLF_CART),))
    await bench.run(6.0)
    (decided,) = await bench.events("passage_decided")
    assert (decided["outcome"], decided["vehicle"]["type"]) == ("hold", "golf_cart")


# ---------------------------------------------------------------------------------------- clones, counted permits


async def enter(bench, reading: PlateReading) -> None:
    await bench.arrive(reading)
    await bench.drive_through()


async def test_the_same_plate_entering_twice_is_a_clone(bench) -> None:
    await enter(bench, ELECTRIC)
    await bench.arrive(ELECTRIC)
    await bench.run(2.0)
    first, second = await bench.events("passage_decided")
    assert (first["outcome"], second["outcome"]) == ("admit", "hold")
    assert second["reasons"][0]["code"] == "already_inside"
    assert second["reasons"][0]["detail"].startswith("2026-11-21T02:00:")


async def test_after_a_restart_the_journal_still_knows_who_is_inside(clock, tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        bench = tools.build_bench(clock, journal, tmp_path, prefix="before")
        await bench.run(0.5)
        await enter(bench, ELECTRIC)
    async with open_journal(tmp_path) as journal:
        again = tools.build_bench(clock, journal, tmp_path, prefix="after")
        await again.run(0.5)
        await again.arrive(ELECTRIC)
        await again.run(2.0)
        assert (await outcomes(again))[-1] == ("hold", "already_inside")


async def test_after_ten_minutes_it_may_have_left_by_another_gate(bench) -> None:
    await enter(bench, ELECTRIC)
    bench.clock.advance(601.0)
    await enter(bench, ELECTRIC)
    assert [outcome for outcome, _ in await outcomes(bench)] == ["admit", "admit"]


async def test_an_exit_lane_of_the_same_gateway_lets_it_out(clock, journal, tmp_path: Path) -> None:
    bench = tools.build_bench(clock, journal, tmp_path)
    await bench.run(0.5)
    await enter(bench, ELECTRIC)
    leaving = tools.build_bench(clock, journal, tmp_path, prefix="out", desk=bench.desk)
    leaving.lane.settings = replace(leaving.lane.settings, lane_id="east-out-1", direction=Direction.OUT)
    await leaving.run(0.5)
    await enter(leaving, ELECTRIC)
    await enter(bench, ELECTRIC)
    assert [outcome for outcome, _ in await outcomes(bench)] == ["admit", "admit", "admit"]


async def test_entries_of_a_counted_permit_are_counted_down(clock, journal, tmp_path: Path) -> None:
    begins, ends = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    permit = Permit("P-1", "琼A12345", PermitClass.SPECIAL, begins, ends, entries_left=1)
    permits = tools.snapshot(permits={"琼A12345": (permit,)})
    bench = tools.build_bench(clock, journal, tmp_path, permits=permits)
    await bench.run(0.5)
    await enter(bench, FUEL)
    clock.advance(601.0)
    await bench.arrive(FUEL)
    assert await outcomes(bench) == [("admit_under_permit", "permit_valid"), ("refuse", "permit_used_up")]


# ------------------------------------------------------------------------------------------------------------- waking


async def test_nothing_is_read_while_nothing_moves(bench) -> None:
    bench.moving = False
    before = len(bench.inference.read_s)
    bench.inference.seen = Seen((ELECTRIC,))
    await bench.run(5.0)
    assert len(bench.inference.read_s) == before


async def test_motion_wakes_a_lane_without_a_loop(bench) -> None:
    bench.barrier.loop_a, bench.moving = None, False
    await bench.run(2.0)
    bench.moving = True
    bench.inference.seen = Seen((ELECTRIC,))
    await bench.run(2.0)
    assert opened(bench) == 1


async def test_a_vehicle_that_stands_still_before_a_broken_loop_is_not_lost(bench) -> None:
    bench.barrier.loop_a = None
    bench.inference.seen = Seen((UNSURE,))
    await bench.run(6.0)
    bench.moving = False
    await bench.run(30.0)
    assert bench.lane.held is not None
    assert await bench.events("vehicle_passed") == []
    reads = [at_s for at_s in bench.inference.read_s if at_s > bench.clock.monotonic() - 20.0]
    assert len(reads) <= 21
