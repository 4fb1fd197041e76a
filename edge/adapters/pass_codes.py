"""QR codes in a picture by zxing-cpp: owns the settings that keep the search short."""

from __future__ import annotations

import cv2
import zxingcpp

from cloud_sync.contract.pass_code import TEXT_MAX
from edge.ports import Picture

# The code of a pass behind a windscreen has some 1.5 pixels a module; twice as large it is found more often.
LARGER = 2
PIXELS_MAX = 2_500_000
CODES_MAX = 4


class ZxingPassReader:
    """Looks at the picture as it is and, where nothing is found, once more enlarged."""

    def read(self, image_bgr: Picture) -> tuple[str, ...]:
        """Texts of at most a few QR codes."""
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        found = _texts(grey)
        if found or grey.size * LARGER * LARGER > PIXELS_MAX:
            return found
        return _texts(cv2.resize(grey, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC))


def _texts(grey: Picture) -> tuple[str, ...]:
    codes = zxingcpp.read_barcodes(
        grey, formats=zxingcpp.BarcodeFormat.QRCode, try_rotate=True, try_downscale=False, try_invert=False
    )
    # What is too long for a pass is cut just behind the limit: it is then told as no pass, and costs nothing more.
    return tuple(code.text[: TEXT_MAX + 1] for code in codes[:CODES_MAX] if code.valid)
