"""The account of the demonstration, and what the scripted guard decides."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hw_sim.guard import decision_about
from hw_sim.summary import events_journalled, match_all, summarise


def passage(arrival_id: str, at: str, outcome: str, plate: str | None, lane: str = "in-1") -> dict:
    arrived = f"2026-11-21T02:{at}+00:00"
    return {"arrival_id": arrival_id, "lane_id": lane, "arrived_at": arrived, "outcome": outcome, "raw_plate": plate}


def vehicle(number: int, at: str, left: str | None, plate: str, expected: list[str], lane: str = "in-1") -> dict:
    return {
        "vehicle_id": f"{lane}-{number}",
        "lane_id": lane,
        "on_loop_at": f"2026-11-21T02:{at}+00:00",
        "left_at": left and f"2026-11-21T02:{left}+00:00",
        "plate": plate,
        "expected_outcomes": expected,
    }


TRUTH = [
    vehicle(1, "00:10", "00:25", "琼AD12345", ["admit", "hold"]),
    vehicle(2, "00:30", "00:50", "琼C12345", ["hold", "refuse"]),
    vehicle(3, "00:55", None, "琼CF12345", ["admit", "hold"]),
]
NO_VIOLATION = {"in-1": {"violations": {"closed_on_vehicle": 0}}}


def account(passages: list[dict], state: dict = NO_VIOLATION):
    return summarise(passages, TRUTH, state, journalled=9, in_cloud=9, console="http://x/")[0]


def test_right_decisions_are_counted_by_outcome():
    found = account(
        [
            passage("a", "00:12", "admit", "琼AD12345"),
            passage("b", "00:33", "refuse", "琼C12345"),
            passage("c", "00:57", "hold", None),
        ]
    )
    assert (found.vehicles, found.admitted, found.refused, found.held) == (3, 1, 1, 1)
    assert (found.wrong_decisions, found.misread, found.undecided) == (0, 0, 0)


@pytest.mark.parametrize(
    ("wrong", "misread"),
    [
        (passage("b", "00:33", "admit", "琼C12345"), 0),
        (passage("b", "00:33", "admit", "琼AD99999"), 1),
        (passage("b", "00:33", "admit_under_permit", "琼C12345"), 0),
        (passage("b", "00:33", "admit", "琼C12345", "out-9"), 0),
    ],
)
def test_opening_for_whom_it_must_not_is_wrong(wrong: dict, misread: int):
    found = account([wrong])
    assert (found.wrong_decisions, found.misread) == (1, misread)


def test_refusing_whom_it_must_admit_is_wrong_and_holding_never_is():
    assert account([passage("a", "00:12", "refuse", "琼AD12345")]).wrong_decisions == 1
    assert account([passage("a", "00:12", "hold", "琼AD12345")]).wrong_decisions == 0


def test_vehicle_without_any_decision_is_told():
    assert account([passage("a", "00:12", "admit", "琼AD12345")]).undecided == 2


def test_plate_outranks_order_when_two_stand_nose_to_tail():
    truth = [
        vehicle(1, "00:10", "00:40", "琼AD11111", ["admit", "hold"]),
        vehicle(2, "00:12", "00:50", "琼AD22222", ["admit", "hold"]),
    ]
    passages = [passage("x", "00:14", "admit", "琼AD22222"), passage("y", "00:15", "admit", "琼AD11111")]
    pairs = {m.passage["arrival_id"]: m.vehicle and m.vehicle["vehicle_id"] for m in match_all(passages, truth)}
    assert pairs == {"x": "in-1-2", "y": "in-1-1"}


def test_violations_are_carried_over():
    state = {"in-1": {"violations": {"closed_on_vehicle": 2, "passed_under_closed_boom": 1}}}
    assert account([], state).violations == 3


def test_pruned_events_still_count(tmp_path: Path):
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE lanes (lane INTEGER, pruned_seq INTEGER)")
        for lane, pruned, newest in ((0, 0, 7), (1, 4, None)):
            connection.execute("INSERT INTO lanes VALUES (?, ?)", (lane, pruned))
            connection.execute(f"CREATE TABLE lane_{lane} (seq INTEGER)")
            if newest:
                connection.execute(f"INSERT INTO lane_{lane} VALUES (?)", (newest,))
    connection.close()
    assert events_journalled(path) == 11


HOLD = {"readings": [{"text": "琼A12345", "permit": {"permit_id": "P"}}, {"text": "琼A1234S", "permit": None}]}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (None, ("refuse", "check_declined")),
        ({"role": "fuel", "plate": "琼A1234S"}, ("refuse", "fuel_no_permit")),
        ({"role": "fuel_permit", "plate": "琼A12345"}, ("admit", "permit_checked")),
        ({"role": "dirty", "plate": "琼AD12345"}, ("admit", "plate_read_by_eye")),
        ({"role": "temporary", "plate": "琼A55555"}, ("admit", "manager_approved")),
    ],
)
def test_guard_decides_as_a_person_would(seen: dict | None, expected: tuple[str, str]):
    body = decision_about(HOLD, seen)
    assert (body["outcome"], body["reason_code"]) == expected
