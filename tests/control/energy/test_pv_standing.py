"""Alarms that stand: each raised once, counted, cleared once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.domain.energy import AlarmSeverity
from control.energy.pv_standing import Standing
from control.energy.pv_types import SUGGESTIONS, PvFault

AT = datetime(2026, 3, 3, 4, tzinfo=UTC)


def test_an_alarm_is_raised_once_and_keeps_its_beginning() -> None:
    standing = Standing()
    standing.begin(PvFault.OUTAGE, "a", AT, {"measured_kw": 1 / 3, "word": "x"}, 2.0)
    [raised] = standing.taken().raised
    assert raised.evidence == {"measured_kw": 0.333, "word": "x"}
    assert (raised.lost_kwh, raised.suggestion) == (2.0, SUGGESTIONS[PvFault.OUTAGE])
    standing.begin(PvFault.OUTAGE, "a", AT + timedelta(hours=1), {"measured_kw": 0.5}, 99.0)
    standing.lost(PvFault.OUTAGE, "a", 3.0)
    standing.lost(PvFault.OUTAGE, "a", -1.0)
    standing.lost(PvFault.OUTAGE, "b", 7.0)
    assert standing.taken().raised == ()
    [now] = standing.alarms.values()
    assert (now.since, now.evidence, now.lost_kwh) == (AT, {"measured_kw": 0.5}, 5.0)


def test_it_is_cleared_once_with_what_it_cost() -> None:
    standing = Standing()
    standing.begin(PvFault.SHADING, "a/s0", AT, {})
    standing.taken()
    standing.lost(PvFault.SHADING, "a/s0", 4.0)
    standing.end(PvFault.SHADING, "a/s0")
    standing.end(PvFault.SHADING, "a/s0")
    [cleared] = standing.taken().cleared
    assert cleared.lost_kwh == 4.0
    assert standing.taken().cleared == ()
    assert (PvFault.SHADING, "a/s0") not in standing


@pytest.mark.parametrize("fault", PvFault)
def test_every_fault_has_a_severity_and_a_suggestion(fault: PvFault) -> None:
    standing = Standing()
    standing.begin(fault, "a", AT, {})
    [raised] = standing.taken().raised
    assert isinstance(raised.severity, AlarmSeverity)
    assert raised.suggestion
