"""Pictures: where the plate is, that noise lives, and that light and weather show."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from hw_sim.camera import SIZE, LaneCamera, Seen, Shot
from hw_sim.fleet import Role, draw_fleet, draw_vehicle
from hw_sim.scenery import Weather, light_at
from hw_sim.world import STOP_M
from vision.render.plates import render_plate

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
FLEET = draw_fleet(1, NOW)


@pytest.fixture(scope="module")
def day() -> LaneCamera:
    return LaneCamera("E-IN-1", seed=1, weather=Weather.CLEAR, hour=10.5)


def vehicle(role: Role, number: int = 1):
    return draw_vehicle(random.Random(number), FLEET, lane_id="in-1", number=number, arrives_at_s=0.0, role=role)


def test_plate_at_the_stop_line_is_140_to_200_pixels_wide_and_legible(day: LaneCamera):
    seen = Seen(vehicle(Role.ELECTRIC), STOP_M, 0.0)
    picture, quad = day.picture(Shot(NOW, (seen,))), day.plate_quad(seen)
    assert quad is not None
    assert 135 < quad[:, 0].max() - quad[:, 0].min() < 200
    clean = render_plate(seen.drawn.plate, seen.drawn.kind)
    height, width = clean.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    flat = cv2.warpPerspective(picture, cv2.getPerspectiveTransform(np.float32(quad), corners), (width, height))
    likeness = cv2.matchTemplate(cv2.blur(flat, (5, 5)), cv2.blur(clean, (5, 5)), cv2.TM_CCOEFF_NORMED)
    assert likeness[0, 0] > 0.8


def test_plate_grows_as_the_vehicle_comes_nearer(day: LaneCamera):
    drawn = vehicle(Role.PLUG_IN)
    widths = [np.ptp(day.plate_quad(Seen(drawn, front, 5.0))[:, 0]) for front in (-20.0, -12.0, -7.0, STOP_M)]
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]


def test_no_two_pictures_of_the_same_scene_are_the_same(day: LaneCamera):
    shot = Shot(NOW, (Seen(vehicle(Role.FUEL), STOP_M, 0.0),))
    one, other = day.picture(shot), day.picture(shot)
    change = np.abs(one.astype(int) - other.astype(int)).mean()
    assert 0.5 < change < 6.0


@pytest.mark.parametrize("role", list(Role))
def test_every_kind_of_vehicle_can_be_drawn_everywhere(day: LaneCamera, role: Role):
    drawn = vehicle(role, 7)
    empty = day.picture(Shot(NOW, ()))
    for front in (-25.0, -9.0, STOP_M, -0.6, 0.1, 2.0, 8.0):
        picture = day.picture(Shot(NOW, (Seen(drawn, front, 3.0),)))
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        assert picture.dtype == np.uint8
    near = day.picture(Shot(NOW, (Seen(drawn, STOP_M, 0.0),)))
    assert np.abs(near.astype(int) - empty.astype(int)).mean() > 8


def test_same_seed_same_picture():
    shot = Shot(NOW, (Seen(vehicle(Role.POLICE), -8.0, 4.0),))
    pictures = [LaneCamera("A", seed=4, weather=Weather.RAIN, hour=15.0).picture(shot) for _ in range(2)]
    assert np.array_equal(*pictures)


def test_night_is_darker_than_day_and_lit_at_the_plate():
    seen = Seen(vehicle(Role.ELECTRIC), STOP_M, 0.0)
    night = LaneCamera("A", seed=1, weather=Weather.CLEAR, hour=22.0)
    noon = LaneCamera("A", seed=1, weather=Weather.CLEAR, hour=12.0)
    dark, bright = night.picture(Shot(NOW, (seen,))), noon.picture(Shot(NOW, (seen,)))
    assert dark.mean() < 0.6 * bright.mean()
    x, y = night.plate_quad(seen).mean(axis=0).astype(int)
    assert dark[y - 12 : y + 12, x - 50 : x + 50].mean() > 2 * dark[:100].mean()


@pytest.mark.parametrize(("hour", "night"), [(0.0, True), (12.0, False), (23.0, True), (9.0, False)])
def test_light_follows_the_hour(hour: float, night: bool):
    assert light_at(hour, Weather.CLEAR).night is night


def test_jpeg_can_be_decoded(day: LaneCamera):
    data = day.jpeg(Shot(NOW, ()))
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (SIZE[1], SIZE[0], 3)
    assert len(data) < 200_000
