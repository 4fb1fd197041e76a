"""What people said about vehicles: owns a correction with its crop, and how the crop is cut and made anonymous.

A crop teaches the classifier what this site's vehicles look like; whose vehicle it was is nobody's business. Every
plate in it is made unreadable before it is stored, and the vehicle gets a name that only tells one from another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import cv2
import numpy as np

from control.domain.readings import Box, Quad
from edge.evidence import encode
from edge.ports import Picture

CROP_SIDE_PX_MAX = 288
PLATE_MARGIN = 0.25
MOSAIC_PX = (3, 1)


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's word on the type of one arrival's vehicle. `crop` is a JPEG without readable plates.

    `predicted` is what the classifier had said, by the head `predicted_by`; "" where it had said nothing.
    """

    arrival_id: str
    lane_id: str
    gate_id: str
    at: datetime
    by: str
    source: str
    label: str
    predicted: str
    predicted_confidence: float
    predicted_by: str
    crop: bytes


@dataclass(frozen=True, slots=True)
class LabelledCrop:
    """A stored correction as the head learns it. `number` grows; `vehicle` is one name a vehicle."""

    number: int
    label: str
    predicted: str
    vehicle: str
    crop: bytes


class Corrections(Protocol):
    """Labelled crops, kept for as long as the rules let them."""

    async def keep(self, correction: Correction, *, plate: str) -> None:
        """Store one; a later word on the same arrival takes its place. Raises DeviceError."""
        ...

    async def prune(self, *, now: datetime, keep_days: float) -> int:
        """Remove what is older; gives how many."""
        ...


def anonymous_crop(image: Picture, box: Box, plates: Iterable[Quad]) -> bytes | None:
    """The vehicle cut out of a BGR picture as a JPEG, its plates unreadable; None where the box holds nothing."""
    covered = image.copy()
    for quad in plates:
        cover_plate(covered, quad)
    height, width = image.shape[:2]
    x0, y0 = max(0, round(box[0])), max(0, round(box[1]))
    x1, y1 = min(width, round(box[2])), min(height, round(box[3]))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    crop = covered[y0:y1, x0:x1]
    scale = CROP_SIDE_PX_MAX / max(crop.shape[:2])
    if scale < 1:
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    return encode(np.ascontiguousarray(crop))


def cover_plate(image: Picture, quad: Quad) -> None:
    """Paint over a plate, in place: three patches of its own colours, so that its ground can still be told."""
    corners = np.asarray(quad, np.float32)
    corners = corners.mean(axis=0) + (corners - corners.mean(axis=0)) * (1 + 2 * PLATE_MARGIN)
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)), 0, (width, height)).astype(int)
    if x1 <= x0 or y1 <= y0:
        return
    region = image[y0:y1, x0:x1]
    patches = cv2.resize(region, MOSAIC_PX, interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(patches, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    mask = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners - (x0, y0)).astype(np.int32), 255)
    region[mask > 0] = mosaic[mask > 0]
