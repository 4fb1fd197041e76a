"""The phone's camera through Kivy's provider: owns permission, the lamp, and frames for the code reader.

The provider draws the preview as a texture and hands out NV21 buffers; the first width x height bytes of those are the
brightness of the pixels, which is all that a code reader needs.
"""

from __future__ import annotations

from typing import Any

from jnius import JavaException, autoclass
from kivy.clock import Clock
from kivy.core.camera import Camera as KivyCamera

from mobile.ports.android import system
from mobile.ports.camera import CameraState, Frame

# Offered by every phone since Android 2, and enough for any of our codes at arm's length.
RESOLUTION_PX = (1_280, 720)
_LIT, _DARK = "torch", "off"


class AndroidCamera:
    """The camera on the back."""

    def __init__(self) -> None:
        self._state = CameraState.OFF
        self._provider: Any = None
        self._buffer: Any = None
        self._frame: Frame | None = None

    @property
    def state(self) -> CameraState:
        """What it is at now."""
        return self._state

    @property
    def has_light(self) -> bool:
        """Whether the camera that runs has a lamp."""
        if self._provider is None:
            return False
        modes = self._provider._android_camera.getParameters().getSupportedFlashModes()
        return modes is not None and bool(modes.contains(_LIT))

    @property
    def texture(self) -> Any:
        """What the provider draws."""
        return None if self._provider is None else self._provider.texture

    @property
    def turned_deg(self) -> int:
        """How the sensor is built in; the app is always upright."""
        if self._provider is None:
            return 0
        info = autoclass("android.hardware.Camera$CameraInfo")()
        autoclass("android.hardware.Camera").getCameraInfo(0, info)
        return int(info.orientation)

    def start(self) -> None:
        """Asks for permission first."""
        if self._state in (CameraState.STARTING, CameraState.ON):
            return
        self._state = CameraState.STARTING
        if system.allowed(system.CAMERA):
            self._open()
        else:
            system.ask_for(system.CAMERA, lambda given: Clock.schedule_once(lambda _: self._answered(given)))

    def stop(self) -> None:
        """Gives the camera to other apps again."""
        if self._provider is not None:
            self.light(False)
            self._provider._release_camera()
        self._provider, self._frame, self._state = None, None, CameraState.OFF

    def newest(self) -> Frame | None:
        """The last picture; a new one only when the provider has a new buffer."""
        if self._provider is None:
            return None
        buffer = self._provider._buffer
        if buffer is not None and buffer is not self._buffer:
            self._buffer = buffer
            raw, (width, height) = self._provider.grab_frame(), RESOLUTION_PX
            self._frame = None if raw is None else Frame(width, height, bytes(raw[: width * height]))
        return self._frame

    def light(self, on: bool) -> bool:
        """Switches the lamp."""
        if not self.has_light:
            return False
        camera = self._provider._android_camera
        parameters = camera.getParameters()
        parameters.setFlashMode(_LIT if on else _DARK)
        camera.setParameters(parameters)
        return on

    def open_settings(self) -> bool:
        """Where the permission is given."""
        system.open_app_settings()
        return True

    def _answered(self, given: bool) -> None:
        if self._state is CameraState.STARTING:
            if given:
                self._open()
            else:
                self._state = CameraState.DENIED

    def _open(self) -> None:
        try:
            self._provider = KivyCamera(index=0, resolution=RESOLUTION_PX, stopped=True)
            self._provider.start()
        except JavaException:
            # Another app holds it, or there is none.
            self._provider, self._state = None, CameraState.FAILED
        else:
            self._state = CameraState.ON
