"""Whether a permit opens a gate now: owns dates, gates, counted entries, and the most helpful word when it does not.

Also how a pass that was shown and the snapshot add up: what is taken back stays taken back, and the newer one wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from control.domain.passages import Reason
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitSnapshot
from control.domain.plates import normalise
from control.domain.vehicles import VehicleType
from control.gate.reasons import Code

ART_25 = "管理办法 art. 25"


def permit_problem(permit: Permit, gate_id: str, at: datetime) -> Code | None:
    """Why this permit does not open this gate now; None when it does."""
    if at >= permit.valid_until:
        return Code.PERMIT_EXPIRED
    if at < permit.valid_from:
        return Code.PERMIT_NOT_YET_VALID
    if permit.gates and gate_id not in permit.gates:
        return Code.PERMIT_OTHER_GATE
    if permit.entries_left is not None and permit.entries_left <= 0:
        return Code.PERMIT_USED_UP
    return None


# The most helpful answer first: what could still be put right today.
_PROBLEM_ORDER = (Code.PERMIT_OTHER_GATE, Code.PERMIT_NOT_YET_VALID, Code.PERMIT_USED_UP, Code.PERMIT_EXPIRED)


def why_none(permits: Sequence[Permit], gate_id: str, at: datetime) -> Reason:
    """Why none of a plate's permits opens this gate now."""
    problems = {permit_problem(permit, gate_id, at): permit.permit_id for permit in reversed(permits)}
    for code in _PROBLEM_ORDER:
        if code in problems:
            return Reason(code, ART_25, problems[code])
    return Reason(Code.FUEL_WITHOUT_PERMIT, ART_25)


def names_another(permit: Permit, seen: VehicleType) -> bool:
    """Whether the permit is for another type of vehicle than the one seen.

    A type that we cannot see apart (a word of the office's own) is never held against the vehicle.
    """
    return permit.vehicle_type in set(VehicleType) - {VehicleType.UNKNOWN} and permit.vehicle_type != seen


def permit_by_pass(
    shown: PermitPass, snapshot: PermitSnapshot, *, plate: str, gate_id: str, at: datetime, entries_seen: int
) -> Permit | PassProblem:
    """The permit that a pass proves for this plate, gate and instant, or why it proves none.

    A permit that was revoked, or that a snapshot taken after the pass was issued does not have, is gone. One that such
    a snapshot has is as the snapshot says. A pass newer than the snapshot stands for itself: it was approved, or
    changed, while the gateway was offline. `plate` is as read or as a person sees it; `entries_seen` counts entries
    under the permit that this gateway saw after the newer of both. The block list is asked by the policy, as always.
    """
    permit = shown.permit
    if permit.permit_id in snapshot.revoked:
        return PassProblem.REVOKED
    if shown.issued_at <= snapshot.taken_at:
        rows = snapshot.permits.get(permit.plate, ())
        known = next((one for one in rows if one.permit_id == permit.permit_id), None)
        if known is None:
            return PassProblem.EXPIRED if at >= permit.valid_until else PassProblem.WITHDRAWN
        permit = known
    if normalise(plate) != permit.plate:
        return PassProblem.OTHER_PLATE
    if permit.entries_left is not None:
        permit = replace(permit, entries_left=max(0, permit.entries_left - entries_seen))
    problem = permit_problem(permit, gate_id, at)
    return permit if problem is None else _PASS_PROBLEM[problem]


_PASS_PROBLEM = {
    Code.PERMIT_EXPIRED: PassProblem.EXPIRED,
    Code.PERMIT_NOT_YET_VALID: PassProblem.NOT_YET_VALID,
    Code.PERMIT_OTHER_GATE: PassProblem.OTHER_GATE,
    Code.PERMIT_USED_UP: PassProblem.USED_UP,
}


def with_pass(snapshot: PermitSnapshot, permit: Permit) -> PermitSnapshot:
    """The snapshot as it would be with a permit that a pass has proved, so that the policy decides as on any other."""
    others = tuple(one for one in snapshot.permits.get(permit.plate, ()) if one.permit_id != permit.permit_id)
    return replace(snapshot, permits={**snapshot.permits, permit.plate: (permit, *others)})
