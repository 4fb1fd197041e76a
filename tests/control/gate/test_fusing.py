"""The types of several looks at a vehicle, fused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.readings import VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.fusing import fuse_types

BOX = (0.0, 0.0, 10.0, 10.0)


def seen(kind: VehicleType, sure: float, *others: tuple[VehicleType, float]) -> VehicleReading:
    return VehicleReading(kind, sure, BOX, others)


def test_looks_that_agree_stay_as_sure_as_they_were() -> None:
    fused = fuse_types((seen(VehicleType.CAR, 0.9),) * 3)
    assert fused.type is VehicleType.CAR
    assert fused.confidence == pytest.approx(0.9)


def test_looks_that_contradict_each_other_are_sure_of_nothing() -> None:
    fused = fuse_types((seen(VehicleType.CAR, 0.95), seen(VehicleType.TRUCK, 0.95)))
    assert fused.confidence < 0.7


def test_a_look_that_abstained_lowers_the_answer() -> None:
    fused = fuse_types((seen(VehicleType.CAR, 0.9), seen(VehicleType.UNKNOWN, 0.3)))
    assert fused.type is VehicleType.CAR
    assert fused.confidence < 0.9


def test_only_abstentions_abstain() -> None:
    assert fuse_types((seen(VehicleType.UNKNOWN, 0.3),) * 2).type is VehicleType.UNKNOWN


def test_runners_up_are_heard() -> None:
    minibus = (seen(VehicleType.CAR, 0.5, (VehicleType.MINIBUS, 0.45)), seen(VehicleType.MINIBUS, 0.8))
    assert fuse_types(minibus).type is VehicleType.MINIBUS


def test_no_look_cannot_be_fused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fuse_types(())


probabilities = st.floats(0, 1) | st.just(math.nan)
looks = st.builds(
    seen,
    st.sampled_from(VehicleType),
    probabilities,
    st.tuples(st.sampled_from(VehicleType), probabilities),
)


@given(st.lists(looks, min_size=2, max_size=6))
def test_a_fused_type_is_a_distribution(many: list[VehicleReading]) -> None:
    fused = fuse_types(tuple(many))
    if any(look.type is not VehicleType.UNKNOWN for look in many):
        total = fused.confidence + sum(p for _, p in fused.alternatives)
        assert 0 < total <= 1 + 1e-9
        assert all(p <= fused.confidence for _, p in fused.alternatives)
