"""Brightness and vibration on Android: owns the window's attribute and the vibrator's call."""

from __future__ import annotations

from android import mActivity
from android.runnable import run_on_ui_thread
from jnius import JavaException, autoclass

_FULL, _AS_CHOSEN = 1.0, -1.0


class WindowBrightness:
    """Brightness of this app's window only: nothing of the person's settings is written."""

    can_raise = True

    def __init__(self) -> None:
        self._raised = False

    @property
    def raised(self) -> bool:
        """Whether it is raised: told by the window after it was set."""
        return self._raised

    def brighten(self) -> None:
        """To the highest."""
        self._set(_FULL)

    def restore(self) -> None:
        """As the person chose."""
        self._set(_AS_CHOSEN)

    @run_on_ui_thread
    def _set(self, brightness: float) -> None:
        window = mActivity.getWindow()
        attributes = window.getAttributes()
        attributes.screenBrightness = brightness
        window.setAttributes(attributes)
        self._raised = window.getAttributes().screenBrightness == _FULL


class PhoneVibration:
    """The phone's vibrator."""

    def buzz(self, duration_ms: int) -> None:
        """Once; a phone without a vibrator, or one that is silenced, does nothing."""
        try:
            vibrator = mActivity.getSystemService(autoclass("android.content.Context").VIBRATOR_SERVICE)
            effects = autoclass("android.os.VibrationEffect")
            vibrator.vibrate(effects.createOneShot(duration_ms, effects.DEFAULT_AMPLITUDE))
        except JavaException:
            return
