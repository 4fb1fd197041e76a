"""What a gate would make of one picture by its plates alone: owns the answer by the delivered rules.

Permits, lists and further frames are left out: this measures the reading, not the island.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import control.gate
from control.domain.errors import ConfigurationError
from control.domain.plates import Verdict
from control.domain.readings import PlateReading
from control.gate.admission import doubts_of
from control.gate.reasons import Code
from control.gate.rules import Policy, parse_rules


class GateAnswer(StrEnum):
    """Open, refuse, treat as a special vehicle, or call a person."""

    OPEN = "open"
    REFUSE = "refuse"
    SPECIAL = "special"
    PERSON = "person"


_DECIDED = {
    Verdict.NEW_ENERGY: GateAnswer.OPEN,
    Verdict.FUEL: GateAnswer.REFUSE,
    Verdict.SPECIAL: GateAnswer.SPECIAL,
    Verdict.UNSURE: GateAnswer.PERSON,
}


def delivered_policy() -> Policy:
    """The rules of the gate as delivered and in force now. Raises ConfigurationError."""
    path = Path(control.gate.__file__).with_name("rules.toml")
    policy = parse_rules(tomllib.loads(path.read_text(encoding="utf-8"))).in_force(datetime.now(UTC))
    if policy is None:
        raise ConfigurationError(f"{path} lacks a row in force today for some key")
    return policy


def gate_answer(readings: tuple[PlateReading, ...], policy: Policy) -> tuple[GateAnswer, tuple[str, ...]]:
    """(answer, doubts) on the surest plate, which is the first."""
    if not readings:
        return GateAnswer.PERSON, (str(Code.NO_PLATE),)
    doubts = tuple(str(reason.code) for reason in doubts_of(readings[0], policy))
    return (GateAnswer.PERSON, doubts) if doubts else (_DECIDED[readings[0].verdict], ())
