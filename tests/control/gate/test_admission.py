"""The admission policy as a table, and its laws as properties."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.domain.passages import Decision, Direction, LaneMode, Outcome, Reason
from control.domain.permits import (
    Permit,
    PermitClass,
    PermitSnapshot,
    RegistryEntry,
    WatchEffect,
    WatchEntry,
)
from control.domain.plates import ALPHABET, PlateColour, Verdict
from control.domain.readings import CharacterReading, PlateReading, Unavailable, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.admission import ArrivalView, LaneView, decide
from control.gate.doubts import doubts_of
from control.gate.near import fold
from control.gate.reasons import REASONS, Code
from control.gate.rules import RuleSet, parse_rules, to_mapping

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
QUAD = ((0.0, 0.0), (100.0, 0.0), (100.0, 30.0), (0.0, 30.0))
DAY = timedelta(days=1)


def plate(text: str, colour: str, sure: float = 0.99, *, weak: int | None = None) -> PlateReading:
    """A reading; `weak` is the place (from 1) of a character that is not sure."""
    characters = tuple(
        CharacterReading(c, 0.5, (("8", 0.44),)) if i == weak else CharacterReading(c, sure)
        for i, c in enumerate(text, 1)
    )
    confidence = 0.5 if weak else sure
    return PlateReading(characters, PlateColour(colour), 0.99, confidence, QUAD)


def permit(
    permit_id: str,
    text: str,
    permit_class: PermitClass = PermitClass.SPECIAL,
    *,
    begins: timedelta = -DAY,
    ends: timedelta = DAY,
    gates: tuple[str, ...] = (),
    left: int | None = None,
) -> Permit:
    return Permit(permit_id, text, permit_class, NOW + begins, NOW + ends, frozenset(gates), left)


PERMITS = [
    permit("valid", "琼C78083"),
    permit("here", "琼C00001", gates=("east",)),
    permit("elsewhere", "琼C00002", gates=("north",)),
    permit("over", "琼C00003", ends=-timedelta(hours=1)),
    permit("tomorrow", "琼C00004", begins=DAY, ends=2 * DAY),
    permit("used", "琼C00005", left=0),
    permit("last", "琼C00006", left=1),
    permit("rescue", "琼C00007", PermitClass.EMERGENCY),
    permit("rescue-over", "琼C00008", PermitClass.EMERGENCY, ends=-DAY),
    permit("old", "琼C00009", ends=-DAY),
    permit("renewed", "琼C00009"),
    permit("coach", "琼B1234学"),
    permit("trailer", "琼C1234挂"),
    permit("cross", "粤Z1234港"),
    permit("standing", "琼C00010", PermitClass.STANDING),
    permit("tractor", "琼9012345"),
    permit("hybrid", "琼CF00001"),
]


def watch(text: str, effect: WatchEffect, *, ended: bool = False) -> WatchEntry:
    return WatchEntry(text, effect, "because", NOW - 9 * DAY, NOW - DAY if ended else None)


WATCH = [
    watch("琼CD66666", WatchEffect.BLOCK),
    watch("琼C66666", WatchEffect.BLOCK),
    watch("琼C1666警", WatchEffect.BLOCK),
    watch("琼CD00000", WatchEffect.BLOCK),
    watch("琼CD77777", WatchEffect.ALERT),
    watch("琼C88888", WatchEffect.ALLOW),
    watch("琼C88889", WatchEffect.ALLOW, ended=True),
    watch("琼CD66660", WatchEffect.BLOCK, ended=True),
]
REGISTRY = [
    RegistryEntry("琼C5M216", "battery_electric"),
    RegistryEntry("琼C5M217", "plug_in_or_fuel_cell"),
    RegistryEntry("琼CD55555", "fuel"),
    RegistryEntry("琼C5M218", "unknown"),
    RegistryEntry("琼C5M219", "steam"),
    RegistryEntry("京A12345", "battery_electric"),
    RegistryEntry("琼B5555学", "battery_electric"),
]


def by_plate(rows: list) -> dict:
    return {row.plate: tuple(r for r in rows if r.plate == row.plate) for row in rows}


SNAPSHOT = PermitSnapshot(7, NOW, by_plate(PERMITS), by_plate(WATCH), {r.plate: r for r in REGISTRY})
LANE = LaneView("east-1", "east", Direction.IN)
OUT = replace(LANE, direction=Direction.OUT)
ADMIT, PERMIT, HOLD, REFUSE = Outcome.ADMIT, Outcome.ADMIT_UNDER_PERMIT, Outcome.HOLD, Outcome.REFUSE


@dataclass(frozen=True)
class Case:
    name: str
    plate: PlateReading | Unavailable | None
    outcome: Outcome
    code: Code
    lane: LaneView = LANE
    vehicle: VehicleReading | Unavailable | None = None
    snapshot: PermitSnapshot = SNAPSHOT
    mounting: tuple[Reason, ...] = ()


def seen(kind: VehicleType, confidence: float = 0.95) -> VehicleReading:
    return VehicleReading(kind, confidence, (0, 0, 10, 10))


def inside(text: str, colour: str) -> dict:
    return {"plate": plate(text, colour), "lane": replace(LANE, already_inside=True)}


STALE = replace(SNAPSHOT, taken_at=NOW - 8 * DAY)
GUARDED, CLOSED, OPEN = (replace(LANE, mode=m) for m in (LaneMode.GUARDED, LaneMode.CLOSED, LaneMode.OPEN))

MOUNTING = (
    *(Code.PLATE_WITHOUT_VEHICLE, Code.PLATE_OF_OTHER_VEHICLE, Code.PLATE_WRONG_SIZE, Code.PLATE_WRONG_PLACE),
    *(Code.PLATE_MOVES_APART, Code.PLATE_APPEARED_LATE),
)

CASES = [
    # New-energy vehicles.
    *(Case(f"battery letter {c}", plate(f"琼C{c}12345", "green"), ADMIT, Code.BATTERY_ELECTRIC) for c in "DABCE"),
    *(Case(f"other letter {c}", plate(f"琼C{c}12345", "green"), ADMIT, Code.PLUG_IN) for c in "FGHJK"),
    Case("letter in fourth place", plate("琼ADF1234", "green"), ADMIT, Code.BATTERY_ELECTRIC),
    Case("large battery bus", plate("琼A12345D", "yellow_green"), ADMIT, Code.BATTERY_ELECTRIC),
    Case("large hybrid bus", plate("琼A12345F", "yellow_green"), ADMIT, Code.PLUG_IN),
    Case("another province", plate("京AD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC),
    # Fuel vehicles.
    Case("blue without permit", plate("琼C12345", "blue"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("yellow without permit", plate("琼C12345", "yellow"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("black civil plate", plate("琼C12345", "black"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("tractor is diesel", plate("琼9012346", "farm_green"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("blue with permit", plate("琼C78083", "blue"), PERMIT, Code.PERMIT_VALID),
    Case("crane with permit", plate("琼C78083", "yellow"), PERMIT, Code.PERMIT_VALID),
    Case("permit for this gate", plate("琼C00001", "yellow"), PERMIT, Code.PERMIT_VALID),
    Case("permit for another gate", plate("琼C00002", "yellow"), REFUSE, Code.PERMIT_OTHER_GATE),
    Case("permit over", plate("琼C00003", "yellow"), REFUSE, Code.PERMIT_EXPIRED),
    Case("permit tomorrow", plate("琼C00004", "yellow"), REFUSE, Code.PERMIT_NOT_YET_VALID),
    Case("entries used", plate("琼C00005", "yellow"), REFUSE, Code.PERMIT_USED_UP),
    Case("last entry", plate("琼C00006", "yellow"), PERMIT, Code.PERMIT_VALID),
    Case("old and renewed permit", plate("琼C00009", "yellow"), PERMIT, Code.PERMIT_VALID),
    Case("standing permit", plate("琼C00010", "blue"), PERMIT, Code.PERMIT_VALID),
    Case("tractor with permit", plate("琼9012345", "farm_green"), PERMIT, Code.PERMIT_VALID),
    Case("stale permits do not refuse", plate("琼C12345", "blue"), HOLD, Code.SNAPSHOT_TOO_OLD, snapshot=STALE),
    Case("stale permits still admit", plate("琼C78083", "blue"), PERMIT, Code.PERMIT_VALID, snapshot=STALE),
    Case("stale permits, electric", plate("琼CD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC, snapshot=STALE),
    # The vehicle register outranks the plate.
    Case("blue but registered electric", plate("琼C5M216", "blue"), ADMIT, Code.REGISTERED_NEW_ENERGY),
    Case("blue but registered hybrid", plate("琼C5M217", "blue"), ADMIT, Code.PLUG_IN),
    Case("green but registered fuel", plate("琼CD55555", "green"), HOLD, Code.REGISTER_CONTRADICTS_PLATE),
    Case("register does not know", plate("琼C5M218", "blue"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("register says nonsense", plate("琼C5M219", "blue"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("old electric bus, yellow", plate("京A12345", "yellow"), ADMIT, Code.REGISTERED_NEW_ENERGY),
    Case("electric coach", plate("琼B5555学", "yellow"), ADMIT, Code.REGISTERED_NEW_ENERGY),
    # Emergency.
    Case("fire rescue", plate("琼X1234应急", "white"), ADMIT, Code.EMERGENCY_PLATE),
    Case("forest rescue", plate("琼S1234应急", "white"), ADMIT, Code.EMERGENCY_PLATE),
    Case("ministry rescue", plate("京12345应急", "white"), ADMIT, Code.EMERGENCY_PLATE),
    Case("police", plate("琼C1234警", "white"), ADMIT, Code.EMERGENCY_PLATE),
    Case("police on a closed lane", plate("琼C1234警", "white"), ADMIT, Code.EMERGENCY_PLATE, lane=CLOSED),
    Case("police already inside", **inside("琼C1234警", "white"), outcome=ADMIT, code=Code.EMERGENCY_PLATE),
    Case("emergency permit", plate("琼C00007", "yellow"), PERMIT, Code.EMERGENCY_PERMIT),
    Case("emergency permit over", plate("琼C00008", "yellow"), REFUSE, Code.PERMIT_EXPIRED),
    Case("blocked police is a person's", plate("琼C1666警", "white"), HOLD, Code.ON_BLOCK_LIST),
    Case("unsure police", plate("琼C4321警", "white", 0.4), HOLD, Code.CHARACTER_UNSURE),
    Case(
        *("fire engine with a fuel plate", plate("琼C12345", "yellow"), HOLD, Code.MAYBE_EMERGENCY),
        vehicle=seen(VehicleType.FIRE_ENGINE),
    ),
    Case(
        *("ambulance with a fuel plate", plate("琼C12345", "blue"), HOLD, Code.MAYBE_EMERGENCY),
        vehicle=seen(VehicleType.AMBULANCE),
    ),
    Case(
        *("a type below the line is nothing", plate("琼C12345", "yellow"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
        vehicle=seen(VehicleType.FIRE_ENGINE, 0.4),
    ),
    # Kinds that prove nothing.
    Case("coach", plate("琼B1235学", "yellow"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    Case("coach with permit", plate("琼B1234学", "yellow"), PERMIT, Code.PERMIT_VALID),
    Case("trailer", plate("琼C1235挂", "yellow"), HOLD, Code.ASK_TRACTOR_UNIT),
    Case("trailer with permit", plate("琼C1234挂", "yellow"), PERMIT, Code.PERMIT_VALID),
    Case("hong kong", plate("粤Z1235港", "black"), HOLD, Code.KIND_PROVES_NOTHING),
    Case("hong kong with permit", plate("粤Z1234港", "black"), PERMIT, Code.PERMIT_VALID),
    Case("macau", plate("粤Z1234澳", "black"), HOLD, Code.KIND_PROVES_NOTHING),
    Case("embassy", plate("224001使", "black"), HOLD, Code.KIND_PROVES_NOTHING),
    Case("consulate", plate("沪A0023领", "black"), HOLD, Code.KIND_PROVES_NOTHING),
    Case("armed police", plate("WJ琼1234X", "white"), HOLD, Code.KIND_PROVES_NOTHING),
    Case("military", plate("VA12345", "white"), HOLD, Code.KIND_PROVES_NOTHING),
    Case("aviation", plate("民航A1234", "farm_green"), HOLD, Code.KIND_PROVES_NOTHING),
    # Unsure readings.
    Case("green lost a character", plate("琼CD1234", "green"), HOLD, Code.COLOUR_CONTRADICTS_FORMAT),
    Case("blue with eight characters", plate("琼CD12345", "blue"), HOLD, Code.COLOUR_CONTRADICTS_FORMAT),
    Case("blue read as green", plate("琼C12345", "green"), HOLD, Code.COLOUR_CONTRADICTS_FORMAT),
    Case("letter I", plate("琼CI1234", "blue"), HOLD, Code.FORMAT_UNKNOWN),
    Case("letter O", plate("琼A1234O", "blue"), HOLD, Code.FORMAT_UNKNOWN),
    Case("nothing read", plate("", "blue"), HOLD, Code.FORMAT_UNKNOWN),
    Case("colour unknown", plate("琼C12345", "unknown"), HOLD, Code.COLOUR_CONTRADICTS_FORMAT),
    Case("temporary paper", plate("琼C12345", "paper"), HOLD, Code.TEMPORARY_PLATE),
    Case("weak character near a permit", plate("琼C7B083", "yellow", weak=4), HOLD, Code.NEAR_PERMIT),
    Case("weak character, no permit", plate("琼C1B345", "yellow", weak=4), HOLD, Code.CHARACTER_UNSURE),
    Case("weak electric", plate("琼CD1234B"[:8], "green", weak=5), HOLD, Code.FORMAT_UNKNOWN),
    Case("whole plate below the line", replace(plate("琼CD12345", "green"), confidence=0.8), HOLD, Code.PLATE_UNSURE),
    Case("confidence is no number", replace(plate("琼CD12345", "green"), confidence=math.nan), HOLD, Code.PLATE_UNSURE),
    Case("colour doubted", replace(plate("琼CD12345", "green"), colour_confidence=0.2), HOLD, Code.COLOUR_UNSURE),
    Case("sure look-alike of a permit", plate("琼C78088", "yellow"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    # No plate.
    Case("no plate", None, HOLD, Code.NO_PLATE),
    Case("camera frozen", Unavailable(3.0, "camera_frozen"), HOLD, Code.PLATE_UNAVAILABLE),
    Case("no plate, leaving", None, ADMIT, Code.LEAVING, lane=OUT),
    Case("camera frozen, leaving", Unavailable(3.0, "camera_frozen"), ADMIT, Code.LEAVING, lane=OUT),
    # Lists.
    Case("blocked electric", plate("琼CD66666", "green"), REFUSE, Code.ON_BLOCK_LIST),
    Case("blocked fuel", plate("琼C66666", "blue"), REFUSE, Code.ON_BLOCK_LIST),
    Case("blocked, unsure", plate("琼CD66666", "green", 0.5), HOLD, Code.ON_BLOCK_LIST),
    Case("blocked, folded letter", plate("琼CDO0000", "green"), HOLD, Code.ON_BLOCK_LIST),
    Case("near a blocked plate, unsure", plate("琼CD66665", "green", 0.5), HOLD, Code.NEAR_BLOCK_LIST),
    Case("near a blocked plate, sure", plate("琼CD66665", "green"), ADMIT, Code.BATTERY_ELECTRIC),
    Case("block has ended", plate("琼CD66660", "green"), ADMIT, Code.BATTERY_ELECTRIC),
    Case("blocked and leaving is a person's", plate("琼C66666", "blue"), HOLD, Code.ON_BLOCK_LIST, lane=OUT),
    Case("alert", plate("琼CD77777", "green"), HOLD, Code.ON_ALERT_LIST),
    Case("allow", plate("琼C88888", "blue"), ADMIT, Code.ON_ALLOW_LIST),
    Case("allow has ended", plate("琼C88889", "blue"), REFUSE, Code.FUEL_WITHOUT_PERMIT),
    # The lane.
    Case("leaving, electric", plate("琼CD12345", "green"), ADMIT, Code.LEAVING, lane=OUT),
    Case("leaving, fuel", plate("琼C12345", "blue"), ADMIT, Code.LEAVING, lane=OUT),
    Case("leaving, unsure", plate("琼CD1234", "green"), ADMIT, Code.LEAVING, lane=OUT),
    Case("guarded lane", plate("琼CD12345", "green"), HOLD, Code.LANE_GUARDED, lane=GUARDED),
    Case("closed lane", plate("琼CD12345", "green"), HOLD, Code.LANE_CLOSED, lane=CLOSED),
    Case("open lane, fuel", plate("琼C12345", "blue"), ADMIT, Code.LANE_OPEN, lane=OPEN),
    Case("open lane, nothing read", None, ADMIT, Code.LANE_OPEN, lane=OPEN),
    Case("open lane, blocked", plate("琼C66666", "blue"), REFUSE, Code.ON_BLOCK_LIST, lane=OPEN),
    Case("already inside", **inside("琼CD12345", "green"), outcome=HOLD, code=Code.ALREADY_INSIDE),
    Case("inside unknown", plate("琼CD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC),
    # The vehicle against its plate.
    Case(
        *("small-car plate on a truck", plate("琼CD12345", "green"), HOLD, Code.TYPE_CONTRADICTS_PLATE),
        vehicle=seen(VehicleType.TRUCK),
    ),
    Case(
        *("large new-energy plate on a car", plate("琼A12345D", "yellow_green"), HOLD, Code.TYPE_CONTRADICTS_PLATE),
        vehicle=seen(VehicleType.CAR),
    ),
    Case(
        *("yellow plate on a car", plate("琼C78083", "yellow"), HOLD, Code.TYPE_CONTRADICTS_PLATE),
        vehicle=seen(VehicleType.CAR),
    ),
    Case(
        *("type fits", plate("琼CD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC),
        vehicle=seen(VehicleType.CAR),
    ),
    Case(
        *("type unknown", plate("琼CD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC),
        vehicle=seen(VehicleType.UNKNOWN),
    ),
    Case(
        *("type unavailable", plate("琼CD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC),
        vehicle=Unavailable(0.0, "no_model"),
    ),
    Case(
        *("a contradiction below the line is only shown", plate("琼CD12345", "green"), ADMIT, Code.BATTERY_ELECTRIC),
        vehicle=seen(VehicleType.TRUCK, 0.8),
    ),
    Case(
        *("blue plate on a fire engine", plate("琼C12345", "blue"), HOLD, Code.TYPE_CONTRADICTS_PLATE),
        vehicle=seen(VehicleType.FIRE_ENGINE),
    ),
    Case(
        *("a car teaches", plate("琼B5555学", "yellow"), ADMIT, Code.REGISTERED_NEW_ENERGY),
        vehicle=seen(VehicleType.CAR),
    ),
    Case(
        *("a golf cart with a police plate passes", plate("琼C1234警", "white"), ADMIT, Code.EMERGENCY_PLATE),
        vehicle=seen(VehicleType.GOLF_CART),
    ),
    # A plate that is not mounted on the vehicle.
    *(
        Case(f"electric, {code.value}", plate("琼CD12345", "green"), HOLD, code, mounting=(Reason(code),))
        for code in MOUNTING
    ),
    *(
        Case(f"fuel, {code.value}", plate("琼C12345", "blue"), HOLD, code, mounting=(Reason(code),))
        for code in MOUNTING
    ),
    Case(
        *("a shown plate with a permit", plate("琼C78083", "yellow"), HOLD, Code.PLATE_WITHOUT_VEHICLE),
        mounting=(Reason(Code.PLATE_WITHOUT_VEHICLE),),
    ),
    Case(
        *("a shown police plate passes and is noted", plate("琼C1234警", "white"), ADMIT, Code.EMERGENCY_PLATE),
        mounting=(Reason(Code.PLATE_WRONG_SIZE),),
    ),
    Case(
        *("a shown plate leaves", plate("琼CD12345", "green"), ADMIT, Code.LEAVING, OUT),
        mounting=(Reason(Code.PLATE_WRONG_SIZE),),
    ),
]


def run(case: Case, rules: RuleSet) -> Decision:
    return decide(ArrivalView(case.plate, case.vehicle, case.mounting), case.snapshot, rules, case.lane, NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table(case: Case, rules: RuleSet) -> None:
    decision = run(case, rules)
    assert (decision.outcome, decision.reasons[0].code) == (case.outcome, case.code)
    assert decision.rule_version == rules.version


def test_the_table_is_long_enough_and_names_are_unique() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_table_covers_every_reason(rules: RuleSet) -> None:
    found = {reason.code for case in CASES for reason in run(case, rules).reasons}
    elsewhere = {Code.NO_RULE_IN_FORCE, Code.PLUG_IN_HELD, Code.SPECIAL_KIND_ADMITTED, Code.KIND_NOT_ADMITTED}
    elsewhere |= {Code.TAILGATED, Code.CLOCK_DOUBTFUL, Code.PERMIT_OTHER_VEHICLE}  # in test_admission_review
    elsewhere |= {code for code in Code if code.startswith("pass_")}  # in test_pass_admission
    assert set(Code) - found <= elsewhere
    assert set(REASONS) == set(Code)


def with_value(rules: RuleSet, key: str, value: str) -> RuleSet:
    rows = tuple(replace(row, value=value) if row.key == key else row for row in rules.rows)
    return parse_rules(to_mapping(RuleSet("changed", rows)))


@pytest.mark.parametrize(
    ("value", "outcome", "records"),
    [("admit", ADMIT, False), ("admit_and_record", ADMIT, True), ("hold", HOLD, False)],
)
def test_plug_in_hybrids_are_a_three_way_rule(rules: RuleSet, value: str, outcome: Outcome, records: bool) -> None:
    changed = with_value(rules, "energy.plug_in_or_fuel_cell", value)
    decision = decide(ArrivalView(plate("琼CF12345", "green")), SNAPSHOT, changed, LANE, NOW)
    assert (decision.outcome, decision.record_emission) == (outcome, records)


def test_a_held_hybrid_enters_on_its_permit(rules: RuleSet) -> None:
    changed = with_value(rules, "energy.plug_in_or_fuel_cell", "hold")
    decision = decide(ArrivalView(plate("琼CF00001", "green")), SNAPSHOT, changed, LANE, NOW)
    assert (decision.outcome, decision.permit_id) == (PERMIT, "hybrid")


@pytest.mark.parametrize(
    ("value", "outcome", "code"),
    [
        ("admit", ADMIT, Code.SPECIAL_KIND_ADMITTED),
        ("admit_and_record", ADMIT, Code.SPECIAL_KIND_ADMITTED),
        ("refuse", REFUSE, Code.KIND_NOT_ADMITTED),
        ("as_fuel", REFUSE, Code.FUEL_WITHOUT_PERMIT),
    ],
)
def test_each_special_kind_follows_its_rule(rules: RuleSet, value: str, outcome: Outcome, code: Code) -> None:
    changed = with_value(rules, "kind.military", value)
    decision = decide(ArrivalView(plate("VA12345", "white")), SNAPSHOT, changed, LANE, NOW)
    assert (decision.outcome, decision.reasons[0].code) == (outcome, code)


def test_emergency_is_asked_to_complete_a_permit_afterwards(rules: RuleSet) -> None:
    for text, colour in (("琼X1234应急", "white"), ("琼C1234警", "white"), ("琼C00007", "yellow")):
        decision = decide(ArrivalView(plate(text, colour)), SNAPSHOT, rules, LANE, NOW)
        assert decision.outcome.opens
        assert decision.complete_permit_after


def test_suggestions_name_the_permit_that_may_be_meant(rules: RuleSet) -> None:
    decision = decide(ArrivalView(plate("琼C7B083", "yellow", weak=4)), SNAPSHOT, rules, LANE, NOW)
    assert decision.suggestions == ("琼C78083",)


def test_before_any_rule_nothing_opens(rules: RuleSet) -> None:
    before = datetime(2020, 1, 1, tzinfo=UTC)
    decision = decide(ArrivalView(plate("琼CD12345", "green")), SNAPSHOT, rules, LANE, before)
    assert (decision.outcome, decision.reasons[0].code) == (HOLD, Code.NO_RULE_IN_FORCE)


def test_an_old_decision_recomputes_with_the_rule_of_its_day(rules: RuleSet) -> None:
    change = datetime(2026, 6, 1, tzinfo=UTC)
    rows = []
    for row in rules.rows:
        if row.key == "energy.plug_in_or_fuel_cell":
            rows += [replace(row, valid_until=change), replace(row, rule_id="new", valid_from=change, value="hold")]
        else:
            rows.append(row)
    dated = parse_rules(to_mapping(RuleSet("2", tuple(rows))))
    view = ArrivalView(plate("琼CF12345", "green"))
    assert decide(view, SNAPSHOT, dated, LANE, change - timedelta(seconds=1)).outcome is ADMIT
    assert decide(view, SNAPSHOT, dated, LANE, change).outcome is HOLD


# ------------------------------------------------------------------------------------------------------------- laws

probabilities = st.floats(0, 1) | st.sampled_from([math.nan, 1.0, 0.99])
texts = st.text(ALPHABET, max_size=9) | st.sampled_from([p.plate for p in (*PERMITS, *WATCH)])
characters = st.builds(
    CharacterReading,
    st.sampled_from(ALPHABET),
    probabilities,
    st.lists(st.tuples(st.sampled_from(ALPHABET), probabilities), max_size=2).map(tuple),
)
read_plates = st.builds(
    lambda text, colour, colour_sure, sure, each: PlateReading(
        tuple(CharacterReading(c, each) for c in text), colour, colour_sure, sure, QUAD
    ),
    texts,
    st.sampled_from(PlateColour),
    probabilities,
    probabilities,
    probabilities,
)
free_plates = st.builds(
    PlateReading,
    st.lists(characters, max_size=9).map(tuple),
    st.sampled_from(PlateColour),
    probabilities,
    probabilities,
    st.just(QUAD),
)
lost = st.builds(Unavailable, st.floats(0, 100), st.sampled_from(["camera_frozen", "silence"]))
views = st.builds(
    ArrivalView,
    read_plates | free_plates | lost | st.none(),
    st.builds(VehicleReading, st.sampled_from(VehicleType), probabilities, st.just((0, 0, 1, 1))) | lost | st.none(),
    st.lists(st.sampled_from(MOUNTING).map(Reason), max_size=2, unique=True).map(tuple),
)
lanes = st.builds(
    LaneView,
    st.just("east-1"),
    st.sampled_from(["east", "north"]),
    st.sampled_from(Direction),
    st.sampled_from(LaneMode),
    st.none() | st.booleans(),
)
instants = st.integers(-800, 1200).map(lambda days: NOW + days * DAY) | st.just(NOW)
changes = st.sampled_from(["admit", "admit_and_record", "hold"])


@settings(max_examples=400, deadline=None)
@given(view=views, lane=lanes, at=instants, plug_in=changes)
def test_laws(rules: RuleSet, view: ArrivalView, lane: LaneView, at: datetime, plug_in: str) -> None:
    """Total, deterministic, blocked plates never admitted, unsure readings and leaving never refused."""
    rules = with_value(rules, "energy.plug_in_or_fuel_cell", plug_in)
    decision = decide(view, SNAPSHOT, rules, lane, at)
    assert decision == decide(view, SNAPSHOT, rules, lane, at)
    assert decision.outcome in set(Outcome)
    assert all(reason.code in set(Code) for reason in decision.reasons)
    assert decision.reasons
    if lane.direction is Direction.OUT:
        assert decision.outcome is not REFUSE
    policy = rules.in_force(at)
    if isinstance(view.plate, PlateReading) and policy is not None:
        if doubts_of(view.plate, policy) or view.plate.verdict is Verdict.UNSURE:
            assert decision.outcome is not REFUSE
        blocked = {fold(w.plate) for w in WATCH if w.effect is WatchEffect.BLOCK and w.valid_until is None}
        if fold(view.plate.text) in blocked and at >= NOW - 9 * DAY:
            assert not decision.outcome.opens
    if decision.outcome is PERMIT:
        assert decision.permit_id in {p.permit_id for p in PERMITS}
    if view.mounting and lane.direction is Direction.IN and lane.mode is LaneMode.AUTO and decision.outcome.opens:
        assert decision.reasons[0].code in (Code.EMERGENCY_PLATE, Code.EMERGENCY_PERMIT)
    if decision.outcome is REFUSE:
        assert decision.reasons[0].code not in (Code.TYPE_CONTRADICTS_PLATE, *MOUNTING)
    if not isinstance(view.plate, PlateReading) and lane.direction is Direction.IN and lane.mode is not LaneMode.OPEN:
        assert decision.outcome is HOLD


@settings(max_examples=200, deadline=None)
@given(at=instants, index=st.integers(0, len(PERMITS) - 1), lane=lanes)
def test_a_permit_opens_only_within_its_window_and_gates(
    rules: RuleSet, at: datetime, index: int, lane: LaneView
) -> None:
    granted = PERMITS[index]
    decision = decide(ArrivalView(plate(granted.plate, "yellow")), SNAPSHOT, rules, lane, at)
    if decision.outcome is PERMIT:
        used = next(p for p in PERMITS if p.permit_id == decision.permit_id)
        assert used.valid_from <= at < used.valid_until
        assert not used.gates or lane.gate_id in used.gates
        assert used.entries_left is None or used.entries_left > 0


@settings(max_examples=300, deadline=None)
@given(view=views, lane=lanes, at=instants)
def test_the_vehicles_look_only_ever_calls_a_person(
    rules: RuleSet, view: ArrivalView, lane: LaneView, at: datetime
) -> None:
    """Type and mounting neither open nor refuse: what they change, they change to a hold."""
    plain = decide(ArrivalView(view.plate), SNAPSHOT, rules, lane, at)
    seen_too = decide(view, SNAPSHOT, rules, lane, at)
    assert seen_too.outcome in (plain.outcome, HOLD)
