"""Several looks at one vehicle, one answer: owns the fusing of plate readings and of vehicle types over frames.

Frames of one vehicle are not independent looks, so probabilities are averaged and never multiplied.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.domain.vehicles import VehicleType

ALTERNATIVES_MAX = 3
_FLOOR = 1e-4
_TYPES = tuple(kind for kind in VehicleType if kind is not VehicleType.UNKNOWN)


def fuse(readings: tuple[PlateReading, ...]) -> PlateReading:
    """One reading out of several of the same plate: the length that most weight agrees on, then character by character.

    Probabilities of a place are averaged over the frames of that length, weighted by the frame's confidence. Raises
    ValueError when there is no reading.
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
    same = [weight(r) for r in agreeing if r.text == "".join(c.char for c in characters)]
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


def weight(reading: PlateReading) -> float:
    """Its confidence squared, so that far and blurred frames hardly count; one without a number has none."""
    return max(reading.confidence**2, _FLOOR) if math.isfinite(reading.confidence) else _FLOOR


def _weights(readings: Iterable[PlateReading]) -> list[float]:
    return [weight(reading) for reading in readings]


def _agreed_length(readings: tuple[PlateReading, ...]) -> int:
    votes: dict[int, float] = {}
    for reading, share in zip(readings, _weights(readings), strict=True):
        votes[len(reading.characters)] = votes.get(len(reading.characters), 0.0) + share
    return max(votes, key=lambda length: (votes[length], length))


def _fuse_place(seen: list[CharacterReading], weights: list[float]) -> CharacterReading:
    sums: dict[str, float] = {}
    for reading, share in zip(seen, weights, strict=True):
        for char, probability in ((reading.char, reading.probability), *reading.alternatives):
            sums[char] = sums.get(char, 0.0) + share * probability
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


def fuse_types(readings: tuple[VehicleReading, ...]) -> VehicleReading:
    """One type out of several looks at a vehicle, with the newest box: log-probabilities averaged over the looks.

    A look that abstained counts as no preference, so that looks which contradict each other or abstain end below the
    policy's threshold. Raises ValueError when there is no reading.
    """
    if not readings:
        raise ValueError("fuse_types needs at least one reading")
    if len(readings) == 1 or all(reading.type is VehicleType.UNKNOWN for reading in readings):
        return readings[-1]
    looks = [_distribution(reading) for reading in readings]
    means = {kind: math.exp(sum(math.log(look[kind]) for look in looks) / len(looks)) for kind in _TYPES}
    total = sum(means.values())
    ranked = sorted(((mean / total, kind) for kind, mean in means.items()), key=lambda pair: (-pair[0], pair[1]))
    (top, kind), others = ranked[0], ranked[1 : 1 + ALTERNATIVES_MAX]
    return VehicleReading(kind, top, readings[-1].box, tuple((other, p) for p, other in others))


def _distribution(reading: VehicleReading) -> dict[VehicleType, float]:
    """Every type's probability by one look; what the look leaves open is spread evenly."""
    said = {kind: _probability(p) for kind, p in reading.alternatives if kind in _TYPES}
    if reading.type in _TYPES:
        said[reading.type] = _probability(reading.confidence)
    left = max(0.0, 1.0 - sum(said.values())) / max(1, len(_TYPES) - len(said))
    spread = {kind: max(said.get(kind, left), _FLOOR) for kind in _TYPES}
    total = sum(spread.values())
    return {kind: p / total for kind, p in spread.items()}


def _probability(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
