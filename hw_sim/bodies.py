"""How vehicles look from the front: owns the planes and textures of each type, and where its plate hangs.

A body is a handful of textured planes (side, nose, bonnet, windscreen, roof) set back by `depth_m` from the
foremost point. Front textures for the camera are drawn once per vehicle, at 300 px a metre.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from control.domain.plates import PlateKind
from control.domain.vehicles import VehicleType
from hw_sim.body_shapes import GLASS_DARK, GLASS_SKY, PX_PER_M, RUBBER, SHAPES, Shape
from hw_sim.canvas import Canvas, Colour, mix
from hw_sim.fleet import Drawn, PassPlace, Role
from hw_sim.noses import lamp_height, nose_large, nose_small, tyres
from hw_sim.pass_board import BOARD_M, BOARD_TALL_M, pass_board
from hw_sim.scenery import Texture
from vision.render.plates import render_plate
from vision.render.weather import dirt

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
    x, y = shape.width / 2 - 0.26, lamp_height(shape)
    return ((-x, y, 0.13), (x, y, 0.13))


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
    nose = nose_large(drawn, shape, paint) if shape.roof > 2.2 else nose_small(drawn, shape, paint)
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
    tyres(canvas, width, height, inset=0.1, tyre_width=0.5)
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
