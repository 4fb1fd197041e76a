"""An inverter by slots: held below its rating, or not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from control.energy.pv_inverters import InverterSlots, SlotFinding
from control.energy.pv_types import PvLimits

LIMITS = PvLimits()
MORNING = [(20.0, 20.0), (30.0, 30.0), (40.0, 40.0)]
HELD = [(70.0, 60.0), (80.0, 60.0), (90.0, 60.0), (95.0, 60.0), (98.0, 60.0)]


def after(slots: Sequence[tuple[float, float]], *, alike: bool = True) -> tuple[InverterSlots, list[SlotFinding]]:
    """Slots of expected and measured AC; the rating is 100 kW."""
    inverter = InverterSlots(100.0)
    return inverter, [inverter.see(due, given, alike=alike, limits=LIMITS) for due, given in slots]


def test_an_inverter_that_is_held_gives_the_same_whatever_is_due() -> None:
    _, findings = after([*MORNING, *HELD])
    assert [one.derated for one in findings] == [False] * 7 + [True]
    assert [one.suspect for one in findings] == [False] * 3 + [True] * 5
    assert findings[-1].cap_kw == 60.0


@pytest.mark.parametrize(
    ("slots", "alike"),
    [
        pytest.param([*MORNING, *HELD], False, id="its strings differ: theirs is the fault"),
        pytest.param(HELD, True, id="nothing is known of how it is below that level"),
        pytest.param([(due, 0.8 * due) for due, _ in [*MORNING, *HELD]], True, id="a part at all levels: dirt"),
        pytest.param([*MORNING, (70, 60), (80, 50), (90, 70), (95, 55), (98, 65)], True, id="clouds"),
        pytest.param([*MORNING, *HELD[:3], (90.0, 88.0), *HELD[:2]], True, id="more in between: it was a cloud"),
        pytest.param([*MORNING, *[(due, 0.0) for due, _ in HELD]], True, id="nothing at all is an outage"),
        pytest.param([(5.0, 1.0)] * 20, True, id="too little light"),
        pytest.param([*MORNING, *[(130.0, 99.0)] * 6], True, id="at its rating"),
    ],
)
def test_what_is_no_derating(slots, alike: bool) -> None:
    _, findings = after(slots, alike=alike)
    assert not any(one.derated for one in findings)


def test_it_has_recovered_when_it_gives_more_for_two_hours() -> None:
    _, findings = after([*MORNING, *HELD, *MORNING, *[(62.0, 61.0)] * 10, *[(80.0, 79.0)] * 8, (80.0, 79.0)])
    assert not any(one.recovered for one in findings[:-2]), "up to its level it looks healthy while it is held"
    assert [one.recovered for one in findings[-2:]] == [True, True]
    assert not findings[-1].derated


def test_a_level_that_is_known_from_before() -> None:
    inverter = InverterSlots(100.0)
    inverter.take_up(60.0, LIMITS)
    assert inverter.see(90.0, 60.0, alike=True, limits=LIMITS).derated
    findings = [inverter.see(90.0, 89.0, alike=False, limits=LIMITS) for _ in range(8)]
    assert [one.recovered for one in findings] == [False] * 7 + [True]


def test_clipping_is_counted_by_the_day() -> None:
    inverter = InverterSlots(100.0)
    inverter.clipped(1.5)
    inverter.clipped(2.0)
    assert (inverter.clipped_slots_today, inverter.clipped_kwh_today) == (2, 3.5)
    assert [inverter.end_day(), inverter.end_day(), inverter.end_day()] == [0, 1, 2]


def test_its_efficiency_is_learnt_from_what_can_be_so() -> None:
    inverter = InverterSlots(100.0)
    for dc_kw, ac_kw in ((5.0, 4.0), (80.0, 40.0), (80.0, 90.0), (0.0, 0.0)):
        inverter.learn_efficiency(dc_kw, ac_kw, LIMITS)
    assert inverter.efficiency is None
    inverter.learn_efficiency(80.0, 76.0, LIMITS)
    assert inverter.efficiency == pytest.approx(0.95)
    for _ in range(200):
        inverter.learn_efficiency(80.0, 78.4, LIMITS)
    assert inverter.efficiency == pytest.approx(0.98, abs=1e-4)
