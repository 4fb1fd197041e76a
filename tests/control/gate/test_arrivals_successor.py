"""A vehicle that comes to stand where the last one stood is another one, however doubtful its reading."""

from __future__ import annotations

from dataclasses import replace

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading
from control.gate.arrivals import Tracker


def reading(text: str, confidence: float) -> PlateReading:
    characters = tuple(CharacterReading(char, 0.95) for char in text)
    quad = ((300.0, 400.0), (440.0, 400.0), (440.0, 445.0), (300.0, 445.0))
    return PlateReading(characters, PlateColour.GREEN, 0.99, confidence, quad)


def test_unlike_text_at_the_same_place_begins_a_track_of_its_own():
    tracker = Tracker()
    for step in range(5):
        tracker.add(step * 0.2, [reading("琼AD12345", 0.95)])
    (track,) = tracker.add(2.5, [reading("粤BF80677", 0.6)]).active
    assert track.track_id == 2
    assert track.reading.text == "粤BF80677"


def test_half_read_frame_of_the_same_plate_still_belongs_to_it():
    tracker = Tracker()
    tracker.add(0.0, [reading("琼AD12345", 0.95)])
    for at_s, text in ((0.2, "琼AD1Z3A5"), (0.4, "AD12345"), (0.6, "琼AD1234")):
        (track,) = tracker.add(at_s, [replace(reading(text, 0.4))]).active
        assert track.track_id == 1
