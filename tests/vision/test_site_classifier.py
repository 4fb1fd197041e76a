"""The classifier takes what a site has learnt while it runs."""

from __future__ import annotations

import numpy as np

from control.domain.vehicles import VehicleType
from vision.head import Head, Provenance
from vision.head_shelf import HeadReport, HeadShelf
from vision.vehicle_classifier import FEATURES, VehicleClassifier

CLASSES = (VehicleType.CAR, VehicleType.TRUCK)


class Backbone:
    """Every picture has the same features."""

    def run(self, batch):
        assert batch.shape == (1, 3, 224, 224)
        return [np.ones((1, FEATURES), np.float32)]


def always(kind: VehicleType, *, parent: str = "") -> Head:
    """A head that has one answer."""
    bias = np.array([9.0 if kind is known else 0.0 for known in CLASSES], np.float32)
    none = np.empty((0, FEATURES), np.float16), np.empty(0, np.int64)
    provenance = Provenance("site-1", "2026-11-21T09:00:00Z", parent=parent)
    return Head(CLASSES, np.zeros((2, FEATURES), np.float32), bias, 1.0, provenance, *none)


def test_a_switch_is_taken_over_with_the_next_picture(tmp_path):
    shipped = always(VehicleType.CAR)
    classifier = VehicleClassifier(Backbone(), shipped, heads_dir=tmp_path / "heads")
    picture = [np.zeros((40, 60, 3), np.uint8)]
    assert classifier.classify(picture)[0].type is VehicleType.CAR
    shelf = HeadShelf(tmp_path / "heads")
    share, interval = 0.5, (0.4, 0.6)
    report = HeadReport(
        *("site-1", "2026-11-21T09:00:00Z", "x", 8, {}, 8, "shipped"),
        *(share, interval, share, interval, {}, 0.1, "d"),
    )
    shelf.add(always(VehicleType.TRUCK, parent=shipped.digest), report)
    shelf.use("site-1", at="2026-11-21T09:00:00Z", by="x", why="chosen", shipped=classifier.shipped)
    assert classifier.classify(picture)[0].type is VehicleType.TRUCK
    shelf.roll_back(at="2026-11-21T09:01:00Z", by="x", shipped=classifier.shipped)
    assert classifier.classify(picture)[0].type is VehicleType.CAR
