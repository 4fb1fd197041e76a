"""Pictures of vehicles for training: owns reading them, and the sample inputs that quantising needs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.vehicles import VehicleType
from vision.vehicle_classifier import classifier_input
from vision.vehicle_detector import SIDE_PX, network_input

LABELS = Path(__file__).with_name("vehicle_labels.csv")
# The classes of the roadside data set; its three-wheelers are among the bikes.
ROADSIDE_TYPES = {
    "bike": VehicleType.MOTORCYCLE,
    "car": VehicleType.CAR,
    "juggernaut": VehicleType.TRUCK,
    "minibus": VehicleType.MINIBUS,
    "pickup": VehicleType.PICKUP,
    "truck": VehicleType.TRUCK,
}
# Every so manieth picture serves to find the ranges of the 8 bits.
SCENE_STEP, ROADSIDE_STEP = 13, 25


@dataclass(frozen=True, slots=True)
class Sample:
    """One vehicle: its crop, its type, and the camera that saw it."""

    crop_bgr: NDArray[np.uint8]
    type: VehicleType
    camera: str


def roadside(data: Path) -> list[Sample]:
    """Every crop of the roadside set: one camera."""
    return [
        Sample(picture(path), kind, "roadside")
        for name, kind in ROADSIDE_TYPES.items()
        for path in sorted((data / "vehicles/roadside" / name).glob("*.jpg"))
    ]


def labelled(data: Path) -> list[Sample]:
    """Vehicles of road scenes and street frames whose types this project wrote down in `vehicle_labels.csv`.

    The folder of a picture stands for its camera.
    """
    with LABELS.open(encoding="utf-8") as rows:
        labels = list(csv.DictReader(rows))
    samples = []
    for row in labels:
        x0, y0, x1, y1 = (int(row[side]) for side in ("x0", "y0", "x1", "y1"))
        path = data / row["file"]
        samples.append(Sample(picture(path)[y0:y1, x0:x1], VehicleType(row["type"]), path.parent.name))
    return samples


def detector_inputs(data: Path) -> Iterator[NDArray[np.float32]]:
    """Road scenes as the vehicle detector sees them."""
    for path in sorted((data / "plates/scenes_train").glob("*.jpg"))[::SCENE_STEP]:
        image = picture(path)
        yield network_input(image, SIDE_PX / max(image.shape[:2]))[0]


def classifier_inputs(data: Path) -> Iterator[NDArray[np.float32]]:
    """Vehicles as the classifier sees them, one at a time."""
    for sample in (roadside(data) + labelled(data))[::ROADSIDE_STEP]:
        yield classifier_input(sample.crop_bgr)[None]


def picture(path: Path) -> NDArray[np.uint8]:
    """A picture as uint8 (h, w, 3)."""
    image = cv2.imread(str(path))
    assert image is not None, f"{path} is missing or no picture"
    return image
