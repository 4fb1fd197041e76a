"""Reading QR codes with ZBar (recipes `pyzbar` and `libzbar`): owns that library's call."""

from __future__ import annotations

from pyzbar import pyzbar

from mobile.ports.camera import Frame
from mobile.ports.reader import Seen, off_middle


class ZbarReader:
    """Reads QR codes and no other kind. Takes bytes as they are, so that neither numpy nor Pillow is in the way."""

    def read(self, frame: Frame) -> tuple[Seen, ...]:
        """All QR codes of a picture."""
        pixels = (frame.luma, frame.width_px, frame.height_px)
        found = pyzbar.decode(pixels, symbols=[pyzbar.ZBarSymbol.QRCODE])
        return tuple(
            Seen(
                one.data.decode("utf-8", "replace"), off_middle(frame, [(corner.x, corner.y) for corner in one.polygon])
            )
            for one in found
            if one.data and one.polygon
        )
