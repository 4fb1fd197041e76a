"""The admission policy: who may enter, and why. Pure, total and deterministic.

Order of the questions, first answer wins: lane, rules, can it be read, block list, sure enough, emergency,
lists, clone, mounting, consistency, register, energy, permit. Confidence thresholds are rules, not vision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from control.domain.passages import Decision, Direction, LaneMode, Outcome, Reason
from control.domain.permits import Permit, PermitClass, PermitSnapshot, WatchEffect, WatchEntry
from control.domain.plates import EnergyClass, PlateIdentity, PlateKind, Verdict, normalise
from control.domain.readings import PlateReading, Unavailable, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate import rules as keys
from control.gate.doubts import doubts_of
from control.gate.near import SUGGESTIONS_MAX, all_near, fold, folded
from control.gate.permit_check import ART_25, names_another, permit_problem, why_none
from control.gate.reasons import Code
from control.gate.rules import Policy, RuleSet, Treatment


@dataclass(frozen=True, slots=True)
class ArrivalView:
    """What is known of one arrival. `plate` None: looked, saw none. `vehicle` None: type not looked for.

    `mounting` is what speaks against the plate being fixed on this vehicle (`control.gate.mounting`).
    """

    plate: PlateReading | Unavailable | None
    vehicle: VehicleReading | Unavailable | None = None
    mounting: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneView:
    """The lane as the policy sees it. `already_inside`: this plate entered and did not leave; None: unknown.

    `entered_at` is when it did, where that is known.
    """

    lane_id: str
    gate_id: str
    direction: Direction
    mode: LaneMode = LaneMode.AUTO
    already_inside: bool | None = None
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything about one arrival whose plate was read, gathered once."""

    view: ArrivalView
    reading: PlateReading
    identity: PlateIdentity
    snapshot: PermitSnapshot
    policy: Policy
    lane: LaneView
    at: datetime
    doubts: tuple[Reason, ...]


EMERGENCY_KINDS = frozenset({PlateKind.EMERGENCY, PlateKind.POLICE})
EMERGENCY_TYPES = frozenset({VehicleType.FIRE_ENGINE, VehicleType.AMBULANCE, VehicleType.POLICE_CAR})


def decide(view: ArrivalView, snapshot: PermitSnapshot, rules: RuleSet, lane: LaneView, at: datetime) -> Decision:
    """One decision for one arrival; `at` is aware UTC. Never raises on any combination of its inputs."""
    policy = rules.in_force(at)
    if policy is None:
        return Decision(Outcome.HOLD, (Reason(Code.NO_RULE_IN_FORCE),), rules.version)
    reading = view.plate
    if not isinstance(reading, PlateReading):
        return _without_plate(reading, lane, policy)
    doubts = doubts_of(reading, policy)
    case = _Case(view, reading, reading.identity, snapshot, policy, lane, at, doubts)
    for question in _QUESTIONS:
        decision = question(case)
        if decision is not None:
            return decision
    return _by_energy(case)


def _without_plate(plate: Unavailable | None, lane: LaneView, policy: Policy) -> Decision:
    why = Reason(Code.NO_PLATE) if plate is None else Reason(Code.PLATE_UNAVAILABLE, detail=plate.why)
    if lane.mode is LaneMode.OPEN:
        return Decision(Outcome.ADMIT, (Reason(Code.LANE_OPEN), why), policy.version)
    # Nobody is kept on the island because a camera failed; the visit is matched later.
    if lane.direction is Direction.OUT and lane.mode is LaneMode.AUTO:
        return Decision(Outcome.ADMIT, (Reason(Code.LEAVING), why), policy.version)
    return Decision(Outcome.HOLD, (why,), policy.version)


def _clause(policy: Policy, key: str) -> str:
    return policy.clause(key)


# ------------------------------------------------------------------------------------ the questions, in their order


def _block_list(case: _Case) -> Decision | None:
    """Blocked plates are never admitted, and a doubtful reading near one is shown to a person."""
    text = fold(case.identity.text)
    alike = sorted(plate for plate in case.snapshot.watch if folded(plate) == text)
    blocked = {plate: entry for plate in alike if (entry := _block_of(case, plate)) is not None}
    if blocked:
        leaving = case.lane.direction is Direction.OUT
        sure = not case.doubts and case.identity.text in {normalise(p) for p in blocked} and not leaving
        refused = sure and not _maybe_emergency(case)
        refused = refused and case.policy.treatment(keys.BLOCK_LIST) is Treatment.REFUSE
        why = next(iter(blocked.values())).reason
        reason = Reason(Code.ON_BLOCK_LIST, _clause(case.policy, keys.BLOCK_LIST), why)
        return _answer(case, Outcome.REFUSE if refused else Outcome.HOLD, reason, *case.doubts)
    if case.doubts and any(_block_of(case, plate) for plate in all_near(case.reading, case.snapshot.watch)):
        return _answer(case, Outcome.HOLD, Reason(Code.NEAR_BLOCK_LIST), *case.doubts)
    return None


def _block_of(case: _Case, plate: str) -> WatchEntry | None:
    """The block in force on a listed plate. A clock that fell behind the list must not lift a newer block."""
    instants = (case.at, max(case.at, case.snapshot.taken_at))
    blocks = (e for e in case.snapshot.watch[plate] if e.effect is WatchEffect.BLOCK)
    return next((e for e in blocks if any(_watch_applies(e, at) for at in instants)), None)


def _lane_open(case: _Case) -> Decision | None:
    """A person opened the lane for everybody, as in an evacuation; the block list still holds."""
    if case.lane.mode is not LaneMode.OPEN:
        return None
    return _answer(case, Outcome.ADMIT, Reason(Code.LANE_OPEN), *case.doubts)


def _leaving(case: _Case) -> Decision | None:
    """Leaving is never refused."""
    if case.lane.direction is not Direction.OUT or case.lane.mode is not LaneMode.AUTO:
        return None
    return _answer(case, Outcome.ADMIT, Reason(Code.LEAVING), *case.doubts)


def _doubtful(case: _Case) -> Decision | None:
    """An unsure reading goes to a person, with the permits that it may have meant."""
    if not case.doubts:
        return None
    near = _near_permits(case)
    reasons = list(case.doubts)
    # Nothing is a character away where the doubtful reading already is the permit's plate.
    if near and reasons[0].code in _TEXT_DOUBTS and fold(normalise(near[0])) != fold(case.identity.text):
        reasons.insert(0, Reason(Code.NEAR_PERMIT, detail=near[0]))
    if _maybe_emergency(case):
        reasons.append(Reason(Code.MAYBE_EMERGENCY))
    return Decision(Outcome.HOLD, tuple(reasons), case.policy.version, suggestions=near)


_TEXT_DOUBTS = frozenset({Code.CHARACTER_UNSURE, Code.PLATE_UNSURE, Code.FORMAT_UNKNOWN})


def _emergency(case: _Case) -> Decision | None:
    """道路交通安全法 art. 53: vehicles on emergency duty are let through; the permit follows."""
    treatment = case.policy.treatment(keys.EMERGENCY)
    outcome = Outcome.HOLD if treatment is Treatment.HOLD else Outcome.ADMIT
    clause = _clause(case.policy, keys.EMERGENCY)
    if case.identity.kind in EMERGENCY_KINDS:
        reason = Reason(Code.EMERGENCY_PLATE, clause)
        return _answer(case, outcome, reason, complete_permit_after=True, record_emission=True)
    permit = _usable_permit(case, PermitClass.EMERGENCY)
    if permit is None:
        return None
    under = outcome if outcome is Outcome.HOLD else Outcome.ADMIT_UNDER_PERMIT
    reason = Reason(Code.EMERGENCY_PERMIT, clause, permit.permit_id)
    return _answer(case, under, reason, permit=permit, complete_permit_after=True, record_emission=True)


def _lane_mode(case: _Case) -> Decision | None:
    match case.lane.mode:
        case LaneMode.AUTO | LaneMode.OPEN:
            return None
        case LaneMode.GUARDED:
            return _answer(case, Outcome.HOLD, Reason(Code.LANE_GUARDED))
        case LaneMode.CLOSED:
            return _answer(case, Outcome.HOLD, Reason(Code.LANE_CLOSED))


def _alert_list(case: _Case) -> Decision | None:
    entry = _watched(case, WatchEffect.ALERT)
    if entry is None or case.policy.treatment(keys.ALERT_LIST) is not Treatment.HOLD:
        return None
    return _answer(case, Outcome.HOLD, Reason(Code.ON_ALERT_LIST, _clause(case.policy, keys.ALERT_LIST), entry.reason))


def _clone(case: _Case) -> Decision | None:
    if not case.lane.already_inside or case.policy.treatment(keys.ALREADY_INSIDE) is not Treatment.HOLD:
        return None
    since = "" if case.lane.entered_at is None else case.lane.entered_at.isoformat(timespec="seconds")
    return _answer(case, Outcome.HOLD, Reason(Code.ALREADY_INSIDE, _clause(case.policy, keys.ALREADY_INSIDE), since))


def _mounting(case: _Case) -> Decision | None:
    """A plate that may only be shown says nothing about this vehicle: neither admitted nor refused upon it."""
    if not case.view.mounting or case.policy.treatment(keys.NOT_MOUNTED) is not Treatment.HOLD:
        return None
    return _answer(case, Outcome.HOLD, *case.view.mounting)


def _consistency(case: _Case) -> Decision | None:
    """A vehicle that does not fit its plate goes to a person when its type is sure; below that it is only noted."""
    reason = _contradiction(case)
    if reason is None or case.policy.treatment(keys.TYPE_MISMATCH) is not Treatment.HOLD:
        return None
    if not _type_is_sure(case):
        return None
    more = (Reason(Code.MAYBE_EMERGENCY),) if _maybe_emergency(case) else ()
    return _answer(case, Outcome.HOLD, reason, *more)


def _contradiction(case: _Case) -> Reason | None:
    """The type seen is one that the dated table calls contradictory to this kind of plate."""
    seen = _seen_type(case)
    if seen is None or case.identity.kind not in keys.CHECKED_KINDS:
        return None
    key = keys.consistency_key(case.identity.kind)
    if seen not in case.policy.types(key) or seen.value in _recorded_types(case):
        return None
    return Reason(Code.TYPE_CONTRADICTS_PLATE, _clause(case.policy, key), seen.value)


def _type_is_sure(case: _Case) -> bool:
    """Sure enough to stop a vehicle that its plate and papers would let through."""
    vehicle = case.view.vehicle
    return isinstance(vehicle, VehicleReading) and vehicle.confidence >= case.policy.number(keys.VEHICLE_HOLD_MIN)


def _recorded_types(case: _Case) -> set[str]:
    """What register and permits say the vehicle is; they know better than the plate's kind."""
    entry = case.snapshot.registry.get(case.identity.text)
    recorded = {p.vehicle_type for p in _permits(case)} | {entry.vehicle_type if entry else None}
    return {name for name in recorded if name is not None}


def _allow_list(case: _Case) -> Decision | None:
    entry = _watched(case, WatchEffect.ALLOW)
    if entry is None:
        return None
    burns = (_registered_energy(case) or case.identity.energy) in _BURNS
    return _answer(case, Outcome.ADMIT, Reason(Code.ON_ALLOW_LIST, detail=entry.reason), record_emission=burns)


_BURNS = frozenset({EnergyClass.FUEL, EnergyClass.PLUG_IN_OR_FUEL_CELL})


_QUESTIONS = (
    _block_list,
    _lane_open,
    _leaving,
    _doubtful,
    _emergency,
    _lane_mode,
    _alert_list,
    _clone,
    _mounting,
    _consistency,
    _allow_list,
)


# --------------------------------------------------------------------------------------------------- energy, permits


def _by_energy(case: _Case) -> Decision:
    """The last question. The vehicle register, where it answers, outranks what the plate lets us infer."""
    registered = _registered_energy(case)
    if registered is EnergyClass.FUEL and case.identity.verdict is Verdict.NEW_ENERGY:
        return _answer(case, Outcome.HOLD, Reason(Code.REGISTER_CONTRADICTS_PLATE))
    energy = registered or case.identity.energy
    match energy:
        case EnergyClass.BATTERY_ELECTRIC:
            code = Code.BATTERY_ELECTRIC if registered is None else Code.REGISTERED_NEW_ENERGY
            return _answer(case, Outcome.ADMIT, Reason(code, _clause(case.policy, keys.PLUG_IN)))
        case EnergyClass.PLUG_IN_OR_FUEL_CELL:
            return _plug_in(case)
        case EnergyClass.FUEL if case.identity.kind not in keys.SPECIAL_KINDS:
            return _fuel(case)
        case _:
            return _special_kind(case)


def _registered_energy(case: _Case) -> EnergyClass | None:
    entry = case.snapshot.registry.get(case.identity.text)
    if entry is None or entry.energy not in set(EnergyClass):
        return None
    energy = EnergyClass(entry.energy)
    return None if energy is EnergyClass.UNKNOWN else energy


def _plug_in(case: _Case) -> Decision:
    """Art. 25 wants new-energy vehicles and bans fuel vehicles; a plug-in hybrid is both: three ways by rule."""
    clause = _clause(case.policy, keys.PLUG_IN)
    match case.policy.treatment(keys.PLUG_IN):
        case Treatment.ADMIT:
            return _answer(case, Outcome.ADMIT, Reason(Code.PLUG_IN, clause))
        case Treatment.ADMIT_AND_RECORD:
            return _answer(case, Outcome.ADMIT, Reason(Code.PLUG_IN, clause), record_emission=True)
        case _:
            return _under_permit(case) or _answer(case, Outcome.HOLD, Reason(Code.PLUG_IN_HELD, clause))


def _fuel(case: _Case) -> Decision:
    """Art. 25: fuel vehicles are banned, special ones enter with the office's permission."""
    granted = _under_permit(case)
    if granted is not None:
        return granted
    if _maybe_emergency(case):
        return _answer(case, Outcome.HOLD, Reason(Code.MAYBE_EMERGENCY), _why_no_permit(case))
    if _clock_doubtful(case):
        return _answer(case, Outcome.HOLD, Reason(Code.CLOCK_DOUBTFUL), _why_no_permit(case))
    if case.snapshot.version <= 0:
        return _answer(case, Outcome.HOLD, Reason(Code.SNAPSHOT_TOO_OLD), _why_no_permit(case))
    age_h = (case.at - case.snapshot.taken_at) / timedelta(hours=1)
    if age_h > case.policy.number(keys.SNAPSHOT_AGE_MAX_H):
        return _answer(case, Outcome.HOLD, Reason(Code.SNAPSHOT_TOO_OLD, detail=f"{age_h:.0f} h"), _why_no_permit(case))
    return _answer(case, Outcome.REFUSE, _why_no_permit(case))


def _special_kind(case: _Case) -> Decision:
    granted = _under_permit(case)
    if granted is not None:
        return granted
    if case.identity.kind not in keys.SPECIAL_KINDS:
        return _answer(case, Outcome.HOLD, Reason(Code.KIND_PROVES_NOTHING))
    key = keys.kind_key(case.identity.kind)
    clause = _clause(case.policy, key)
    match case.policy.treatment(key):
        case Treatment.ADMIT:
            return _answer(case, Outcome.ADMIT, Reason(Code.SPECIAL_KIND_ADMITTED, clause))
        case Treatment.ADMIT_AND_RECORD:
            return _answer(case, Outcome.ADMIT, Reason(Code.SPECIAL_KIND_ADMITTED, clause), record_emission=True)
        case Treatment.AS_FUEL:
            return _fuel(case)
        case Treatment.REFUSE if not _maybe_emergency(case):
            return _answer(case, Outcome.REFUSE, Reason(Code.KIND_NOT_ADMITTED, clause))
        case _:
            trailer = case.identity.kind is PlateKind.TRAILER
            code = Code.ASK_TRACTOR_UNIT if trailer else Code.KIND_PROVES_NOTHING
            return _answer(case, Outcome.HOLD, Reason(code, clause))


def _under_permit(case: _Case) -> Decision | None:
    permit = _usable_permit(case, None)
    if permit is None:
        return None
    if _clock_doubtful(case):
        return _answer(case, Outcome.HOLD, Reason(Code.CLOCK_DOUBTFUL, detail=permit.permit_id))
    seen = _seen_type(case)
    if seen is not None and _type_is_sure(case) and names_another(permit, seen):
        return _answer(case, Outcome.HOLD, Reason(Code.PERMIT_OTHER_VEHICLE, ART_25, permit.permit_id))
    reason = Reason(Code.PERMIT_VALID, ART_25, permit.permit_id)
    return _answer(case, Outcome.ADMIT_UNDER_PERMIT, reason, permit=permit, record_emission=True)


def _clock_doubtful(case: _Case) -> bool:
    """The lists come from the future: our clock fell behind, and no permit's dates can be judged by it."""
    behind_max = timedelta(minutes=case.policy.number(keys.CLOCK_BEHIND_MAX_MIN))
    return case.snapshot.taken_at - case.at > behind_max


def _permits(case: _Case) -> tuple[Permit, ...]:
    rows = case.snapshot.permits.get(case.identity.text, ())
    return tuple(permit for permit in rows if permit.permit_id not in case.snapshot.revoked)


def _usable_permit(case: _Case, permit_class: PermitClass | None) -> Permit | None:
    fitting = [p for p in _permits(case) if permit_class is None or p.permit_class is permit_class]
    return next((p for p in fitting if permit_problem(p, case.lane.gate_id, case.at) is None), None)


def _why_no_permit(case: _Case) -> Reason:
    return why_none(_permits(case), case.lane.gate_id, case.at)


def _near_permits(case: _Case) -> tuple[str, ...]:
    """Plates with a permit for here and now that the reading may have meant."""

    def valid(plate: str) -> bool:
        permits = (p for p in case.snapshot.permits[plate] if p.permit_id not in case.snapshot.revoked)
        return any(permit_problem(p, case.lane.gate_id, case.at) is None for p in permits)

    return tuple(plate for plate in all_near(case.reading, case.snapshot.permits) if valid(plate))[:SUGGESTIONS_MAX]


# --------------------------------------------------------------------------------------------------------- small parts


def _watch_applies(entry: WatchEntry, at: datetime) -> bool:
    return entry.valid_from <= at and (entry.valid_until is None or at < entry.valid_until)


def _watched(case: _Case, effect: WatchEffect) -> WatchEntry | None:
    entries = case.snapshot.watch.get(case.identity.text, ())
    return next((e for e in entries if e.effect is effect and _watch_applies(e, case.at)), None)


def _seen_type(case: _Case) -> VehicleType | None:
    vehicle = case.view.vehicle
    if not isinstance(vehicle, VehicleReading) or not vehicle.confidence >= case.policy.number(keys.VEHICLE_MIN):
        return None
    return None if vehicle.type is VehicleType.UNKNOWN else vehicle.type


def _maybe_emergency(case: _Case) -> bool:
    """By type or by the look of the text. It only ever prevents a refusal; it never opens."""
    text = case.identity.text
    by_plate = case.identity.kind in EMERGENCY_KINDS or "警" in text or "应" in text or "急" in text
    return by_plate or _seen_type(case) in EMERGENCY_TYPES or _emergency_class(case)


def _emergency_class(case: _Case) -> bool:
    """An emergency permit that does not fit here and now: not enough to open by, too much to refuse."""
    return any(p.permit_class is PermitClass.EMERGENCY and case.at < p.valid_until for p in _permits(case))


def _answer(
    case: _Case,
    outcome: Outcome,
    *reasons: Reason,
    permit: Permit | None = None,
    complete_permit_after: bool = False,
    record_emission: bool = False,
) -> Decision:
    extra = tuple(r for r in _noted(case) if all(r.code != given.code for given in reasons))
    return Decision(
        outcome,
        (*reasons, *extra),
        case.policy.version,
        permit_id=None if permit is None else permit.permit_id,
        complete_permit_after=complete_permit_after,
        record_emission=record_emission,
    )


def _noted(case: _Case) -> tuple[Reason, ...]:
    """What a person should see beside the deciding reason, whatever the outcome."""
    alert = _watched(case, WatchEffect.ALERT)
    listed = () if alert is None else (Reason(Code.ON_ALERT_LIST, detail=alert.reason),)
    contradiction = _contradiction(case)
    return (*listed, *case.view.mounting, *(() if contradiction is None else (contradiction,)))
