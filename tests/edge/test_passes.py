"""Passes at a lane on virtual time: shown to scanner or camera, good ones, bad ones, copies and replays."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno

from cloud_sync.contract.pass_code import TEXT_MAX, issue
from cloud_sync.contract.signed import KeyPair
from control.domain.passages import Direction
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitClass
from control.domain.plates import PlateColour
from control.gate.lane import GuardAction, Phase
from edge.adapters.pass_codes import ZxingPassReader
from edge.adapters.sqlite_journal import SqliteJournal
from edge.clock import SystemClock
from edge.pass_watch import PassWatch
from edge.passes import PassSource, PassVerifier
from edge.ports import Frame

if "lane_bench" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("lane_bench", Path(__file__).with_name("lane_bench.py"))
    sys.modules["lane_bench"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["lane_bench"])
bench_module = sys.modules["lane_bench"]
build_bench, plate, choice, snapshot = (
    bench_module.build_bench,
    bench_module.plate,
    bench_module.choice,
    bench_module.snapshot,
)

KEY, STRANGER = KeyPair.generate(), KeyPair.generate()
# The bench's clock begins at 02:00; its snapshot is of 01:00.
ISSUED = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
PERMIT = Permit(
    "XK-2026-000529",
    "琼A12345",
    PermitClass.SPECIAL,
    datetime(2026, 11, 20, tzinfo=UTC),
    datetime(2026, 11, 23, tzinfo=UTC),
    frozenset({"east"}),
    2,
)
CLEAN = plate("琼A12345", PlateColour.BLUE)
DIRTY = plate("琼A12845", PlateColour.BLUE, weak=4, other="3")
OTHER = plate("琼A12346", PlateColour.BLUE)


def text_of(permit: Permit = PERMIT, *, key: KeyPair = KEY, issued_at: datetime = ISSUED) -> str:
    return issue(permit, issued_at=issued_at, key=key)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal.open(tmp_path / "journal.db", gateway_id="gw", boot_id="boot", clock=SystemClock())
    async with opened as journal:
        yield journal


def make_bench(clock, journal, tmp_path: Path, **parts):
    watch = PassWatch(PassVerifier([KEY.public], clock), clock, lane_id="east-in-1")
    return build_bench(clock, journal, tmp_path, passes=watch, **parts)


@pytest.fixture
async def bench(clock, journal, tmp_path: Path):
    bench = make_bench(clock, journal, tmp_path)
    await bench.run(0.5)
    return bench


async def last(bench) -> dict:
    return (await bench.events("passage_decided"))[-1]


def codes(event: dict) -> list[str]:
    return [reason["code"] for reason in event["reasons"]]


async def scan(bench, text: str) -> dict:
    bench.lane.passes.scanned(text)
    await bench.run(0.5)
    return await last(bench)


async def test_a_refused_vehicle_whose_permit_is_newer_than_the_snapshot_is_let_in_by_its_pass(bench) -> None:
    await bench.arrive(CLEAN)
    assert bench.lane.state.phase is Phase.REFUSED
    decided = await scan(bench, text_of() + "\r\n")
    assert (decided["outcome"], decided["permit_id"]) == ("admit_under_permit", PERMIT.permit_id)
    assert decided["record_emission"]
    assert decided["pass_shown"]["source"] == "scanner"
    assert decided["pass_shown"]["problem"] == ""
    assert [action for action, _ in bench.barrier.pulses] == ["open"]
    await bench.drive_through()
    assert [action for action, _ in bench.barrier.pulses] == ["open", "close"]


async def test_a_dirty_plate_comes_in_by_its_pass_and_the_same_pass_again_is_held(bench) -> None:
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    assert bench.lane.held is not None
    decided = await scan(bench, text_of())
    assert (decided["outcome"], codes(decided)[0]) == ("admit_under_permit", "pass_valid")
    assert decided["plate"]["text"] == "琼A12845"
    await bench.drive_through()
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    copied = await scan(bench, text_of())
    assert (copied["outcome"], codes(copied)[0]) == ("hold", "already_inside")
    assert [action for action, _ in bench.barrier.pulses] == ["open", "close"]


async def test_a_copied_pass_never_opens_for_another_plate(bench) -> None:
    await bench.arrive(OTHER)
    decided = await scan(bench, text_of())
    assert decided["outcome"] == "refuse"
    assert codes(decided)[:2] == ["fuel_without_permit", "pass_other_plate"]
    assert decided["pass_shown"]["problem"] == "other_plate"
    assert bench.barrier.pulses == []


async def test_a_pass_that_is_used_up_here_is_held_with_its_reason(bench) -> None:
    once = text_of(replace(PERMIT, entries_left=1))
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    await scan(bench, once)
    await bench.drive_through()
    bench.desk.presence.take(
        "passage_decided",
        {
            "arrival_id": "out",
            "direction": "out",
            "at": bench.clock.now().isoformat(),
            "reasons": [],
            "plate": {"text": "琼A12345"},
            "permit_id": None,
        },
    )
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    again = await scan(bench, once)
    assert again["outcome"] == "hold"
    assert "pass_used_up" in codes(again)


async def test_a_revoked_permit_is_refused_from_the_very_next_look(bench) -> None:
    await bench.arrive(CLEAN)
    policy = bench.desk.policy
    bench.desk.policy = replace(policy, snapshot=replace(policy.snapshot, revoked=frozenset({PERMIT.permit_id})))
    decided = await scan(bench, text_of())
    assert (decided["outcome"], codes(decided)[1]) == ("refuse", "pass_revoked")
    assert bench.barrier.pulses == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (text_of(key=STRANGER), "wrong_key"),
        (text_of()[:-3], None),
        (text_of()[:-2] + "AA", None),
        ("IP:" + "A" * TEXT_MAX * 50, "malformed"),
        ("https://example.org/menu", "malformed"),
        ("WIFI:T:WPA;S:free;P:12345678;;", "malformed"),
        ("\ud800" * 10, "malformed"),
        ("", "malformed"),
    ],
)
async def test_what_is_no_genuine_pass_opens_nothing_and_says_why(bench, text: str, problem: str | None) -> None:
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    decided = await scan(bench, text)
    told = decided["pass_shown"]["problem"]
    assert told == problem if problem else told in {"malformed", "forged", "wrong_key"}
    assert decided["outcome"] == "hold"
    assert codes(decided)[1] == f"pass_{told}"
    assert bench.lane.board.shown_code == f"pass_{told}"
    assert bench.barrier.pulses == []


async def test_a_genuine_pass_is_not_shadowed_by_an_advertisement_beside_it(bench) -> None:
    await bench.arrive()
    await bench.run(4.5)
    await scan(bench, text_of())
    decided = await scan(bench, "https://example.org/menu")
    assert codes(decided)[0] == "pass_needs_look"
    assert decided["suggestions"] == ["琼A12345"]
    assert len(await bench.events("passage_decided")) == 2


async def test_no_plate_and_a_pass_wait_for_a_person(bench) -> None:
    await bench.arrive()
    await bench.run(4.5)
    decided = await scan(bench, text_of())
    assert (decided["outcome"], codes(decided)[0]) == ("hold", "pass_needs_look")
    assert bench.barrier.pulses == []
    held = bench.lane.held
    wish = choice(GuardAction.ADMIT, held.arrival_id, corrected_plate="琼A12345", permit_id=PERMIT.permit_id)
    task = asyncio.create_task(bench.lane.ask(wish))
    await asyncio.sleep(0)
    await bench.run(0.2)
    await task
    assert [action for action, _ in bench.barrier.pulses] == ["open"]


async def test_a_person_s_word_ends_what_a_pass_can_do(bench) -> None:
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    task = asyncio.create_task(bench.lane.ask(choice(GuardAction.REFUSE, bench.lane.held.arrival_id)))
    await asyncio.sleep(0)
    await bench.run(0.2)
    await task
    before = len(await bench.events("passage_decided"))
    await scan(bench, text_of())
    assert len(await bench.events("passage_decided")) == before
    assert bench.barrier.pulses == []


async def test_a_flood_of_codes_is_a_few_decisions_and_no_more(bench) -> None:
    await bench.arrive(DIRTY)
    await bench.run(4.0)
    for number in range(60):
        bench.lane.passes.scanned(f"code {number}")
        await bench.run(0.3)
    assert len(await bench.events("passage_decided")) <= 14


async def test_a_scan_before_anybody_came_is_shown_and_belongs_to_no_vehicle(bench) -> None:
    bench.lane.passes.scanned(text_of())
    await bench.run(0.5)
    assert isinstance(bench.lane.passes.latest.said, PermitPass)
    await bench.arrive(CLEAN)
    assert (await last(bench))["pass_shown"] is None
    assert bench.barrier.pulses == []


async def test_a_vehicle_that_leaves_unread_is_recorded_under_its_pass(clock, journal, tmp_path: Path) -> None:
    bench = make_bench(clock, journal, tmp_path, direction=Direction.OUT)
    await bench.run(0.5)
    await bench.arrive(DIRTY)
    bench.lane.passes.scanned(text_of())
    await bench.run(4.0)
    decided = await last(bench)
    assert (decided["outcome"], decided["permit_id"]) == ("admit", PERMIT.permit_id)


# ------------------------------------------------------------------------------------------------------- the camera


def picture_with(text: str, *, px_per_module: int = 3) -> np.ndarray:
    """A grey scene with a code in it."""
    code = segno.make_qr(text, error="m", boost_error=False)
    modules = np.array([[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=4)], np.uint8)
    board = cv2.resize(modules, None, fx=px_per_module, fy=px_per_module, interpolation=cv2.INTER_NEAREST)
    scene = np.full((540, 960, 3), 120, np.uint8)
    scene[50 : 50 + board.shape[0], 300 : 300 + board.shape[1]] = board[..., None]
    return scene


def test_codes_are_read_from_a_picture_and_cut_to_length() -> None:
    reader = ZxingPassReader()
    assert reader.read(picture_with(text_of())) == (text_of(),)
    assert reader.read(np.full((540, 960, 3), 120, np.uint8)) == ()
    (long,) = reader.read(picture_with("x" * 1200))
    assert len(long) == TEXT_MAX + 1
    assert PassVerifier([KEY.public], SystemClock()).read(long, PassSource.CAMERA).said is PassProblem.MALFORMED


async def test_the_camera_is_searched_only_where_a_pass_can_matter(clock, journal, tmp_path: Path) -> None:
    watch = PassWatch(PassVerifier([KEY.public], clock), clock, lane_id="east-in-1", reader=ZxingPassReader())
    bench = build_bench(clock, journal, tmp_path, passes=watch)
    found = asyncio.Event()
    task = asyncio.create_task(watch.run())
    try:
        await bench.run(0.5)
        await bench.arrive(plate("琼AD12345", PlateColour.GREEN))
        await bench.drive_through()
        await asyncio.sleep(0)
        assert watch.searches == 0
        await bench.arrive(CLEAN)
        assert bench.lane.state.phase is Phase.REFUSED
        taken = bench.lane._pass_shown
        watch.on_shown(lambda shown: (taken(shown), found.set()))
        clock.advance(0.5)
        frame = Frame(picture_with(text_of()), clock.now(), clock.monotonic())
        await bench.lane.look(frame)
        async with asyncio.timeout(60):
            await found.wait()
        await bench.run(0.2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    decided = await last(bench)
    assert (decided["outcome"], decided["pass_shown"]["source"]) == ("admit_under_permit", "camera")


def test_a_pass_outranks_what_says_less(clock) -> None:
    verifier = PassVerifier([KEY.public], clock)
    good, again = verifier.read(text_of(), PassSource.CAMERA), verifier.read(text_of(), PassSource.SCANNER)
    newer = verifier.read(text_of(issued_at=ISSUED + timedelta(minutes=1)), PassSource.CAMERA)
    foreign = verifier.read("menu", PassSource.CAMERA)
    assert good.outranks(None)
    assert good.outranks(foreign)
    assert newer.outranks(good)
    assert not foreign.outranks(good)
    assert not again.outranks(good)
