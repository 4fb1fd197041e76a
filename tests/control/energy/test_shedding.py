"""Which loads go and which come back."""

from __future__ import annotations

import numpy as np
import pytest

from control.energy.shedding import LOAD_COLUMNS, next_back, shed_for

CRITICAL = (0, 300, 300, 0, 0, 0, 0, 0)
CHILLERS = (2, 900, 900, 1, 1, 0, 0, 0)
PUBLIC = (2, 400, 400, 1, 1, 0, 0, 0)
WATER = (3, 300, 300, 1, 1, 0, 0, 0)
JUST_ON = (3, 200, 200, 0, 1, 0, 0, 0)
UNKNOWN = (3, 0, 500, 1, 1, 0, 0, 0)


def table(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=float).reshape(len(rows), LOAD_COLUMNS)


@pytest.mark.parametrize(
    ("rows", "need_kw", "hard", "expected", "relieved"),
    [
        ((CRITICAL, CHILLERS, PUBLIC, WATER), 100, True, [0, 0, 0, 1], 300),
        ((CRITICAL, CHILLERS, PUBLIC, WATER), 600, True, [0, 0, 1, 1], 700),
        ((CRITICAL, CHILLERS, PUBLIC, WATER), 1100, True, [0, 1, 0, 1], 1200),
        ((CRITICAL, CHILLERS, PUBLIC, WATER), 9000, True, [0, 1, 1, 1], 1600),
        ((CRITICAL, CHILLERS, PUBLIC, WATER), 0, True, [0, 0, 0, 0], 0),
        ((JUST_ON, PUBLIC), 100, True, [0, 1], 400),
        ((JUST_ON, PUBLIC), 500, True, [1, 1], 600),
        ((JUST_ON, PUBLIC), 500, False, [0, 1], 400),
        ((UNKNOWN, WATER), 100, True, [0, 1], 300),
        ((UNKNOWN, WATER), 400, True, [1, 1], 300),
        ((CRITICAL,), 500, True, [0], 0),
    ],
)
def test_highest_tier_first_and_no_more_than_needed(
    rows: tuple, need_kw: float, hard: bool, expected: list[int], relieved: float
) -> None:
    off = np.zeros(len(rows))
    assert shed_for(table(*rows), need_kw, hard, off) == relieved
    assert off.tolist() == expected


def kept(tier: int, rated: float, ready: bool, off_s: float) -> tuple[float, ...]:
    return (tier, 0, rated, 0, 0, float(ready), off_s, 1)


@pytest.mark.parametrize(
    ("rows", "room_kw", "expected"),
    [
        ((kept(3, 100, True, 900), kept(2, 100, True, 10)), 500, 1),
        ((kept(2, 100, True, 10), kept(2, 100, True, 90)), 500, 1),
        ((kept(2, 400, True, 90), kept(3, 100, True, 90)), 300, -1),
        ((kept(2, 400, False, 9), kept(3, 100, True, 90)), 900, -1),
        ((WATER,), 900, -1),
    ],
)
def test_lowest_tier_comes_back_first_and_is_not_overtaken(rows: tuple, room_kw: float, expected: int) -> None:
    assert next_back(table(*rows), room_kw) == expected
