"""The diagnosis on simulated fields: faults of each kind, sizes, sites and skies; and what no fault must not bring."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from control.energy.pv_diagnosis import FIELD, PvDiagnosis
from control.energy.pv_types import SUGGESTIONS, InverterSample, PvAlarm, PvFault, PvSample
from tests.control.energy.pv_field import LONGITUDE_DEG, START, Faults, Truth, field_of, samples
from tests.control.energy.pv_matrix import COLUMNS, NOTHING, ROWS, Outcome, counted, outcomes

SEEDS = range(2)
COLUMN_OF = {row: column for row, column in zip(ROWS, (None,) * len(ROWS), strict=True)} | {
    "outage, inverter": "pv_outage",
    "outage, string": "pv_outage",
    "shading": "pv_shading",
    "soiling, string": "pv_soiling",
    "soiling, whole field": "pv_soiling",
    "clipping": "pv_clipping",
    "derating": "pv_derating",
    "frozen, string": "pv_sensor_frozen",
    "frozen, inverter": "pv_sensor_frozen",
}
# How far the cost that was told may be off the true one, part of it. Clipping and dirt are small differences of large
# figures; dirt has cost something before it can be told.
COST_WITHIN = {
    "outage, inverter": 0.10,
    "outage, string": 0.15,
    "shading": 0.15,
    "soiling, string": 0.30,
    "soiling, whole field": 0.40,
    "clipping": 0.45,
    "derating": 0.30,
}


@cache
def found(row: str) -> tuple[Outcome, ...]:
    """A row's cases, run once."""
    return tuple(outcomes(row, SEEDS, period_s=900.0))


@pytest.mark.parametrize("row", ROWS)
def test_what_is_wrong_is_told_and_nothing_else(row: str) -> None:
    counts = counted(found(row))
    assert counts["right"] == len(SEEDS), [(one.case.site, one.case.device, one.told) for one in found(row)]


def test_the_confusion_matrix_is_diagonal() -> None:
    matrix: dict[str, Counter[str]] = {column: Counter() for column in COLUMNS}
    for row in ROWS:
        matrix[COLUMN_OF[row] or NOTHING].update(counted(found(row)))
    told = {(injected, column): matrix[injected][column] for injected in COLUMNS for column in COLUMNS}
    cases = Counter(COLUMN_OF[row] or NOTHING for row in ROWS)
    assert {pair: n for pair, n in told.items() if n} == {(one, one): n * len(SEEDS) for one, n in cases.items()}
    assert not any(counts["elsewhere"] for counts in matrix.values())


@pytest.mark.parametrize("row", COST_WITHIN)
def test_what_it_cost_is_told(row: str) -> None:
    for one in found(row):
        assert one.told_kwh == pytest.approx(one.true_kwh, rel=COST_WITHIN[row])


@pytest.mark.parametrize("row", ["frozen, string", "frozen, inverter"])
def test_a_frozen_value_costs_nothing(row: str) -> None:
    assert [one.told_kwh for one in found(row)] == [0.0] * len(SEEDS)


def watched(skies: str, faults: Faults, *, site: str = "south", period_s: float = 900.0, **given):
    """The diagnosis after these days, and what began and ended on the way as (day, hour of the sun, fault, device)."""
    pvs = field_of(site, given.pop("dc_to_ac", None))
    watch, begun, over = PvDiagnosis(pvs, longitude_deg=LONGITUDE_DEG), [], []
    for sample in samples(pvs, skies.split(), faults=faults, period_s=period_s, **given):
        made = watch.step(sample)
        days = (sample.at - START) / timedelta(days=1)
        begun += [(round(days, 3), one) for one in made.raised]
        over += [(round(days, 3), one) for one in made.cleared]
    return watch, begun, over


# An hour of the sun in days since the start.
def at_sun_h(day: int, hour: float) -> float:
    return day + (hour + 8.0 - LONGITUDE_DEG / 15.0) / 24.0


def test_an_outage_is_told_within_half_an_hour_and_over_after_a_quarter() -> None:
    begins, ends = at_sun_h(1, 10.0), at_sun_h(1, 13.0)
    dead = Faults(cap_part={"b": lambda days, hour: 0.0 if begins < days <= ends else 1.0})
    _, [(begun_at, begun)], [(over_at, over)] = watched("clear clear", dead, period_s=300.0)
    assert begun_at - begins <= 0.5 / 24
    assert over_at - ends <= 0.5 / 24
    assert (begun.fault, begun.device, begun.severity) == (PvFault.OUTAGE, "b", "critical")
    assert begun.evidence["measured_kw"] == 0.0
    assert begun.evidence["expected_kw"] > 150.0
    assert begun.evidence["for_min"] == 15.0
    assert begun.suggestion == SUGGESTIONS[PvFault.OUTAGE]
    assert over.lost_kwh > begun.lost_kwh > 0.0


def test_a_field_that_is_wholly_dead_is_told_by_the_clear_sky_alone() -> None:
    begins = at_sun_h(1, 10.0)
    dead = {inverter: lambda days, hour: 0.0 if days > begins else 1.0 for inverter in "abcd"}
    watch, begun, over = watched("clear clear", Faults(cap_part=dead))
    assert sorted(one.device for _, one in begun) == ["a", "b", "c", "d"]
    assert begun[-1][0] - begins <= 2.0 / 24
    assert not over
    assert set(watch.forecast_factors().values()) == {0.0}
    _, begun, _ = watched("clear clear", Faults(cap_part=dead), clear=False)
    assert not begun, "nothing to compare with"


def test_a_heavy_storm_is_no_outage_of_the_field() -> None:
    dim = Faults(every_string_part=lambda days, hour: 0.05)
    _, begun, _ = watched("rain rain rain", dim)
    assert not begun


def test_evidence_of_a_shadow_names_its_hours() -> None:
    shaded = Faults(shadow_part={"b/s1": lambda days, hour: 0.2 if 14.0 <= hour < 16.5 else 1.0})
    watch, [(_, begun)], _ = watched("clear clear scattered clear clear", shaded)
    assert begun.evidence["from_solar_h"] == pytest.approx(14.0, abs=0.5)
    assert begun.evidence["until_solar_h"] == pytest.approx(16.5, abs=0.5)
    assert begun.evidence["rest_part"] == pytest.approx(1.0, abs=0.05)
    factors = watch.forecast_factors()
    assert 0.9 < factors["b"] < 0.97
    assert factors["a"] == 1.0


def test_dirt_is_over_when_it_has_rained() -> None:
    dirty = Faults(string_part={"b/s1": lambda days, hour: 0.8 if days < 6.0 else 1.0})
    _, [(_, begun)], [(over_at, over)] = watched("clear scattered clear clear clear rain clear clear clear", dirty)
    assert (begun.fault, begun.device) == (over.fault, over.device) == (PvFault.SOILING, "b/s1")
    assert begun.evidence["day_part"] == pytest.approx(0.8, abs=0.03)
    assert 7.9 < over_at < 8.2, "two clean days"


def test_a_derated_inverter_stays_so_below_its_level() -> None:
    held = Faults(cap_part={"b": lambda days, hour: 0.6 if 1.0 < days < 4.0 else 1.0})
    watch, begun, over = watched("clear clear overcast clear clear clear", held)
    assert [(one.fault, one.device) for _, one in begun] == [(PvFault.DERATING, "b")]
    assert begun[0][1].evidence["held_at_kw"] == pytest.approx(0.6 * begun[0][1].evidence["rated_ac_kw"], rel=0.01)
    assert [round(days) for days, _ in over] == [4]
    assert watch.alarms == ()


def test_where_all_clip_the_clear_sky_tells_what_was_cut() -> None:
    truth = Truth()
    ratio = dict.fromkeys("abcd", 1.5)
    watch, begun, _ = watched("clear clear clear", Faults(), dc_to_ac=ratio, truth=truth)
    assert {(one.fault, one.device) for _, one in begun} == {(PvFault.CLIPPING, inverter) for inverter in "abcd"}
    told, true = sum(one.lost_kwh for one in watch.alarms), sum(truth.cut_kwh.values())
    assert told == pytest.approx(true, rel=0.6)


def test_clipping_is_forgotten_after_a_week_without() -> None:
    dim = Faults(every_string_part=lambda days, hour: 1.0 if days < 1.0 else 0.6)
    _, begun, over = watched("clear " * 10, dim, dc_to_ac={"b": 1.45})
    assert [(one.fault, one.device) for _, one in begun] == [(PvFault.CLIPPING, "b")]
    assert [(one.fault, round(days)) for days, one in over] == [(PvFault.CLIPPING, 8)]


# ------------------------------------------------------------------------------------------------------ after a restart


def alarm(fault: PvFault, device: str, **evidence: float | str) -> PvAlarm:
    return PvAlarm(
        fault=fault,
        device=device,
        severity="warning",
        since=START - timedelta(days=1),
        evidence=evidence,
        suggestion="",
        lost_kwh=10.0,
    )


RECALLED = [
    alarm(PvFault.OUTAGE, "a"),
    alarm(PvFault.OUTAGE, "b/s1"),
    alarm(PvFault.DERATING, "c", held_at_kw=150.0),
    alarm(PvFault.FROZEN, "d"),
    alarm(PvFault.SHADING, "d/s0", from_solar_h=9.0, until_solar_h=11.0, day_part=0.8),
    alarm(PvFault.SOILING, "d/s1", day_part=0.9),
    alarm(PvFault.SOILING, FIELD, was=0.84, of_clear_sky=0.74),
    alarm(PvFault.CLIPPING, "b"),
]


def test_alarms_that_were_taken_up_end_when_all_is_well() -> None:
    pvs = field_of("south")
    watch = PvDiagnosis(pvs, longitude_deg=LONGITUDE_DEG)
    watch.take_up([*RECALLED, alarm(PvFault.OUTAGE, "gone")])
    assert len(watch.alarms) == len(RECALLED)
    assert watch.forecast_factors() == pytest.approx(
        {"a": 0.0, "b": 2 / 3, "c": 150.0 / (300.0 / 1.05), "d": (0.8 + 0.9 + 1.0) / 3}
    )
    ended: dict[tuple[PvFault, str], int] = {}
    for sample in samples(pvs, ["clear"] * 9, period_s=900.0):
        made = watch.step(sample)
        assert not made.raised
        ended |= {(one.fault, one.device): math.ceil((sample.at - START) / timedelta(days=1)) for one in made.cleared}
    assert watch.alarms == ()
    assert ended == {
        (PvFault.OUTAGE, "a"): 1,
        (PvFault.OUTAGE, "b/s1"): 1,
        (PvFault.FROZEN, "d"): 1,
        (PvFault.DERATING, "c"): 1,
        (PvFault.SOILING, "d/s1"): 3,
        (PvFault.SOILING, FIELD): 3,
        (PvFault.SHADING, "d/s0"): 4,
        (PvFault.CLIPPING, "b"): 7,
    }


def test_alarms_that_were_taken_up_stand_while_it_is_still_so() -> None:
    pvs = field_of("south")
    still = Faults(
        cap_part={"a": lambda days, hour: 0.0, "c": lambda days, hour: 0.5},
        shadow_part={"d/s0": lambda days, hour: 0.1 if 9.0 <= hour < 12.0 else 1.0},
        string_part={"d/s1": lambda days, hour: 0.85},
    )
    watch = PvDiagnosis(pvs, longitude_deg=LONGITUDE_DEG)
    recalled = [one for one in RECALLED if one.device in ("a", "c", "d/s0", "d/s1")]
    watch.take_up(recalled)
    for sample in samples(pvs, ["clear", "scattered", "clear", "clear"], faults=still, period_s=900.0):
        made = watch.step(sample)
        assert not made.raised
        assert not made.cleared
    assert all(one.lost_kwh > 50.0 for one in watch.alarms)
    assert {(one.fault, one.device, one.since) for one in watch.alarms} == {
        (one.fault, one.device, one.since) for one in recalled
    }


# ------------------------------------------------------------------------------------------------------- odd samples


def test_nonsense_is_survived_and_says_nothing() -> None:
    pvs = field_of("roofs")
    watch = PvDiagnosis(pvs, longitude_deg=LONGITUDE_DEG)
    odd = (None, math.nan, math.inf, -math.inf, -50.0, 1e12)
    for step in range(400):
        value = odd[step % len(odd)]
        inverters = tuple(
            InverterSample(id=id_, ac_kw=value, limit_kw=odd[step % 5], dc_kw={"s0": value, "s7": 3.0})
            for id_ in ("a", "b", "nobody")
        )
        at = START + timedelta(seconds=300 * step if step != 200 else 0)
        sample = PvSample(at=at, period_s=300.0, inverters=inverters, clear_dc_kw={"a/s0": 90.0, "x/y": math.nan})
        watch.step(replace(sample, period_s=math.nan) if step == 50 else sample)
    assert all(0.0 <= part <= 1.0 for part in watch.forecast_factors().values())
    assert all(math.isfinite(one.lost_kwh) for one in watch.alarms)


def test_a_field_without_strings_is_no_error() -> None:
    pvs = tuple(replace(pv, strings=()) for pv in field_of("south"))
    watch = PvDiagnosis(pvs, longitude_deg=LONGITUDE_DEG)
    for sample in samples(field_of("south"), ["clear"], period_s=900.0):
        assert watch.step(sample).raised == ()
    assert set(watch.forecast_factors().values()) == {1.0}
