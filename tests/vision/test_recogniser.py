"""The plate recogniser on rendered plates, and its language of formats."""

import cv2
import numpy as np
import pytest

from control.domain.plates import ALPHABET, PlateColour, PlateKind, formats_of
from vision.recogniser import (
    COLOURS,
    INPUT_HEIGHT,
    INPUT_WIDTH,
    SLOTS,
    TEMPLATES,
    Recogniser,
    beliefs,
    best_classes,
    join_rows,
    levelled,
    row_choices,
    shifted,
)
from vision.render.plates import colour_of, render_plate

PLATES = [
    ("琼C12B45", PlateKind.SMALL, False),
    ("琼C80316", PlateKind.LARGE, False),
    ("粤B7K290", PlateKind.LARGE, True),
    ("琼AD52346", PlateKind.NEV_SMALL, False),
    ("琼B28346F", PlateKind.NEV_LARGE, False),
    ("琼A0392警", PlateKind.POLICE, False),
    ("琼B1234学", PlateKind.COACH, False),
    ("琼C4827挂", PlateKind.TRAILER, True),
    ("粤Z72F4港", PlateKind.HONG_KONG, False),
    ("224057使", PlateKind.EMBASSY, False),
    ("琼X1234应急", PlateKind.EMERGENCY, False),
    ("WJ琼1234X", PlateKind.ARMED_POLICE, False),
    ("琼9012345", PlateKind.TRACTOR, True),
]


EVEN = np.full(len(COLOURS), 1 / len(COLOURS), np.float32)


def ground(colour: PlateColour) -> np.ndarray:
    return np.array([0.97 if colour is other else 0.004 for other in COLOURS], np.float32)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load()


def chances_of(text: str, sure: float = 0.9) -> np.ndarray:
    """Slots that say `text`, the rest of each slot's chance spread evenly."""
    chances = np.full((SLOTS, len(ALPHABET) + 1), (1 - sure) / len(ALPHABET), np.float32)
    classes = [ALPHABET.index(char) + 1 for char in text]
    for slot, index in enumerate(classes + [0] * (SLOTS - len(text))):
        chances[slot, index] = sure
    return chances


def text_of(classes: np.ndarray) -> str:
    return "".join(ALPHABET[i - 1] for i in classes if i)


@pytest.mark.parametrize(("text", "kind", "two_rows"), PLATES)
def test_reads_a_clean_plate_of_every_kind(recogniser, text, kind, two_rows):
    reading = recogniser.read(render_plate(text, kind, two_rows=two_rows))
    assert reading.text == text
    assert reading.colour is colour_of(kind)
    assert reading.rows == (2 if two_rows else 1)
    assert 0.3 < reading.confidence <= 1


def test_every_character_has_a_probability_and_runners_up(recogniser):
    reading = recogniser.read(render_plate("琼C12B45", PlateKind.SMALL))
    for character in reading.characters:
        chances = [character.probability, *(p for _, p in character.alternatives)]
        assert sum(chances) <= 1.0001
        assert list(chances[1:]) == sorted(chances[1:], reverse=True)
        assert character.char not in dict(character.alternatives)


def test_noise_is_not_read_with_confidence(recogniser):
    noise = np.random.default_rng(3).integers(0, 255, (60, 200, 3)).astype(np.uint8)
    assert recogniser.read(noise).confidence < 0.3


def test_the_picture_handed_over_is_not_changed(recogniser):
    image = render_plate("琼C12B45", PlateKind.SMALL)
    image.setflags(write=False)
    assert recogniser.read(image, rows=1).plate_bgr.shape == (INPUT_HEIGHT, INPUT_WIDTH, 3)


@pytest.mark.parametrize(
    "text", ["琼C12345", "琼CD12345", "琼C12345D", "琼C1234警", "224057使", "使224057", "WJ琼1234X", "民航A1234"]
)
def test_a_valid_text_is_kept_by_the_language(text):
    assert text_of(best_classes(chances_of(text), EVEN)) == text


def test_a_near_miss_becomes_the_valid_text():
    chances = chances_of("琼C12345")
    chances[1], chances[1, ALPHABET.index("8") + 1], chances[1, ALPHABET.index("B") + 1] = 0.0, 0.6, 0.4
    assert text_of(best_classes(chances, EVEN)) == "琼B12345"


def test_a_text_far_from_every_format_stays_as_read():
    assert text_of(best_classes(chances_of("1琼琼琼", sure=0.999), EVEN)) == "1琼琼琼"


def test_a_green_plate_keeps_all_eight_characters():
    chances = chances_of("苏ED51712")
    assert len(text_of(best_classes(chances, EVEN))) == 8


def test_the_ground_decides_between_suffixes():
    chances = chances_of("琼B1234警")
    chances[6], chances[6, ALPHABET.index("警") + 1], chances[6, ALPHABET.index("学") + 1] = 0.0, 0.6, 0.4
    assert text_of(best_classes(chances, ground(PlateColour.YELLOW))) == "琼B1234学"
    assert text_of(best_classes(chances, ground(PlateColour.WHITE))) == "琼B1234警"


def test_the_ground_never_changes_the_length():
    chances = chances_of("琼AD1234", sure=0.8)
    assert len(text_of(best_classes(chances, ground(PlateColour.GREEN)))) == 7


@pytest.mark.parametrize("template", [t for t, _ in TEMPLATES if not (t[0] == "W" and len(t) == 9)])
def test_every_template_is_a_format_of_the_vocabulary(template):
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert formats_of("".join(allowed[int(rng.integers(len(allowed)))] for allowed in template))


def test_shape_tells_how_many_rows_are_possible():
    def quad(width, height):
        return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)

    assert row_choices(quad(440, 140)) == (1,)
    assert row_choices(quad(440, 220)) == (1, 2)
    assert row_choices(quad(100, 90)) == (2,)


def test_two_rows_are_laid_side_by_side():
    image = np.zeros((80, 160, 3), np.uint8)
    image[:28] = 200
    joined = join_rows(image)
    assert joined.shape == (INPUT_HEIGHT, INPUT_WIDTH, 3)
    assert joined[:30, :64].min() == 200
    assert joined[10:, 64:].max() == 0


def test_colours_are_those_of_the_vocabulary(recogniser):
    assert set(recogniser._model.facts["colours"]) <= {str(colour) for colour in PlateColour}
    assert recogniser._model.facts["alphabet"] == ALPHABET


def test_a_plate_that_was_cut_badly_is_read_all_the_same(recogniser):
    plate = render_plate("琼C12B45", PlateKind.SMALL)
    scene = cv2.copyMakeBorder(plate, 60, 60, 120, 120, cv2.BORDER_CONSTANT, value=(60, 70, 65))
    true = np.array([[120, 60], [560, 60], [560, 200], [120, 200]], np.float32)
    for sides in [(-0.1, 0.0, 1.0, 1.0), (0.0, -0.25, 1.0, 1.0), (0.0, 0.0, 1.1, 1.15)]:
        assert recogniser.read(scene, shifted(true, *sides)).text == "琼C12B45"


def test_shifted_corners_follow_the_plate_s_own_axes():
    quad = np.array([[100, 50], [140, 70], [130, 90], [90, 70]], np.float32)
    half = shifted(quad, 0.5, 0.0, 1.0, 1.0)
    assert np.allclose(half, [[120, 60], [140, 70], [130, 90], [110, 80]], atol=1e-3)


@pytest.mark.parametrize("light", [0.15, 0.5, 1.0])
def test_levelling_gives_dusk_and_noon_one_brightness_and_keeps_the_hue(light):
    noon = render_plate("琼C12B45", PlateKind.SMALL)
    strip = levelled((noon * light).astype(np.uint8))
    assert 205 <= np.percentile(strip.max(axis=2), 95) <= 245
    hue = cv2.cvtColor(strip, cv2.COLOR_BGR2HSV)[..., 0]
    assert abs(float(np.median(hue)) - float(np.median(cv2.cvtColor(noon, cv2.COLOR_BGR2HSV)[..., 0]))) <= 4


def test_a_black_picture_is_levelled_without_complaint():
    assert levelled(np.zeros((40, 160, 3), np.uint8)).max() == 0


# ------------------------------------------------------------------------------------------------------------ beliefs


def believed(chances: np.ndarray, colours: np.ndarray = EVEN) -> tuple[float, np.ndarray, np.ndarray]:
    classes = best_classes(chances, colours)
    return *beliefs(chances, colours, classes), classes


def test_a_place_that_must_hold_a_digit_is_not_halved_by_a_letter():
    """沪AF58686: the net wavers between 6 and G in the last place, and no format lets a G stand there."""
    chances = chances_of("沪AF58686", sure=0.98)
    chances[7, [ALPHABET.index("6") + 1, ALPHABET.index("G") + 1]] = 0.55, 0.43
    confidence, places, classes = believed(chances, ground(PlateColour.GREEN))
    assert "".join(ALPHABET[i - 1] for i in classes if i) == "沪AF58686"
    assert places[7].max() > 0.97
    assert confidence > 0.85 > chances[np.arange(SLOTS), classes].prod()


def test_two_digits_stay_as_doubtful_as_the_net_says():
    chances = chances_of("沪AF58686", sure=0.98)
    chances[7, [ALPHABET.index("6") + 1, ALPHABET.index("8") + 1]] = 0.55, 0.43
    confidence, places, _ = believed(chances, ground(PlateColour.GREEN))
    assert places[7].max() == pytest.approx(0.56, abs=0.01)
    assert confidence < 0.57


def test_a_character_that_may_be_missing_makes_the_whole_text_doubtful():
    """苏ED51712 with its last place half empty is a fuel plate's text: the whole is unsure, however sure its places."""
    chances = chances_of("苏ED51712", sure=0.98)
    chances[7, [ALPHABET.index("2") + 1, 0]] = 0.5, 0.48
    assert believed(chances)[0] < 0.6


def test_a_text_of_no_format_keeps_the_net_s_chances():
    chances = chances_of("川川川川川川川", sure=0.999)
    confidence, places, _ = believed(chances)
    assert places is chances
    assert confidence == pytest.approx(0.999**SLOTS, rel=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_beliefs_are_probabilities(seed: int):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, rng.uniform(0.5, 6), (SLOTS, len(ALPHABET) + 1))
    chances = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    colours = rng.dirichlet(np.ones(len(COLOURS))).astype(np.float32)
    confidence, places, classes = believed(chances, colours)
    assert 0 <= confidence <= 1
    assert np.allclose(places.sum(axis=1), 1, atol=1e-4)
    assert confidence <= places[np.arange(SLOTS), classes].min() + 1e-5
