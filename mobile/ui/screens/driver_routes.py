"""Screens of drivers by name."""

from __future__ import annotations

# name -> "module:Class"
DRIVER: dict[str, str] = {
    "permits": "mobile.ui.screens.driver_permits:DriverPermits",
    "emission": "mobile.ui.screens.driver_emission:DriverEmission",
}
