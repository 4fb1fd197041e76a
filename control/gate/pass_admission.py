"""What a pass that was shown changes about a decision: owns the plate that it may vouch for. Pure and total.

A pass opens for the plate that was surely read, and a plate that was surely read otherwise is never opened for by it.
Where the plate is unclear a valid pass may stand in for it, if the dated rules say so and nothing that was read speaks
against it; block list, alert list, presence and looks are asked with the pass's plate as with any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from control.domain.passages import Decision, Outcome, Reason
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitSnapshot
from control.domain.plates import PlateColour, formats_of, identify, normalise
from control.domain.readings import CharacterReading, PlateReading
from control.gate import rules as keys
from control.gate.admission import ArrivalView, LaneView, decide
from control.gate.near import fold, one_apart
from control.gate.permit_check import permit_by_pass, with_pass
from control.gate.reasons import Code, pass_code
from control.gate.rules import Policy, RuleSet, Treatment

_TEXT_DOUBTS = frozenset({Code.CHARACTER_UNSURE, Code.PLATE_UNSURE, Code.FORMAT_UNKNOWN})
_NO_QUAD = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))


@dataclass(frozen=True, slots=True)
class ShownAt:
    """Where and when a pass is shown. `lane` is the lane as seen for the pass's own plate (already inside or not).

    `entries_seen` counts the entries under the permit that this gateway saw after the newer of pass and snapshot.
    """

    lane: LaneView
    at: datetime
    entries_seen: int


@dataclass(frozen=True, slots=True)
class PassJudged:
    """A decision with the pass taken into account. Exactly one of `permit` and `problem` is None."""

    decision: Decision
    permit: Permit | None = None
    problem: PassProblem | None = None


def decide_with_pass(
    without: Decision,
    view: ArrivalView,
    shown: PermitPass | PassProblem,
    snapshot: PermitSnapshot,
    rules: RuleSet,
    where: ShownAt,
) -> PassJudged:
    """`without` is the decision that stands without the pass; a pass never makes an opening into a hold.

    `snapshot` is as it came, its counted entries not yet lessened by what was seen here.
    """
    policy = rules.in_force(where.at)
    if isinstance(shown, PassProblem):
        return PassJudged(_with_reason(without, shown), problem=shown)
    if policy is None:
        return PassJudged(without, problem=PassProblem.NOT_YET_VALID)
    clear = _clear_text(view, without, policy)
    plate = clear if clear is not None else _vouched_text(view, shown.permit, policy)
    found = permit_by_pass(
        shown, snapshot, plate=plate, gate_id=where.lane.gate_id, at=where.at, entries_seen=where.entries_seen
    )
    if without.outcome.opens:
        return _already_open(without, shown, found, unclear=clear is None and plate != "")
    if isinstance(found, PassProblem):
        return PassJudged(_with_reason(without, found), problem=found)
    vouched = view if clear is not None else replace(view, plate=_vouched(view, found.plate))
    decision = decide(vouched, with_pass(snapshot, found), rules, where.lane, where.at)
    if clear is None:
        decision = _by_rule(without, decision, found, _treatment(view, policy))
    return PassJudged(decision, permit=found)


def _already_open(without: Decision, shown: PermitPass, found: Permit | PassProblem, *, unclear: bool) -> PassJudged:
    """Nobody is held for a pass. Of a vehicle that leaves unread, the pass says which permit's visit is over."""
    leaves = without.reasons[0].code == Code.LEAVING
    genuine = found if isinstance(found, Permit) else shown.permit
    if leaves and unclear and without.permit_id is None:
        without = replace(without, permit_id=genuine.permit_id)
    return PassJudged(without, permit=found) if isinstance(found, Permit) else PassJudged(without, problem=found)


def _with_reason(decision: Decision, problem: PassProblem) -> Decision:
    """The deciding reason stays the first; an opening needs no further word."""
    if decision.outcome.opens:
        return decision
    first, *others = decision.reasons
    return replace(decision, reasons=(first, Reason(pass_code(problem)), *others))


def _clear_text(view: ArrivalView, without: Decision, policy: Policy) -> str | None:
    """The plate as surely read; None where the text is in doubt or there is none."""
    if not isinstance(view.plate, PlateReading) or view.mounting:
        return None
    doubted = _TEXT_DOUBTS & {reason.code for reason in without.reasons}
    sure = not doubted and view.plate.confidence >= policy.number(keys.CONFIDENCE_MIN)
    return view.plate.identity.text if sure else None


def _vouched_text(view: ArrivalView, permit: Permit, policy: Policy) -> str:
    """The pass's plate, unless a character that was surely read is another one; then nothing, which no pass fits."""
    if not isinstance(view.plate, PlateReading) or view.plate.confidence < policy.number(keys.PASS_CONTRADICTED_MIN):
        return permit.plate
    seen, said = view.plate.characters, fold(normalise(permit.plate))
    if len(seen) != len(said):
        sure = view.plate.confidence >= policy.number(keys.CONFIDENCE_MIN)
        return "" if sure and not one_apart(fold(normalise(view.plate.text)), said) else permit.plate
    least = policy.number(keys.CHARACTER_MIN)
    contradicted = any(
        one.probability >= least and fold(normalise(one.char)) != char for one, char in zip(seen, said, strict=True)
    )
    return "" if contradicted else permit.plate


def _treatment(view: ArrivalView, policy: Policy) -> Treatment:
    """A plate that may only be shown is as good as none: then a person compares."""
    seen = isinstance(view.plate, PlateReading) and not view.mounting
    return policy.treatment(keys.PASS_PLATE_UNSURE if seen else keys.PASS_PLATE_UNSEEN)


def _vouched(view: ArrivalView, plate: str) -> PlateReading:
    """A reading of the pass's plate, in the colour that was seen where it fits the format."""
    seen = view.plate if isinstance(view.plate, PlateReading) else None
    return PlateReading(
        characters=tuple(CharacterReading(char, 1.0) for char in plate),
        colour=_colour(plate, PlateColour.UNKNOWN if seen is None else seen.colour),
        colour_confidence=1.0,
        confidence=1.0,
        quad=_NO_QUAD if seen is None else seen.quad,
        rows=1 if seen is None else seen.rows,
    )


def _colour(plate: str, seen: PlateColour) -> PlateColour:
    fitting = [colour for row in formats_of(plate) for colour in row.colours]
    if not identify(plate, seen).doubts or not fitting:
        return seen
    return sorted(fitting, key=lambda colour: colour.value)[0]


def _by_rule(without: Decision, vouched: Decision, permit: Permit, treatment: Treatment) -> Decision:
    """What a decision that rests on the pass alone comes to."""
    if not vouched.outcome.opens:
        # Only a plate that was surely read is refused by.
        return replace(vouched, outcome=without.outcome, reasons=_all(*vouched.reasons, *without.reasons))
    if treatment is Treatment.HOLD:
        suggestions = tuple(dict.fromkeys((permit.plate, *without.suggestions)))
        look = Reason(Code.PASS_NEEDS_LOOK, detail=permit.permit_id)
        return replace(without, outcome=Outcome.HOLD, reasons=_all(look, *without.reasons), suggestions=suggestions)
    reasons = _all(Reason(Code.PASS_VALID, detail=permit.permit_id), *vouched.reasons, *without.reasons)
    return replace(
        vouched,
        outcome=Outcome.ADMIT_UNDER_PERMIT,
        reasons=reasons,
        permit_id=permit.permit_id,
        record_emission=True,
    )


def _all(*reasons: Reason) -> tuple[Reason, ...]:
    """Each code once, the first one's detail kept."""
    found: dict[str, Reason] = {}
    for reason in reasons:
        found.setdefault(reason.code, reason)
    return tuple(found.values())
