"""Screens of drivers by name."""

from __future__ import annotations

# name -> "module:Class"
DRIVER: dict[str, str] = {
    "permits": "mobile.ui.screens.permits:Permits",
    "pass": "mobile.ui.screens.permit_pass:Pass",
    "apply": "mobile.ui.screens.apply:Apply",
    "application": "mobile.ui.screens.application:Application",
    "emission": "mobile.ui.screens.emission:Emission",
    "visit": "mobile.ui.screens.visit:Visit",
    "vehicles": "mobile.ui.screens.vehicles:Vehicles",
    "vehicle": "mobile.ui.screens.vehicle:Vehicle",
}
