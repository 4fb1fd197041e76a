"""A reading knows its text and its identity."""

from __future__ import annotations

import dataclasses

import pytest

from control.domain.plates import EnergyClass, PlateColour, PlateKind, Verdict
from control.domain.readings import CharacterReading, PlateReading, Unavailable

QUAD = ((0.0, 0.0), (90.0, 0.0), (90.0, 30.0), (0.0, 30.0))


def reading(text: str, colour: PlateColour) -> PlateReading:
    return PlateReading(tuple(CharacterReading(c, 0.9) for c in text), colour, 0.9, 0.9, QUAD)


def test_a_reading_says_what_its_text_and_colour_say() -> None:
    green = reading("琼CD12345", PlateColour.GREEN)
    assert green.text == "琼CD12345"
    assert (green.kind, green.energy) == (PlateKind.NEV_SMALL, EnergyClass.BATTERY_ELECTRIC)
    assert green.verdict is Verdict.NEW_ENERGY


def test_the_same_text_in_another_colour_is_unsure() -> None:
    assert reading("琼CD12345", PlateColour.BLUE).verdict is Verdict.UNSURE


def test_readings_are_values() -> None:
    assert reading("琼C12345", PlateColour.BLUE) == reading("琼C12345", PlateColour.BLUE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading("琼C12345", PlateColour.BLUE).confidence = 1.0
    assert Unavailable(1.0, "camera_frozen") != Unavailable(2.0, "camera_frozen")
