"""A computer's screen and body: owns saying that neither is changed from here."""

from __future__ import annotations


class FixedBrightness:
    """The screen stays as it is."""

    can_raise = False
    raised = False

    def brighten(self) -> None:
        """Cannot be done here, which `raised` says."""

    def restore(self) -> None:
        """Nothing was raised."""


class NoVibration:
    """A computer does not vibrate."""

    def buzz(self, duration_ms: int) -> None:
        """Nothing to do."""
