"""Naming vehicles: owns the classifier's input, its backbone's features, and when an answer is `unknown`.

The backbone is frozen; what a site learns is the last layer, `vision.head`. Whether a type is sure enough for a
decision is policy: the caller gives `unknown_below`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.errors import ConfigurationError
from control.domain.vehicles import VehicleType
from vision.head import Head
from vision.live_head import LiveHead
from vision.runtime import MODELS_DIR, Model, open_model

INPUT_PX = 224
# What the backbone gives of a crop: features of its last layer, then how likely each type is by ImageNet's classes.
ZERO_SHOT_TYPES = tuple(kind for kind in VehicleType if kind is not VehicleType.UNKNOWN)
FEATURES = 1280 + len(ZERO_SHOT_TYPES)
# The published preprocessing of these weights: (RGB - 127) / 128.
MIDDLE, SCALE = np.float32(127), np.float32(128)
HEAD_FILE = "vehicle_head.npz"
# Where nobody states the policy: as the gate's rule `vehicle.confidence_min` is delivered.
UNKNOWN_BELOW = 0.7
ALTERNATIVES_MAX = 3


@dataclass(frozen=True, slots=True)
class TypeReading:
    """A type with its probability, and the next likely ones. `unknown` has the probability of the first of them."""

    type: VehicleType
    probability: float
    alternatives: tuple[tuple[VehicleType, float], ...]


def shipped_head(models_dir: Path | None = None) -> Head:
    """The head that came with the models. Raises ConfigurationError."""
    return Head.load((models_dir or MODELS_DIR) / HEAD_FILE)


class VehicleClassifier:
    """Crops to types; one instance serves one thread at a time."""

    def __init__(
        self, backbone: Model, head: Head, *, heads_dir: Path | None = None, unknown_below: float | None = None
    ) -> None:
        """`head` is used until a version of the folder `heads_dir` is put in use."""
        if head.width != FEATURES:
            raise ConfigurationError(f"the head reads {head.width} features, the backbone gives {FEATURES}")
        self._backbone = backbone
        self._unknown_below = UNKNOWN_BELOW if unknown_below is None else unknown_below
        self._live = LiveHead(head, heads_dir)

    @property
    def shipped(self) -> Head:
        """The head that every version of this gateway starts from."""
        return self._live.shipped

    @property
    def head(self) -> Head:
        """The head in use; one that is switched is taken over at once."""
        return self._live.current()

    @classmethod
    def load(
        cls,
        models_dir: Path | None = None,
        *,
        head: Path | None = None,
        heads_dir: Path | None = None,
        unknown_below: float | None = None,
    ) -> VehicleClassifier:
        """The backbone of `models.toml` with the shipped head or the one given. Raises ConfigurationError."""
        backbone = open_model("vehicle_backbone", models_dir)
        return cls(
            backbone,
            Head.load(head) if head else shipped_head(models_dir),
            heads_dir=heads_dir,
            unknown_below=unknown_below,
        )

    def features(self, crops_bgr: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Features (n, 1294) of crops, each uint8 (h, w, 3) of any size."""
        rows = [self._backbone.run(classifier_input(crop)[None])[0] for crop in crops_bgr]
        return np.concatenate(rows) if rows else np.empty((0, FEATURES), np.float32)

    def classify(self, crops_bgr: Sequence[NDArray[np.uint8]]) -> tuple[TypeReading, ...]:
        """One reading a crop."""
        if not crops_bgr:
            return ()
        head = self.head
        return tuple(self._named(row, head.classes) for row in head.probabilities(self.features(crops_bgr)))

    def _named(self, probabilities: NDArray[np.float64], classes: tuple[VehicleType, ...]) -> TypeReading:
        order = np.argsort(-probabilities)[: ALTERNATIVES_MAX + 1]
        ranked = [(classes[place], float(probabilities[place])) for place in order]
        (best, probability), *others = ranked
        if probability < self._unknown_below:
            return TypeReading(VehicleType.UNKNOWN, probability, tuple(ranked[:ALTERNATIVES_MAX]))
        return TypeReading(best, probability, tuple(others))


def classifier_input(crop_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Values (3, 224, 224); the crop's shape is not kept, as the weights were trained."""
    interpolation = cv2.INTER_AREA if max(crop_bgr.shape[:2]) > INPUT_PX else cv2.INTER_LINEAR
    square = cv2.resize(crop_bgr, (INPUT_PX, INPUT_PX), interpolation=interpolation)
    values = (square[:, :, ::-1].astype(np.float32) - MIDDLE) / SCALE
    return np.ascontiguousarray(values.transpose(2, 0, 1))
