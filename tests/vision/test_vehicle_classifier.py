"""Naming vehicles: features, abstaining, and heads that are switched."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import control.gate
from control.domain.errors import ConfigurationError
from control.domain.vehicles import VehicleType
from vision.head import Head
from vision.runtime import MODELS_DIR, open_model
from vision.vehicle_classifier import (
    FEATURES,
    HEAD_FILE,
    UNKNOWN_BELOW,
    ZERO_SHOT_TYPES,
    VehicleClassifier,
    classifier_input,
)

RULES = Path(control.gate.__file__).with_name("rules.toml")
RNG = np.random.default_rng(4)
CROPS = [RNG.integers(0, 256, shape, np.uint8) for shape in ((90, 120, 3), (400, 300, 3), (1, 1, 3))]


@pytest.fixture(scope="module")
def classifier() -> VehicleClassifier:
    return VehicleClassifier.load()


def test_every_crop_has_its_own_features_whatever_its_neighbours(classifier: VehicleClassifier) -> None:
    features = classifier.features(CROPS)
    assert features.shape == (3, FEATURES)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.array_equal(classifier.features(CROPS[1:2])[0], features[1])
    assert classifier.features([]).shape == (0, FEATURES)


def test_the_last_features_are_shares_of_the_types(classifier: VehicleClassifier) -> None:
    shares = np.exp(classifier.features(CROPS)[:, -len(ZERO_SHOT_TYPES) :])
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-4)


def test_an_answer_below_the_policy_is_unknown_and_keeps_its_reasons(classifier: VehicleClassifier) -> None:
    probabilities = classifier.shipped.probabilities(classifier.features(CROPS))
    never = VehicleClassifier.load(unknown_below=1.01).classify(CROPS)
    always = VehicleClassifier.load(unknown_below=0.0).classify(CROPS)
    for row, unsure, sure in zip(probabilities, never, always, strict=True):
        best = classifier.shipped.classes[int(row.argmax())]
        assert (unsure.type, sure.type) == (VehicleType.UNKNOWN, best)
        assert unsure.probability == sure.probability == pytest.approx(row.max())
        assert unsure.alternatives[0] == (best, sure.probability)
        assert best not in dict(sure.alternatives)
    assert classifier.classify([]) == ()


def test_without_a_stated_policy_the_delivered_rule_holds() -> None:
    rows = tomllib.loads(RULES.read_text(encoding="utf-8"))["rule"]
    (delivered,) = (row["value"] for row in rows if row["key"] == "vehicle.confidence_min" and "valid_until" not in row)
    assert delivered == UNKNOWN_BELOW


def test_the_shipped_head_knows_all_fourteen_types(classifier: VehicleClassifier) -> None:
    assert set(classifier.shipped.classes) == set(VehicleType) - {VehicleType.UNKNOWN}


def test_a_type_without_a_training_picture_can_still_be_named(classifier: VehicleClassifier) -> None:
    """The head listens to ImageNet's classes, also for types that it has never seen."""
    head = classifier.shipped
    usual = classifier.features(CROPS[:1])[0]
    for kind in (VehicleType.FIRE_ENGINE, VehicleType.CRANE, VehicleType.GOLF_CART, VehicleType.SANITATION):
        told = usual.copy()
        told[-len(ZERO_SHOT_TYPES) :] = -12.0
        told[FEATURES - len(ZERO_SHOT_TYPES) + ZERO_SHOT_TYPES.index(kind)] = 0.0
        assert head.types(told[None]) == [kind]


def test_another_head_answers_in_its_own_way(classifier: VehicleClassifier, tmp_path: Path) -> None:
    shipped = classifier.shipped
    bias = shipped.bias.copy()
    bias[shipped.classes.index(VehicleType.CRANE)] += 100
    replace(shipped, bias=bias).save(tmp_path / "site.npz")
    (reading,) = VehicleClassifier.load(head=tmp_path / "site.npz").classify(CROPS[:1])
    assert reading.type is VehicleType.CRANE


def test_a_head_for_another_backbone_is_refused() -> None:
    shipped = Head.load(MODELS_DIR / HEAD_FILE)
    narrow = replace(shipped, weights=shipped.weights[:, :7], exemplars=shipped.exemplars[:, :7])
    with pytest.raises(ConfigurationError, match="reads 7 features"):
        VehicleClassifier(open_model("vehicle_backbone"), narrow)


def test_the_input_is_the_published_preprocessing() -> None:
    crop = np.zeros((50, 80, 3), np.uint8)
    crop[..., 2] = 255
    values = classifier_input(crop)
    assert values.shape == (3, 224, 224)
    assert np.allclose(values[:, 0, 0], (1.0, -127 / 128, -127 / 128))
