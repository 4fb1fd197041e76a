"""Pictures that an engineer has labelled by hand: owns the way from a folder a type to the corrections of a gateway.

So a site can begin with what its guards have not met yet. Plates are found and painted over as in a guard's pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from control.domain.errors import ConfigurationError
from control.domain.vehicles import VehicleType
from edge.adapters.correction_store import CorrectionStore
from edge.corrections import Correction, anonymous_crop
from edge.ports import FrameReading, Picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SOURCE = "pictures"
SIDE_PX_MIN = 8


class PlateFinder(Protocol):
    """Finds the plates to paint over."""

    def read(self, image_bgr: Picture) -> FrameReading:
        """What the picture holds."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """How many pictures were taken, by type, and the files that are no pictures."""

    counts: dict[str, int]
    unreadable: tuple[Path, ...]


def take(folder: Path, store: CorrectionStore, finder: PlateFinder, *, now: datetime, by: str) -> Taken:
    """Store every picture below `folder`, each a whole vehicle, under the type that its folder is named after.

    A picture that is there already is stored anew, never twice. Raises ConfigurationError for a folder of no type.
    """
    counts: dict[str, int] = {}
    unreadable = []
    for kind, path in _pictures(folder):
        data = path.read_bytes()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if image is None or min(image.shape[:2]) < SIDE_PX_MIN:
            unreadable.append(path)
            continue
        name = f"{SOURCE}:{hashlib.sha256(data).hexdigest()}"
        store.write(_correction(name, kind, image, finder, now=now, by=by), plate="")
        counts[kind.value] = counts.get(kind.value, 0) + 1
    if not counts:
        raise ConfigurationError(
            f"{folder} holds no pictures: it needs a folder a vehicle type, such as {folder}/truck"
        )
    return Taken(counts, tuple(unreadable))


def _pictures(folder: Path) -> Iterator[tuple[VehicleType, Path]]:
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        if below.name not in set(VehicleType):
            raise ConfigurationError(f"{below} is named after no vehicle type; the types are {', '.join(VehicleType)}")
        kind = VehicleType(below.name)
        yield from ((kind, path) for path in sorted(below.iterdir()) if path.suffix.lower() in SUFFIXES)


def _correction(
    name: str, kind: VehicleType, image: Picture, finder: PlateFinder, *, now: datetime, by: str
) -> Correction:
    height, width = image.shape[:2]
    crop = anonymous_crop(image, (0.0, 0.0, width, height), [plate.quad for plate in finder.read(image).plates])
    assert crop is not None, "the picture is large enough"
    return Correction(
        arrival_id=name,
        lane_id="",
        gate_id="",
        at=now,
        by=by,
        source=SOURCE,
        label=kind.value,
        predicted="",
        predicted_confidence=0.0,
        predicted_by="",
        crop=crop,
    )
