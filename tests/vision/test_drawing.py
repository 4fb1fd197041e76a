"""Marking plates in pictures of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from control.domain.errors import IslandError
from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.domain.vehicles import VehicleType
from vision.drawing import annotated, save_annotated


def plate(quad=((10, 10), (98, 12), (98, 40), (10, 38))) -> PlateReading:
    characters = tuple(CharacterReading(char, 0.99) for char in "琼C12345")
    return PlateReading(characters, PlateColour.BLUE, 0.9, 0.93, quad)


@pytest.mark.parametrize("shape", [(1, 1), (20, 900), (200, 300), (3000, 4000)])
def test_any_size_can_be_marked_and_the_original_stays(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 128, np.uint8)
    image.setflags(write=False)
    drawn = annotated(image, [plate(), plate(((-50, -20), (9000, 0), (9000, 500), (-50, 480)))])
    assert drawn.shape == image.shape
    assert (drawn != 128).any()


def test_the_name_is_written_beside_the_frame() -> None:
    image = np.full((200, 300, 3), 128, np.uint8)
    changed = (annotated(image, [plate()]) != image).any(axis=2)
    assert changed[42:60, 10:].any(), "the label stands below a plate that has no room above"


def test_a_vehicle_is_framed_and_named_at_its_upper_edge() -> None:
    image = np.full((400, 600, 3), 128, np.uint8)
    for top in (100, 0):
        vehicle = VehicleReading(VehicleType.CAR, 0.9, (50, top, 500, 380))
        changed = (annotated(image, [], [vehicle]) != image).any(axis=2)
        assert changed[200, 50]
        assert changed[380, 300]
        assert changed[max(0, top - 25) : top + 25, 60:120].sum() > 500
        assert not changed[150:370, 70:480].any()


def test_without_plates_nothing_is_drawn() -> None:
    image = np.full((20, 30, 3), 128, np.uint8)
    assert (annotated(image, []) == image).all()


def test_pictures_are_saved_as_jpeg_whatever_their_name(tmp_path: Path) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    for name, written in (("车/a.png", "车/a.png.jpg"), ("b.JPG", "b.JPG"), ("c.jpeg", "c.jpeg")):
        assert save_annotated(image, [], tmp_path / name) == tmp_path / written
        assert (tmp_path / written).read_bytes().startswith(b"\xff\xd8")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IslandError, match="cannot be written"):
        save_annotated(np.zeros((2, 2, 3), np.uint8), [], tmp_path / "file" / "a.jpg")
