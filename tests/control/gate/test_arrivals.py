"""Many frames, one arrival."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading
from control.gate.arrivals import Tracker, fuse
from control.gate.near import one_apart


def reading(text: str, sure: float = 0.95, x: float = 0.0, colour: PlateColour = PlateColour.GREEN) -> PlateReading:
    quad = ((x, 0.0), (x + 100, 0.0), (x + 100, 30.0), (x, 30.0))
    return PlateReading(tuple(CharacterReading(c, sure) for c in text), colour, sure, sure, quad)


def test_a_plate_that_stands_still_is_one_arrival() -> None:
    tracker = Tracker()
    ids = {tracker.add(t * 0.2, [reading("琼CD12345")]).active[0].track_id for t in range(500)}
    assert ids == {1}


def test_nose_to_tail_are_two() -> None:
    tracker = Tracker()
    for t in range(5):
        tracker.add(t * 0.2, [reading("琼CD12345", x=t * 30)])
    seen = tracker.add(1.2, [reading("琼CD12345", x=180), reading("琼AF67890", x=20)])
    assert {t.track_id for t in seen.active} == {1, 2}
    assert {t.reading.text for t in seen.active} == {"琼CD12345", "琼AF67890"}


def test_the_same_place_with_another_sure_plate_is_another_vehicle() -> None:
    tracker = Tracker()
    tracker.add(0.0, [reading("琼CD12345")])
    assert tracker.add(1.0, [reading("琼AF67890")]).active[0].track_id == 2


def test_a_bad_frame_does_not_begin_an_arrival_and_is_outvoted() -> None:
    tracker = Tracker()
    tracker.add(0.0, [reading("琼CD12345")])
    tracker.add(0.2, [reading("琼CD1Z3", 0.3)])
    track = tracker.add(0.4, [reading("琼CD12345")]).active[0]
    assert (track.track_id, track.reading.text, track.reading.frames) == (1, "琼CD12345", 3)


def test_gone_for_long_ends_the_track() -> None:
    tracker = Tracker(forget_s=3.0)
    tracker.add(0.0, [reading("琼CD12345")])
    assert [t.track_id for t in tracker.add(10.0, []).ended] == [1]
    assert tracker.add(10.1, [reading("琼CD12345")]).active[0].track_id == 2


def test_a_clock_that_leaps_back_ends_the_track() -> None:
    tracker = Tracker()
    tracker.add(100.0, [reading("琼CD12345")])
    assert len(tracker.add(1.0, []).ended) == 1


def test_flush_ends_all() -> None:
    tracker = Tracker()
    tracker.add(0.0, [reading("琼CD12345"), reading("琼AF67890", x=400)])
    assert len(tracker.flush()) == 2
    assert tracker.flush() == ()


def test_a_lost_character_is_outvoted_by_length() -> None:
    fused = fuse((reading("琼CD12345"), reading("琼CD1234", 0.6), reading("琼CD12345")))
    assert fused.text == "琼CD12345"


def test_colour_is_voted_too() -> None:
    green, blue = reading("琼CD12345"), reading("琼CD12345", 0.5, colour=PlateColour.BLUE)
    assert fuse((green, blue, green)).colour is PlateColour.GREEN


def test_one_frame_stays_as_it_is() -> None:
    only = reading("琼CD12345", 0.7)
    assert fuse((only,)) is only


def test_nothing_cannot_be_fused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fuse(())


texts = st.text("琼ABCD0123", min_size=1, max_size=8)


@given(st.lists(st.tuples(texts, st.floats(0, 1)), min_size=1, max_size=8))
def test_fused_probabilities_stay_probabilities(frames: list[tuple[str, float]]) -> None:
    fused = fuse(tuple(reading(text, sure) for text, sure in frames))
    assert 0 <= fused.confidence <= 1
    assert all(0 <= c.probability <= 1 for c in fused.characters)
    assert len(fused.text) in {len(text) for text, _ in frames}
    assert fused.frames == len(frames)


@given(texts, st.integers(0, 7), st.sampled_from("琼ABCD0123"))
def test_one_apart(text: str, place: int, char: str) -> None:
    place %= len(text)
    changed, longer, shorter = text[:place] + char + text[place + 1 :], text[:place] + char + text[place:], text[1:]
    assert one_apart(text, changed)
    assert one_apart(text, longer)
    assert one_apart(shorter, text)
    assert not one_apart(text, text + "ZZ")
