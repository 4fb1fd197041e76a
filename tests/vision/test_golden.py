"""Golden pictures: what is expected, what is read otherwise, and the rendered set that the shipped models must read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.domain.vehicles import VehicleType
from vision import golden
from vision.golden import GoldenError, golden_pictures, render_golden, try_out
from vision.reader import FrameReading
from vision.runtime import MODELS_DIR

QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))


def plate(text: str, colour: PlateColour = PlateColour.GREEN) -> PlateReading:
    return PlateReading(tuple(CharacterReading(c, 0.99) for c in text), colour, 0.9, 0.9, QUAD)


class Says:
    """Gives the same reading for every picture."""

    def __init__(
        self, *plates: PlateReading, vehicles: tuple[VehicleReading, ...] | None = None, ms: float = 5
    ) -> None:
        self._reading = FrameReading(plates, vehicles, 5.0)

    def read(self, image_bgr: np.ndarray, *, vehicles: bool) -> FrameReading:
        return self._reading


def folder(tmp_path: Path, *lines: dict) -> Path:
    render_golden(tmp_path)
    padded = [*lines, *[{"file": "01.png", "plates": []}] * (golden.PICTURES_MIN - len(lines))]
    (tmp_path / "expected.jsonl").write_text("".join(json.dumps(line) + "\n" for line in padded))
    return tmp_path


def wrong_of(tmp_path: Path, line: dict, reader: Says) -> list[str]:
    (first, *_) = golden_pictures(folder(tmp_path, {"file": "01.png", **line}))
    return list(try_out(reader, [first]).wrong)


@pytest.mark.parametrize(
    ("line", "reader", "wrong"),
    [
        ({"plates": []}, Says(), []),
        ({"plates": [{"text": "琼AD12345"}]}, Says(plate("琼AD12345")), []),
        ({"plates": [{"text": "琼AD12345", "colour": "green", "kind": "nev_small"}]}, Says(plate("琼AD12345")), []),
        ({"plates": [{"text": "琼AD12345"}]}, Says(), ["expected 琼AD12345, read no plate"]),
        ({"plates": [{"text": "琼AD12345"}]}, Says(plate("琼AD12346")), ["read 琼AD12346 green"]),
        ({"plates": [{"text": "琼AD12345", "colour": "blue"}]}, Says(plate("琼AD12345")), ["expected 琼AD12345 blue"]),
        ({"plates": []}, Says(plate("琼AD12345")), ["1 plates were read where 0 are"]),
        (
            {"plates": [{"text": "琼AD12345"}, {"text": "琼AD12345"}]},
            Says(plate("琼AD12345")),
            ["expected 琼AD12345, read"],
        ),
        (
            {"plates": [], "vehicles": [{"type": "car"}]},
            Says(vehicles=(VehicleReading(VehicleType.BUS, 0.9, (0, 0, 1, 1)),)),
            ["expected vehicles car, read bus"],
        ),
        (
            {"plates": [], "vehicles": [{"type": "bus"}]},
            Says(vehicles=(VehicleReading(VehicleType.BUS, 0.9, (0, 0, 1, 1)),)),
            [],
        ),
        ({"plates": [], "vehicles": [{"type": "bus"}]}, Says(), ["expected vehicles bus, read none"]),
    ],
)
def test_differences_are_named(tmp_path: Path, line: dict, reader: Says, wrong: list[str]) -> None:
    found = wrong_of(tmp_path, line, reader)
    assert len(found) == len(wrong)
    for said, words in zip(found, wrong, strict=True):
        assert said.startswith("01.png: ")
        assert words in said


def test_a_picture_that_cannot_be_read_is_a_difference(tmp_path: Path) -> None:
    found = golden_pictures(folder(tmp_path, {"file": "elsewhere/gone.png", "plates": []}))
    assert try_out(Says(), found).wrong == ("gone.png: There is no such file.",)


def test_slow_models_do_not_pass() -> None:
    trial = golden.Trial(4, (), 90.0)
    assert trial.passes(ms_max=100)
    assert not trial.passes(ms_max=50)
    assert not golden.Trial(4, ("wrong",), 1.0).passes(ms_max=50)


@pytest.mark.parametrize("text", ["", "{", "[]\n", '{"file": "a.png"}\n', '{"plates": 3, "file": "a"}\n'])
def test_expectations_of_no_use_are_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "expected.jsonl").write_text(text)
    with pytest.raises(GoldenError):
        golden_pictures(tmp_path)


def test_a_folder_without_expectations_is_said(tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match=r"expected\.jsonl cannot be read"):
        golden_pictures(tmp_path)


def test_the_rendered_set_is_always_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        render_golden(tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_the_shipped_models_read_the_rendered_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "NICENESS", 0)
    render_golden(tmp_path)
    assert golden.main([str(MODELS_DIR), str(tmp_path)]) == 0
    trial = json.loads(capsys.readouterr().out)
    assert trial["wrong"] == []
    assert trial["pictures"] == len(golden.RENDERED) + 1
    assert golden.main([str(tmp_path), str(tmp_path)]) == 1
    assert "models.toml is missing" in json.loads(capsys.readouterr().out)["error"]
