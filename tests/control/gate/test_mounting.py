"""A plate that is shown and not mounted: what gives it away, and that one odd look does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.readings import Box, Quad, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.mounting import Look, carrier, mounting_doubts, vehicle_around, wants_another_look
from control.gate.reasons import Code
from control.gate.rules import Policy, RuleSet

SIZE = (960, 540)
CAR: Box = (300.0, 200.0, 660.0, 480.0)


@pytest.fixture
def policy(rules: RuleSet) -> Policy:
    policy = rules.in_force(datetime(2026, 11, 21, tzinfo=UTC))
    assert policy is not None
    return policy


def quad(x: float, y: float, width: float = 90.0) -> Quad:
    """A plate with its middle there."""
    half, low = width / 2, width * 0.15
    return ((x - half, y - low), (x + half, y - low), (x + half, y + low), (x - half, y + low))


def vehicle(box: Box, kind: VehicleType = VehicleType.CAR, sure: float = 0.95) -> VehicleReading:
    return VehicleReading(kind, sure, box)


def look(at_s: float, plate: Quad, *boxes: Box) -> Look:
    return Look(at_s, plate, tuple(vehicle(box) for box in boxes), SIZE)


def codes(policy: Policy, *looks: Look) -> list[str]:
    return [reason.code for reason in mounting_doubts(looks, policy)]


MOUNTED = quad(480, 420)


def test_a_mounted_plate_raises_no_doubt(policy: Policy) -> None:
    assert codes(policy, *(look(t, MOUNTED, CAR) for t in range(4))) == []


def test_no_look_is_no_doubt(policy: Policy) -> None:
    assert codes(policy) == []


@pytest.mark.parametrize(
    ("plate", "boxes", "code"),
    [
        (MOUNTED, (), Code.PLATE_WITHOUT_VEHICLE),
        (quad(120, 300), (CAR,), Code.PLATE_WITHOUT_VEHICLE),
        (quad(480, 420, 300), (CAR,), Code.PLATE_WRONG_SIZE),
        (quad(480, 420, 11), (CAR,), Code.PLATE_WRONG_SIZE),
        (quad(480, 250), (CAR,), Code.PLATE_WRONG_PLACE),
        (quad(480, 240), ((380.0, 60.0, 580.0, 260.0), (330.0, 290.0, 700.0, 530.0)), Code.PLATE_OF_OTHER_VEHICLE),
    ],
    ids=["nothing there", "beside the car", "too large", "too small", "behind the windscreen", "on the next vehicle"],
)
def test_what_gives_a_shown_plate_away(policy: Policy, plate: Quad, boxes: tuple[Box, ...], code: Code) -> None:
    assert codes(policy, look(0, plate, *boxes)) == []
    assert code in codes(policy, look(0, plate, *boxes), look(0.4, plate, *boxes))


def test_one_missed_vehicle_among_several_looks_is_no_doubt(policy: Policy) -> None:
    missed = look(0, MOUNTED)
    assert codes(policy, missed, look(0.4, MOUNTED, CAR), look(0.8, MOUNTED, CAR)) == []
    assert codes(policy, missed, look(0.4, MOUNTED), *(look(t, MOUNTED, CAR) for t in (1, 2, 3))) == []


def test_a_doubtful_look_asks_for_another_and_a_clear_one_does_not(policy: Policy) -> None:
    assert wants_another_look((), policy)
    assert wants_another_look((look(0, MOUNTED),), policy)
    assert not wants_another_look((look(0, MOUNTED, CAR),), policy)
    assert not wants_another_look(tuple(look(t, MOUNTED) for t in range(4)), policy)


def test_a_plate_waved_before_a_standing_vehicle_moves_apart(policy: Policy) -> None:
    waved = [look(0, quad(430, 420), CAR), look(0.4, quad(560, 400), CAR), look(0.8, quad(420, 420), CAR)]
    assert codes(policy, *waved) == [Code.PLATE_MOVES_APART]


def test_a_plate_that_stands_still_while_its_vehicle_moves_is_apart_too(policy: Policy) -> None:
    boxes = [(300.0 + 80 * t, 200.0, 660.0 + 80 * t, 480.0) for t in range(3)]
    assert codes(policy, *(look(0.4 * t, quad(560, 420), box) for t, box in enumerate(boxes))) == [
        Code.PLATE_MOVES_APART
    ]


distances = st.floats(3.0, 12.0)


def seen_at(distance_m: float, *, jitter: tuple[float, float] = (0.0, 0.0)) -> Look:
    """A car with its plate as a pinhole camera sees it; the box is cut off by the picture and not quite right."""
    scale, middle = 1300.0 / distance_m, 480.0 - 400.0 / distance_m
    ground = 190.0 + 1300.0 / distance_m
    plate = quad(middle, ground - 0.5 * scale, 0.44 * scale)
    box = (middle - 0.9 * scale, ground - 1.5 * scale, middle + 0.9 * scale, ground)
    moved = tuple(side + jitter[i // 2] * 0.1 * 0.44 * scale for i, side in enumerate(box))
    return look(0, plate, (max(0.0, moved[0]), max(0.0, moved[1]), min(960.0, moved[2]), min(540.0, moved[3])))


@given(st.lists(st.tuples(distances, st.tuples(st.floats(-1, 1), st.floats(-1, 1))), min_size=2, max_size=6))
def test_a_car_that_drives_to_and_fro_with_its_plate_raises_no_doubt(
    rules: RuleSet, ride: list[tuple[float, tuple[float, float]]]
) -> None:
    policy = rules.in_force(datetime(2026, 11, 21, tzinfo=UTC))
    assert policy is not None
    looks = tuple(seen_at(distance, jitter=jitter) for distance, jitter in ride)
    assert mounting_doubts(looks, policy) == ()


def test_the_smallest_box_carries_the_plate() -> None:
    behind = vehicle((0.0, 0.0, 960.0, 540.0), VehicleType.BUS)
    assert vehicle_around(MOUNTED, (behind, vehicle(CAR))) == vehicle(CAR)
    assert vehicle_around(quad(10, 10), (vehicle(CAR),)) is None


def test_the_carriers_type_is_fused_over_the_looks() -> None:
    looks = tuple(
        Look(t, MOUNTED, (vehicle(CAR, kind, sure),), SIZE)
        for t, (kind, sure) in enumerate([(VehicleType.CAR, 0.9), (VehicleType.CAR, 0.95), (VehicleType.BUS, 0.5)])
    )
    found = carrier(looks)
    assert found is not None
    assert found.type is VehicleType.CAR
    assert found.confidence < 0.95
    assert carrier((look(0, MOUNTED),)) is None
