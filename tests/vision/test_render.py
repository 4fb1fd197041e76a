"""The plate renderer: every kind, its size, its format, and the spoilers."""

import numpy as np
import pytest

from control.domain.plates import FORMATS, PlateColour, PlateKind
from vision.render import weather
from vision.render.glyphs import CHARACTERS, glyph
from vision.render.plates import RENDERED_KINDS, colour_of, layout_of, random_plate, random_text, render_plate
from vision.render.scenes import paste_plate, plate_corners, random_quad, rectify

SPOILERS = [
    lambda image, rng: weather.motion_blur(image, length_px=5, angle_deg=30),
    lambda image, rng: weather.defocus(image, sigma_px=1.5),
    lambda image, rng: weather.noise(image, rng, sigma=8),
    lambda image, rng: weather.exposure(image, gain=0.5, offset=10),
    weather.night,
    weather.rain,
    weather.glare,
    weather.shade,
    weather.dirt,
    lambda image, rng: weather.jpeg(image, quality=40),
    lambda image, rng: weather.small_sensor(image, factor=0.4),
    weather.degrade,
]


def fixed(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", RENDERED_KINDS)
def test_random_text_follows_the_format_of_its_kind(kind):
    rows = [row for row in FORMATS if row.kind is kind]
    texts = [random_text(fixed(seed), kind) for seed in range(40)]
    assert kind is PlateKind.TEMPORARY or all(any(row.pattern.fullmatch(text) for row in rows) for text in texts)


@pytest.mark.parametrize("kind", RENDERED_KINDS)
def test_every_character_has_ink_inside_the_plate(kind):
    for seed in range(6):
        text, _, two_rows = random_plate(fixed(seed), kind)
        layout = layout_of(text, kind, two_rows=two_rows)
        for x, y, width, height in layout.boxes:
            assert 0 <= x < x + width <= layout.width
            assert 0 <= y < y + height <= layout.height
        image = render_plate(text, kind, two_rows=two_rows, rng=fixed(seed))
        assert image.dtype == np.uint8
        assert image.shape == (layout.height, layout.width, 3)


@pytest.mark.parametrize(
    ("text", "kind", "two_rows", "shape"),
    [
        ("琼C12345", PlateKind.SMALL, False, (140, 440, 3)),
        ("琼CD12345", PlateKind.NEV_SMALL, False, (140, 480, 3)),
        ("琼C12345", PlateKind.LARGE, True, (220, 440, 3)),
        ("琼9012345", PlateKind.TRACTOR, False, (165, 300, 3)),
    ],
)
def test_size_is_that_of_the_real_plate_in_millimetres(text, kind, two_rows, shape):
    assert render_plate(text, kind, two_rows=two_rows).shape == shape


def test_without_a_generator_the_picture_is_always_the_same():
    first, second = (render_plate("琼C12345", PlateKind.SMALL) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("kind", "channel"), [(PlateKind.SMALL, 0), (PlateKind.NEV_SMALL, 1), (PlateKind.TRACTOR, 1)])
def test_the_ground_has_the_colour_of_the_kind(kind, channel):
    text = {PlateKind.NEV_SMALL: "琼CD12345", PlateKind.TRACTOR: "琼9012345"}.get(kind, "琼C12345")
    ground = np.median(render_plate(text, kind)[12:].reshape(-1, 3), axis=0)
    assert ground.argmax() == channel


def test_an_old_black_plate_keeps_the_civil_text():
    black = render_plate("鲁L88888", PlateKind.SMALL, colour=PlateColour.BLACK)
    assert np.median(black) < 60


def test_unknown_kind_and_unknown_character_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        colour_of(PlateKind.UNKNOWN)
    with pytest.raises(ValueError, match="no glyph"):
        render_plate("琼C1234台", PlateKind.SMALL)
    with pytest.raises(ValueError, match="no format"):
        random_text(fixed(), PlateKind.UNKNOWN)


def test_glyphs_are_read_only_and_differ():
    shapes = {glyph(char, 20, 40).tobytes() for char in CHARACTERS}
    assert len(shapes) == len(CHARACTERS)
    assert not glyph("A", 20, 40).flags.writeable


@pytest.mark.parametrize("spoil", SPOILERS)
def test_spoilers_keep_shape_and_leave_their_input_alone(spoil):
    image = render_plate("琼C12345", PlateKind.SMALL)
    image.setflags(write=False)
    spoiled = spoil(image, fixed())
    assert spoiled.shape == image.shape
    assert spoiled.dtype == np.uint8


def test_the_same_seed_spoils_the_same_way():
    image = render_plate("琼C12345", PlateKind.SMALL)
    assert np.array_equal(weather.degrade(image, fixed()), weather.degrade(image, fixed()))


def test_a_pasted_plate_is_found_again_by_its_corners():
    plate = render_plate("琼C12345", PlateKind.SMALL)
    scene = np.full((300, 500, 3), 90, np.uint8)
    quad = random_quad(fixed(), centre=(250, 150), width_px=260, aspect=140 / 440)
    back = rectify(paste_plate(scene, plate, quad), quad, (440, 140))
    assert np.abs(back.astype(int) - plate).mean() < 12
    assert plate_corners(plate).tolist() == [[0, 0], [440, 0], [440, 140], [0, 140]]


def test_a_plate_pasted_outside_changes_nothing():
    scene = np.full((50, 60, 3), 90, np.uint8)
    quad = plate_corners(scene) + 500
    assert np.array_equal(paste_plate(scene, scene, quad), scene)
