"""Screens of visitors by name."""

from __future__ import annotations

# name -> "module:Class"
VISITOR: dict[str, str] = {
    "home": "mobile.ui.screens.home:Home",
    "trips": "mobile.ui.screens.trips:Trips",
    "trip": "mobile.ui.screens.trip:Trip",
    "walk": "mobile.ui.screens.walk:Walk",
    "scan": "mobile.ui.screens.scan:Scan",
    "rewards": "mobile.ui.screens.rewards:Rewards",
    "code": "mobile.ui.screens.code:Code",
    "codes": "mobile.ui.screens.codes:Codes",
    "person_code": "mobile.ui.screens.person_code:PersonCode",
    "history": "mobile.ui.screens.history:History",
    "entry": "mobile.ui.screens.act:Entry",
    "act": "mobile.ui.screens.act:Act",
    "appeals": "mobile.ui.screens.appeals:Appeals",
    "goal": "mobile.ui.screens.goal:Goal",
}
