"""Replaying a scenario with one of our controllers: owns which controller answers to which name.

Perfect foresight is not one of ours: it is a bound, made by `edge.energy.foresight`, and booked by
`control.energy.booking` like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from control.energy.booking import ReplayResult, book, settled
from control.energy.plan_controller import plan_actions
from control.energy.rules_controller import rules_actions
from control.energy.scenario import Actions, Scenario

Controller = Literal["plan", "rules"]


def replay(
    scenario: Scenario,
    controller: Controller,
    *,
    timer: Callable[[], float] | None = None,
) -> ReplayResult:
    """Let the controller act through the whole scenario, and book it.

    Prices, limits and weights are the scenario's (`scenario.with_settings` puts an operator's there). `timer` (seconds)
    times deciding and settling together. Raises StepError where the plan cannot take the scenario's step.
    """
    started = timer() if timer else 0.0
    flows = settled(scenario, wanted_actions(scenario, controller))
    us = (timer() - started) * 1e6 / scenario.steps if timer else None
    return book(scenario, flows, controller=controller, us_per_step=us)


def wanted_actions(scenario: Scenario, controller: Controller) -> Actions:
    """What the controller wants of each step, knowing the past and what is published."""
    return _ACTIONS[controller](scenario)


CONTROLLERS: tuple[Controller, ...] = ("plan", "rules")
_ACTIONS: dict[Controller, Callable[[Scenario], Actions]] = {"plan": plan_actions, "rules": rules_actions}
