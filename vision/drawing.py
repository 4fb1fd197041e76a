"""Pictures with their plates and vehicles marked: owns the drawing for people who look at results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.errors import IslandError
from control.domain.plates import Verdict
from control.domain.readings import PlateReading, VehicleReading
from vision.read_output import VERDICT_WORDS, vehicle_words

BgrImage = NDArray[np.uint8]
Bgr = tuple[int, int, int]

# The verdict is told by a word as well: colour alone does not reach everybody.
_COLOURS: dict[Verdict, Bgr] = {
    Verdict.NEW_ENERGY: (90, 170, 40),
    Verdict.FUEL: (60, 60, 210),
    Verdict.SPECIAL: (190, 140, 20),
    Verdict.UNSURE: (0, 150, 235),
}
_WHITE: Bgr = (255, 255, 255)
_VEHICLE: Bgr = (120, 90, 60)


def annotated(image_bgr: BgrImage, plates: Iterable[PlateReading], vehicles: Iterable[VehicleReading] = ()) -> BgrImage:
    """A copy with each plate and vehicle framed and named; corners and boxes are in pixels of `image_bgr`."""
    canvas = np.ascontiguousarray(image_bgr).copy()
    size_px = max(13, min(40, round(min(canvas.shape[:2]) / 40)))
    line_px = max(2, size_px // 10)
    # The font that OpenCV carries knows Chinese; its old line fonts do not.
    font = cv2.FontFace("uni")
    for vehicle in vehicles:
        x0, y0, x1, y1 = np.round(vehicle.box).astype(np.int32)
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.int32)
        cv2.polylines(canvas, [corners], True, _VEHICLE, line_px, cv2.LINE_AA)
        # Named at its upper edge, inside where there is no room above: its lower half is the plate's. What nobody
        # tried to name has no name.
        if vehicle.confidence > 0:
            _label(canvas, vehicle_words(vehicle), corners[:2], _VEHICLE, font, size_px)
    for plate in plates:
        colour = _COLOURS[plate.verdict]
        corners = np.round(np.array(plate.quad)).astype(np.int32)
        cv2.polylines(canvas, [corners], True, colour, line_px, cv2.LINE_AA)
        text = f"{plate.text} {VERDICT_WORDS[plate.verdict]} {plate.confidence:.0%}"
        _label(canvas, text, corners, colour, font, size_px)
    return canvas


def _label(
    canvas: BgrImage, text: str, corners: NDArray[np.int32], colour: Bgr, font: cv2.FontFace, size_px: int
) -> None:
    """The text on a bar above what is framed, or below it where there is no room above."""
    text_width = cv2.getTextSize((0, 0), text, (0, 0), font, size_px)[2]
    bar_height = round(size_px * 1.4)
    x = max(0, min(int(corners[:, 0].min()), canvas.shape[1] - text_width - size_px))
    y = int(corners[:, 1].min()) - bar_height - 4
    if y < 0:
        y = min(int(corners[:, 1].max()) + 4, canvas.shape[0] - bar_height)
    cv2.rectangle(canvas, (x, y), (x + text_width + size_px, y + bar_height), colour, cv2.FILLED)
    cv2.putText(canvas, text, (x + size_px // 2, y + size_px), _WHITE, font, size_px)


def save_annotated(
    image_bgr: BgrImage, plates: Iterable[PlateReading], path: Path, *, vehicles: Iterable[VehicleReading] = ()
) -> Path:
    """Write the annotated picture as JPEG beside or under `path`, and give the path that was written.

    Raises IslandError when the folder cannot be made or the file not be written.
    """
    target = path if path.suffix.lower() in (".jpg", ".jpeg") else path.with_name(path.name + ".jpg")
    encoded, data = cv2.imencode(".jpg", annotated(image_bgr, plates, vehicles), [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert encoded
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.tobytes())
    except OSError as error:
        raise IslandError(f"The drawn picture {target} cannot be written: {error.strerror}.") from error
    return target
