"""A code that is held out to be read: owns that the screen is bright and awake as long as it is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kivy.core.window import Window

if TYPE_CHECKING:
    from mobile.ui.app import IslandApp


def hold_out(app: IslandApp) -> None:
    """As bright as the device lets it be, and it does not go dark by itself."""
    app.ports.brightness.brighten()
    Window.allow_screensaver = False


def put_away(app: IslandApp) -> None:
    """As the person chose it."""
    app.ports.brightness.restore()
    Window.allow_screensaver = True
