"""How vehicles look from the front: owns the shapes and textures of each type, and where its plate hangs.

A body is a handful of textured planes (side, nose, bonnet, windscreen, roof) set back by `depth_m` from the
foremost point. Front textures for the camera are drawn once per vehicle, at 300 px a metre.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from control.domain.plates import PlateKind
from control.domain.vehicles import VehicleType
from hw_sim.canvas import Canvas, Colour, mirrored, mix
from hw_sim.fleet import Drawn, PassPlace, Role
from hw_sim.pass_board import BOARD_M, BOARD_TALL_M, pass_board
from hw_sim.scenery import Texture
from vision.render.plates import render_plate
from vision.render.weather import dirt

PX_PER_M = 300.0
PAINTS: tuple[Colour, ...] = (
    (240, 240, 238),
    (232, 230, 226),
    (176, 172, 168),
    (96, 92, 88),
    (46, 44, 42),
    (132, 92, 46),
    (150, 132, 66),
    (54, 46, 150),
    (168, 196, 206),
    (196, 160, 118),
    (110, 128, 84),
)
GLASS_DARK: Colour = (44, 40, 36)
GLASS_SKY: Colour = (150, 132, 112)
RUBBER: Colour = (38, 37, 36)
CHROME: Colour = (206, 206, 204)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One textured plane across the vehicle: heights above ground and set-backs at its upper and lower edge."""

    texture: Texture
    width_m: float
    top_m: float
    bottom_m: float
    top_back_m: float
    bottom_back_m: float
    offset_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """Everything the camera needs of one vehicle. `lamps` are (x, y, radius) of the headlights in metres."""

    sheets: tuple[Sheet, ...]
    side: Texture
    length_m: float
    width_m: float
    height_m: float
    plate: Texture | None
    plate_size_m: tuple[float, float]
    plate_height_m: float
    lamps: tuple[tuple[float, float, float], ...]
    flashing: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """Measures of a type in metres: heights of bumper, bonnet and roof, and set-backs along the length."""

    width: float
    clearance: float
    nose: float
    bonnet: float
    roof: float
    bonnet_length: float
    screen_length: float
    roof_length: float
    screen_taper: float
    plate: float


SHAPES: dict[str, Shape] = {
    "car": Shape(1.84, 0.17, 0.82, 0.98, 1.46, 1.05, 0.75, 1.7, 0.15, 0.46),
    "pickup": Shape(1.9, 0.24, 1.0, 1.14, 1.8, 1.0, 0.5, 1.5, 0.1, 0.56),
    "van": Shape(1.9, 0.22, 0.98, 1.16, 2.05, 0.55, 0.6, 3.8, 0.08, 0.5),
    "cab": Shape(2.35, 0.32, 1.3, 1.34, 2.75, 0.04, 0.16, 2.0, 0.02, 0.62),
    "bus": Shape(2.5, 0.28, 1.12, 1.14, 3.05, 0.03, 0.14, 9.5, 0.01, 0.56),
    "tractor": Shape(1.3, 0.45, 1.2, 1.3, 2.15, 1.3, 0.1, 1.2, 0.05, 0.72),
    "cart": Shape(1.3, 0.25, 0.8, 0.9, 1.85, 0.35, 0.3, 1.7, 0.02, 0.5),
}
_SHAPE_OF: dict[VehicleType, str] = {
    VehicleType.CAR: "car",
    VehicleType.POLICE_CAR: "car",
    VehicleType.PICKUP: "pickup",
    VehicleType.MINIBUS: "van",
    VehicleType.AMBULANCE: "van",
    VehicleType.BUS: "bus",
    VehicleType.TRUCK: "cab",
    VehicleType.CRANE: "cab",
    VehicleType.FIRE_ENGINE: "cab",
    VehicleType.SANITATION: "cab",
    VehicleType.MACHINERY: "tractor",
    VehicleType.GOLF_CART: "cart",
}
_LIVERY: dict[VehicleType, Colour] = {
    VehicleType.POLICE_CAR: (244, 244, 242),
    VehicleType.AMBULANCE: (244, 244, 242),
    VehicleType.FIRE_ENGINE: (38, 30, 196),
    VehicleType.CRANE: (26, 164, 238),
    VehicleType.SANITATION: (96, 168, 60),
    VehicleType.MACHINERY: (40, 44, 186),
    VehicleType.GOLF_CART: (236, 238, 236),
    VehicleType.BUS: (206, 190, 96),
}
_BEACONS = frozenset(
    {VehicleType.POLICE_CAR, VehicleType.AMBULANCE, VehicleType.FIRE_ENGINE, VehicleType.CRANE, VehicleType.SANITATION}
)


def build_body(drawn: Drawn) -> Body:
    """Draw one vehicle; the same drawing gives the same pixels."""
    shape = SHAPES[_SHAPE_OF[drawn.vehicle_type]]
    paint = _LIVERY.get(drawn.vehicle_type, PAINTS[drawn.paint % len(PAINTS)])
    plate = _plate(drawn)
    rear_view = drawn.role is Role.TRAILER
    sheets = [_container(shape)] if rear_view else _front(drawn, shape, paint)
    return Body(
        sheets=tuple(sheets),
        side=_side(drawn, shape, paint),
        length_m=drawn.length_m,
        width_m=shape.width,
        height_m=shape.roof,
        plate=None if plate is None else Texture(cv2.cvtColor(plate, cv2.COLOR_BGR2BGRA)),
        plate_size_m=(0.0, 0.0) if plate is None else (plate.shape[1] / 1000, plate.shape[0] / 1000),
        plate_height_m=shape.plate,
        lamps=() if rear_view else _lamp_places(shape),
        flashing=drawn.vehicle_type in _BEACONS,
    )


def _plate(drawn: Drawn) -> np.ndarray | None:
    """The plate's picture, one pixel a millimetre, with its screws and its dirt."""
    if not drawn.plate or drawn.kind is PlateKind.UNKNOWN:
        return None
    rng = np.random.default_rng(drawn.paint)
    picture = render_plate(drawn.plate, drawn.kind, two_rows=drawn.two_rows, colour=drawn.colour)
    if drawn.dirt_frac > 0.5:
        for _ in range(3):
            picture = dirt(picture, rng, strength=drawn.dirt_frac)
    elif drawn.dirt_frac > 0.04:
        picture = dirt(picture, rng, strength=drawn.dirt_frac)
    return picture


def _lamp_places(shape: Shape) -> tuple[tuple[float, float, float], ...]:
    x, y = shape.width / 2 - 0.26, _lamp_height(shape)
    return ((-x, y, 0.13), (x, y, 0.13))


def _lamp_height(shape: Shape) -> float:
    return shape.nose - (0.16 if shape.roof < 2.2 else 0.46)


def _front(drawn: Drawn, shape: Shape, paint: Colour) -> list[Sheet]:
    """From back to front: roof, beacons, windscreen, bonnet, nose."""
    roof_back = shape.bonnet_length + shape.screen_length
    top_width = shape.width * (1 - shape.screen_taper)
    sheets = [
        Sheet(
            _roof(shape, paint),
            top_width,
            shape.roof + 0.03,
            shape.roof,
            roof_back + shape.roof_length,
            roof_back + 0.02,
        )
    ]
    if drawn.vehicle_type is VehicleType.CRANE:
        sheets.append(_jib(shape))
    sheets.append(
        Sheet(_screen(drawn, shape, paint), shape.width, shape.roof, shape.bonnet, roof_back, shape.bonnet_length)
    )
    if drawn.pass_text and drawn.pass_place is PassPlace.WINDSCREEN:
        sheets.append(_pass_board(drawn.pass_text, shape, roof_back))
    if drawn.vehicle_type in _BEACONS:
        sheets.append(_beacons(drawn, shape, roof_back))
    if shape.bonnet_length > 0.2:
        sheets.append(Sheet(_bonnet(shape, paint), shape.width, shape.bonnet, shape.nose, shape.bonnet_length, 0.02))
    sheets.extend(_mirrors(shape, paint))
    nose = _nose_large(drawn, shape, paint) if shape.roof > 2.2 else _nose_small(drawn, shape, paint)
    sheets.append(Sheet(nose, shape.width, shape.bonnet if shape.bonnet_length < 0.2 else shape.nose, 0.0, 0.02, 0.0))
    return sheets


def _roof(shape: Shape, paint: Colour) -> Texture:
    canvas = Canvas(shape.width, 0.8, px_per_m=90)
    canvas.box(0.02, 0, shape.width - 0.04, 0.8, mix(paint, (255, 246, 236), 0.25), to=mix(paint, (0, 0, 0), 0.1))
    return Texture(canvas.finish())


def _screen(drawn: Drawn, shape: Shape, paint: Colour) -> Texture:
    """Windscreen with pillars, a reflected sky, wipers, mirror, and the hint of a driver."""
    width, height = shape.width, max(0.35, shape.roof - shape.bonnet)
    canvas = Canvas(width, height, px_per_m=PX_PER_M)
    inset = width * shape.screen_taper / 2
    body = [(inset, 0), (width - inset, 0), (width - 0.02, height), (0.02, height)]
    canvas.polygon(body, mix(paint, (255, 255, 255), 0.12), to=mix(paint, (0, 0, 0), 0.25))
    upper = 0.06 if shape.roof < 2.2 else (0.36 if shape.roof > 3 else 0.2)
    lower = height - (0.02 if shape.roof < 2.2 else 0.12)
    left_top, left_low = inset * (1 - upper / height) + 0.09, 0.11
    glass = [(left_top, upper), (width - left_top, upper), (width - left_low, lower), (left_low, lower)]
    canvas.polygon(glass, mix(GLASS_SKY, GLASS_DARK, 0.35), to=GLASS_DARK)
    canvas.disc(width * 0.7, lower - 0.02, 0.2, 0.2, (30, 28, 27), alpha=0.75)
    canvas.disc(width * 0.7, lower - 0.27, 0.085, 0.11, (58, 66, 84), alpha=0.55)
    shine = [(left_top + 0.1, upper), (width * 0.42, upper), (width * 0.24, lower), (left_low + 0.02, lower)]
    canvas.polygon(shine, (228, 214, 196), to=(170, 150, 128), alpha=0.22)
    canvas.box(width / 2 - 0.11, upper + 0.015, 0.22, 0.06, (30, 30, 30), radius=0.02, alpha=0.9)
    for start in (0.2, width / 2 + 0.02):
        canvas.line([(start, lower - 0.015), (start + width * 0.3, lower - 0.075)], (22, 22, 22), width=0.018)
    if shape.roof > 3:
        _destination(canvas, width)
    return Texture(canvas.finish())


def _pass_board(text: str, shape: Shape, roof_back: float) -> Sheet:
    """A board with the pass behind the glass: dulled by it, and with the sky's reflection across."""
    tall = shape.roof > 2.2
    size = BOARD_TALL_M if tall else BOARD_M
    bottom = shape.bonnet + (0.14 if tall else 0.05)
    slope = (roof_back - shape.bonnet_length) / (shape.roof - shape.bonnet)
    back = shape.bonnet_length + (bottom - shape.bonnet) * slope
    offset = 0.42 if tall else -0.32
    return Sheet(pass_board(text, GLASS_DARK), size, bottom + size, bottom, back + size * slope, back, offset)


def _destination(canvas: Canvas, width: float) -> None:
    canvas.box(0.3, 0.07, width - 0.6, 0.24, (24, 22, 20), radius=0.03)
    canvas.text("1  BOAO DONGYU", width / 2, 0.19, 0.13, (70, 190, 255))


def _bonnet(shape: Shape, paint: Colour) -> Texture:
    width = shape.width
    canvas = Canvas(width, 0.6, px_per_m=200)
    outline = [(0.13, 0), (width - 0.13, 0), (width - 0.03, 0.6), (0.03, 0.6)]
    canvas.polygon(outline, mix(paint, (120, 110, 100), 0.3), to=mix(paint, (255, 250, 244), 0.35))
    for x in (0.42, width - 0.42):
        canvas.line(
            [(x, 0), (x + (0.1 if x < width / 2 else -0.1), 0.6)], mix(paint, (0, 0, 0), 0.3), width=0.012, alpha=0.6
        )
    canvas.polygon(
        [(width * 0.3, 0), (width * 0.7, 0), (width * 0.62, 0.6), (width * 0.38, 0.6)], (255, 250, 245), alpha=0.16
    )
    return Texture(canvas.finish())


def _mirrors(shape: Shape, paint: Colour) -> list[Sheet]:
    tall = shape.roof > 2.2
    width, height = (0.2, 0.46) if tall else (0.21, 0.15)
    canvas = Canvas(width, height, px_per_m=PX_PER_M)
    canvas.box(0, 0, width, height, RUBBER if tall else mix(paint, (0, 0, 0), 0.1), radius=0.06, to=(24, 24, 24))
    texture = Texture(canvas.finish())
    top = shape.roof - 0.5 if tall else shape.bonnet + 0.16
    back = 0.02 if tall else shape.bonnet_length + 0.2
    reach = shape.width / 2 + 0.1
    return [Sheet(texture, width, top, top - height, back, back, side * reach) for side in (-1, 1)]


def _nose_small(drawn: Drawn, shape: Shape, paint: Colour) -> Texture:
    """Bumper, lamps and grille of a car, a van or a pickup: closed and slim for electric drives."""
    width, height = shape.width, shape.nose
    canvas = Canvas(width, height, px_per_m=PX_PER_M)
    _tyres(canvas, width, height, inset=0.1, tyre_width=0.22)
    low = height - shape.clearance
    canvas.box(0.0, 0.0, width, low, mix(paint, (255, 255, 255), 0.1), radius=0.12, to=mix(paint, (0, 0, 0), 0.38))
    canvas.box(0.03, 0.0, width - 0.06, 0.1, mix(paint, (255, 255, 255), 0.3), radius=0.05, alpha=0.7)
    _intake(canvas, width, low)
    if drawn.kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE):
        canvas.line([(0.3, 0.13), (width - 0.3, 0.13)], (250, 246, 236), width=0.022, alpha=0.9)
        canvas.line([(0.3, 0.17), (width - 0.3, 0.17)], mix(paint, (0, 0, 0), 0.45), width=0.01)
    else:
        _grille(canvas, width, top=0.12, bottom=0.3, half=0.42)
    _lamps(canvas, width, y=height - _lamp_height(shape))
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


def _tyres(canvas: Canvas, width: float, height: float, *, inset: float, tyre_width: float) -> None:
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


def _nose_large(drawn: Drawn, shape: Shape, paint: Colour) -> Texture:
    """Face of a lorry or a bus below its windscreen."""
    width, height = shape.width, shape.bonnet
    canvas = Canvas(width, height, px_per_m=260)
    _tyres(canvas, width, height, inset=0.14, tyre_width=0.32)
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
    _lorry_lamps(canvas, width, y=height - _lamp_height(shape))
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


def _beacons(drawn: Drawn, shape: Shape, roof_back: float) -> Sheet:
    """Light bar on the roof: red and blue, or amber."""
    width = min(1.3, shape.width * 0.62)
    canvas = Canvas(width, 0.14, px_per_m=PX_PER_M)
    canvas.box(0, 0.05, width, 0.09, (50, 50, 50), radius=0.03)
    amber = drawn.vehicle_type in (VehicleType.CRANE, VehicleType.SANITATION)
    left, right = ((30, 150, 250), (30, 150, 250)) if amber else ((40, 40, 230), (225, 90, 30))
    canvas.box(0.02, 0.01, width * 0.44, 0.1, left, radius=0.04, to=mix(left, (0, 0, 0), 0.35))
    canvas.box(width * 0.56 - 0.02, 0.01, width * 0.44, 0.1, right, radius=0.04, to=mix(right, (0, 0, 0), 0.35))
    canvas.box(0.04, 0.02, width * 0.4, 0.025, (255, 255, 255), radius=0.01, alpha=0.5)
    back = roof_back + 0.25
    return Sheet(Texture(canvas.finish()), width, shape.roof + 0.15, shape.roof + 0.01, back, back)


def _jib(shape: Shape) -> Sheet:
    """The crane's boom lying above the cab, its hook block in front."""
    canvas = Canvas(1.3, 1.0, px_per_m=200)
    yellow = (30, 168, 240)
    canvas.box(0.3, 0.06, 0.56, 0.6, yellow, radius=0.03, to=mix(yellow, (0, 0, 0), 0.3))
    canvas.box(0.4, 0.14, 0.36, 0.4, (40, 46, 52), radius=0.02)
    canvas.disc(0.58, 0.34, 0.15, 0.15, (70, 72, 74))
    canvas.disc(0.58, 0.34, 0.05, 0.05, (150, 150, 150))
    canvas.line([(0.58, 0.4), (0.58, 0.8)], (40, 40, 40), width=0.03)
    canvas.box(0.48, 0.76, 0.2, 0.18, (40, 44, 190), radius=0.03)
    return Sheet(Texture(canvas.finish()), 1.3, shape.roof + 0.75, shape.roof - 0.25, 0.4, 0.4, -0.3)


def _container(shape: Shape) -> Sheet:
    """Rear doors of a trailer that is pushed in backwards: its only plate hangs there."""
    width, height = shape.width, shape.roof
    canvas = Canvas(width, height, px_per_m=240)
    _tyres(canvas, width, height, inset=0.1, tyre_width=0.5)
    canvas.box(0.0, 0.0, width, height - 0.75, (150, 120, 70), to=(120, 92, 50))
    for x in np.arange(0.08, width, 0.12):
        canvas.line([(x, 0.05), (x, height - 0.8)], (100, 78, 44), width=0.02, alpha=0.7)
    for x in (0.5, 1.0, 1.35, 1.85):
        canvas.line([(x, 0.04), (x, height - 0.8)], (190, 186, 180), width=0.035)
    canvas.box(0.0, height - 0.76, width, 0.3, (58, 56, 54), to=(40, 39, 38))
    for x in (0.08, width - 0.5):
        canvas.box(x, height - 0.68, 0.42, 0.14, (40, 36, 190), radius=0.03)
    canvas.box(0.1, height - 0.42, width - 0.2, 0.08, (60, 60, 205))
    canvas.box(width / 2 - 0.28, height - shape.plate - 0.14, 0.56, 0.28, (30, 30, 30))
    return Sheet(Texture(canvas.finish()), width, height, 0.0, 0.0, 0.0)


def _side(drawn: Drawn, shape: Shape, paint: Colour) -> Texture:
    """The flank that the camera sees at a sharp angle: outline, windows, wheels. Front is at the left."""
    length, roof = drawn.length_m, shape.roof
    canvas = Canvas(length, roof, px_per_m=110)
    screen = shape.bonnet_length + shape.screen_length
    back = min(length, screen + shape.roof_length)
    low = roof - shape.clearance
    if shape.roof < 1.6:
        return _low_side(shape, paint, length)
    outline = [
        (0.0, roof - shape.nose),
        (shape.bonnet_length, roof - shape.bonnet),
        (screen, 0.0),
        (length, 0.0),
        (length, roof - shape.nose),
        (length, low),
        (0.0, low),
    ]
    canvas.polygon(outline, mix(paint, (0, 0, 0), 0.12), to=mix(paint, (0, 0, 0), 0.5))
    glass_low = roof - shape.bonnet - 0.03
    window_end = back - 0.1 if shape.roof < 3 else length - 0.3
    if drawn.vehicle_type in (VehicleType.TRUCK, VehicleType.CRANE, VehicleType.FIRE_ENGINE, VehicleType.SANITATION):
        window_end = screen + 1.2
    canvas.polygon(
        [
            (screen + 0.04, 0.09),
            (window_end, 0.09),
            (window_end + 0.1, glass_low),
            (shape.bonnet_length + 0.2, glass_low),
        ],
        (96, 86, 74),
        to=(46, 42, 38),
    )
    _wheels(canvas, shape, length, radius=0.33 if shape.roof < 2.2 else 0.48)
    return Texture(canvas.finish())


def _low_side(shape: Shape, paint: Colour, length: float) -> Texture:
    """Below the windows only: the cabin of a car leans inwards and hides its own flank from the front."""
    canvas = Canvas(length, shape.roof, px_per_m=110)
    top, low = shape.roof - shape.bonnet, shape.roof - shape.clearance
    outline = [(0.0, shape.roof - shape.nose), (shape.bonnet_length, top), (length, top), (length, low), (0.0, low)]
    canvas.polygon(outline, mix(paint, (0, 0, 0), 0.12), to=mix(paint, (0, 0, 0), 0.5))
    _wheels(canvas, shape, length, radius=0.33)
    return Texture(canvas.finish())


def _wheels(canvas: Canvas, shape: Shape, length: float, *, radius: float) -> None:
    roof = shape.roof
    for x in (shape.bonnet_length * 0.55 + radius + 0.25, length - radius - 0.7):
        canvas.disc(x, roof - radius, radius + 0.06, radius + 0.06, (24, 24, 24))
        canvas.disc(x, roof - radius, radius, radius, (40, 39, 38))
        canvas.disc(x, roof - radius, radius * 0.6, radius * 0.6, (150, 148, 146))
