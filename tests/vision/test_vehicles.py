"""Which box carries which plate, what is looked at again, and what gets a type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from control.domain.readings import Quad
from control.domain.vehicles import VehicleType
from vision.vehicle_classifier import TypeReading
from vision.vehicle_detector import COCO_CLASSES, FoundVehicle
from vision.vehicles import TYPED_MAX, VehicleReader, derived_box, look_square

PICTURE = np.zeros((600, 800, 3), np.uint8)
CAR = TypeReading(VehicleType.CAR, 0.9, ((VehicleType.MINIBUS, 0.05),))
Sides = tuple[float, float, float, float]


@dataclass
class Finds:
    """Answers the first look with `far` and every nearer one with `near`."""

    far: Sequence[Sides] = ()
    near: Sequence[Sides] = ()
    squares: list[np.ndarray] = field(default_factory=list)

    def find(self, image_bgr: np.ndarray) -> list[FoundVehicle]:
        return [_found(box) for box in self.far]

    def find_near(self, image_bgr: np.ndarray, square: np.ndarray) -> list[FoundVehicle]:
        self.squares.append(square)
        return [_found(box) for box in self.near]


@dataclass
class Names:
    """Calls everything a car, and remembers the crops' shapes."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def classify(self, crops_bgr: Sequence[np.ndarray]) -> list[TypeReading]:
        self.shapes += [crop.shape for crop in crops_bgr]
        return [CAR for _ in crops_bgr]


def _found(box: Sides) -> FoundVehicle:
    return FoundVehicle(np.array(box, np.float32), np.full(len(COCO_CLASSES), 0.5, np.float32))


def plate(x: float, y: float, width: float = 80, height: float = 25) -> Quad:
    """A plate by its middle."""
    x0, y0, x1, y1 = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def holds(box: Sides, quad: Quad) -> bool:
    return all(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in quad)


def test_the_smallest_box_around_a_plate_is_its_vehicle_and_comes_first() -> None:
    finds = Finds([(0, 0, 800, 600), (300, 200, 600, 500)])
    first, second = VehicleReader(finds, Names()).read(PICTURE, [plate(450, 450)])
    assert first.box == (300, 200, 600, 500)
    assert (first.type, first.confidence, first.alternatives) == (VehicleType.CAR, 0.9, CAR.alternatives)
    assert second.box == (0, 0, 800, 600)
    assert finds.squares == []


def test_without_plates_every_vehicle_is_named_the_largest_first() -> None:
    readings = VehicleReader(Finds([(0, 0, 50, 50), (100, 100, 400, 300)]), Names()).read(PICTURE)
    assert [reading.box for reading in readings] == [(100, 100, 400, 300), (0, 0, 50, 50)]


def test_a_plate_over_the_edge_widens_its_vehicle_s_box() -> None:
    quad = plate(450, 495)
    (reading,) = VehicleReader(Finds([(300, 200, 600, 500)]), Names()).read(PICTURE, [quad])
    assert holds(reading.box, quad)
    assert reading.box[:3] == (300, 200, 600)


def test_a_plate_without_a_vehicle_is_looked_at_from_nearer() -> None:
    finds, quad = Finds(near=[(300, 200, 600, 500)]), plate(450, 450)
    (reading,) = VehicleReader(finds, Names()).read(PICTURE, [quad])
    assert reading.box == (300, 200, 600, 500)
    (square,) = finds.squares
    assert square[2] - square[0] == pytest.approx(square[3] - square[1]) == pytest.approx(9 * 80)


def test_two_plates_in_two_boxes_are_two_vehicles_and_one_box_carries_one_plate() -> None:
    finds = Finds([(50, 100, 350, 500), (400, 100, 700, 500)], near=[(100, 100, 340, 480)])
    quads = [plate(200, 450), plate(550, 450), plate(220, 300)]
    assert len(VehicleReader(finds, Names()).read(PICTURE, quads)) == 2


def test_the_part_of_a_vehicle_that_is_as_narrow_as_its_plate_does_not_carry_it() -> None:
    finds = Finds([(400, 400, 500, 500)], near=[(300, 200, 600, 500)])
    readings = VehicleReader(finds, Names()).read(PICTURE, [plate(450, 450)])
    assert readings[0].box == (300, 200, 600, 500)


def test_what_lies_below_a_vehicle_does_not_carry_its_plate() -> None:
    finds = Finds([(300, 200, 600, 500), (330, 430, 580, 590)])
    assert VehicleReader(finds, Names()).read(PICTURE, [plate(450, 450)])[0].box == (300, 200, 600, 500)


def test_a_vehicle_that_fills_the_picture_gets_a_box_from_its_plate() -> None:
    quad = plate(400, 500, 300, 95)
    (reading,) = VehicleReader(Finds(), Names()).read(PICTURE, [quad])
    assert holds(reading.box, quad)
    assert reading.box == (0, 0, 800, 600)


def test_a_plate_in_the_middle_of_nothing_stays_without_a_vehicle() -> None:
    assert VehicleReader(Finds(), Names()).read(PICTURE, [plate(400, 400, 60, 20)]) == ()


@pytest.mark.parametrize(("x", "y"), [(400, 20), (20, 400), (780, 400)])
def test_a_box_from_the_plate_needs_a_border_that_hides_the_vehicle(x: float, y: float) -> None:
    quad = np.array(plate(x, y), np.float32)
    box = derived_box(quad, (800, 600))
    assert box is not None
    assert (box[:2] >= 0).all()
    assert derived_box(np.array(plate(400, 400), np.float32), (800, 600)) is None


def test_the_nearer_look_has_the_plate_in_its_lower_middle() -> None:
    x0, y0, x1, y1 = look_square(np.array(plate(400, 300), np.float32))
    assert ((400 - x0) / (x1 - x0), (300 - y0) / (y1 - y0)) == pytest.approx((0.5, 0.65))


def test_small_vehicles_and_those_beyond_the_limit_have_no_type() -> None:
    many: list[Sides] = [(60.0 * n, 0, 60.0 * n + 55, 50) for n in range(TYPED_MAX + 2)]
    names = Names()
    readings = VehicleReader(Finds([*many, (0, 300, 12, 310)]), names).read(PICTURE)
    assert len(names.shapes) == TYPED_MAX
    assert [reading.type for reading in readings].count(VehicleType.UNKNOWN) == 3
    assert {reading.confidence for reading in readings if reading.type is VehicleType.UNKNOWN} == {0.0}
