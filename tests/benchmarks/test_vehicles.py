"""The benchmark of learning on site at a tiny size, with pictures of plain colours."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from benchmarks import vehicles
from control.domain.errors import ConfigurationError
from vision.head import Head

COLOURS = {"car": (200, 60, 60), "juggernaut": (60, 200, 60), "bike": (60, 60, 200)}


class ColourBackbone:
    def features(self, crops_bgr):
        return np.stack([cv2.resize(crop, (3, 3)).reshape(-1) for crop in crops_bgr]).astype(np.float32) / 255


@pytest.fixture
def camera(tmp_path):
    chance = np.random.default_rng(1)
    for name, colour in COLOURS.items():
        (tmp_path / name).mkdir()
        for number in range(34):
            picture = np.clip(chance.normal(0, 55, (12, 12, 3)) + np.array(colour)[::-1], 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{number:02}.png"), picture)
    return tmp_path


def start() -> Head:
    """Learnt where red and blue are swapped."""
    labels = [vehicles.ALIASES.get(name, name) for name in COLOURS for _ in range(10)]
    colours = np.array([COLOURS[name] for name in COLOURS for _ in range(10)], np.float32)
    return Head.fit(np.tile(colours / 255, 9), labels, name="start", made_at="2026-01-01T00:00:00Z")


def test_more_pictures_of_a_camera_help(camera):
    found = vehicles.measure(vehicles.load_camera(camera, ColourBackbone()), start(), counts=(0, 6, 12), seeds=3)
    none, few, more = (found["by_count"][each] for each in ("0", "6", "12"))
    assert none["accuracy"] < 0.5
    assert few["accuracy"] > 0.9
    assert more["interval"][0] <= more["accuracy"] <= more["interval"][1]
    assert more["learnt_from"] == 36
    assert found["types"] == {"car": 34, "motorcycle": 34, "truck": 34}


def test_nothing_is_judged_that_was_learnt(camera):
    read = vehicles.load_camera(camera, ColourBackbone())
    for seed in range(3):
        learnt, judged = read.parted(5, seed)
        assert len(learnt) == 15
        assert not set(learnt) & set(judged)
        assert len(learnt) + len(judged) == 102


def test_a_folder_of_no_type_is_named(camera):
    (camera / "spaceship").mkdir()
    with pytest.raises(ConfigurationError, match="named after no vehicle type"):
        vehicles.load_camera(camera, ColourBackbone())


def test_too_few_pictures_are_refused(camera):
    read = vehicles.load_camera(camera, ColourBackbone())
    with pytest.raises(ConfigurationError, match="more than 34 of each"):
        vehicles.measure(read, start(), counts=(0, 34))


def test_without_data_it_says_what_to_give(capsys):
    assert vehicles.main([]) == 2
    assert "--data DIR is needed" in capsys.readouterr().err


def test_the_interval_of_a_mean_is_students():
    low, high = vehicles.mean_interval([0.8, 0.9, 1.0])
    assert low == pytest.approx(0.9 - 4.303 * 0.1 / 3**0.5)
    assert high == 1.0


def test_figures_are_printed_for_people_and_programs(camera, capsys, monkeypatch):
    class Classifier(ColourBackbone):
        shipped = start()

    monkeypatch.setattr(vehicles.VehicleClassifier, "load", Classifier)
    assert vehicles.main(["--data", str(camera), "--seeds", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by_count"]["10"]["learnt_from"] == 30
    assert vehicles.main(["--data", str(camera), "--seeds", "2"]) == 0
    assert " 10 a type" in capsys.readouterr().out
