"""The vehicle detector: decoding by hand, and the real network on a drawn car."""

from __future__ import annotations

import numpy as np
import pytest

from vision.vehicle_detector import (
    BINS,
    COCO_CLASSES,
    FoundVehicle,
    VehicleDetector,
    finds_of,
    iou,
    network_input,
    without_doubles,
)

# The body, its mirrors and its wheels in `drawn_car`.
CAR_BOX = (150, 150, 492, 410)


@pytest.fixture(scope="module")
def detector() -> VehicleDetector:
    return VehicleDetector.load()


def found(box: tuple[float, ...], *, score: float = 0.9, place: int = 1) -> FoundVehicle:
    scores = np.zeros(len(COCO_CLASSES), np.float32)
    scores[place] = score
    return FoundVehicle(np.array(box, np.float32), scores)


def test_a_drawn_car_is_found_with_its_box(detector: VehicleDetector, drawn_car: np.ndarray) -> None:
    best = detector.find(drawn_car)[0]
    assert iou(best.box, np.array(CAR_BOX, np.float32)) > 0.8


def test_a_square_that_leaves_the_picture_is_looked_at_from_nearer(
    detector: VehicleDetector, drawn_car: np.ndarray
) -> None:
    finds = detector.find_near(np.roll(drawn_car, -120, axis=1), np.array([-160, -60, 460, 560], np.float32))
    assert max(iou(find.box, np.array((30, 150, 372, 410), np.float32)) for find in finds) > 0.7


def test_nothing_is_seen_outside_the_picture(detector: VehicleDetector, drawn_car: np.ndarray) -> None:
    assert detector.find_near(drawn_car, np.array([700, 500, 900, 700], np.float32)) == ()


def test_an_even_picture_holds_no_vehicle(detector: VehicleDetector) -> None:
    assert detector.find(np.full((300, 400, 3), 128, np.uint8)) == ()


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 900, 3), (900, 5, 3)])
def test_odd_sizes_are_survived(detector: VehicleDetector, shape: tuple[int, int, int]) -> None:
    for find in detector.find(np.zeros(shape, np.uint8)):
        assert (find.box >= 0).all()


def test_cells_become_boxes_in_the_network_s_pixels() -> None:
    cells = np.full((len(COCO_CLASSES) + 4 * BINS, 4, 5), -9.0, np.float32)
    cells[2, 1, 3] = 2.0
    for side, strides in enumerate((1, 0, 2, 3)):
        cells[len(COCO_CLASSES) + side * BINS + strides, 1, 3] = 30.0
    (find,) = finds_of(cells, 16, 0.35)
    assert np.allclose(find.box, (56 - 16, 24, 56 + 32, 24 + 48), atol=0.01)
    assert COCO_CLASSES[int(find.scores.argmax())] == "motorcycle"
    assert find.score == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_one_vehicle_of_two_classes_is_one_and_neighbours_are_two() -> None:
    finds = [found((0, 0, 100, 100), score=0.5), found((2, 0, 101, 99), score=0.8, place=5), found((60, 0, 160, 100))]
    kept = without_doubles(finds)
    assert [find.score for find in kept] == pytest.approx([0.9, 0.8])


def test_the_picture_is_not_stretched() -> None:
    values, factor = network_input(np.zeros((300, 900, 3), np.uint8), 416 / 900)
    assert values.shape == (1, 3, 160, 416)
    assert np.allclose(factor, [900 / 416, 300 / 139, 900 / 416, 300 / 139])


@pytest.mark.parametrize(
    ("other", "share"), [((0, 0, 10, 10), 1.0), ((5, 0, 15, 10), 1 / 3), ((20, 0, 30, 10), 0.0), ((0, 0, 0, 0), 0.0)]
)
def test_overlap_is_a_share_of_what_both_cover(other: tuple[float, ...], share: float) -> None:
    assert iou(np.array((0, 0, 10, 10), np.float32), np.array(other, np.float32)) == pytest.approx(share)
