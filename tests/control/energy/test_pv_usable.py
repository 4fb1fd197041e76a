"""What a plant with faults can still give."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from control.domain.energy import AlarmSeverity
from control.energy.pv_reference import StringPlace
from control.energy.pv_types import PvAlarm, PvFault
from control.energy.pv_usable import figure, usable_frac

STRINGS = [
    StringPlace(key=f"a/s{n}", inverter="a", string=f"s{n}", rated_kw=kw, peers=()) for n, kw in enumerate((60, 40))
]


def alarms(*found: tuple[PvFault, str, dict[str, float | str]]) -> dict[tuple[PvFault, str], PvAlarm]:
    return {
        (fault, device): PvAlarm(
            fault=fault,
            device=device,
            severity=AlarmSeverity.INFO,
            since=datetime(2026, 3, 3, tzinfo=UTC),
            evidence=evidence,
            suggestion="",
        )
        for fault, device, evidence in found
    }


@pytest.mark.parametrize(
    ("found", "part"),
    [
        ([], 1.0),
        ([(PvFault.OUTAGE, "a", {})], 0.0),
        ([(PvFault.OUTAGE, "a/s0", {})], 0.4),
        ([(PvFault.SOILING, "a/s0", {"day_part": 0.9})], 0.94),
        ([(PvFault.SOILING, "a/s0", {"day_part": 0.9}), (PvFault.SHADING, "a/s0", {"day_part": 0.8})], 0.88),
        ([(PvFault.DERATING, "a", {"held_at_kw": 30.0})], 0.6),
        ([(PvFault.DERATING, "a", {"held_at_kw": 30.0}), (PvFault.OUTAGE, "a/s0", {})], 0.4),
        ([(PvFault.DERATING, "a", {}), (PvFault.SHADING, "a/s1", {"day_part": "?"})], 1.0),
        ([(PvFault.FROZEN, "a", {}), (PvFault.CLIPPING, "a", {}), (PvFault.OUTAGE, "b", {})], 1.0),
    ],
)
def test_faults_leave_a_part(found, part: float) -> None:
    assert usable_frac("a", 50.0, STRINGS, alarms(*found)) == pytest.approx(part)


def test_an_inverter_without_strings_or_rating() -> None:
    assert usable_frac("a", 50.0, [], {}) == 1.0
    assert usable_frac("a", 0.0, STRINGS, alarms((PvFault.DERATING, "a", {"held_at_kw": 3.0}))) == 1.0


def test_a_figure_that_is_none_is_taken_as_given_otherwise() -> None:
    [alarm] = alarms((PvFault.SOILING, "a", {"x": 2, "bad": math.nan, "word": "w"})).values()
    assert [figure(alarm, name, 7.0) for name in ("x", "bad", "word", "absent")] == [2.0, 7.0, 7.0, 7.0]
