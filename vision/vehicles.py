"""The vehicles of a picture: owns which boxes are vehicles, which vehicle carries which plate, and what gets a type.

A plate around which no vehicle was found is looked at again from nearer, since dark or cut-off vehicles are easily
missed in the whole picture. Where the picture's border cuts the vehicle off, its box follows from the plate's size.
A plate whose vehicle should be in full view and is not stays without one: that is evidence of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from control.domain.readings import Quad, VehicleReading
from control.domain.vehicles import VehicleType
from vision.vehicle_classifier import TypeReading, VehicleClassifier
from vision.vehicle_detector import SAME_VEHICLE_IOU, FoundVehicle, VehicleDetector, area, iou

BgrImage = NDArray[np.uint8]
Corners = NDArray[np.float32]

# The nearer look: a square this many plate widths wide; where the plate's middle stands in it.
LOOK_PLATES = 9.0
LOOK_PLATE_AT = (0.5, 0.65)
# A vehicle without a find of its own, in plate widths to each side of the plate's middle: a car is 1.8 m wide, a plate
# 0.44 m; below it are half a bumper, above it the rest of the vehicle.
DERIVED_PLATES = (2.1, 2.6, 2.1, 0.6)
# So much of that box lies outside the picture where the border is what hid the vehicle.
CUT_OFF_FRAC_MIN = 0.12
# A plate still belongs to a box that it leaves by less than this, in plate widths; the box then grows around it.
MARGIN_PLATES = 0.5
# What a plate is on is wider than this many of its widths.
CARRIER_PLATES_MIN = 1.3
# Plates are mounted below this share of the vehicle's height from above.
HIGH_FRAC = 0.3
TYPED_MAX = 8
TYPED_SIDE_PX_MIN = 20.0
UNTYPED = TypeReading(VehicleType.UNKNOWN, 0.0, ())


class Finder(Protocol):
    """Finds vehicles of any type; boxes in pixels of the picture, the surest first."""

    def find(self, image_bgr: BgrImage) -> Sequence[FoundVehicle]:
        """Every vehicle in the picture."""

    def find_near(self, image_bgr: BgrImage, square: Corners) -> Sequence[FoundVehicle]:
        """Vehicles in one square of the picture, seen from nearer."""


class Namer(Protocol):
    """Says what type of vehicle a crop shows."""

    def classify(self, crops_bgr: Sequence[BgrImage]) -> Sequence[TypeReading]:
        """One reading a crop."""


@dataclass(slots=True)
class _Seen:
    """A vehicle so far: its box, and whether a plate is on it."""

    box: Corners
    plate: bool = False


class VehicleReader:
    """Finds and names the vehicles of a picture. One instance serves one thread at a time."""

    def __init__(self, detector: Finder, classifier: Namer) -> None:
        self._detector, self._classifier = detector, classifier

    @classmethod
    def load(
        cls,
        models_dir: Path | None = None,
        *,
        head: Path | None = None,
        heads_dir: Path | None = None,
        unknown_below: float | None = None,
    ) -> VehicleReader:
        """Detector and classifier of `models.toml`; for `head` and `heads_dir` see the classifier.

        Raises ConfigurationError.
        """
        classifier = VehicleClassifier.load(models_dir, head=head, heads_dir=heads_dir, unknown_below=unknown_below)
        return cls(VehicleDetector.load(models_dir), classifier)

    def read(self, image_bgr: BgrImage, plates: Sequence[Quad] = ()) -> tuple[VehicleReading, ...]:
        """Every vehicle in the picture, uint8 (h, w, 3); those with a plate first, then the larger ones first.

        Each of `plates` lies in the box of its vehicle, where it has one. A vehicle that is too small or one too many
        to be typed is `unknown` with confidence 0.
        """
        seen = [_Seen(find.box) for find in self._detector.find(image_bgr)]
        for plate in plates:
            self._give_vehicle(image_bgr, np.array(plate, np.float32), seen)
        seen.sort(key=lambda vehicle: (not vehicle.plate, -area(vehicle.box)))
        return tuple(self._named(image_bgr, [vehicle.box for vehicle in seen]))

    def _give_vehicle(self, image_bgr: BgrImage, plate: Corners, seen: list[_Seen]) -> None:
        """Mark the vehicle that carries the plate, and add it where it was not seen so far."""
        carrier = _carrier(plate, seen)
        if carrier is None:
            nearer = self._detector.find_near(image_bgr, look_square(plate))
            carrier = _carrier(plate, [_Seen(find.box) for find in nearer])
            if carrier is None and (box := derived_box(plate, image_bgr.shape[1::-1])) is not None:
                carrier = _Seen(box)
            if carrier is None or any(iou(carrier.box, other.box) > SAME_VEHICLE_IOU for other in seen):
                return
            seen.append(carrier)
        carrier.plate = True
        carrier.box = _around(carrier.box, plate, image_bgr.shape[1::-1])

    def _named(self, image_bgr: BgrImage, boxes: list[Corners]) -> list[VehicleReading]:
        large = [place for place, box in enumerate(boxes) if min(box[2:] - box[:2]) >= TYPED_SIDE_PX_MIN][:TYPED_MAX]
        answers = self._classifier.classify([_cut_out(image_bgr, boxes[place]) for place in large])
        named = dict(zip(large, answers, strict=True))
        return [_reading(box, named.get(place, UNTYPED)) for place, box in enumerate(boxes)]


def look_square(plate: Corners) -> Corners:
    """The surroundings of a plate (4, 2) in which its vehicle must be, x0, y0, x1, y1; may leave the picture."""
    side = LOOK_PLATES * _width(plate)
    low = plate.mean(axis=0) - np.array(LOOK_PLATE_AT, np.float32) * side
    return np.concatenate([low, low + side]).astype(np.float32)


def derived_box(plate: Corners, size: tuple[int, int]) -> Corners | None:
    """The box that a plate's size tells, cut to the picture of `size` (w, h); None where no border cuts it."""
    left, top, right, bottom = np.array(DERIVED_PLATES) * _width(plate)
    x, y = plate.mean(axis=0)
    whole = np.array([x - left, y - top, x + right, y + bottom], np.float32)
    inside = np.clip(whole, 0, np.array([*size, *size], np.float32))
    return inside if area(inside) < (1 - CUT_OFF_FRAC_MIN) * area(whole) else None


def _width(plate: Corners) -> float:
    """Mean length of the upper and the lower side, pixels."""
    return float(np.linalg.norm(plate[1] - plate[0]) + np.linalg.norm(plate[2] - plate[3])) / 2


def _carrier(plate: Corners, seen: Sequence[_Seen]) -> _Seen | None:
    """The smallest box around the plate's middle that has no other plate yet and is large enough to carry this one.

    Boxes with the plate in their upper part come last: those are of something below the vehicle.
    """
    middle, margin = plate.mean(axis=0), MARGIN_PLATES * _width(plate)
    around = [
        vehicle
        for vehicle in seen
        if not vehicle.plate
        and (vehicle.box[:2] - margin <= middle).all()
        and (middle <= vehicle.box[2:] + margin).all()
        and vehicle.box[2] - vehicle.box[0] > CARRIER_PLATES_MIN * _width(plate)
    ]
    return min(around, key=lambda vehicle: (_is_high(middle, vehicle.box), area(vehicle.box)), default=None)


def _is_high(point: Corners, box: Corners) -> bool:
    return bool(point[1] < box[1] + HIGH_FRAC * (box[3] - box[1]))


def _around(box: Corners, plate: Corners, size: tuple[int, int]) -> Corners:
    """The box, grown to hold the plate's corners as far as they are in the picture of `size` (w, h)."""
    low, high = np.minimum(box[:2], plate.min(axis=0)), np.maximum(box[2:], plate.max(axis=0))
    grown = np.concatenate([low, high])
    return np.clip(grown, 0, np.array([*size, *size], np.float32)).astype(np.float32)


def _cut_out(image_bgr: BgrImage, box: Corners) -> BgrImage:
    x0, y0, x1, y1 = np.round(box).astype(int)
    return image_bgr[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def _reading(box: Corners, named: TypeReading) -> VehicleReading:
    x0, y0, x1, y1 = (float(value) for value in box)
    return VehicleReading(named.type, named.probability, (x0, y0, x1, y1), named.alternatives)
