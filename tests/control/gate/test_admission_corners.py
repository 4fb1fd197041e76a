"""Corners of the admission policy that a first reading of it left open."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control.domain.passages import Direction, Outcome
from control.domain.permits import Permit, PermitClass, PermitSnapshot, RegistryEntry, WatchEffect, WatchEntry
from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.admission import ArrivalView, LaneView, decide
from control.gate.reasons import Code
from control.gate.rules import RuleSet

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
QUAD = ((0.0, 0.0), (100.0, 0.0), (100.0, 30.0), (0.0, 30.0))
LANE = LaneView("east-1", "east", Direction.IN)
EMPTY = PermitSnapshot(7, NOW)


def plate(text: str, colour: str) -> PlateReading:
    return PlateReading(tuple(CharacterReading(c, 0.99) for c in text), PlateColour(colour), 0.99, 0.99, QUAD)


def seen(kind: VehicleType, confidence: float = 0.95) -> VehicleReading:
    return VehicleReading(kind, confidence, (0.0, 0.0, 10.0, 10.0))


def granted(text: str, permit_class: PermitClass = PermitClass.SPECIAL, **changes: object) -> PermitSnapshot:
    permit = Permit("P1", text, permit_class, NOW - DAY, NOW + DAY)
    return replace(EMPTY, permits={text: (replace(permit, **changes),)})


def registered(text: str, energy: str, vehicle_type: str | None = None) -> PermitSnapshot:
    return replace(EMPTY, registry={text: RegistryEntry(text, energy, vehicle_type)})


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_from": NOW + timedelta(hours=1)},
        {"gates": frozenset({"north"})},
        {"entries_left": 0},
    ],
    ids=["tomorrow", "other gate", "used"],
)
def test_an_emergency_permit_that_does_not_fit_is_a_persons_decision(rules: RuleSet, changes: dict) -> None:
    snapshot = granted("琼C00007", PermitClass.EMERGENCY, **changes)
    decision = decide(ArrivalView(plate("琼C00007", "yellow")), snapshot, rules, LANE, NOW)
    assert (decision.outcome, decision.reasons[0].code) == (Outcome.HOLD, Code.MAYBE_EMERGENCY)


def test_a_diplomatic_plate_registered_as_fuel_still_goes_to_a_person(rules: RuleSet) -> None:
    for text, colour in (("224001使", "black"), ("VA12345", "white"), ("粤Z1235港", "black")):
        decision = decide(ArrivalView(plate(text, colour)), registered(text, "fuel"), rules, LANE, NOW)
        assert decision.outcome is Outcome.HOLD, text


@pytest.mark.parametrize("text", ["琼C12345", "琼C78083"])
def test_with_a_clock_behind_the_permits_nobody_is_refused_or_admitted_by_their_dates(
    rules: RuleSet, text: str
) -> None:
    snapshot = granted("琼C78083", valid_from=NOW - 30 * DAY)
    decision = decide(ArrivalView(plate(text, "yellow")), snapshot, rules, LANE, NOW - 3 * DAY)
    assert (decision.outcome, decision.reasons[0].code) == (Outcome.HOLD, Code.CLOCK_DOUBTFUL)


def test_a_clock_a_little_behind_is_no_doubt(rules: RuleSet) -> None:
    decision = decide(ArrivalView(plate("琼C12345", "blue")), EMPTY, rules, LANE, NOW - timedelta(minutes=2))
    assert decision.outcome is Outcome.REFUSE


def test_a_block_newer_than_the_clock_still_blocks(rules: RuleSet) -> None:
    entry = WatchEntry("琼CD66666", WatchEffect.BLOCK, "stolen", NOW - timedelta(hours=1))
    snapshot = replace(EMPTY, watch={"琼CD66666": (entry,)})
    decision = decide(ArrivalView(plate("琼CD66666", "green")), snapshot, rules, LANE, NOW - 3 * DAY)
    assert not decision.outcome.opens


def test_without_any_list_nobody_is_refused(rules: RuleSet) -> None:
    never = PermitSnapshot(0, NOW)
    decision = decide(ArrivalView(plate("琼C12345", "blue")), never, rules, LANE, NOW)
    assert (decision.outcome, decision.reasons[0].code) == (Outcome.HOLD, Code.SNAPSHOT_TOO_OLD)
    electric = decide(ArrivalView(plate("琼CD12345", "green")), never, rules, LANE, NOW)
    assert electric.outcome is Outcome.ADMIT


def test_register_or_permit_may_explain_the_type(rules: RuleSet) -> None:
    view = ArrivalView(plate("琼CD12345", "green"), seen(VehicleType.TRUCK))
    by_register = registered("琼CD12345", "battery_electric", "truck")
    assert decide(view, by_register, rules, LANE, NOW).outcome is Outcome.ADMIT
    fuel = ArrivalView(plate("琼C12345", "blue"), seen(VehicleType.TRUCK))
    by_permit = granted("琼C12345", vehicle_type="truck")
    assert decide(fuel, by_permit, rules, LANE, NOW).outcome is Outcome.ADMIT_UNDER_PERMIT


def test_a_permit_for_a_crane_does_not_admit_a_bus(rules: RuleSet) -> None:
    snapshot = granted("琼C12345", vehicle_type="crane")
    bus = decide(ArrivalView(plate("琼C12345", "yellow"), seen(VehicleType.BUS)), snapshot, rules, LANE, NOW)
    assert (bus.outcome, bus.reasons[0].code) == (Outcome.HOLD, Code.PERMIT_OTHER_VEHICLE)
    crane = decide(ArrivalView(plate("琼C12345", "yellow"), seen(VehicleType.CRANE)), snapshot, rules, LANE, NOW)
    assert crane.outcome is Outcome.ADMIT_UNDER_PERMIT


def test_a_listed_fuel_vehicle_is_admitted_and_its_emission_recorded(rules: RuleSet) -> None:
    for text, colour, records in (("琼C88888", "blue", True), ("琼CD88888", "green", False)):
        entry = WatchEntry(text, WatchEffect.ALLOW, "office", NOW - DAY)
        snapshot = replace(EMPTY, watch={text: (entry,)})
        decision = decide(ArrivalView(plate(text, colour)), snapshot, rules, LANE, NOW)
        assert (decision.outcome, decision.record_emission) == (Outcome.ADMIT, records)


def test_a_character_without_a_number_is_unsure(rules: RuleSet) -> None:
    sure = plate("琼CD12345", "green")
    spoilt = (*sure.characters[:4], replace(sure.characters[4], probability=math.nan), *sure.characters[5:])
    decision = decide(ArrivalView(replace(sure, characters=spoilt)), EMPTY, rules, LANE, NOW)
    assert decision.outcome is Outcome.HOLD
    assert (decision.reasons[0].code, decision.reasons[0].detail) == (Code.CHARACTER_UNSURE, "5")


def test_the_reason_shown_for_a_block_is_one_in_force(rules: RuleSet) -> None:
    old = WatchEntry("琼C66666", WatchEffect.BLOCK, "paid since", NOW - 9 * DAY, NOW - DAY)
    new = WatchEntry("琼C66666", WatchEffect.BLOCK, "stolen", NOW - DAY)
    snapshot = replace(EMPTY, watch={"琼C66666": (old, new)})
    decision = decide(ArrivalView(plate("琼C66666", "blue")), snapshot, rules, LANE, NOW)
    assert decision.reasons[0].detail == "stolen"


def test_a_doubtful_reading_of_the_permits_own_plate_is_not_called_near(rules: RuleSet) -> None:
    reading = plate("琼C78083", "yellow")
    weak = replace(reading, characters=(CharacterReading("琼", 0.7), *reading.characters[1:]), confidence=0.69)
    decision = decide(ArrivalView(weak), granted("琼C78083"), rules, LANE, NOW)
    assert decision.reasons[0].code == Code.CHARACTER_UNSURE
    assert decision.suggestions == ("琼C78083",)
