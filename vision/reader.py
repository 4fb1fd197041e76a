"""Pictures to readings: owns what happens between finding a plate and telling it to the gate.

The detector finds corners, the recogniser reads what lies between them, `vision.colour` doubts the colour. Where
vehicles are asked for, `vision.vehicles` finds and names those around the plates and those without.
Here their answers become `PlateReading`s: duplicates and ghosts dropped, the surest first. Whether a reading is
sure enough for the barrier is policy and lives in `control.gate`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, Quad, VehicleReading
from vision import colour

BgrImage = NDArray[np.uint8]

# A plate whose shorter side has fewer pixels than this cannot be read by anybody.
PLATE_HEIGHT_PX_MIN = 5.0
PLATE_WIDTH_PX_MIN = 14.0
# Two quads whose boxes overlap by more than this share of the smaller one are the same plate.
SAME_PLATE_OVERLAP_FRAC = 0.5
# Where the quick look reads a plate at least as surely as this, the thorough one is spared.
SURE_CONFIDENCE_MIN = 0.8
# What the detector doubts and the recogniser cannot read is no plate but a grille or a shop sign. A plate that is
# clearly there stays, however badly it reads: the gate must know that a vehicle has one.
DOUBTFUL_SCORE_MAX = 0.7
GHOST_CONFIDENCE_MAX = 0.1
GHOST_CHARACTERS_MAX = 4


class FoundPlate(Protocol):
    """A plate found in a picture."""

    @property
    def quad(self) -> NDArray[np.float32]:
        """Corners (4, 2) in pixels, clockwise from the plate's own top left."""

    @property
    def score(self) -> float:
        """How sure the detector is that this is a plate, 0 to 1."""


class ReadPlate(Protocol):
    """What stands on one plate."""

    @property
    def characters(self) -> tuple[CharacterReading, ...]:
        """Characters in reading order, without the dot."""

    @property
    def confidence(self) -> float:
        """Probability that the whole text is right, 0 to 1."""

    @property
    def colour(self) -> PlateColour:
        """Ground by the network."""

    @property
    def colour_confidence(self) -> float:
        """How sure the network is of the ground, 0 to 1."""

    @property
    def rows(self) -> int:
        """1 or 2."""

    @property
    def plate_bgr(self) -> BgrImage:
        """The plate cut out and made upright."""


class PlateDetector(Protocol):
    """Finds the corners of the plates in a picture."""

    def find(self, image_bgr: BgrImage, *, thorough: bool) -> Sequence[FoundPlate]:
        """Every plate in the picture (h, w, 3); small ones only if `thorough`."""


class PlateRecogniser(Protocol):
    """Reads the plate between four corners, in one row or two."""

    def read(self, image_bgr: BgrImage, quad: NDArray[np.float32]) -> ReadPlate:
        """Text and colour between the corners."""


class Vehicles(Protocol):
    """Finds and names the vehicles of a picture."""

    def read(self, image_bgr: BgrImage, plates: Sequence[Quad]) -> tuple[VehicleReading, ...]:
        """Every vehicle in the picture; each of `plates` lies in its vehicle's box, where it has one."""


@dataclass(frozen=True, slots=True)
class FrameReading:
    """What one picture showed. `vehicles` is None where nobody looked for any; () means there was none.

    `ms` is the time from pixels to plates, without loading and decoding the picture; `vehicles_ms` what the vehicles
    took besides.
    """

    plates: tuple[PlateReading, ...]
    vehicles: tuple[VehicleReading, ...] | None
    ms: float
    vehicles_ms: float = 0.0


class PlateReader:
    """Reads every plate in a picture. Synchronous, bound to one CPU core; one instance serves one thread at a time."""

    def __init__(
        self,
        models_dir: Path | None = None,
        *,
        detector: PlateDetector | None = None,
        recogniser: PlateRecogniser | None = None,
        vehicles: Vehicles | None = None,
        heads_dir: Path | None = None,
        unknown_below: float | None = None,
    ) -> None:
        """Load the models that are not given, from `models_dir` or from those that come with the package.

        Those for vehicles are loaded when they are first asked for; `heads_dir` holds the heads learnt on this site,
        and a type less sure than `unknown_below` is `unknown` (None: as the gate's rules are delivered).
        """
        self._models_dir, self._heads_dir, self._unknown_below = models_dir, heads_dir, unknown_below
        self._vehicles = vehicles
        self._detector = detector or _load_detector(models_dir)
        self._recogniser = recogniser or _load_recogniser(models_dir)

    def read(self, image_bgr: BgrImage, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
        """Read a picture, uint8 (h, w, 3) BGR. With `crop` the whole picture is one plate already cut out.

        With `vehicles` those are looked for as well, which takes longer than the plates. Raises ConfigurationError
        when their models are not there.
        """
        assert image_bgr.dtype == np.uint8
        assert image_bgr.ndim == 3
        assert image_bgr.shape[2] == 3
        eye = self._eye_for_vehicles() if vehicles and not crop else None
        started = time.perf_counter()
        plates = self._read_crop(image_bgr) if crop else self._read_scene(image_bgr)
        read = time.perf_counter()
        seen = eye.read(image_bgr, [plate.quad for plate in plates]) if eye else None
        seen_at = time.perf_counter()
        return FrameReading(tuple(plates), seen, (read - started) * 1000, (seen_at - read) * 1000)

    def _eye_for_vehicles(self) -> Vehicles:
        if self._vehicles is None:
            self._vehicles = _load_vehicles(self._models_dir, self._heads_dir, self._unknown_below)
        return self._vehicles

    def _read_crop(self, image_bgr: BgrImage) -> Sequence[PlateReading]:
        height, width = image_bgr.shape[:2]
        quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        reading = self._read_plate(image_bgr, quad, score=1.0)
        return [reading] if reading else []

    def _read_scene(self, image_bgr: BgrImage) -> Sequence[PlateReading]:
        """A quick look; where it reads nothing surely, a thorough one besides."""
        plates = self._look(image_bgr, thorough=False)
        if not any(plate.confidence >= SURE_CONFIDENCE_MIN for plate in plates):
            plates = _surest([*plates, *self._look(image_bgr, thorough=True)])
        return [_without_colour(plate) for plate in plates] if colour.is_grey(image_bgr) else plates

    def _look(self, image_bgr: BgrImage, *, thorough: bool) -> list[PlateReading]:
        found = self._detector.find(image_bgr, thorough=thorough)
        readings = [self._read_plate(image_bgr, plate.quad, score=plate.score) for plate in found]
        return _surest([reading for reading in readings if reading])

    def _read_plate(self, image_bgr: BgrImage, quad: NDArray[np.float32], *, score: float) -> PlateReading | None:
        if not _is_legible(quad):
            return None
        read = self._recogniser.read(image_bgr, quad)
        if not read.characters or (score <= DOUBTFUL_SCORE_MAX and _is_ghost(read)):
            return None
        network = colour.ColourReading(read.colour, read.colour_confidence)
        settled = colour.settle(network, colour.read_pixels(read.plate_bgr))
        return PlateReading(
            characters=read.characters,
            colour=settled.colour,
            colour_confidence=settled.confidence,
            confidence=read.confidence,
            quad=_as_quad(quad),
            rows=read.rows,
        )


def _load_detector(models_dir: Path | None) -> PlateDetector:
    from vision.detector import Detector

    return Detector.load(models_dir)


def _load_recogniser(models_dir: Path | None) -> PlateRecogniser:
    from vision.recogniser import Recogniser

    return Recogniser.load(models_dir)


def _load_vehicles(models_dir: Path | None, heads_dir: Path | None, unknown_below: float | None) -> Vehicles:
    from vision.vehicles import VehicleReader

    return VehicleReader.load(models_dir, heads_dir=heads_dir, unknown_below=unknown_below)


def _surest(readings: list[PlateReading]) -> list[PlateReading]:
    """The surest reading of every plate, the surest plate first."""
    kept: list[PlateReading] = []
    for reading in sorted(readings, key=lambda reading: -reading.confidence):
        if not any(_overlap_frac(reading.quad, other.quad) > SAME_PLATE_OVERLAP_FRAC for other in kept):
            kept.append(reading)
    return kept


def _without_colour(plate: PlateReading) -> PlateReading:
    return replace(plate, colour=PlateColour.UNKNOWN, colour_confidence=1.0)


def _is_legible(quad: NDArray[np.float32]) -> bool:
    """Whether the corners are finite and enclose enough pixels to hold a plate."""
    if not np.isfinite(quad).all():
        return False
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return max(top, bottom) >= PLATE_WIDTH_PX_MIN and max(left, right) >= PLATE_HEIGHT_PX_MIN


def _is_ghost(read: ReadPlate) -> bool:
    return read.confidence < GHOST_CONFIDENCE_MAX or len(read.characters) <= GHOST_CHARACTERS_MAX


def _overlap_frac(quad: Quad, other_quad: Quad) -> float:
    """Overlap of the boxes around two quads, as a share of the smaller box."""
    one, other = np.array(quad), np.array(other_quad)
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    shared = float(np.prod(np.maximum(high - low, 0)))
    smaller = min(float(np.prod(np.ptp(one, axis=0))), float(np.prod(np.ptp(other, axis=0))))
    return shared / smaller if smaller > 0 else 0.0


def _as_quad(corners: NDArray[np.float32]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return a, b, c, d
