"""Reading QR codes with zxing-cpp, which has no python-for-android recipe: owns that library's call."""

from __future__ import annotations

import zxingcpp

from mobile.ports.camera import Frame
from mobile.ports.reader import Seen, off_middle


class ZxingReader:
    """Reads QR codes and no other kind, so that a product's bar code is never taken for one of ours."""

    def read(self, frame: Frame) -> tuple[Seen, ...]:
        """All QR codes of a picture."""
        pixels = memoryview(frame.luma).cast("B", (frame.height_px, frame.width_px))
        found = zxingcpp.read_barcodes(pixels, formats=zxingcpp.BarcodeFormat.QRCode)
        return tuple(Seen(one.text, off_middle(frame, _corners(one.position))) for one in found if one.text)


def _corners(position: zxingcpp.Position) -> tuple[tuple[float, float], ...]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return tuple((corner.x, corner.y) for corner in corners)
