"""Kivy's surroundings: owns its environment, its configuration and the look-out for a display.

Kivy reads most of this while it is imported, so `prepare` runs before the first import of it.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from control.domain.errors import IslandError

# A phone as the design draws it, in density-independent pixels.
PHONE_WIDTH_DP, PHONE_HEIGHT_DP = 390, 844


class NoDisplay(IslandError):
    """There is no screen on which a window could open."""


def prepare(data_dir: Path) -> None:
    """Set what Kivy reads at its import: no files of its own, our logging, and on a desktop a phone's window."""
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_NO_CONFIG="1",
        KIVY_NO_ENV_CONFIG="1",
        KIVY_NO_FILELOG="1",
        KIVY_NO_CONSOLELOG="1",
        KIVY_LOG_MODE="PYTHON",
        # One provider each, so that no others are tried: that would take a third of a second before the first frame.
        KIVY_WINDOW="sdl2",
        KIVY_TEXT="sdl2",
        KIVY_IMAGE="sdl2",
        KIVY_CLIPBOARD="android" if on_phone() else "sdl2",
        KIVY_HOME=str(data_dir / "kivy"),
    )
    # What goes wrong is told in the window and noted by `faults`; Kivy's own account would hold what people typed.
    logging.getLogger("kivy").addHandler(logging.NullHandler())
    logging.getLogger("kivy").propagate = False
    if on_phone():
        return
    os.environ.update(KIVY_METRICS_DENSITY="1", KIVY_METRICS_FONTSCALE="1", KIVY_DPI="96")
    require_display()
    if sys.platform.startswith("linux"):
        # Left to itself, SDL would draw into nothing where the display does not answer.
        os.environ.setdefault("SDL_VIDEODRIVER", "x11" if os.environ.get("DISPLAY") else "wayland")


def on_phone() -> bool:
    """Whether this is Android, by the mark that python-for-android leaves."""
    return "ANDROID_ARGUMENT" in os.environ


def require_display() -> None:
    """Raise NoDisplay where Linux has neither X nor Wayland."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise NoDisplay(
            "The app needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set."
            " Start it on a desktop, or without a screen under: xvfb-run ./island app"
        )


def configure() -> None:
    """Size and keys of the window, by Kivy's own configuration; before the window is made."""
    from kivy.config import Config

    Config.set("kivy", "exit_on_escape", "0")
    Config.set("kivy", "keyboard_mode", "system" if on_phone() else "")
    Config.set("graphics", "multisamples", "0")
    if not on_phone():
        Config.set("graphics", "width", str(PHONE_WIDTH_DP))
        Config.set("graphics", "height", str(PHONE_HEIGHT_DP))
        Config.set("graphics", "minimum_width", "320")
        Config.set("graphics", "minimum_height", "480")
        # Right-click circles and the kernel's touch devices are no part of a desktop window.
        Config.set("input", "mouse", "mouse,disable_multitouch")
        for name in ("%(name)s", "wm_touch", "wm_pen"):
            Config.remove_option("input", name)


def opened_window() -> object:
    """Kivy's window; raises NoDisplay where none can be opened."""
    from kivy.core.window import Window

    if Window is None:
        raise NoDisplay(
            "No window could be opened. The display must be reachable and offer OpenGL 2"
            " (Debian: apt install libgl1 libgl1-mesa-dri)."
        )
    return Window


def system_is_dark() -> bool:
    """Whether the person set the whole phone to dark. Desktops have no common place to ask."""
    if not on_phone():
        return False
    from android import mActivity
    from jnius import autoclass

    night = autoclass("android.content.res.Configuration")
    mode = mActivity.getResources().getConfiguration().uiMode
    return bool(mode & night.UI_MODE_NIGHT_MASK == night.UI_MODE_NIGHT_YES)
