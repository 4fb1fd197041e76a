"""A vehicle at a gate: owns the words for what may be decided about it and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way a lane leads, seen from the island."""

    IN = "in"
    OUT = "out"


class LaneMode(StrEnum):
    """How a lane is run. A person sets it; `guarded` asks a person about every vehicle."""

    AUTO = "auto"
    GUARDED = "guarded"
    CLOSED = "closed"
    OPEN = "open"


class Outcome(StrEnum):
    """The four results of the admission policy."""

    ADMIT = "admit"
    ADMIT_UNDER_PERMIT = "admit_under_permit"
    HOLD = "hold"
    REFUSE = "refuse"

    @property
    def opens(self) -> bool:
        """Whether the barrier opens."""
        return self in (Outcome.ADMIT, Outcome.ADMIT_UNDER_PERMIT)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code for machines (`reason.<code>` is the sentence's key), with the clause it rests on."""

    code: str
    clause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's answer for one arrival. `reasons` is never empty and its first is the deciding one."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    rule_version: str
    permit_id: str | None = None
    complete_permit_after: bool = False
    record_emission: bool = False
    suggestions: tuple[str, ...] = ()
