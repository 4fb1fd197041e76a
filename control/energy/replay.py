"""Replaying a scenario with one of our controllers: owns which controller answers to which name.

Perfect foresight is not one of ours: it is a bound, made by `edge.energy.foresight`, and booked by
`control.energy.booking.replay_actions` like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from control.energy.booking import ReplayResult, replay_actions
from control.energy.rules_controller import rules_actions
from control.energy.scenario import Actions, Scenario
from control.energy.settings import EnergySettings

Controller = Literal["plan", "rules"]


def replay(
    scenario: Scenario,
    controller: Controller,
    settings: EnergySettings | None = None,
    *,
    timer: Callable[[], float] | None = None,
) -> ReplayResult:
    """Let the controller act through the whole scenario, and book it.

    `settings` weigh the plan's wishes (horizon, reserve); prices, limits and weights of the account are the
    scenario's. `timer` (seconds) times the deciding.
    """
    started = timer() if timer else 0.0
    actions = wanted_actions(scenario, controller, settings or EnergySettings())
    us = (timer() - started) * 1e6 / scenario.steps if timer else None
    return replay_actions(scenario, actions, controller=controller, us_per_step=us)


def wanted_actions(scenario: Scenario, controller: Controller, settings: EnergySettings) -> Actions:
    """What the controller wants of each step, knowing the past and what is published."""
    return _ACTIONS[controller](scenario, settings)


def _rules(scenario: Scenario, settings: EnergySettings) -> Actions:
    del settings  # the rules have no weights
    return rules_actions(scenario)


_ACTIONS: dict[str, Callable[[Scenario, EnergySettings], Actions]] = {"rules": _rules}
