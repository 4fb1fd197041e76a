"""Sharing among vehicles: minimum, deadlines, then fair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.energy.ev_sharing import shared_kw


def shared(vehicles: list[tuple[float, float, float, float]], soft_kw: float, hard_kw: float) -> list[float]:
    """Of (minimum, need, want, laxity) each."""
    columns = np.array(vehicles, dtype=float).reshape(len(vehicles), 4)
    return [float(x) for x in shared_kw.twin(*(columns[:, n].copy() for n in range(4)), soft_kw, hard_kw)]


@pytest.mark.parametrize(
    ("vehicles", "soft_kw", "hard_kw", "expected"),
    [
        ([(2, 2, 60, 9), (2, 2, 60, 9)], 100, 100, [50, 50]),
        ([(2, 2, 11, 9), (2, 2, 60, 9)], 50, 50, [11, 39]),
        ([(2, 40, 60, 100), (2, 2, 60, 9e9)], 0, 60, [40, 2]),
        ([(2, 40, 60, 100), (2, 40, 60, 50)], 0, 60, [20, 40]),
        ([(2, 2, 60, 100), (2, 2, 60, 50)], 0, 3, [0, 2]),
        ([(2, 2, 60, 100), (2, 2, 60, 50)], 0, -5, [0, 0]),
        ([(2, 40, 60, 100), (2, 2, 60, 9e9)], 70, 500, [40, 30]),
        ([], 10, 10, []),
    ],
)
def test_cases(vehicles: list, soft_kw: float, hard_kw: float, expected: list[float]) -> None:
    assert shared(vehicles, soft_kw, hard_kw) == pytest.approx(expected, abs=1e-6)


power = st.floats(0, 200)
vehicles = st.lists(
    st.tuples(power, power, power, st.floats(-1e5, 1e9)).map(lambda v: (*sorted(v[:3]), v[3])), max_size=8
)
budget = st.floats(-100, 900)


@given(vehicles, budget, budget)
def test_never_more_than_there_is_and_never_more_than_wanted(v: list, soft_kw: float, hard_kw: float) -> None:
    found = shared(v, soft_kw, hard_kw)
    assert sum(found) <= max(0.0, hard_kw) + 1e-6
    for got, (minimum, _, want, _) in zip(found, v, strict=True):
        assert got == 0.0 or minimum - 1e-9 <= got <= want + 1e-9


@given(vehicles, budget, budget, st.floats(0, 300))
def test_more_power_takes_from_nobody_altogether(v: list, soft_kw: float, hard_kw: float, more_kw: float) -> None:
    assert sum(shared(v, soft_kw + more_kw, hard_kw + more_kw)) >= sum(shared(v, soft_kw, hard_kw)) - 200.0 * 1e-6


@given(vehicles, budget, budget)
def test_compiled_and_plain_share_alike(v: list, soft_kw: float, hard_kw: float) -> None:
    columns = np.array(v, dtype=float).reshape(len(v), 4)
    rows = [columns[:, n].copy() for n in range(4)]
    np.testing.assert_array_equal(shared_kw.compiled(*rows, soft_kw, hard_kw), shared_kw.twin(*rows, soft_kw, hard_kw))
