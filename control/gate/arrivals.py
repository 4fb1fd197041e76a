"""Many frames, one arrival: owns tracking of plates over time and the fusing of their characters.

A plate that stands still for minutes is one arrival; two vehicles nose to tail are two. Time is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, Quad
from control.gate.near import fold, one_apart

FORGET_S = 3.0
ALTERNATIVES_MAX = 3
# Two readings that are both surer than this and differ by more than a character are two plates.
SURE = 0.8
ALIKE_FRAC_MIN = 0.6
_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Track:
    """One plate followed over frames. `track_id` counts from 1 in one tracker; times are the caller's seconds."""

    track_id: int
    first_at_s: float
    last_at_s: float
    readings: tuple[PlateReading, ...]

    @property
    def reading(self) -> PlateReading:
        """All frames fused."""
        return fuse(self.readings)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one frame changed: tracks that were seen or begun, and tracks that ended."""

    active: tuple[Track, ...]
    ended: tuple[Track, ...]


class Tracker:
    """Follows the plates of one camera. Pure in its inputs: the same frames give the same tracks."""

    def __init__(self, *, forget_s: float = FORGET_S, frames_max: int = 12) -> None:
        self._forget_s = forget_s
        self._frames_max = frames_max
        self._tracks: list[Track] = []
        self._count = 0

    def add(self, at_s: float, readings: Iterable[PlateReading]) -> Seen:
        """One frame's plates. A plate joins the track that it resembles most, or begins one of its own."""
        ended = self._drop_old(at_s)
        free = list(self._tracks)
        active = []
        for reading in sorted(readings, key=lambda r: -r.confidence):
            track = max(free, key=lambda t: continues(t, reading), default=None)
            if track is None or continues(track, reading) <= 0:
                track = self._begin(at_s)
            else:
                free.remove(track)
            active.append(self._extend(track, at_s, reading))
        return Seen(tuple(active), ended)

    def flush(self) -> tuple[Track, ...]:
        """End every track, as at the end of a film."""
        ended, self._tracks = tuple(self._tracks), []
        return ended

    def _drop_old(self, at_s: float) -> tuple[Track, ...]:
        # A clock that leaps back must not keep a track for ever.
        ended = tuple(t for t in self._tracks if not 0 <= at_s - t.last_at_s <= self._forget_s)
        self._tracks = [t for t in self._tracks if t not in ended]
        return ended

    def _begin(self, at_s: float) -> Track:
        self._count += 1
        track = Track(self._count, at_s, at_s, ())
        self._tracks.append(track)
        return track

    def _extend(self, track: Track, at_s: float, reading: PlateReading) -> Track:
        kept = _best_frames((*track.readings, reading), self._frames_max)
        grown = replace(track, last_at_s=at_s, readings=kept)
        self._tracks[self._tracks.index(track)] = grown
        return grown


def _best_frames(readings: tuple[PlateReading, ...], count: int) -> tuple[PlateReading, ...]:
    """The newest reading last (tracking needs its place), the least confident of the others dropped."""
    if len(readings) <= count:
        return readings
    worst = min(range(len(readings) - 1), key=lambda place: _weight(readings[place]))
    return (*readings[:worst], *readings[worst + 1 :])


def continues(track: Track, now: PlateReading) -> float:
    """How well a reading continues a track. Its surest reading has a say, so that a bad frame hides no plate."""
    best = max(track.readings, key=_weight)
    if min(best.confidence, now.confidence) > SURE and not one_apart(fold(best.text), fold(now.text)):
        return 0.0
    return resemblance(track.readings[-1], now)


def resemblance(last: PlateReading, now: PlateReading) -> float:
    """How well a reading continues a track: above 0 it does. Text outweighs place, since vehicles move."""
    same = fold(last.text) == fold(now.text)
    near = one_apart(fold(last.text), fold(now.text))
    width = max(_width(last.quad), _width(now.quad), 1e-6)
    distance = math.dist(_centre(last.quad), _centre(now.quad)) / width
    if same:
        return 10.0 - min(distance, 5.0)
    if near:
        return 5.0 - min(distance, 5.0)
    # Another text at the same place: a bad frame of the same plate, unless both are sure of themselves, or so unlike
    # that it is the next vehicle, which comes to stand where the last one stood.
    sure = min(last.confidence, now.confidence) > SURE
    return 0.0 if sure or _alike_frac(last.text, now.text) < ALIKE_FRAC_MIN else 0.5 - distance


def _alike_frac(one: str, other: str) -> float:
    """How much of both texts stands in the same order, 0 to 1: a lost character shifts the rest."""
    return SequenceMatcher(None, fold(one), fold(other), autojunk=False).ratio()


def _centre(quad: Quad) -> tuple[float, float]:
    return sum(p[0] for p in quad) / 4, sum(p[1] for p in quad) / 4


def _width(quad: Quad) -> float:
    return (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2


def fuse(readings: tuple[PlateReading, ...]) -> PlateReading:
    """One reading out of several of the same plate: the length that most weight agrees on, then character by character.

    Probabilities of a place are averaged over the frames of that length, weighted by the frame's confidence; frames
    are not independent looks, so they are never multiplied. Raises ValueError when there is no reading.
    """
    if not readings:
        raise ValueError("fuse needs at least one reading")
    if len(readings) == 1:
        return readings[0]
    length = _agreed_length(readings)
    agreeing = [r for r in readings if len(r.characters) == length]
    characters = tuple(_fuse_place([r.characters[i] for r in agreeing], _weights(agreeing)) for i in range(length))
    colour, colour_confidence = _fuse_colour(readings)
    best = max(agreeing, key=lambda r: r.confidence)
    share = sum(_weights(agreeing)) / sum(_weights(readings))
    same = [_weight(r) for r in agreeing if r.text == "".join(c.char for c in characters)]
    confidence = share * max(same, default=math.prod(c.probability for c in characters))
    return PlateReading(
        characters=characters,
        colour=colour,
        colour_confidence=colour_confidence,
        confidence=min(1.0, confidence),
        quad=readings[-1].quad,
        rows=best.rows,
        frames=sum(r.frames for r in readings),
    )


def _weight(reading: PlateReading) -> float:
    """Its confidence squared, so that far and blurred frames hardly count; one without a number has none."""
    return max(reading.confidence**2, _FLOOR) if math.isfinite(reading.confidence) else _FLOOR


def _weights(readings: Iterable[PlateReading]) -> list[float]:
    return [_weight(reading) for reading in readings]


def _agreed_length(readings: tuple[PlateReading, ...]) -> int:
    votes: dict[int, float] = {}
    for reading, weight in zip(readings, _weights(readings), strict=True):
        votes[len(reading.characters)] = votes.get(len(reading.characters), 0.0) + weight
    return max(votes, key=lambda length: (votes[length], length))


def _fuse_place(seen: list[CharacterReading], weights: list[float]) -> CharacterReading:
    sums: dict[str, float] = {}
    for reading, weight in zip(seen, weights, strict=True):
        for char, probability in ((reading.char, reading.probability), *reading.alternatives):
            sums[char] = sums.get(char, 0.0) + weight * probability
    total = sum(weights)
    ranked = sorted(((p / total, char) for char, p in sums.items()), key=lambda pair: (-pair[0], pair[1]))
    (top, char), others = ranked[0], ranked[1 : 1 + ALTERNATIVES_MAX]
    return CharacterReading(char, min(1.0, top), tuple((c, p) for p, c in others))


def _fuse_colour(readings: tuple[PlateReading, ...]) -> tuple[PlateColour, float]:
    votes: dict[PlateColour, float] = {}
    for reading in readings:
        votes[reading.colour] = votes.get(reading.colour, 0.0) + max(reading.colour_confidence, _FLOOR)
    colour = max(votes, key=lambda c: (votes[c], c.value))
    return colour, min(1.0, votes[colour] / len(readings))
