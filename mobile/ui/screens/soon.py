"""Stands where a screen is being written; goes when the last route to it does."""

from __future__ import annotations

from kivy.uix.widget import Widget

from mobile.ui.kit import EmptyState
from mobile.ui.screen import AppScreen


class Soon(AppScreen):
    """Says its own name."""

    def build(self) -> Widget:
        """The name of the route."""
        return EmptyState(icon="hourglass", title=self.name, text="", test_id="soon")
