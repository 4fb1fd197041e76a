"""When a reading is too doubtful to act upon: owns the comparison of a plate's probabilities with the dated lines."""

from __future__ import annotations

import math

from control.domain.passages import Reason
from control.domain.readings import PlateReading
from control.gate import rules as keys
from control.gate.reasons import Code
from control.gate.rules import Policy


def doubts_of(reading: PlateReading, policy: Policy) -> tuple[Reason, ...]:
    """Why a reading is not sure enough to act upon; empty when it is."""
    found = [Reason(Code(doubt)) for doubt in reading.identity.doubts]
    weakest = _weakest(reading)
    if weakest is not None and not reading.characters[weakest].probability >= policy.number(keys.CHARACTER_MIN):
        found.append(Reason(Code.CHARACTER_UNSURE, policy.clause(keys.CHARACTER_MIN), str(weakest + 1)))
    if not reading.confidence >= policy.number(keys.CONFIDENCE_MIN):
        found.append(Reason(Code.PLATE_UNSURE, policy.clause(keys.CONFIDENCE_MIN), f"{reading.confidence:.2f}"))
    if not reading.colour_confidence >= policy.number(keys.COLOUR_MIN):
        found.append(Reason(Code.COLOUR_UNSURE, policy.clause(keys.COLOUR_MIN), f"{reading.colour_confidence:.2f}"))
    return tuple(found)


def _weakest(reading: PlateReading) -> int | None:
    """The place of the least sure character; one without a number is the least sure of all."""

    def sureness(place: int) -> float:
        probability = reading.characters[place].probability
        return -1.0 if math.isnan(probability) else probability

    return min(range(len(reading.characters)), key=sureness, default=None)
