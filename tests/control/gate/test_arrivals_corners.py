"""Corners of tracking and fusing."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from control.domain.plates import DIGITS, LETTERS, PlateColour
from control.domain.readings import CharacterReading, PlateReading
from control.gate.arrivals import Tracker, fuse


def reading(text: str, sure: float = 0.95, x: float = 0.0) -> PlateReading:
    quad = ((x, 0.0), (x + 100, 0.0), (x + 100, 30.0), (x, 30.0))
    return PlateReading(tuple(CharacterReading(c, sure) for c in text), PlateColour.GREEN, sure, sure, quad)


def test_one_and_the_same_reading_again_and_again_is_one_arrival() -> None:
    tracker, same = Tracker(), reading("琼CD12345")
    for turn in range(30):
        track = tracker.add(turn * 0.1, [same]).active[0]
        assert (track.track_id, track.reading.text) == (1, "琼CD12345")


def test_a_blurred_first_look_at_the_next_vehicle_does_not_hide_it() -> None:
    """The first leaves, the second stops at the same spot and is read badly once before it is read well."""
    tracker = Tracker()
    for turn in range(5):
        tracker.add(turn * 0.2, [reading("琼CD12345")])
    tracker.add(1.2, [reading("琼AFG78", 0.4)])
    sure = [tracker.add(1.4 + turn * 0.2, [reading("琼AF67890")]).active[0] for turn in range(4)]
    assert {track.track_id for track in sure} == {2}
    assert sure[-1].reading.text == "琼AF67890"


def test_a_confidence_without_a_number_is_no_confidence() -> None:
    spoilt = replace(reading("琼CD12345", 0.4), confidence=math.nan)
    assert fuse((spoilt, spoilt)).confidence <= 0.4
    assert fuse((reading("琼CD12345"), spoilt)).confidence <= 0.95


def noisy(text: str, seed: int) -> PlateReading:
    """One bad character in two frames of three, a lost one in one of five."""
    dice = random.Random(seed)
    chars = [CharacterReading(c, 0.9, (("0", 0.05),)) for c in text]
    if dice.random() < 0.66:
        place = dice.randrange(2, len(text))
        chars[place] = CharacterReading(dice.choice(LETTERS + DIGITS), 0.55, ((text[place], 0.4),))
    if dice.random() < 0.2:
        del chars[dice.randrange(len(chars))]
    sure = math.prod(c.probability for c in chars) * (1.0 if len(chars) == len(text) else 0.5)
    quad = ((0.0, 0.0), (100.0, 0.0), (100.0, 30.0), (0.0, 30.0))
    return PlateReading(tuple(chars), PlateColour.GREEN, 0.9, sure, quad)


@given(st.from_regex(r"琼[A-F]D[0-9]{5}", fullmatch=True), st.integers(0, 10**6))
def test_many_noisy_frames_give_the_plate(text: str, seed: int) -> None:
    assert fuse(tuple(noisy(text, seed + n) for n in range(12))).text == text
