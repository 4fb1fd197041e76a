"""Screens of visitors by name."""

from __future__ import annotations

# name -> "module:Class"
VISITOR: dict[str, str] = {
    "home": "mobile.ui.screens.visitor_home:VisitorHome",
    "trips": "mobile.ui.screens.visitor_trips:VisitorTrips",
    "scan": "mobile.ui.screens.visitor_scan:VisitorScan",
    "rewards": "mobile.ui.screens.visitor_rewards:VisitorRewards",
}
