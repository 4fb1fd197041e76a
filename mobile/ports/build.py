"""Which ports the app runs with: owns the one place where desktop or Android is chosen, and the choice of a camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mobile.ports.camera import Camera, CameraState, NoCamera
from mobile.ports.device import Brightness, Vibration
from mobile.ports.files import Files
from mobile.ports.papers import Papers
from mobile.ports.reader import CodeReader

if TYPE_CHECKING:
    from mobile.ports.desktop.files import Ask

ANDROID, DESKTOP = "android", "desktop"
# A person holds a code before the camera for a second or two; ten looks a second leave time for the rest of the app.
LOOK_EVERY_S = 0.1
_VIDEO_EVERY_S, _PICTURE_EVERY_S = 0.03, 0.2
_CAMERAS_MAX = 10


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them."""

    camera: Camera
    reader: CodeReader
    files: Files
    brightness: Brightness
    vibration: Vibration
    papers: Papers


def build_ports(platform: str, *, camera: str = "", ask: Ask | None = None) -> Ports:
    """The ports of a platform, ANDROID or DESKTOP.

    `camera` is for computers only: empty for the first video device, a device's number, the address of a stream or of a
    picture, the path of a picture or of a folder of pictures, or `none` or `denied`. `ask` opens the app's own dialog.
    """
    return _on_android() if platform == ANDROID else _on_desktop(camera, ask)


def _on_android() -> Ports:
    from mobile.ports.android.camera import AndroidCamera
    from mobile.ports.android.device import PhoneVibration, WindowBrightness
    from mobile.ports.android.files import AndroidFiles
    from mobile.ports.android.papers import AndroidPapers
    from mobile.ports.android.reader import ZbarReader

    return Ports(AndroidCamera(), ZbarReader(), AndroidFiles(), WindowBrightness(), PhoneVibration(), AndroidPapers())


def _on_desktop(camera: str, ask: Ask | None) -> Ports:
    from mobile.ports.desktop.device import FixedBrightness, NoVibration
    from mobile.ports.desktop.files import DesktopFiles
    from mobile.ports.desktop.papers import DesktopPapers
    from mobile.ports.desktop.reader import ZxingReader

    return Ports(
        desktop_camera(camera), ZxingReader(), DesktopFiles(ask), FixedBrightness(), NoVibration(), DesktopPapers()
    )


def desktop_camera(choice: str) -> Camera:
    """The camera of a computer by `choice`, see `build_ports`."""
    from mobile.ports.desktop import cameras

    match choice:
        case "none":
            return NoCamera(CameraState.MISSING)
        case "denied":
            return NoCamera(CameraState.DENIED)
        case "":
            number = next((one for one in range(_CAMERAS_MAX) if Path(f"/dev/video{one}").exists()), None)
            return NoCamera() if number is None else _video(number)
        case _ if choice.isdecimal():
            return _video(int(choice))
    address = urlsplit(choice)
    if not address.netloc:
        return cameras.PolledCamera(cameras.watched(Path(choice)), every_s=_PICTURE_EVERY_S)
    if Path(address.path).suffix.lower() in cameras.PICTURE_ENDINGS:
        return cameras.PolledCamera(cameras.on_the_web(choice), every_s=_PICTURE_EVERY_S)
    return _video(choice)


def _video(device: int | str) -> Camera:
    from mobile.ports.desktop import cameras

    return cameras.PolledCamera(cameras.video(device), every_s=_VIDEO_EVERY_S)
