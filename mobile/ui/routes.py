"""The screens by name: owns which there are, the bars at the bottom, and where each role begins.

Screens are imported when they are first shown, so that the first frame waits for one screen only. Each owner keeps
its own table: `visitor_routes`, `driver_routes`, and `SHARED` here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mobile.core.words import N_
from mobile.ui.screen import AppScreen
from mobile.ui.screens.driver_routes import DRIVER
from mobile.ui.screens.visitor_routes import VISITOR


@dataclass(frozen=True, slots=True)
class Tab:
    """One place of the bar at the bottom. `is_raised`: the round button in the middle."""

    name: str
    icon: str
    label: str
    is_raised: bool = False


SIGN_IN = "sign_in"

# name -> "module:Class"; for both roles.
SHARED = {
    SIGN_IN: "mobile.ui.screens.sign_in:SignIn",
    "register": "mobile.ui.screens.register:Register",
    "me": "mobile.ui.screens.me:Me",
    "my_data": "mobile.ui.screens.my_data:MyData",
    "guardian": "mobile.ui.screens.guardian:Guardian",
    "vouchers": "mobile.ui.screens.vouchers:Vouchers",
    "reminders": "mobile.ui.screens.reminders:Reminders",
    "rules": "mobile.ui.screens.rules:Rules",
}

TABS = {
    "visitor": (
        Tab("home", "house", N_("Home")),
        Tab("trips", "route", N_("Trips")),
        Tab("scan", "scan-qr-code", N_("Scan"), is_raised=True),
        Tab("rewards", "gift", N_("Rewards")),
        Tab("me", "user-round", N_("Me")),
    ),
    "driver": (
        Tab("permits", "shield-check", N_("Permits")),
        Tab("emission", "fuel", N_("Emission and offset")),
        Tab("me", "user-round", N_("Me")),
    ),
}


def table(role: str) -> dict[str, str]:
    """All screens of one role."""
    return {**SHARED, **(VISITOR if role == "visitor" else DRIVER)}


@cache
def screen_class(where: str) -> type[AppScreen]:
    """The class at "module:Class", with the `.kv` beside its module loaded."""
    from kivy.lang import Builder

    module_name, class_name = where.split(":")
    module = importlib.import_module(module_name)
    rules = Path(str(module.__file__)).with_suffix(".kv")
    if rules.exists() and str(rules) not in Builder.files:
        Builder.load_file(str(rules))
    found: type[AppScreen] = getattr(module, class_name)
    return found
