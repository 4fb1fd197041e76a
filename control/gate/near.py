"""Plates that a reading may have meant. Owns similarity; it only ever suggests to a person."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from control.domain.plates import normalise
from control.domain.readings import PlateReading

SUGGESTIONS_MAX = 3
_FOLD = str.maketrans("OQI", "001")


def fold(text: str) -> str:
    """O and Q as 0, I as 1: the confusions that a plate's print does not tell apart."""
    return text.translate(_FOLD)


@lru_cache(maxsize=65536)
def folded(plate: str) -> str:
    """A listed plate normalised and folded; remembered, since every decision compares with every listed plate."""
    return fold(normalise(plate))


def all_near(reading: PlateReading, plates: Iterable[str]) -> tuple[str, ...]:
    """Those of `plates` at most one character away from the reading, likeliest first."""
    text = fold(normalise(reading.text))
    near = [plate for plate in plates if one_apart(text, folded(plate))]
    return tuple(sorted(near, key=lambda plate: (-support(reading, normalise(plate)), plate)))


def near_plates(reading: PlateReading, plates: Iterable[str]) -> tuple[str, ...]:
    """The first three of `all_near`."""
    return all_near(reading, plates)[:SUGGESTIONS_MAX]


def one_apart(first: str, second: str) -> bool:
    """Whether at most one replacement, insertion or deletion separates the two."""
    if abs(len(first) - len(second)) > 1:
        return False
    # One edit leaves the front half or the back half as it was: nearly every listed plate is done with here.
    half = min(len(first), len(second)) // 2
    if half and first[:half] != second[:half] and first[-half:] != second[-half:]:
        return False
    if len(first) > len(second):
        first, second = second, first
    place = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    if len(first) == len(second):
        return first[place + 1 :] == second[place + 1 :]
    return first[place:] == second[place + 1 :]


def support(reading: PlateReading, plate: str) -> float:
    """Product of the probabilities that the reading gives to the plate's characters; 0 with another length."""
    if len(plate) != len(reading.characters):
        return 0.0
    likely = 1.0
    for seen, char in zip(reading.characters, plate, strict=True):
        options = dict(seen.alternatives) | {seen.char: seen.probability}
        likely *= options.get(char, 1e-4)
    return likely
