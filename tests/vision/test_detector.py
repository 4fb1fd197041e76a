"""The plate detector on rendered scenes, and the opening of models."""

import shutil

import numpy as np
import pytest

from control.domain.errors import ConfigurationError
from control.domain.plates import PlateKind
from vision.detector import (
    CORNER_UNIT_PX,
    LOOK_HEIGHT_PX,
    LOOK_WIDTH_PX,
    STRIDE_PX,
    Detector,
    PlateBox,
    boxes_of,
    look_of,
    without_doubles,
)
from vision.render.plates import render_plate
from vision.render.scenes import paste_plate, random_quad
from vision.runtime import MODELS_DIR, open_model


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


def scene_with(kind: PlateKind, text: str, *, width_px: float, seed: int = 1, two_rows: bool = False):
    """A grey road with a dark car body and one plate; the scene and the plate's quad."""
    rng = np.random.default_rng(seed)
    scene = np.full((480, 640, 3), 110, np.uint8)
    scene[120:420, 120:520] = (60, 55, 50)
    plate = render_plate(text, kind, two_rows=two_rows)
    aspect = plate.shape[0] / plate.shape[1]
    quad = random_quad(rng, centre=(320, 300), width_px=width_px, aspect=aspect, tilt_deg_max=6, skew=0.04)
    scene = paste_plate(scene, plate, quad)
    noisy = scene + rng.normal(0, 3, scene.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), quad


@pytest.mark.parametrize("width_px", [60, 110, 200, 330])
@pytest.mark.parametrize(("kind", "text"), [(PlateKind.SMALL, "琼C12B45"), (PlateKind.NEV_SMALL, "琼AD52345")])
def test_finds_a_plate_of_any_size_with_its_corners(detector, width_px, kind, text):
    scene, quad = scene_with(kind, text, width_px=width_px)
    box = detector.find(scene)[0]
    assert np.abs(box.quad - quad).max() < 0.06 * width_px + 2
    assert 0.3 < box.score <= 1


def test_tells_a_plate_of_two_rows(detector):
    scene, _ = scene_with(PlateKind.LARGE, "琼C12345", width_px=130, two_rows=True)
    assert detector.find(scene)[0].rows == 2


def test_an_even_picture_holds_no_plate(detector):
    assert detector.find(np.full((300, 400, 3), 128, np.uint8)) == ()


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 900, 3), (33, 31, 3)])
def test_odd_sizes_are_survived(detector, shape):
    assert isinstance(detector.find(np.zeros(shape, np.uint8)), tuple)


def test_cells_become_boxes_in_pixels():
    cells = np.full((10, 4, 6), -9.0, np.float32)
    cells[0, 2, 3] = 4.0
    cells[1:9, 2, 3] = np.array([-32, -8, 32, -8, 32, 8, -32, 8]) / CORNER_UNIT_PX
    (box,) = boxes_of(cells)
    centre = np.array([3.5, 2.5]) * STRIDE_PX
    assert np.allclose(box.quad.mean(axis=0), centre)
    assert box.rows == 1


def test_doubles_are_dropped_and_the_surest_comes_first():
    quad = np.array([[0, 0], [100, 0], [100, 30], [0, 30]], np.float32)
    boxes = [PlateBox(quad, 0.5, 1), PlateBox(quad + 3, 0.9, 1), PlateBox(quad + 300, 0.7, 1)]
    assert [box.score for box in without_doubles(boxes)] == [0.9, 0.7]


def test_the_closer_look_puts_the_plate_in_the_middle():
    quad = np.array([[10, 20], [70, 20], [70, 40], [10, 40]], np.float32)
    scale, offset = look_of(PlateBox(quad, 0.9, 1))
    assert np.allclose(quad.mean(axis=0) * scale + offset, (LOOK_WIDTH_PX / 2, LOOK_HEIGHT_PX / 2))


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"models\.toml is missing"):
        open_model("plate_detector", tmp_path)
    shutil.copy(MODELS_DIR / "models.toml", tmp_path)
    with pytest.raises(ConfigurationError, match=r"plate_detector\.onnx is missing"):
        open_model("plate_detector", tmp_path)
    with pytest.raises(ConfigurationError, match="no model 'parrot'"):
        open_model("parrot", tmp_path)


def test_a_changed_model_is_refused(tmp_path):
    shutil.copy(MODELS_DIR / "models.toml", tmp_path)
    data = bytearray((MODELS_DIR / "plate_detector.onnx").read_bytes())
    data[-1] ^= 1
    (tmp_path / "plate_detector.onnx").write_bytes(data)
    with pytest.raises(ConfigurationError, match="checksum"):
        open_model("plate_detector", tmp_path)


@pytest.mark.parametrize(("text", "message"), [("[", "no valid TOML"), ("[m]\nfile = 'x'", "lacks input, outputs")])
def test_a_broken_table_is_named(tmp_path, text, message):
    (tmp_path / "models.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        open_model("m", tmp_path)
