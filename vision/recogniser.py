"""Reading a plate: owns the recogniser's input, its alphabet's order and the decoding with formats as a language.

The net looks at the whole plate and answers for each of `SLOTS` places which character stands there, or none.
The places are independent, so the best text of a format is found exactly, place by place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.plates import ALPHABET, DIGITS, LETTERS, PROVINCES, SERIAL_LETTERS_MAX, PlateColour
from control.domain.readings import CharacterReading
from vision.runtime import Model, open_model

INPUT_WIDTH = 160
INPUT_HEIGHT = 40
SLOTS = 9
COLOURS = (
    PlateColour.BLUE,
    PlateColour.YELLOW,
    PlateColour.GREEN,
    PlateColour.YELLOW_GREEN,
    PlateColour.WHITE,
    PlateColour.BLACK,
    PlateColour.FARM_GREEN,
    PlateColour.PAPER,
)
UPPER_WIDTH = 64
# Height by width of a quad from which it may hold two rows, and from which it may not hold one.
TWO_ROWS_ASPECT_MIN = 0.36
ONE_ROW_ASPECT_MAX = 0.75
# A reading less sure than this is made again between each of these shifted corners (left, top, right, bottom in
# fractions of the plate), and the answers are averaged.
DOUBTFUL_CONFIDENCE_MAX = 0.95
SHIFTED_CORNERS = (
    (0.0, 0.0, 1.0, 1.0),
    (-0.04, -0.1, 1.04, 1.1),
    (0.04, 0.06, 0.96, 0.94),
    (-0.05, 0.0, 1.0, 1.0),
    (0.0, 0.0, 1.05, 1.0),
    (0.0, -0.12, 1.0, 1.0),
    (0.0, 0.0, 1.0, 1.12),
    (0.12, 0.0, 1.0, 1.0),
)
# The brightness that `levelled` gives to the brightest parts of a plate, and how far it goes.
LEVEL, LEVEL_PERCENTILE = 225.0, 95
LEVEL_GAIN_MIN, LEVEL_GAIN_MAX = 0.8, 8.0
# A text outside every format is given up for a valid one that is at most this many nats less likely.
FORMAT_MARGIN_NATS = 6.0
ALTERNATIVES_MAX = 4
ALTERNATIVE_PROBABILITY_MIN = 1e-3

_NEV_LETTERS = "ABCDEFGHJK"
_ANY = LETTERS + DIGITS
_CIVIL = (PROVINCES, LETTERS)
_BLUE_YELLOW_BLACK = frozenset({PlateColour.BLUE, PlateColour.YELLOW, PlateColour.BLACK, PlateColour.PAPER})
_YELLOW = frozenset({PlateColour.YELLOW})
_WHITE = frozenset({PlateColour.WHITE})
_BLACK = frozenset({PlateColour.BLACK})
_GREENS = frozenset({PlateColour.FARM_GREEN, PlateColour.GREEN})
# The five places of a civil serial: at most two hold letters.
_SERIALS = tuple(
    serial for serial in product((DIGITS, LETTERS), repeat=5) if serial.count(LETTERS) <= SERIAL_LETTERS_MAX
)
# One tuple of allowed characters per place, and the grounds; the formats are those of `control.domain.plates.FORMATS`.
TEMPLATES: tuple[tuple[tuple[str, ...], frozenset[PlateColour]], ...] = (
    *(((*_CIVIL, *serial), _BLUE_YELLOW_BLACK) for serial in _SERIALS),
    ((*_CIVIL, _NEV_LETTERS, _ANY, *[DIGITS] * 4), frozenset({PlateColour.GREEN})),
    ((*_CIVIL, *[DIGITS] * 5, _NEV_LETTERS), frozenset({PlateColour.YELLOW_GREEN})),
    ((*_CIVIL, *[_ANY] * 4, "警"), _WHITE),
    ((*_CIVIL, *[_ANY] * 4, "学"), _YELLOW),
    ((*_CIVIL, *[_ANY] * 4, "挂"), _YELLOW),
    (("粤", "Z", *[_ANY] * 4, "港"), _BLACK),
    (("粤", "Z", *[_ANY] * 4, "澳"), _BLACK),
    ((*[DIGITS] * 6, "使"), _BLACK),
    (("使", *[DIGITS] * 6), _BLACK),
    ((*_CIVIL, *[DIGITS] * 4, "领"), _BLACK),
    ((PROVINCES, "XS", *[DIGITS] * 4, "应", "急"), _WHITE),
    (("京", *[DIGITS] * 5, "应", "急"), _WHITE),
    (("W", "J", PROVINCES, *[DIGITS] * 4, "TDSHBXJ" + DIGITS), _WHITE),
    # As issued before 2012; no format of the vocabulary, so that nothing is inferred from it.
    (("W", "J", *[DIGITS] * 7), _WHITE),
    (("W", "J", *[DIGITS] * 4, "TDSHBXJ" + DIGITS), _WHITE),
    ((LETTERS, LETTERS, *[DIGITS] * 5), _WHITE),
    (("民", "航", *[_ANY] * 5), _GREENS),
    ((PROVINCES, *[DIGITS] * 7), frozenset({PlateColour.FARM_GREEN})),
)


def _mask(template: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which classes a template allows, bool (SLOTS, classes); class 0 is `no character`."""
    mask = np.zeros((SLOTS, len(ALPHABET) + 1), bool)
    mask[len(template) :, 0] = True
    for slot, allowed in enumerate(template):
        mask[slot, [ALPHABET.index(char) + 1 for char in allowed]] = True
    return mask


_MASKS = np.stack([_mask(template) for template, _ in TEMPLATES])
_LENGTHS = np.array([len(template) for template, _ in TEMPLATES])
_GROUNDS = np.array([[colour in grounds for colour in COLOURS] for _, grounds in TEMPLATES])
# The ground may outweigh this many nats of text, and only between formats of one length: a ground seen wrongly
# must never lengthen or shorten a text.
GROUND_NATS_MAX = 4.0


@dataclass(frozen=True, slots=True)
class PlateText:
    """What stands on one plate. `raw` is the likeliest text without the language of formats.

    `confidence` is the probability that the whole text is right, its length too. `plate_bgr` is the plate upright,
    uint8 (40 or 80, 160, 3).
    """

    characters: tuple[CharacterReading, ...]
    confidence: float
    colour: PlateColour
    colour_confidence: float
    rows: int
    raw: str
    plate_bgr: NDArray[np.uint8]

    @property
    def text(self) -> str:
        """The characters in order, without the dot."""
        return "".join(character.char for character in self.characters)


class Recogniser:
    """Reads the plate between four corners; one instance serves one thread at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._sharpness = float(model.facts.get("sharpness", 1.0))
        self._colour_sharpness = float(model.facts.get("colour_sharpness", 1.0))

    @classmethod
    def load(cls, models_dir: Path | None = None) -> Recogniser:
        """The recogniser of `models.toml`. Raises ConfigurationError."""
        return cls(open_model("plate_recogniser", models_dir))

    def read(
        self, image_bgr: NDArray[np.uint8], quad: NDArray[np.float32] | None = None, rows: int | None = None
    ) -> PlateText:
        """Text and colour between the corners `quad` (float32 (4, 2)), or of the whole picture.

        Unless `rows` says whether the plate has one or two, a quad of middling shape is read both ways
        and the surer reading counts.
        """
        if quad is None:
            height, width = image_bgr.shape[:2]
            quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        readings = [self._read_rows(image_bgr, quad, count) for count in ((rows,) if rows else row_choices(quad))]
        best = max(readings, key=lambda reading: reading.confidence)
        return self._averaged(image_bgr, quad, best) if best.confidence < DOUBTFUL_CONFIDENCE_MAX else best

    def _read_rows(self, image_bgr: NDArray[np.uint8], quad: NDArray[np.float32], rows: int) -> PlateText:
        plate = rectify(image_bgr, quad, _canvas(rows))
        (logits,), (colours,) = self._run([plate], rows)
        return self._decoded(logits, colours, rows, plate)

    def _averaged(self, image_bgr: NDArray[np.uint8], quad: NDArray[np.float32], reading: PlateText) -> PlateText:
        """The reading made again between shifted corners, because a detector cuts a plate a little wrong."""
        quads = [shifted(quad, *sides) for sides in SHIFTED_CORNERS]
        plates = [rectify(image_bgr, corners, _canvas(reading.rows)) for corners in quads]
        logits, colours = self._run(plates, reading.rows)
        return self._decoded(logits.mean(axis=0), colours.mean(axis=0), reading.rows, reading.plate_bgr)

    def _run(self, plates: list[NDArray[np.uint8]], rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the characters (n, SLOTS, classes) and of the grounds (n, colours)."""
        strips = [levelled(join_rows(plate) if rows == 2 else plate) for plate in plates]
        characters, colours = self._model.run(cv2.dnn.blobFromImages(strips, 1 / 255, swapRB=True))
        return characters, colours

    def _decoded(
        self, logits: NDArray[np.float32], colour_logits: NDArray[np.float32], rows: int, plate: NDArray[np.uint8]
    ) -> PlateText:
        chances = _softmax(logits * self._sharpness)
        colours = _softmax(colour_logits * self._colour_sharpness)
        raw = chances.argmax(axis=1)
        classes = best_classes(chances, colours)
        confidence, believed = beliefs(chances, colours, classes)
        return PlateText(
            characters=tuple(_character(believed[slot], int(best)) for slot, best in enumerate(classes) if best),
            confidence=confidence,
            colour=COLOURS[int(colours.argmax())],
            colour_confidence=float(colours.max()),
            rows=rows,
            raw="".join(ALPHABET[i - 1] for i in raw if i),
            plate_bgr=plate,
        )


def best_classes(chances: NDArray[np.float32], colours: NDArray[np.float32]) -> NDArray[np.int64]:
    """Class per slot: the likeliest text of any format, or the raw one where none comes near it.

    `chances` is (SLOTS, classes), `colours` (COLOURS,); both probabilities.
    """
    logs = np.log(np.maximum(chances, 1e-9))
    allowed = np.where(_MASKS, logs[None], -np.inf)
    scores = allowed.max(axis=2).sum(axis=1)
    length = _LENGTHS[int(scores.argmax())]
    ground = np.maximum(np.log(_GROUNDS @ colours + 1e-9), -GROUND_NATS_MAX)
    best = int(np.where(length == _LENGTHS, scores + ground, -np.inf).argmax())
    if logs.max(axis=1).sum() - scores[best] > FORMAT_MARGIN_NATS:
        return chances.argmax(axis=1)
    return allowed[best].argmax(axis=1)


def beliefs(
    chances: NDArray[np.float32], colours: NDArray[np.float32], classes: NDArray[np.int64]
) -> tuple[float, NDArray[np.float32]]:
    """(probability that `classes` is the whole text, chances (SLOTS, classes)) once the formats are known.

    The net's places know nothing of each other: it may halve a place between 6 and G where every format wants a digit.
    So every text of a format is weighed by its chances, one outside of all by `FORMAT_MARGIN_NATS` less, and the
    ground tells formats of one length apart, as in `best_classes`. A text of no format keeps the net's own chances.
    """
    fits = _MASKS[:, np.arange(SLOTS), classes].all(axis=1)
    whole = float(chances[np.arange(SLOTS), classes].prod())
    if not fits.any():
        return whole, chances
    allowed = np.where(_MASKS, chances[None], 0.0).astype(np.float64)
    places = allowed.sum(axis=2)
    grounds = np.maximum(_GROUNDS @ colours, np.exp(-GROUND_NATS_MAX))
    alike = _LENGTHS[fits][0] == _LENGTHS
    grounds = np.where(alike, grounds / grounds[alike].max(), 1.0)
    weights = places.prod(axis=1) * grounds
    outside = np.exp(-FORMAT_MARGIN_NATS) * max(0.0, 1.0 - float(places.prod(axis=1).sum()))
    total = float(weights.sum()) + outside
    per_format = allowed / np.maximum(places, 1e-300)[:, :, None]
    believed = np.tensordot(weights, per_format, axes=1) / total + chances * (outside / total)
    confidence = min(1.0, whole * float(grounds[fits].sum()) / total)
    return float(confidence), believed.astype(np.float32)


def shifted(quad: NDArray[np.float32], left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    """The quad with its sides at these fractions of its own width and height."""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    inner = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return cv2.perspectiveTransform(inner[None], cv2.getPerspectiveTransform(unit, quad.astype(np.float32)))[0]


def row_choices(quad: NDArray[np.float32]) -> tuple[int, ...]:
    """How many rows a quad of this shape may hold."""
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    aspect = float((left + right) / max(top + bottom, 1e-6))
    if aspect < TWO_ROWS_ASPECT_MIN:
        return (1,)
    return (1, 2) if aspect < ONE_ROW_ASPECT_MAX else (2,)


def two_row_canvas() -> tuple[int, int]:
    """(width, height) in pixels to which a two-row plate is rectified before `join_rows`."""
    return INPUT_WIDTH, 2 * INPUT_HEIGHT


def _canvas(rows: int) -> tuple[int, int]:
    return two_row_canvas() if rows == 2 else (INPUT_WIDTH, INPUT_HEIGHT)


def join_rows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A two-row plate (80, 160, 3) with its upper row laid left of its lower row, (40, 160, 3)."""
    height = image.shape[0]
    upper = cv2.resize(image[: round(height * 0.42)], (UPPER_WIDTH, INPUT_HEIGHT), interpolation=cv2.INTER_AREA)
    lower = cv2.resize(
        image[round(height * 0.36) :], (INPUT_WIDTH - UPPER_WIDTH, INPUT_HEIGHT), interpolation=cv2.INTER_AREA
    )
    return np.hstack([upper, lower])


def rectify(image: NDArray[np.uint8], quad: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The quad's content upright at `size` = (width, height) pixels; shrinking is anti-aliased."""
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    times = int(np.clip(np.ceil(max(float(sides[0]) / size[0], float(sides[1]) / size[1]) / 1.5), 1, 8))
    width, height = size[0] * times, size[1] * times
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    mapping = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    warped = cv2.warpPerspective(
        image, mapping, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return warped if times == 1 else cv2.resize(warped, size, interpolation=cv2.INTER_AREA)


def levelled(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The strip with its light ink or ground brought to one brightness, so that dusk and noon look alike.

    All channels share one factor: hues stay as they are.
    """
    bright = float(np.percentile(strip[::2, ::2].max(axis=2), LEVEL_PERCENTILE))
    gain = float(np.clip(LEVEL / max(bright, 1.0), LEVEL_GAIN_MIN, LEVEL_GAIN_MAX))
    return cv2.convertScaleAbs(strip, alpha=gain)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def _character(chances: NDArray[np.float32], best: int) -> CharacterReading:
    others = [int(i) for i in np.argsort(chances)[::-1][: ALTERNATIVES_MAX + 2] if i not in (0, best)]
    alternatives = tuple(
        (ALPHABET[i - 1], float(chances[i]))
        for i in others[:ALTERNATIVES_MAX]
        if chances[i] >= ALTERNATIVE_PROBABILITY_MIN
    )
    return CharacterReading(ALPHABET[best - 1], float(chances[best]), alternatives)
