"""Whether a permit opens a gate now: owns dates, gates, counted entries, and the most helpful word when it does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from control.domain.passages import Reason
from control.domain.permits import Permit
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
