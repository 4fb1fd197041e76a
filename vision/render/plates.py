"""Clean plates of every kind: owns layout, colours and characters, one pixel per millimetre.

Layouts follow GA 36 (440 x 140, 480 x 140 for eight characters, 440 x 220 in two rows, 300 x 165 for
tractors); kinds outside that standard are drawn after photographs. Blur, dirt and light are `weather`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from control.domain.plates import DIGITS, LETTERS, PROVINCES, PlateColour, PlateKind
from vision.render.glyphs import NEW_ENERGY_VARIANTS, VARIANTS, glyph

Bgr = tuple[int, int, int]
# (character, width, height, variant=, stroke=) to its coverage, as `vision.render.glyphs.glyph`.
GlyphSource = Callable[..., np.ndarray]
Box = tuple[float, float, float, float]

WHITE: Bgr = (245, 245, 245)
BLACK: Bgr = (25, 25, 25)
RED: Bgr = (35, 30, 200)
GROUNDS: dict[PlateColour, Bgr] = {
    PlateColour.BLUE: (170, 75, 15),
    PlateColour.YELLOW: (25, 185, 240),
    PlateColour.WHITE: (240, 240, 240),
    PlateColour.BLACK: (30, 28, 26),
    PlateColour.FARM_GREEN: (80, 130, 10),
    PlateColour.PAPER: (235, 215, 180),
}
GREEN_TOP: Bgr = (235, 245, 235)
GREEN_BOTTOM: Bgr = (110, 200, 80)
KIND_COLOURS: dict[PlateKind, PlateColour] = {
    PlateKind.SMALL: PlateColour.BLUE,
    PlateKind.LARGE: PlateColour.YELLOW,
    PlateKind.TRAILER: PlateColour.YELLOW,
    PlateKind.COACH: PlateColour.YELLOW,
    PlateKind.NEV_SMALL: PlateColour.GREEN,
    PlateKind.NEV_LARGE: PlateColour.YELLOW_GREEN,
    PlateKind.POLICE: PlateColour.WHITE,
    PlateKind.EMERGENCY: PlateColour.WHITE,
    PlateKind.ARMED_POLICE: PlateColour.WHITE,
    PlateKind.MILITARY: PlateColour.WHITE,
    PlateKind.HONG_KONG: PlateColour.BLACK,
    PlateKind.MACAU: PlateColour.BLACK,
    PlateKind.EMBASSY: PlateColour.BLACK,
    PlateKind.CONSULATE: PlateColour.BLACK,
    PlateKind.TRACTOR: PlateColour.FARM_GREEN,
    PlateKind.AVIATION: PlateColour.FARM_GREEN,
    PlateKind.TEMPORARY: PlateColour.PAPER,
}
RENDERED_KINDS = tuple(KIND_COLOURS)
ALWAYS_TWO_ROWS = frozenset({PlateKind.TRAILER, PlateKind.TRACTOR})
MAY_HAVE_TWO_ROWS = frozenset({PlateKind.LARGE, PlateKind.ARMED_POLICE, PlateKind.MILITARY, PlateKind.POLICE})
_DARK_GROUNDS = frozenset({PlateColour.BLUE, PlateColour.BLACK, PlateColour.FARM_GREEN})
_RED_CHARACTERS = frozenset("警应急使领")


@dataclass(frozen=True, slots=True)
class Layout:
    """Size of the plate and one box (x, y, width, height) per character, all in millimetres."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    dot: tuple[float, float] | None


def colour_of(kind: PlateKind) -> PlateColour:
    """The ground that a plate of this kind has. Raises ValueError for PlateKind.UNKNOWN."""
    if kind not in KIND_COLOURS:
        raise ValueError(f"{kind} is no kind that can be drawn; take one of {', '.join(RENDERED_KINDS)}")
    return KIND_COLOURS[kind]


def layout_of(text: str, kind: PlateKind, *, two_rows: bool = False) -> Layout:
    """Where each character of `text` stands on a plate of this kind."""
    if kind is PlateKind.TEMPORARY:
        return _row_layout(len(text) + 1, width=220, glyph_width=20, height_mm=45, gap=5, dot_gap=9)
    if kind is PlateKind.ARMED_POLICE and not two_rows and len(text) > 7:
        return _armed_police_layout(len(text))
    if kind is PlateKind.EMBASSY:
        return _embassy_layout(text)
    if kind is PlateKind.TRACTOR:
        return _two_row_layout(len(text), top=3, size=(300, 165), upper=(45, 45), lower=(40, 80))
    if two_rows or kind in ALWAYS_TWO_ROWS:
        top = 3 if kind is PlateKind.ARMED_POLICE and text[2:3] in PROVINCES else 2
        return _two_row_layout(len(text), top=top, size=(440, 220), upper=(80, 60), lower=(65, 110))
    if len(text) >= 8:
        return _row_layout(len(text), width=480, glyph_width=43, height_mm=90, gap=9, dot_gap=49)
    return _row_layout(len(text), width=440, glyph_width=45, height_mm=90, gap=12, dot_gap=34)


def _row_layout(count: int, *, width: int, glyph_width: float, height_mm: int, gap: float, dot_gap: float) -> Layout:
    inked = count * glyph_width + (count - 2) * gap + dot_gap
    squeeze = min(1.0, (width - 20) / inked)
    left = (width - inked * squeeze) / 2
    boxes, x = [], left
    for index in range(count):
        boxes.append((x, (140 - height_mm) / 2, glyph_width * squeeze, float(height_mm)))
        x += (glyph_width + (dot_gap if index == 1 else gap)) * squeeze
    dot = (left + (2 * glyph_width + gap + dot_gap / 2) * squeeze, 70.0)
    return Layout(width, 140, tuple(boxes), dot)


def _embassy_layout(text: str) -> Layout:
    """The dot stands in the middle of the six digits, whichever side 使 is on."""
    row = _row_layout(len(text), width=440, glyph_width=45, height_mm=90, gap=12, dot_gap=12)
    middle = text.find("使") == 0
    last_before = 3 if middle else 2
    shift = 11.0
    boxes = tuple((x + (shift if i > last_before else -shift), y, w, h) for i, (x, y, w, h) in enumerate(row.boxes))
    left = boxes[last_before]
    return Layout(row.width, row.height, boxes, (left[0] + left[2] + (12 + 2 * shift) / 2, 70.0))


def _armed_police_layout(count: int) -> Layout:
    """WJ, then a small province or two small digits, then five large characters."""
    small = count - 7
    boxes: list[Box] = [(14, 25, 40, 90), (60, 25, 36, 90)]
    small_width = 30 if small == 2 else 44
    boxes += [(101 + i * (small_width + 3), 52, small_width, 60) for i in range(small)]
    start = 101 + small * (small_width + 3) + 8
    step = (428 - start) / 5
    boxes += [(start + i * step, 25, step - 9, 90) for i in range(5)]
    return Layout(440, 140, tuple(boxes), None)


def _two_row_layout(
    count: int, *, top: int, size: tuple[int, int], upper: tuple[int, int], lower: tuple[int, int]
) -> Layout:
    width, height = size
    upper_gap = 60 if top == 2 else 30
    x = (width - top * upper[0] - (top - 1) * upper_gap) / 2
    boxes: list[Box] = []
    for _ in range(top):
        boxes.append((x, height * 0.068, upper[0], upper[1]))
        x += upper[0] + upper_gap
    bottom = count - top
    lower_gap = 15.0
    squeeze = min(1.0, (width - 30) / (bottom * lower[0] + (bottom - 1) * lower_gap))
    x = (width - (bottom * lower[0] + (bottom - 1) * lower_gap) * squeeze) / 2
    for _ in range(bottom):
        boxes.append((x, height * 0.91 - lower[1], lower[0] * squeeze, lower[1]))
        x += (lower[0] + lower_gap) * squeeze
    dot = (width / 2, height * 0.068 + upper[1] / 2) if top == 2 else None
    return Layout(width, height, tuple(boxes), dot)


def render_plate(
    text: str,
    kind: PlateKind,
    *,
    two_rows: bool = False,
    rng: np.random.Generator | None = None,
    colour: PlateColour | None = None,
    glyph_of: GlyphSource = glyph,
) -> np.ndarray:
    """A clean plate, uint8 BGR (h, w, 3): 140 x 440, 140 x 480 with eight characters, 220 x 440 in two rows.

    With `rng` the shade, the strokes, the font and every character's place vary a little, as real plates do;
    without it the picture is always the same. `colour` overrides the kind's ground (old black civil plates),
    `glyph_of` the atlas.
    Raises ValueError for a character that no plate carries and for PlateKind.UNKNOWN.
    """
    ground_colour = colour or colour_of(kind)
    layout = layout_of(text, kind, two_rows=two_rows)
    image = _ground(ground_colour, layout, rng)
    ink = WHITE if ground_colour in _DARK_GROUNDS else BLACK
    _draw_frame(image, ground_colour, ink, rng)
    characters = text + "临" if kind is PlateKind.TEMPORARY else text
    variant = int(rng.integers(VARIANTS)) if rng is not None else 0
    heaviness = int(rng.integers(-1, 2)) if rng is not None else 0
    if _has_logo(kind):
        variant, glyph_of = NEW_ENERGY_VARIANTS[variant], new_energy_source(glyph_of)
    for index, (char, box) in enumerate(zip(characters, layout.boxes, strict=True)):
        stroke = heaviness + (-2 if char.isascii() else 2 * (variant % 2))
        pixels, x, y = _placed_glyph(char, box, variant, max(-2, min(2, stroke)), rng, glyph_of)
        _ink(image, pixels, x, y, _ink_of(char, index, kind, ink))
    if layout.dot is not None and kind is not PlateKind.TEMPORARY and not _has_logo(kind):
        cv2.circle(image, _rounded(layout.dot), 5, ink, -1, cv2.LINE_AA)
    if _has_logo(kind) and layout.dot is not None:
        _draw_logo(image, _rounded(layout.dot), ink, rng)
    if rng is not None:
        _draw_screws(image, rng)
    return image


def new_energy_source(source: GlyphSource) -> GlyphSource:
    """`source` but for the characters that new-energy plates draw differently, which always come from the atlas."""

    def chosen(char: str, width: int, height: int, *, variant: int, stroke: int) -> np.ndarray:
        if char in "012689D":
            return glyph(char, width, height, variant=variant, stroke=stroke)
        return source(char, width, height, variant=variant, stroke=stroke)

    return chosen


def _has_logo(kind: PlateKind) -> bool:
    return kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)


def _rounded(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _ink_of(char: str, index: int, kind: PlateKind, ink: Bgr) -> Bgr:
    if index < (1 if kind is PlateKind.MILITARY else 2 if kind is PlateKind.ARMED_POLICE else 0):
        return RED
    return RED if char in _RED_CHARACTERS and ink == BLACK else ink


def _ground(colour: PlateColour, layout: Layout, rng: np.random.Generator | None) -> np.ndarray:
    image = np.empty((layout.height, layout.width, 3), np.uint8)
    if colour in (PlateColour.GREEN, PlateColour.YELLOW_GREEN):
        ramp = np.linspace(0.0, 1.0, layout.height, dtype=np.float32)[:, None]
        ramp = ramp ** (rng.uniform(0.6, 1.5) if rng is not None else 1.0)
        top, bottom = _shade(GREEN_TOP, rng), _shade(GREEN_BOTTOM, rng)
        if rng is not None:
            top, bottom = _greener(top, bottom, rng)
        if colour is PlateColour.YELLOW_GREEN:
            image[:] = bottom
            split = round(layout.boxes[1][0] + layout.boxes[1][2] + 10)
            image[:, :split] = _shade(GROUNDS[PlateColour.YELLOW], rng)
        else:
            image[:] = (top * (1 - ramp) + bottom * ramp)[:, None, :]
    else:
        image[:] = _shade(GROUNDS[colour], rng)
    return image


def _greener(top: np.ndarray, bottom: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cameras saturate the green and wash the gradient out, each to its own degree."""
    deep = np.array([rng.uniform(0, 110), rng.uniform(130, 220), rng.uniform(0, 90)], np.float32)
    bottom = bottom + (deep - bottom) * rng.uniform(0, 1)
    return top + (bottom - top) * rng.uniform(0, 0.8) ** 2, bottom


def _shade(colour: Bgr, rng: np.random.Generator | None) -> np.ndarray:
    base = np.array(colour, np.float32)
    if rng is not None:
        grey = base.mean()
        base = grey + (base - grey) * rng.uniform(0.75, 1.35)
        base = base * rng.uniform(0.7, 1.15) + rng.uniform(-22, 22, 3)
    return np.clip(base, 0, 255)


def _draw_frame(image: np.ndarray, colour: PlateColour, ink: Bgr, rng: np.random.Generator | None) -> None:
    if rng is not None and rng.random() < 0.2:
        return
    height, width = image.shape[:2]
    inset = 5 if rng is None else int(rng.integers(3, 9))
    line = ink if colour is not PlateColour.GREEN else (60, 60, 60)
    cv2.rectangle(image, (inset, inset), (width - 1 - inset, height - 1 - inset), line, 2, cv2.LINE_AA)


def _placed_glyph(
    char: str, box: Box, variant: int, stroke: int, rng: np.random.Generator | None, glyph_of: GlyphSource
) -> tuple[np.ndarray, int, int]:
    x, y, width, height = box
    if rng is not None:
        width, height = width * rng.uniform(0.92, 1.05), height * rng.uniform(0.96, 1.04)
        x += (box[2] - width) / 2 + rng.uniform(-1.5, 1.5)
        y += (box[3] - height) / 2 + rng.uniform(-2.0, 2.0)
    return glyph_of(char, round(width), round(height), variant=variant, stroke=stroke), round(x), round(y)


def _ink(image: np.ndarray, coverage: np.ndarray, x: int, y: int, ink: Bgr) -> None:
    """Blend `ink` into `image` in place where `coverage` says so; what falls outside is cut off."""
    height, width = image.shape[:2]
    top, left = max(0, y), max(0, x)
    bottom, right = min(height, y + coverage.shape[0]), min(width, x + coverage.shape[1])
    alpha = coverage[top - y : bottom - y, left - x : right - x, None].astype(np.uint16)
    under = image[top:bottom, left:right]
    under[:] = (under * (255 - alpha) + np.array(ink, np.uint16) * alpha) // 255


def _draw_logo(image: np.ndarray, centre: tuple[int, int], ink: Bgr, rng: np.random.Generator | None) -> None:
    radius = 13 if rng is None else int(rng.integers(10, 16))
    cv2.circle(image, centre, radius, (140, 110, 60), 2, cv2.LINE_AA)
    cv2.line(image, (centre[0] - radius // 2, centre[1]), (centre[0] + radius // 2, centre[1]), ink, 2, cv2.LINE_AA)


def _draw_screws(image: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    for along in (0.24, 0.76):
        for across in (0.08, 0.92):
            if rng.random() < 0.45:
                grey = int(rng.integers(30, 230))
                place = (round(width * (along + rng.uniform(-0.01, 0.01))), round(height * across))
                cv2.circle(image, place, int(rng.integers(3, 7)), (grey, grey, grey), -1, cv2.LINE_AA)


# ---------------------------------------------------------------------------------------------------- random plates

_KIND_WEIGHTS: dict[PlateKind, float] = {
    PlateKind.SMALL: 24,
    PlateKind.LARGE: 17,
    PlateKind.NEV_SMALL: 34,
    PlateKind.NEV_LARGE: 5,
    PlateKind.TRAILER: 3,
    PlateKind.COACH: 5,
    PlateKind.POLICE: 5,
    PlateKind.EMERGENCY: 4,
    PlateKind.HONG_KONG: 2,
    PlateKind.MACAU: 2,
    PlateKind.EMBASSY: 3,
    PlateKind.CONSULATE: 2,
    PlateKind.ARMED_POLICE: 4,
    PlateKind.MILITARY: 4,
    PlateKind.TRACTOR: 3,
    PlateKind.AVIATION: 3,
    PlateKind.TEMPORARY: 1,
}


def random_plate(rng: np.random.Generator, kind: PlateKind | None = None) -> tuple[str, PlateKind, bool]:
    """A valid text with its kind and whether it stands in two rows; rare kinds come more often than on the road."""
    if kind is None:
        weights = np.array(list(_KIND_WEIGHTS.values()), float)
        kind = list(_KIND_WEIGHTS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    two_rows = kind in ALWAYS_TWO_ROWS or (kind in MAY_HAVE_TWO_ROWS and rng.random() < _two_row_share(kind))
    return random_text(rng, kind), kind, two_rows


def _two_row_share(kind: PlateKind) -> float:
    return 0.6 if kind is PlateKind.LARGE else 0.2


def _pick(rng: np.random.Generator, characters: str, count: int = 1) -> str:
    return "".join(characters[int(i)] for i in rng.integers(len(characters), size=count))


def _serial(rng: np.random.Generator, count: int) -> str:
    """Digits with mostly none to two letters anywhere, as issued."""
    serial = list(_pick(rng, DIGITS, count))
    for _ in range(int(rng.choice(3, p=(0.25, 0.4, 0.35)))):
        serial[int(rng.integers(count))] = _pick(rng, LETTERS)
    return "".join(serial)


def random_text(rng: np.random.Generator, kind: PlateKind) -> str:
    """A text that the kind's format in `control.domain.plates` accepts. Raises ValueError for UNKNOWN."""
    if kind not in _TEXTS:
        raise ValueError(f"{kind} has no format")
    return _TEXTS[kind](rng)


def _head(rng: np.random.Generator) -> str:
    return _pick(rng, PROVINCES) + _pick(rng, LETTERS)


def _nev_small(rng: np.random.Generator) -> str:
    third = _pick(rng, "DF" if rng.random() < 0.7 else "ABCEGHJK")
    return _head(rng) + third + _pick(rng, DIGITS if rng.random() < 0.85 else LETTERS) + _pick(rng, DIGITS, 4)


def _nev_large(rng: np.random.Generator) -> str:
    return _head(rng) + _pick(rng, DIGITS, 5) + _pick(rng, "DF" if rng.random() < 0.9 else "ABCEGHJK")


def _embassy(rng: np.random.Generator) -> str:
    digits = _pick(rng, DIGITS, 6)
    return digits + "使" if rng.random() < 0.6 else "使" + digits


def _emergency(rng: np.random.Generator) -> str:
    if rng.random() < 0.15:
        return "京" + _pick(rng, DIGITS, 5) + "应急"
    return _pick(rng, PROVINCES) + _pick(rng, "XS") + _pick(rng, DIGITS, 4) + "应急"


def _armed_police(rng: np.random.Generator) -> str:
    province = _pick(rng, PROVINCES) if rng.random() < 0.7 else ""
    return "WJ" + province + _pick(rng, DIGITS, 4) + _pick(rng, "TDSHBXJ" + DIGITS)


_TEXTS: dict[PlateKind, Callable[[np.random.Generator], str]] = {
    PlateKind.SMALL: lambda rng: _head(rng) + _serial(rng, 5),
    PlateKind.LARGE: lambda rng: _head(rng) + _serial(rng, 5),
    PlateKind.TEMPORARY: lambda rng: _head(rng) + _serial(rng, 5),
    PlateKind.NEV_SMALL: _nev_small,
    PlateKind.NEV_LARGE: _nev_large,
    PlateKind.POLICE: lambda rng: _head(rng) + _serial(rng, 4) + "警",
    PlateKind.COACH: lambda rng: _head(rng) + _serial(rng, 4) + "学",
    PlateKind.TRAILER: lambda rng: _head(rng) + _serial(rng, 4) + "挂",
    PlateKind.HONG_KONG: lambda rng: "粤Z" + _serial(rng, 4) + "港",
    PlateKind.MACAU: lambda rng: "粤Z" + _serial(rng, 4) + "澳",
    PlateKind.EMBASSY: _embassy,
    PlateKind.CONSULATE: lambda rng: _head(rng) + _pick(rng, DIGITS, 4) + "领",
    PlateKind.EMERGENCY: _emergency,
    PlateKind.ARMED_POLICE: _armed_police,
    PlateKind.MILITARY: lambda rng: _pick(rng, LETTERS, 2) + _pick(rng, DIGITS, 5),
    PlateKind.TRACTOR: lambda rng: _pick(rng, PROVINCES) + _pick(rng, DIGITS, 7),
    PlateKind.AVIATION: lambda rng: "民航" + _pick(rng, LETTERS) + _pick(rng, DIGITS, 4),
}
