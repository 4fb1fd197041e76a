"""The planner: owns the way from a question to a plan, by the ladder exact, previous plan shifted, rules."""

from __future__ import annotations

from control.energy.plan import Plan
from control.energy.plan_input import EvJob, PlanInput

__all__ = ["EvJob", "PlanInput", "make_plan"]


def make_plan(given: PlanInput, previous: Plan | None = None) -> Plan:
    """A plan for any numbers; never raises for values. See PlanInput."""
    raise NotImplementedError
