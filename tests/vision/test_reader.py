"""From finds and texts to readings: order, doubles, specks, colours; and the real models on rendered scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from control.domain.plates import PlateColour, PlateKind, Verdict
from control.domain.readings import CharacterReading, VehicleReading
from control.domain.vehicles import VehicleType
from vision.reader import PlateReader
from vision.render.plates import random_plate, render_plate
from vision.render.scenes import paste_plate
from vision.render.weather import noise


def box(x: float, y: float, width: float = 88, height: float = 28) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


@dataclass(frozen=True)
class Found:
    quad: np.ndarray
    score: float = 0.9


@dataclass(frozen=True)
class Text:
    text: str
    probability: float = 0.99
    colour: PlateColour = PlateColour.BLUE
    colour_confidence: float = 0.95
    rows: int = 1
    plate_bgr: np.ndarray = field(
        default_factory=lambda: render_plate("琼C12345", PlateKind.SMALL, rng=np.random.default_rng(1))
    )

    @property
    def characters(self) -> tuple[CharacterReading, ...]:
        return tuple(CharacterReading(char, self.probability) for char in self.text)

    @property
    def confidence(self) -> float:
        return self.probability ** len(self.text)


@dataclass
class Finds:
    finds: Sequence[Found]
    small: Sequence[Found] = ()
    looks: list[str] = field(default_factory=list)

    def find(self, image_bgr: np.ndarray, *, thorough: bool) -> Sequence[Found]:
        self.looks.append("thorough" if thorough else "quick")
        return [*self.finds, *self.small] if thorough else self.finds


@dataclass
class Texts:
    """Gives the text laid down for the left edge of the quad."""

    by_left: dict[int, Text]
    asked: list[int] = field(default_factory=list)

    def read(self, image_bgr: np.ndarray, quad: np.ndarray) -> Text:
        self.asked.append(int(quad[0, 0]))
        return self.by_left[int(quad[0, 0])]


def picture() -> np.ndarray:
    image = np.random.default_rng(2).integers(0, 256, (300, 600, 3), np.uint8)
    image.setflags(write=False)
    return image


def read(finds: Sequence[Found], texts: dict[int, Text], **options: bool):
    return PlateReader(detector=Finds(finds), recogniser=Texts(texts)).read(picture(), **options)


def test_the_surest_plate_comes_first_and_confidence_is_the_whole_text_s() -> None:
    finds = [Found(box(10, 10)), Found(box(300, 10))]
    reading = read(finds, {10: Text("琼C12345", 0.9), 300: Text("琼A98765", 0.99)})
    assert [plate.text for plate in reading.plates] == ["琼A98765", "琼C12345"]
    assert reading.plates[0].confidence == pytest.approx(0.99**7)
    assert reading.plates[0].quad[2] == (388, 38)


def test_nobody_looked_for_vehicles() -> None:
    assert read([], {}).vehicles is None


@dataclass
class Vehicles:
    """One car in every picture; remembers where it was told that plates are."""

    quads: list[list[object]] = field(default_factory=list)

    def read(self, image_bgr: np.ndarray, plates: Sequence[object]) -> tuple[VehicleReading, ...]:
        self.quads.append(list(plates))
        return (VehicleReading(VehicleType.CAR, 0.9, (1, 2, 3, 4)),)


def test_vehicles_are_looked_for_only_where_they_are_asked_for() -> None:
    vehicles, texts = Vehicles(), Texts({0: Text("琼C12345"), 10: Text("琼C12345")})
    reader = PlateReader(detector=Finds([Found(box(10, 10))]), recogniser=texts, vehicles=vehicles)
    assert reader.read(picture()).vehicles is None
    assert reader.read(picture(), crop=True, vehicles=True).vehicles is None
    assert vehicles.quads == []
    reading = reader.read(picture(), vehicles=True)
    assert reading.vehicles == (VehicleReading(VehicleType.CAR, 0.9, (1, 2, 3, 4)),)
    assert vehicles.quads == [[reading.plates[0].quad]]


def test_of_a_plate_found_twice_the_surer_reading_stays() -> None:
    finds = [Found(box(10, 10), 0.6), Found(box(14, 11), 0.9), Found(box(200, 10))]
    texts = {10: Text("琼C12346", 0.9), 14: Text("琼C12345"), 200: Text("琼A98765")}
    assert {plate.text for plate in read(finds, texts).plates} == {"琼C12345", "琼A98765"}


@pytest.mark.parametrize(
    ("probability", "looks", "texts"),
    [(0.99, ["quick"], ["琼C12345"]), (0.9, ["quick", "thorough"], ["琼A98765", "琼C12345"])],
)
def test_only_a_picture_in_which_nothing_is_read_surely_is_looked_at_thoroughly(
    probability: float, looks: list[str], texts: list[str]
) -> None:
    finds = Finds([Found(box(10, 10))], small=[Found(box(300, 10))])
    reader = PlateReader(detector=finds, recogniser=Texts({10: Text("琼C12345", probability), 300: Text("琼A98765")}))
    assert [plate.text for plate in reader.read(picture()).plates] == texts
    assert finds.looks == looks


@pytest.mark.parametrize(
    "quad", [box(10, 10, 9, 3), box(10, 10, 0, 0), np.full((4, 2), np.nan, np.float32), np.full((4, 2), np.inf)]
)
def test_what_is_too_small_to_read_is_not_read(quad: np.ndarray) -> None:
    texts = Texts({})
    reading = PlateReader(detector=Finds([Found(quad)]), recogniser=texts).read(picture())
    assert reading.plates == ()
    assert texts.asked == []


@pytest.mark.parametrize(
    ("score", "text", "kept"),
    [(0.4, "1", False), (0.4, "", False), (0.9, "", False), (0.9, "C123", True), (0.4, "琼C12345", True)],
)
def test_specks_are_dropped_and_plates_kept(score: float, text: str, kept: bool) -> None:
    assert bool(read([Found(box(10, 10), score)], {10: Text(text)}).plates) is kept


def test_a_ghost_is_dropped_and_a_plate_hard_to_read_is_not() -> None:
    assert read([Found(box(10, 10), 0.4)], {10: Text("琼C12345", 0.4)}).plates == ()
    assert read([Found(box(10, 10), 0.9)], {10: Text("琼C12345", 0.4)}).plates != ()


def test_a_colour_that_the_pixels_deny_makes_the_verdict_unsure() -> None:
    """The plate's pixels are blue: a network that says green does not open the barrier."""
    honest = read([Found(box(10, 10))], {10: Text("琼C12345")}).plates[0]
    fooled = read([Found(box(10, 10))], {10: Text("琼CD12345", colour=PlateColour.GREEN)}).plates[0]
    assert (honest.colour, honest.verdict) == (PlateColour.BLUE, Verdict.FUEL)
    assert (fooled.colour, fooled.verdict) == (PlateColour.UNKNOWN, Verdict.UNSURE)


def test_a_picture_in_night_mode_proves_no_colour() -> None:
    grey = np.random.default_rng(2).integers(0, 256, (300, 600, 1), np.uint8).repeat(3, axis=2)
    reader = PlateReader(detector=Finds([Found(box(10, 10))]), recogniser=Texts({10: Text("琼C12345")}))
    plate = reader.read(grey).plates[0]
    assert (plate.text, plate.colour, plate.verdict) == ("琼C12345", PlateColour.UNKNOWN, Verdict.UNSURE)


def test_a_crop_is_one_plate_as_large_as_the_picture() -> None:
    reading = read([Found(box(10, 10))], {0: Text("琼C12345")}, crop=True)
    assert reading.plates[0].quad == ((0, 0), (600, 0), (600, 300), (0, 300))


def test_pixels_of_another_shape_or_type_are_our_own_mistake() -> None:
    reader = PlateReader(detector=Finds([]), recogniser=Texts({}))
    for image in (np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3), np.float32)):
        with pytest.raises(AssertionError):
            reader.read(image)


# -------------------------------------------------------------------------------------------------- the real models


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader()


KINDS = (PlateKind.SMALL, PlateKind.NEV_SMALL, PlateKind.LARGE)


def scene(seed: int) -> tuple[np.ndarray, str, np.ndarray]:
    """A street of sorts with one plate on it, its text and its corners."""
    rng = np.random.default_rng(seed)
    text, kind, _ = random_plate(rng, KINDS[seed % len(KINDS)])
    ground = np.broadcast_to(np.linspace(150, 60, 480)[:, None, None], (480, 640, 3)).astype(np.uint8)
    quad = box(rng.uniform(80, 360), rng.uniform(150, 380), 176, 56)
    plate = render_plate(text, kind, rng=rng)
    return noise(paste_plate(ground, plate, quad), rng, sigma=4), text, quad


def test_rendered_scenes_are_read_whole(reader: PlateReader) -> None:
    right = 0
    for seed in range(24):
        image, text, quad = scene(seed)
        best = next(iter(reader.read(image).plates), None)
        right += best is not None and best.text == text
        if best is not None and best.text == text:
            assert np.abs(np.array(best.quad) - quad).max() < 16
    assert right >= 20


def test_rendered_crops_are_read_whole_and_no_fuel_plate_passes(reader: PlateReader) -> None:
    right = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        text, kind, two_rows = random_plate(rng, KINDS[seed % len(KINDS)])
        plate = noise(render_plate(text, kind, two_rows=two_rows, rng=rng), rng, sigma=4)
        best = next(iter(reader.read(plate, crop=True).plates), None)
        right += best is not None and best.text == text
        if kind is not PlateKind.NEV_SMALL:
            assert best is None or best.verdict is not Verdict.NEW_ENERGY
    assert right >= 54


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (2, 3), (40, 160), (33, 1200)])
def test_no_size_is_too_odd(reader: PlateReader, shape: tuple[int, int]) -> None:
    for crop in (False, True):
        reading = reader.read(np.full((*shape, 3), 127, np.uint8), crop=crop, vehicles=True)
        assert reading.ms >= 0
        assert len(reading.plates) <= 1


def test_an_empty_road_has_no_plate(reader: PlateReader) -> None:
    ground = np.broadcast_to(np.linspace(150, 60, 480)[:, None, None], (480, 640, 3)).astype(np.uint8)
    assert reader.read(noise(ground, np.random.default_rng(1), sigma=4)).plates == ()


def test_the_vehicle_of_a_rendered_plate_is_found_around_it(reader: PlateReader, drawn_car: np.ndarray) -> None:
    quad = box(265, 318, 110, 35)
    plate = render_plate("琼C12345", PlateKind.SMALL, rng=np.random.default_rng(1))
    reading = reader.read(paste_plate(drawn_car, plate, quad), vehicles=True)
    assert [plate.text for plate in reading.plates] == ["琼C12345"]
    assert reading.vehicles is not None
    x0, y0, x1, y1 = reading.vehicles[0].box
    assert x0 <= 265 < 375 <= x1
    assert y0 <= 318 < 353 <= y1
    assert x1 - x0 > 250
