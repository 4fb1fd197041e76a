"""The laws of following plates: a vehicle's sure readings are one track, and no track holds two vehicles' ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from control.domain.plates import DIGITS, PlateColour
from control.domain.readings import CharacterReading, PlateReading, Quad, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.arrivals import Track, Tracker

FIRST = "琼AD12345"
SEEN_FROM_M, SEEN_TO_M = 3.0, 14.0
GAP_M = 5.0


def quad_at(distance_m: float) -> Quad:
    """Where the plate of a vehicle in the lane is in the picture."""
    scale = 1300.0 / distance_m
    x, y, half, low = 480.0 - 400.0 / distance_m, 190.0 + 700.0 / distance_m, 0.22 * scale, 0.07 * scale
    return ((x - half, y - low), (x + half, y - low), (x + half, y + low), (x - half, y + low))


def sure(text: str, quad: Quad) -> PlateReading:
    return PlateReading(tuple(CharacterReading(c, 0.99) for c in text), PlateColour.GREEN, 0.99, 0.93, quad)


def blurred(text: str, quad: Quad, place: int, digit: str) -> PlateReading:
    """One character misread without much confidence."""
    characters = [CharacterReading(c, 0.9) for c in text]
    characters[place] = CharacterReading(digit, 0.5, ((text[place], 0.4),))
    return PlateReading(tuple(characters), PlateColour.GREEN, 0.9, 0.45, quad)


@dataclass(frozen=True)
class Frame:
    """How one picture came out: seconds since the last, metres driven meanwhile, and what was read of each vehicle."""

    gap_s: float
    speed: float
    looks: tuple[str, str]
    place: int
    digit: str


looks = st.sampled_from(["sure", "sure", "sure", "blurred", "missed"])
frames = st.builds(
    Frame,
    st.floats(0.08, 0.4),
    st.floats(-2.0, 4.0),
    st.tuples(looks, looks),
    st.integers(3, 7),
    st.sampled_from(DIGITS),
)
second_plates = st.sampled_from(["琼AD12346", "琼AD1234S", "琼AD02345", "琼BF80677", "粤AD12345", "琼AD1234"])


def read(frame: Frame, look: str, text: str, distance_m: float) -> list[PlateReading]:
    if look == "missed" or not SEEN_FROM_M <= distance_m <= SEEN_TO_M:
        return []
    quad = quad_at(distance_m)
    return [sure(text, quad) if look == "sure" else blurred(text, quad, min(frame.place, len(text) - 1), frame.digit)]


@settings(max_examples=300, deadline=None)
@given(film=st.lists(frames, min_size=4, max_size=40), second=second_plates, start_m=st.floats(3.5, 12.0))
def test_two_vehicles_in_a_row_never_share_a_track(film: list[Frame], second: str, start_m: float) -> None:
    tracker, at_s, first_m = Tracker(), 0.0, start_m
    owners: dict[int, set[str]] = {}
    for frame in film:
        at_s += frame.gap_s
        first_m -= frame.speed * frame.gap_s
        readings = [
            *read(frame, frame.looks[0], FIRST, first_m),
            *read(frame, frame.looks[1], second, first_m + GAP_M),
        ]
        for track in tracker.add(at_s, readings).active:
            newest = track.readings[-1]
            if newest.confidence > 0.9:
                owners.setdefault(track.track_id, set()).add(newest.text)
    assert all(len(texts) == 1 for texts in owners.values())


@settings(max_examples=300, deadline=None)
@given(film=st.lists(frames, min_size=2, max_size=40), start_m=st.floats(4.0, 12.0))
def test_one_vehicle_that_rolls_to_and_fro_is_one_track(film: list[Frame], start_m: float) -> None:
    tracker, at_s, distance_m = Tracker(), 0.0, start_m
    tracks: set[int] = set()
    for frame in film:
        at_s += frame.gap_s
        distance_m = min(max(distance_m - frame.speed * frame.gap_s, SEEN_FROM_M), SEEN_TO_M)
        look = "sure" if frame.looks[0] == "missed" else frame.looks[0]
        tracks |= {t.track_id for t in tracker.add(at_s, read(frame, look, FIRST, distance_m)).active}
    assert tracks == {1}


@given(order=st.permutations([0, 1]), confidence=st.floats(0.3, 0.99))
def test_the_right_plate_finds_its_track_in_any_order(order: list[int], confidence: float) -> None:
    """The one behind differs by one character, and may be read surer than the one in front."""
    tracker = Tracker()
    front, behind = sure(FIRST, quad_at(4.0)), sure("琼AD12346", quad_at(9.0))
    tracker.add(0.0, [front])
    pair = [replace(front, confidence=confidence), replace(behind, confidence=0.95)]
    active = tracker.add(0.2, [pair[i] for i in order]).active
    assert {track.track_id: track.readings[-1].text for track in active} == {1: FIRST, 2: "琼AD12346"}


def test_a_clone_behind_a_vehicle_that_is_through_is_its_own() -> None:
    tracker = Tracker()
    (first,) = tracker.add(0.0, [sure(FIRST, quad_at(3.0))]).active
    tracker.close(first.track_id)
    (still,) = tracker.add(0.3, [sure(FIRST, quad_at(3.0))]).active
    (clone,) = tracker.add(1.5, [sure(FIRST, quad_at(8.0))]).active
    assert (still.track_id, clone.track_id) == (1, 2)


def test_who_stands_in_a_still_picture_is_still_there() -> None:
    tracker = Tracker()
    tracker.add(0.0, [sure(FIRST, quad_at(5.0))])
    for step in range(1, 40):
        assert len(tracker.still(step * 0.5)) == 1
    seen = tracker.add(20.0, [sure(FIRST, quad_at(4.8))])
    assert [track.track_id for track in seen.active] == [1]
    assert seen.ended == ()


def test_who_had_left_before_the_picture_stood_still_is_forgotten() -> None:
    tracker = Tracker()
    tracker.add(0.0, [sure(FIRST, quad_at(5.0))])
    assert tracker.still(2.0) == ()
    assert len(tracker.add(4.0, []).ended) == 1


def test_vehicles_are_followed_with_their_plates() -> None:
    tracker = Tracker()
    car = VehicleReading(VehicleType.CAR, 0.9, (300.0, 150.0, 600.0, 500.0))
    track: Track | None = None
    for at_s, vehicles in ((0.0, None), (0.3, (car,)), (0.6, None), (0.9, (car,))):
        (track,) = tracker.add(at_s, [sure(FIRST, quad_at(5.0))], vehicles=vehicles, size=(960, 540)).active
    assert track is not None
    assert len(track.looks) == 2
    assert track.vehicle is not None
    assert track.vehicle.type is VehicleType.CAR
