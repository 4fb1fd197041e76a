"""Faces of vehicles below the windscreen: owns how a car's and a lorry's nose are drawn."""

from __future__ import annotations

import numpy as np

from control.domain.plates import PlateKind
from control.domain.vehicles import VehicleType
from hw_sim.body_shapes import CHROME, PX_PER_M, Shape
from hw_sim.canvas import Canvas, Colour, mirrored, mix
from hw_sim.fleet import Drawn
from hw_sim.scenery import Texture


def nose_small(drawn: Drawn, shape: Shape, paint: Colour) -> Texture:
    """Bumper, lamps and grille of a car, a van or a pickup: closed and slim for electric drives."""
    width, height = shape.width, shape.nose
    canvas = Canvas(width, height, px_per_m=PX_PER_M)
    tyres(canvas, width, height, inset=0.1, tyre_width=0.22)
    low = height - shape.clearance
    canvas.box(0.0, 0.0, width, low, mix(paint, (255, 255, 255), 0.1), radius=0.12, to=mix(paint, (0, 0, 0), 0.38))
    canvas.box(0.03, 0.0, width - 0.06, 0.1, mix(paint, (255, 255, 255), 0.3), radius=0.05, alpha=0.7)
    _intake(canvas, width, low)
    if drawn.kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE):
        canvas.line([(0.3, 0.13), (width - 0.3, 0.13)], (250, 246, 236), width=0.022, alpha=0.9)
        canvas.line([(0.3, 0.17), (width - 0.3, 0.17)], mix(paint, (0, 0, 0), 0.45), width=0.01)
    else:
        _grille(canvas, width, top=0.12, bottom=0.3, half=0.42)
    _lamps(canvas, width, y=height - lamp_height(shape))
    canvas.disc(width / 2, 0.14, 0.055, 0.055, CHROME)
    canvas.disc(width / 2, 0.14, 0.04, 0.04, (150, 96, 40))
    if drawn.vehicle_type is VehicleType.POLICE_CAR:
        canvas.box(0.0, 0.3, width, 0.06, (160, 70, 20), alpha=0.9)
    if drawn.vehicle_type is VehicleType.AMBULANCE:
        canvas.box(0.0, 0.34, width, 0.07, (40, 40, 205), alpha=0.95)
    if drawn.vehicle_type is VehicleType.MACHINERY:
        _grille(canvas, width, top=0.1, bottom=0.5, half=0.3)
    _plate_bed(canvas, drawn, width, y=height - shape.plate)
    return Texture(canvas.finish())


def _intake(canvas: Canvas, width: float, low: float) -> None:
    top = low - 0.2
    left = [(0.42, top), (width - 0.42, top), (width - 0.3, low - 0.05), (0.3, low - 0.05)]
    canvas.polygon(left, (30, 29, 28), to=(48, 46, 44))
    for y in np.arange(top + 0.04, low - 0.05, 0.035):
        canvas.line([(0.36, y), (width - 0.36, y)], (66, 64, 62), width=0.008)
    for mirror in (False, True):
        vent = [(0.1, low - 0.28), (0.24, low - 0.24), (0.2, low - 0.08), (0.12, low - 0.1)]
        canvas.polygon(mirrored(vent, width) if mirror else vent, (36, 35, 34), to=(60, 58, 56))
    canvas.box(0.08, low - 0.035, width - 0.16, 0.035, (44, 43, 42), radius=0.015)


def _grille(canvas: Canvas, width: float, *, top: float, bottom: float, half: float) -> None:
    middle = width / 2
    canvas.polygon(
        [(middle - half, top), (middle + half, top), (middle + half * 0.85, bottom), (middle - half * 0.85, bottom)],
        (34, 33, 32),
        to=(20, 20, 20),
    )
    for y in np.arange(top + 0.03, bottom, 0.035):
        canvas.line([(middle - half * 0.93, y), (middle + half * 0.93, y)], (120, 118, 116), width=0.009)
    canvas.line([(middle - half, top), (middle + half, top)], CHROME, width=0.014)


def _lamps(canvas: Canvas, width: float, *, y: float) -> None:
    for mirror in (False, True):
        housing = [(0.05, y - 0.07), (0.46, y - 0.02), (0.44, y + 0.05), (0.16, y + 0.09), (0.06, y + 0.04)]
        inner = [(0.08, y - 0.05), (0.42, y - 0.01), (0.4, y + 0.03), (0.17, y + 0.065)]
        canvas.polygon(mirrored(housing, width) if mirror else housing, (52, 48, 44), to=(30, 28, 26))
        canvas.polygon(mirrored(inner, width) if mirror else inner, (214, 208, 200), to=(132, 126, 120), alpha=0.85)
        for x in (0.18, 0.29):
            place = width - x if mirror else x
            canvas.disc(place, y + 0.015, 0.036, 0.032, (250, 248, 244))
            canvas.disc(place, y + 0.015, 0.018, 0.016, (196, 188, 178))
        slit = [(0.06, y - 0.065), (0.46, y - 0.018)]
        canvas.line(mirrored(slit, width) if mirror else slit, (255, 252, 246), width=0.014)


def tyres(canvas: Canvas, width: float, height: float, *, inset: float, tyre_width: float) -> None:
    """Both front tyres below the face."""
    for x in (inset, width - inset - tyre_width):
        canvas.box(x, height - 0.52, tyre_width, 0.52, (52, 51, 50), radius=0.05, to=(22, 22, 22))
        for step in (0.3, 0.5, 0.7):
            canvas.line(
                [(x + tyre_width * step, height - 0.3), (x + tyre_width * step, height)], (14, 14, 14), width=0.01
            )


def _plate_bed(canvas: Canvas, drawn: Drawn, width: float, *, y: float) -> None:
    """The dark recess behind the plate."""
    tall = 0.26 if drawn.two_rows else 0.18
    canvas.box(width / 2 - 0.28, y - tall / 2, 0.56, tall, (40, 39, 38), radius=0.02, to=(28, 27, 26))


def nose_large(drawn: Drawn, shape: Shape, paint: Colour) -> Texture:
    """Face of a lorry or a bus below its windscreen."""
    width, height = shape.width, shape.bonnet
    canvas = Canvas(width, height, px_per_m=260)
    tyres(canvas, width, height, inset=0.14, tyre_width=0.32)
    low = height - shape.clearance
    canvas.box(
        0.0, -0.1, width, low + 0.1, mix(paint, (255, 255, 255), 0.08), radius=0.08, to=mix(paint, (0, 0, 0), 0.3)
    )
    if shape.roof > 3:
        canvas.box(0.0, 0.16, width, 0.12, (120, 178, 66), to=(98, 150, 52))
        canvas.box(0.0, 0.3, width, 0.04, (250, 250, 248), alpha=0.8)
        canvas.text("ZERO CARBON", width / 2, 0.22, 0.075, (255, 255, 255))
    else:
        _grille(canvas, width, top=0.1, bottom=0.42, half=0.72)
    bumper = low - 0.42
    dark = mix(paint, (0, 0, 0), 0.2) if shape.roof > 3 else (62, 60, 58)
    canvas.box(0.0, bumper, width, 0.42, dark, radius=0.06, to=mix(dark, (0, 0, 0), 0.4))
    _lorry_lamps(canvas, width, y=height - lamp_height(shape))
    _markings(canvas, drawn, width, bumper)
    _plate_bed(canvas, drawn, width, y=height - shape.plate)
    return Texture(canvas.finish())


def _lorry_lamps(canvas: Canvas, width: float, *, y: float) -> None:
    for x in (0.14, width - 0.46):
        canvas.box(x, y - 0.09, 0.32, 0.2, (46, 44, 42), radius=0.05)
        for place in (x + 0.09, x + 0.23):
            canvas.disc(place, y + 0.01, 0.062, 0.07, (236, 234, 230))
            canvas.disc(place, y + 0.01, 0.035, 0.04, (184, 178, 170))
        outer = x - 0.05 if x < width / 2 else x + 0.33
        canvas.box(outer, y - 0.06, 0.05, 0.14, (40, 140, 240), radius=0.02)


def _markings(canvas: Canvas, drawn: Drawn, width: float, bumper: float) -> None:
    if drawn.vehicle_type in (VehicleType.CRANE, VehicleType.SANITATION):
        for mirror in (False, True):
            for step in range(3):
                x = 0.56 + 0.13 * step
                bar = [
                    (x, bumper + 0.06),
                    (x + 0.06, bumper + 0.06),
                    (x - 0.02, bumper + 0.34),
                    (x - 0.08, bumper + 0.34),
                ]
                canvas.polygon(mirrored(bar, width) if mirror else bar, (40, 190, 245))
    if drawn.vehicle_type is VehicleType.FIRE_ENGINE:
        canvas.box(0.6, 0.46, width - 1.2, 0.1, (246, 246, 244))
        canvas.text("119  FIRE", width / 2, 0.51, 0.07, (40, 30, 190))


def lamp_height(shape: Shape) -> float:
    """Metres from the ground to the middle of the headlights."""
    return shape.nose - (0.16 if shape.roof < 2.2 else 0.46)
