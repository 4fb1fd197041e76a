"""A pass at the gate: what it vouches for, what it never opens, and the reason that is given each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.domain.passages import Direction, Outcome, Reason
from control.domain.passes import PASS_PROBLEMS, PassProblem, PermitPass
from control.domain.permits import Permit, PermitClass, PermitSnapshot, WatchEffect, WatchEntry
from control.domain.plates import ALPHABET, PlateColour
from control.domain.readings import CharacterReading, PlateReading
from control.gate.admission import ArrivalView, LaneView, decide
from control.gate.near import fold, one_apart
from control.gate.pass_admission import PassJudged, ShownAt, decide_with_pass
from control.gate.reasons import Code, pass_code
from control.gate.rules import RuleSet, parse_rules, to_mapping

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERMIT = Permit("p1", "琼C12345", PermitClass.SPECIAL, AT - HOUR, AT + HOUR, frozenset({"east"}), 2)
PASS = PermitPass(PERMIT, AT - HOUR)
LANE = LaneView("east-in", "east", Direction.IN, already_inside=False)
# Taken before the pass was issued: the gate was offline since.
BEFORE = PermitSnapshot(3, AT - 2 * HOUR)
QUAD = ((0.0, 0.0), (100.0, 0.0), (100.0, 30.0), (0.0, 30.0))


def read(text: str, *, unsure: str = "", colour: PlateColour = PlateColour.BLUE, whole: float = 0.6) -> PlateReading:
    """A reading; the characters at the places in `unsure` (from 1) are in doubt."""
    places = {int(place) for place in unsure}
    seen = tuple(CharacterReading(c, 0.4 if i in places else 0.99) for i, c in enumerate(text, 1))
    return PlateReading(seen, colour, 0.99, whole if places else 0.99, QUAD)


def shown(
    rules: RuleSet,
    plate: PlateReading | None,
    said: PermitPass | PassProblem = PASS,
    *,
    snapshot: PermitSnapshot = BEFORE,
    lane: LaneView = LANE,
    at: datetime = AT,
    entries_seen: int = 0,
    mounting: tuple[Reason, ...] = (),
) -> PassJudged:
    view = ArrivalView(plate, mounting=mounting)
    without = decide(view, snapshot, rules, lane, at)
    return decide_with_pass(without, view, said, snapshot, rules, ShownAt(lane, at, entries_seen))


def codes(judged: PassJudged) -> list[str]:
    return [reason.code for reason in judged.decision.reasons]


def with_rule(rules: RuleSet, key: str, value: str) -> RuleSet:
    mapping = to_mapping(rules)
    for row in mapping["rule"]:
        row["value"] = value if row["key"] == key else row["value"]
    return parse_rules(mapping)


def test_a_permit_approved_while_the_gate_was_offline_opens_for_the_plate_that_was_read(rules: RuleSet) -> None:
    judged = shown(rules, read("琼C12345"))
    assert judged.decision.outcome is Outcome.ADMIT_UNDER_PERMIT
    assert judged.decision.permit_id == "p1"
    assert judged.decision.record_emission
    assert codes(judged) == [Code.PERMIT_VALID]


def test_a_pass_never_opens_for_a_plate_that_was_surely_read_otherwise(rules: RuleSet) -> None:
    judged = shown(rules, read("琼C12346"))
    assert judged.decision.outcome is Outcome.REFUSE
    assert judged.decision.permit_id is None
    assert codes(judged)[:2] == [Code.FUEL_WITHOUT_PERMIT, Code.PASS_OTHER_PLATE]
    assert judged.problem is PassProblem.OTHER_PLATE


def test_a_dirty_plate_is_vouched_for_and_the_doubt_stays_on_record(rules: RuleSet) -> None:
    judged = shown(rules, read("琼C12395", unsure="6"))
    assert judged.decision.outcome is Outcome.ADMIT_UNDER_PERMIT
    assert judged.decision.permit_id == "p1"
    assert codes(judged)[0] == Code.PASS_VALID
    assert Code.CHARACTER_UNSURE in codes(judged)


def test_a_dirty_plate_with_one_sure_character_of_another_is_held(rules: RuleSet) -> None:
    judged = shown(rules, read("琼C92395", unsure="6"))
    assert judged.decision.outcome is Outcome.HOLD
    assert Code.PASS_OTHER_PLATE in codes(judged)


def test_what_is_mostly_dirt_says_nothing_against_a_pass(rules: RuleSet) -> None:
    judged = shown(rules, read("皖C8888学", unsure="46", whole=0.2))
    assert judged.decision.outcome is Outcome.ADMIT_UNDER_PERMIT
    assert judged.decision.permit_id == "p1"


def test_without_any_plate_a_person_compares_unless_the_rule_says_otherwise(rules: RuleSet) -> None:
    judged = shown(rules, None)
    assert judged.decision.outcome is Outcome.HOLD
    assert codes(judged)[0] == Code.PASS_NEEDS_LOOK
    assert judged.decision.suggestions == ("琼C12345",)
    assert judged.permit == PERMIT
    opened = shown(with_rule(rules, "pass.plate_unseen", "admit"), None)
    assert opened.decision.outcome is Outcome.ADMIT_UNDER_PERMIT
    assert opened.decision.permit_id == "p1"


def test_the_rule_may_hold_a_dirty_plate_too(rules: RuleSet) -> None:
    judged = shown(with_rule(rules, "pass.plate_unsure", "hold"), read("琼C12395", unsure="6"))
    assert judged.decision.outcome is Outcome.HOLD
    assert judged.decision.suggestions[0] == "琼C12345"


def test_a_plate_that_may_only_be_shown_is_no_plate(rules: RuleSet) -> None:
    doubt = (Reason(Code.PLATE_WITHOUT_VEHICLE),)
    judged = shown(rules, read("琼C12345"), mounting=doubt)
    assert judged.decision.outcome is Outcome.HOLD
    assert judged.permit == PERMIT


@pytest.mark.parametrize("problem", [p for p in PassProblem])
def test_every_problem_has_its_reason_and_opens_nothing(rules: RuleSet, problem: PassProblem) -> None:
    for plate in (None, read("琼C12345"), read("琼C12395", unsure="6")):
        judged = shown(rules, plate, problem)
        assert not judged.decision.outcome.opens
        assert codes(judged)[1] == pass_code(problem)
        assert judged.problem is problem


def test_the_words_of_a_problem_are_the_pass_s_own() -> None:
    assert {pass_code(problem) for problem in PASS_PROBLEMS} <= set(Code)


@pytest.mark.parametrize(
    ("snapshot", "changes", "problem"),
    [
        (replace(BEFORE, revoked=frozenset({"p1"})), {}, PassProblem.REVOKED),
        (replace(BEFORE, taken_at=AT), {}, PassProblem.WITHDRAWN),
        (BEFORE, {"at": AT + 2 * HOUR}, PassProblem.EXPIRED),
        (BEFORE, {"lane": replace(LANE, gate_id="west")}, PassProblem.OTHER_GATE),
        (BEFORE, {"entries_seen": 2}, PassProblem.USED_UP),
    ],
)
def test_what_takes_a_pass_away(rules: RuleSet, snapshot: PermitSnapshot, changes: dict, problem: PassProblem) -> None:
    for plate in (read("琼C12345"), read("琼C12395", unsure="6")):
        judged = shown(rules, plate, snapshot=snapshot, **changes)
        assert not judged.decision.outcome.opens
        assert (judged.problem, codes(judged)[1]) == (problem, pass_code(problem))


def test_a_revoked_permit_opens_no_gate_even_where_its_row_is_still_there(rules: RuleSet) -> None:
    snapshot = PermitSnapshot(4, AT - HOUR / 2, {PERMIT.plate: (PERMIT,)}, revoked=frozenset({"p1"}))
    assert decide(ArrivalView(read("琼C12345")), snapshot, rules, LANE, AT).outcome is Outcome.REFUSE
    unsure = decide(ArrivalView(read("琼C12395", unsure="6")), snapshot, rules, LANE, AT)
    assert unsure.suggestions == ()


def test_the_same_pass_a_second_time_is_held_as_inside(rules: RuleSet) -> None:
    inside = replace(LANE, already_inside=True)
    judged = shown(rules, read("琼C12395", unsure="6"), lane=inside)
    assert judged.decision.outcome is Outcome.HOLD
    assert codes(judged)[0] == Code.ALREADY_INSIDE


def test_a_blocked_plate_is_not_freed_by_its_pass(rules: RuleSet) -> None:
    entry = WatchEntry(PERMIT.plate, WatchEffect.BLOCK, "debt", AT - HOUR)
    judged = shown(rules, read("琼C12395", unsure="6"), snapshot=replace(BEFORE, watch={PERMIT.plate: (entry,)}))
    assert judged.decision.outcome is Outcome.HOLD
    assert codes(judged)[0] == Code.ON_BLOCK_LIST


def test_an_opening_stays_one_whatever_is_shown(rules: RuleSet) -> None:
    green = read("琼AD12345", colour=PlateColour.GREEN)
    for said in (PASS, PassProblem.FORGED):
        judged = shown(rules, green, said)
        assert judged.decision.outcome is Outcome.ADMIT
        assert judged.decision.permit_id is None


def test_a_vehicle_that_leaves_unread_is_known_by_its_pass(rules: RuleSet) -> None:
    out = replace(LANE, direction=Direction.OUT)
    assert shown(rules, read("琼C12395", unsure="6"), lane=out).decision.permit_id == "p1"
    assert shown(rules, None, lane=out, at=AT + 2 * HOUR).decision.permit_id == "p1"
    assert shown(rules, read("琼C12346"), lane=out).decision.permit_id is None
    assert shown(rules, None, PassProblem.FORGED, lane=out).decision.permit_id is None


@settings(max_examples=150)
@given(
    st.one_of(st.text(ALPHABET, min_size=1, max_size=9), st.permutations("琼C12345").map("".join)),
    st.sampled_from(PlateColour),
    st.floats(0, 1),
    st.sampled_from(Direction),
)
def test_it_is_total_and_a_sure_other_plate_never_gains(
    rules: RuleSet, text: str, colour: PlateColour, sure: float, direction: Direction
) -> None:
    seen = PlateReading(tuple(CharacterReading(c, sure) for c in text), colour, 0.99, sure, QUAD)
    lane = replace(LANE, direction=direction)
    view = ArrivalView(seen)
    without = decide(view, BEFORE, rules, lane, AT)
    judged = decide_with_pass(without, view, PASS, BEFORE, rules, ShownAt(lane, AT, 0))
    assert judged.decision.reasons
    assert (judged.permit is None) != (judged.problem is None)
    near = one_apart(fold(seen.identity.text), PERMIT.plate) and len(text) != len(PERMIT.plate)
    if sure >= 0.9 and seen.identity.text != PERMIT.plate and not near:
        assert judged.decision.outcome.opens == without.outcome.opens
        assert judged.decision.permit_id is None
