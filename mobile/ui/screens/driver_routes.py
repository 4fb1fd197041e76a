"""Screens of drivers by name."""

from __future__ import annotations

# name -> "module:Class"
DRIVER: dict[str, str] = {
    "permits": "mobile.ui.screens.soon:Soon",
    "emission": "mobile.ui.screens.soon:Soon",
}
