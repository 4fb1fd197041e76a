"""Publishing models: rows of others stay; and the data and arithmetic that the vehicle head is trained with."""

from __future__ import annotations

import csv
import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pytest

from control.domain.vehicles import VehicleType
from vision.runtime import MODELS_DIR, check_models
from vision.training.publish import publish, tables_of
from vision.training.vehicle_head import altered, figures, honest_temperature, weights_of
from vision.training.vehicle_views import LABELS
from vision.vehicle_classifier import ZERO_SHOT_TYPES


def written(folder: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads((folder / "models.toml").read_text(encoding="utf-8"))


def weights(folder: Path, name: str, content: bytes = b"weights") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_rows_of_models_that_are_not_published_stay(tmp_path: Path) -> None:
    before = (MODELS_DIR / "models.toml").read_text(encoding="utf-8")
    (tmp_path / "models.toml").write_text(before + '\n[of_another]\nfile = "a.onnx"\n', encoding="utf-8")
    fresh = weights(tmp_path, "fresh.onnx")
    publish({"vehicle_detector": fresh}, {"vehicle_detector": {"score_scenes": "9/10"}}, tmp_path)
    after, old = written(tmp_path), tomllib.loads(before)
    assert {name: after[name] for name in old if name != "vehicle_detector"} == {
        name: row for name, row in old.items() if name != "vehicle_detector"
    }
    assert after["of_another"] == {"file": "a.onnx"}
    assert after["vehicle_detector"]["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert after["vehicle_detector"]["score_scenes"] == "9/10"
    assert (tmp_path / "vehicle_detector.onnx").read_bytes() == b"weights"


def test_plates_and_vehicles_are_published_one_after_the_other(tmp_path: Path) -> None:
    for names in (("plate_detector", "plate_recogniser"), ("vehicle_detector", "vehicle_backbone")):
        publish({name: weights(tmp_path, f"{name}.onnx") for name in names}, {}, tmp_path)
    assert list(written(tmp_path)) == ["plate_detector", "plate_recogniser", "vehicle_detector", "vehicle_backbone"]
    assert len(check_models(tmp_path)) == 4


def test_publishing_twice_changes_nothing(tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        publish({"vehicle_head": weights(tmp_path, "vehicle_head.npz")}, {}, tmp_path)
        texts.append((tmp_path / "models.toml").read_text(encoding="utf-8"))
    assert texts[0] == texts[1]


def test_tables_are_taken_as_they_are_written() -> None:
    assert tables_of('# words\n[a]\nx = "[b]"\n\n[c]\ny = 1\n') == {"a": '[a]\nx = "[b]"\n', "c": "[c]\ny = 1\n"}


def test_the_shipped_weights_together_are_small_enough() -> None:
    rows = written(MODELS_DIR)
    assert sum((MODELS_DIR / str(row["file"])).stat().st_size for row in rows.values()) <= 14e6
    assert {"vehicle_detector", "vehicle_backbone", "vehicle_head"} <= rows.keys()


def test_every_label_is_a_type_and_a_box() -> None:
    with LABELS.open(encoding="utf-8") as rows:
        labels = list(csv.DictReader(rows))
    assert len(labels) > 500
    for row in labels:
        assert VehicleType(row["type"]) is not VehicleType.UNKNOWN
        x0, y0, x1, y1 = (int(row[side]) for side in ("x0", "y0", "x1", "y1"))
        assert 0 <= x0 < x1
        assert 0 <= y0 < y1
        assert not Path(row["file"]).is_absolute()


def test_every_camera_weighs_the_same_and_a_type_by_its_root() -> None:
    numbers, cameras = np.array([0, 0, 0, 0, 1, 0]), np.array(["a"] * 5 + ["b"])
    shares = weights_of(numbers, cameras)
    assert shares.mean() == pytest.approx(1)
    assert shares[:5].sum() == pytest.approx(shares[5])
    assert shares[:4].sum() == pytest.approx(2 * shares[4])


def test_too_sure_answers_ask_for_a_higher_temperature() -> None:
    rng = np.random.default_rng(3)
    numbers = rng.integers(0, len(ZERO_SHOT_TYPES), 400)
    logits = rng.normal(0, 1, (400, len(ZERO_SHOT_TYPES)))
    logits[np.arange(400), numbers] += 2
    cameras = np.array(["a"] * 400)
    assert honest_temperature(logits * 4, numbers, cameras) > 2 * honest_temperature(logits, numbers, cameras)


def test_figures_count_what_is_right_and_what_is_left_unsaid() -> None:
    logits = np.full((4, len(ZERO_SHOT_TYPES)), -9.0)
    logits[[0, 1, 2], [0, 0, 1]] = 9.0
    told = figures(logits, np.array([0, 0, 0, 0]), 1.0)
    assert told["right"] == "3/4"
    assert told["right_where_it_says"] == "2/3"
    assert told["abstains"] == 0.25
    assert told["by_type"] == {"car": "3/4"}


@pytest.mark.parametrize("shape", [(100, 100, 3), (3, 5, 3)])
def test_altered_views_are_pictures(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        view = altered(np.full(shape, 90, np.uint8), rng)
        assert view.dtype == np.uint8
        assert min(view.shape) >= 1
