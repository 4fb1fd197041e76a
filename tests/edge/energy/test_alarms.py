"""Alarms: once up, once down, with hysteresis, whatever flutters and whoever restarts."""

from __future__ import annotations

import itertools

import pytest

from control.domain.energy import AlarmSeverity, Quality
from control.domain.events import DeviceBack, DeviceLost, EnergyAlarmCleared, EnergyAlarmRaised
from control.energy.dispatch_types import Commands, Dispatch, DispatchState
from edge.energy.alarms import AlarmDesk, Condition
from edge.energy.conditions import Trouble, conditions
from edge.energy.field import FieldNow, Heard
from edge.energy.ports import Identity, MeterReading, unknown

HOT = Condition(code="hot", device="b1", severity=AlarmSeverity.CRITICAL, evidence={"c": 60}, rise_s=2.0, fall_s=5.0)


@pytest.fixture
def desk(clock) -> AlarmDesk:
    ids = itertools.count(1)
    return AlarmDesk(clock, lambda: f"id-{next(ids)}")


def play(desk: AlarmDesk, clock, pattern: str, condition: Condition = HOT) -> list[str]:
    """One look a second: x is wrong, a dot is right. What was told, by second."""
    told = []
    for second, sign in enumerate(pattern):
        events = desk.see([condition] if sign == "x" else [], {}, set())
        desk.told()
        told += [f"{second}{'+' if isinstance(event, EnergyAlarmRaised) else '-'}" for event in events]
        clock.advance(1.0)
    return told


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("x....", []),
        ("xx...x.", []),
        ("xxxxxx", ["2+"]),
        ("xxxx........", ["2+", "9-"]),
        ("xxxx....x........", ["2+", "14-"]),
        ("xxx......xxx......", ["2+", "8-", "11+", "17-"]),
    ],
)
def test_an_alarm_rises_and_falls_with_patience(desk, clock, pattern, told) -> None:
    assert play(desk, clock, pattern) == told


def test_what_was_not_told_is_said_again(desk, clock) -> None:
    now = Condition(code="hot", device="b1", rise_s=0.0)
    for _ in range(3):
        [event] = desk.see([now], {}, set())
        assert isinstance(event, EnergyAlarmRaised)
        assert desk.open == ()
        clock.advance(1.0)
    desk.told()
    assert desk.see([now], {}, set()) == []
    assert [one.condition.code for one in desk.open] == ["hot"]


def test_a_cleared_alarm_has_its_id_and_its_length(desk, clock) -> None:
    events = []
    for sign in "xxxx.......":
        news = desk.see([HOT] if sign == "x" else [], {}, set())
        desk.told()
        events += news
        clock.advance(1.0)
    raised, cleared = events
    assert isinstance(cleared, EnergyAlarmCleared)
    assert (raised.alarm_id, raised.severity, raised.evidence) == (cleared.alarm_id, "critical", {"c": 60})
    assert cleared.after_s == 7.0


def test_a_device_is_back_only_when_it_was_heard(desk, clock) -> None:
    [lost] = desk.see([], {"b1": "no answer"}, set())
    desk.told()
    assert isinstance(lost, DeviceLost)
    assert desk.see([], {}, set()) == [], "a restart has not heard it yet"
    clock.advance(7.0)
    [back] = desk.see([], {}, {"b1"})
    assert back == DeviceBack("b1", None, 7.0, back.at)


def test_a_power_that_cannot_be_true_is_told_and_a_stuck_one_is_told_once() -> None:
    nothing = {name: unknown("") for name in ("voltage_v", "current_a", "power_factor", "imported_kwh", "exported_kwh")}
    reading = MeterReading(power_kw=unknown("kW"), frequency_hz=unknown("Hz"), identity=Identity(), **nothing)
    now = FieldNow(at_s=0.0, meter=Heard(reading, 0), breaker=None, inverters={}, storages={}, chargers={}, loads={})
    quiet = Commands(storage_kw={}, pv_limit_kw={}, ev_limit_kw={}, load_on={})
    dispatched = Dispatch(commands=quiet, state=DispatchState(), binding="none")
    assert reading.power_kw.quality is Quality.INVALID
    assert [one.code for one in conditions(now, dispatched, Trouble())] == ["invalid_value"]
    stuck = Trouble(stuck=frozenset({"meter"}))
    assert [one.code for one in conditions(now, dispatched, stuck)] == ["stuck_value"]
