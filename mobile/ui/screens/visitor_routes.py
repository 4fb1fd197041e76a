"""Screens of visitors by name."""

from __future__ import annotations

# name -> "module:Class"
VISITOR: dict[str, str] = {
    "home": "mobile.ui.screens.soon:Soon",
    "trips": "mobile.ui.screens.trips:Trips",
    "trip": "mobile.ui.screens.trip:Trip",
    "walk": "mobile.ui.screens.walk:Walk",
    "scan": "mobile.ui.screens.scan:Scan",
    "rewards": "mobile.ui.screens.soon:Soon",
}
