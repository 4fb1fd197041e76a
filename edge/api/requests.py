"""What the page may ask: owns the shape of its requests and which reasons a person can give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from control.domain.vehicles import VehicleType
from control.gate.reasons import GUARD_ADMIT, GUARD_REFUSE

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
PlateText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=12)]

ADMIT_REASONS = tuple(GUARD_ADMIT)
REFUSE_REASONS = tuple(GUARD_REFUSE)


class SignIn(BaseModel):
    """A guard's name and the PIN."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    pin: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class HoldDecision(BaseModel):
    """What a guard decided about a held vehicle. `under_permit` asks for the permit of the chosen reading."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["admit", "refuse"]
    reason_code: Annotated[str, StringConstraints(max_length=40)]
    note: Words = ""
    reading: PlateText | None = None
    under_permit: bool = False


class VehicleWord(BaseModel):
    """What a held vehicle is, in a guard's eyes; the type that was read confirms it."""

    model_config = ConfigDict(extra="forbid")
    type: VehicleType


class BarrierOrder(BaseModel):
    """Raise or lower the arm of a lane without an arrival."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["open", "close"]
    reason_code: Annotated[str, StringConstraints(max_length=40)]
    note: Words = ""
