"""Who is inside by one gateway's own events, for how long that counts, and counted permits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.domain.permits import Permit, PermitClass, PermitSnapshot
from control.gate.presence import Presence, counted_down

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CERTAIN = 10 * MINUTE


class Gate:
    """Says what a gateway journals about one vehicle after the other."""

    def __init__(self) -> None:
        self.presence = Presence()
        self._count = 0

    def passes(
        self,
        plate: str | None,
        direction: str = "in",
        *,
        at: datetime = NOW,
        movement: str = "passed",
        reasons: tuple[str, ...] = ("battery_electric",),
        permit_id: str | None = None,
        guard: dict | None = None,
        corrected: str | None = None,
    ) -> None:
        self._count += 1
        arrival = f"a{self._count}"
        decided = {
            "arrival_id": arrival,
            "direction": direction,
            "at": at.isoformat(),
            "reasons": [{"code": code} for code in reasons],
            "plate": None if plate is None else {"text": plate},
            "permit_id": permit_id,
        }
        self.presence.take("passage_decided", decided)
        if guard is not None:
            body = {"arrival_id": arrival, "corrected_plate": None, "permit_id": None, "outcome": "admit", **guard}
            self.presence.take("guard_decided", body)
        if corrected is not None:
            self.presence.take("plate_corrected", {"arrival_id": arrival, "corrected_text": corrected})
        self.presence.take("vehicle_passed", {"arrival_id": arrival, "movement": movement, "at": at.isoformat()})

    def inside(self, plate: str, at: datetime = NOW + MINUTE) -> bool:
        return self.presence.entered(plate, at=at, own_view_max=CERTAIN) is not None


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_who_went_in_is_inside_until_it_goes_out(gate: Gate) -> None:
    assert not gate.inside("琼AD12345")
    gate.passes("琼AD12345")
    assert gate.inside("琼A·D12345")
    assert not gate.inside("琼AD54321")
    gate.passes("琼AD12345", "out", at=NOW + MINUTE)
    assert not gate.inside("琼AD12345", NOW + 2 * MINUTE)
    gate.passes("琼AD12345", at=NOW + 3 * MINUTE)
    assert gate.inside("琼AD12345", NOW + 4 * MINUTE)


def test_after_a_while_it_may_have_left_by_another_gate(gate: Gate) -> None:
    gate.passes("琼AD12345")
    assert gate.inside("琼AD12345", NOW + CERTAIN)
    assert not gate.inside("琼AD12345", NOW + CERTAIN + MINUTE)


def test_a_clock_that_leaps_back_is_certain_of_nothing(gate: Gate) -> None:
    gate.passes("琼AD12345")
    assert not gate.inside("琼AD12345", NOW - MINUTE)


@pytest.mark.parametrize("movement", ["backed_out", "unknown_after_crash"])
def test_who_did_not_go_through_is_not_inside(gate: Gate, movement: str) -> None:
    gate.passes("琼AD12345", movement=movement)
    assert not gate.inside("琼AD12345")


@pytest.mark.parametrize("exit_of", [None, "琼AD1234"], ids=["unread", "unsure"])
def test_an_exit_that_was_not_read_ends_all_certainty(gate: Gate, exit_of: str | None) -> None:
    gate.passes("琼AD12345")
    gate.passes(exit_of, "out", at=NOW + MINUTE, reasons=("leaving", "character_unsure"))
    assert not gate.inside("琼AD12345", NOW + 2 * MINUTE)
    gate.passes("琼AD54321", at=NOW + 3 * MINUTE)
    assert gate.inside("琼AD54321", NOW + 4 * MINUTE)


def test_a_doubtful_text_is_nobodys_entry_but_a_persons_reading_is(gate: Gate) -> None:
    gate.passes("琼AD12345", reasons=("plate_unsure",), guard={})
    assert not gate.inside("琼AD12345")
    gate.passes("琼AD12345", reasons=("plate_unsure",), guard={"corrected_plate": "琼AD12346"})
    assert gate.inside("琼AD12346")
    gate.passes("琼AD1Z345", reasons=("plate_unsure",), corrected="琼AD12347")
    assert gate.inside("琼AD12347")


def test_events_of_arrivals_before_the_journals_beginning_change_nothing(gate: Gate) -> None:
    gate.presence.take("vehicle_passed", {"arrival_id": "old", "movement": "passed", "at": NOW.isoformat()})
    gate.presence.take("plate_corrected", {"arrival_id": "old", "corrected_text": "琼AD12345"})
    gate.presence.take("gateway_health", {})
    assert not gate.inside("琼AD12345")


def permits(left: int | None) -> PermitSnapshot:
    permit = Permit("P1", "琼C12345", PermitClass.SPECIAL, NOW - CERTAIN, NOW + CERTAIN, entries_left=left)
    return PermitSnapshot(3, NOW, permits={"琼C12345": (permit,)})


def left_of(snapshot: PermitSnapshot, gate: Gate) -> int | None:
    return counted_down(snapshot, "琼C12345", gate.presence).permits["琼C12345"][0].entries_left


def test_entries_since_the_snapshot_are_counted_down(gate: Gate) -> None:
    for minute, movement in ((-1, "passed"), (1, "passed"), (2, "backed_out"), (3, "passed")):
        gate.passes("琼C12345", at=NOW + minute * MINUTE, permit_id="P1", movement=movement)
    gate.passes("琼C12345", "out", at=NOW + 4 * MINUTE, permit_id="P1")
    assert left_of(permits(5), gate) == 3
    assert left_of(permits(1), gate) == 0
    assert left_of(permits(None), gate) is None


def test_a_permit_that_the_guard_named_counts(gate: Gate) -> None:
    gate.passes("琼C12345", at=NOW + MINUTE, reasons=("plate_unsure",), guard={"permit_id": "P1"})
    assert left_of(permits(5), gate) == 4
