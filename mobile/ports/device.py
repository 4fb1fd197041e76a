"""Small things of the device: owns the Protocols of the screen's brightness and of vibration.

Brightness never claims more than it did: `raised` is what the screen is, not what was wished.
"""

from __future__ import annotations

from typing import Protocol


class Brightness(Protocol):
    """The screen's brightness while a pass is shown."""

    @property
    def can_raise(self) -> bool:
        """Whether this device lets the app raise it."""
        ...

    @property
    def raised(self) -> bool:
        """Whether it is raised now."""
        ...

    def brighten(self) -> None:
        """To the highest, until `restore`. More than once is as once."""
        ...

    def restore(self) -> None:
        """Back to what the person chose."""
        ...


class Vibration(Protocol):
    """A short sign in the hand."""

    def buzz(self, duration_ms: int) -> None:
        """Vibrates once; nothing where the device cannot."""
        ...
