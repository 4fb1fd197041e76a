"""Sequences of rendered pictures through the real reader: one track a vehicle, whatever it drives like."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from control.domain.readings import PlateReading
from control.gate.arrivals import Track, Tracker
from hw_sim.camera import LaneCamera, Seen, Shot
from hw_sim.fleet import Drawn, Role, draw_fleet, draw_vehicle
from hw_sim.scenery import Weather
from vision.reader import PlateReader

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
FRAME_S = 0.25
CAMERA_END_M = 0.8


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader()


@pytest.fixture
def camera() -> LaneCamera:
    return LaneCamera("东1", seed=1, weather=Weather.CLEAR, hour=11)


def electric(plate: str, number: int = 1) -> Drawn:
    fleet = draw_fleet(1, START)
    drawn = draw_vehicle(random.Random(5), fleet, lane_id="in", number=number, arrives_at_s=0.0, role=Role.ELECTRIC)
    return replace(drawn, plate=plate)


class Film:
    """What a lane's camera sees and the reader reads, picture after picture."""

    def __init__(self, camera: LaneCamera, reader: PlateReader) -> None:
        self._camera, self._reader = camera, reader
        self._tracker, self._count = Tracker(), 0
        self.tracks: dict[int, Track] = {}

    def picture(self, *vehicles: tuple[Drawn, float]) -> np.ndarray:
        shown = tuple(Seen(drawn, front_m, 1.5) for drawn, front_m in vehicles if front_m < CAMERA_END_M)
        return self._camera.picture(Shot(START + timedelta(seconds=self._count * FRAME_S), shown))

    def show(self, picture: np.ndarray) -> None:
        self._count += 1
        for track in self._tracker.add(self._count * FRAME_S, self._plates(picture)).active:
            self.tracks[track.track_id] = track

    def _plates(self, picture: np.ndarray) -> Iterable[PlateReading]:
        return [plate for plate in self._reader.read(picture).plates if plate.confidence > 0.1]

    def pause(self, seconds: float) -> None:
        self._count += round(seconds / FRAME_S)

    @property
    def texts(self) -> list[str]:
        return [track.reading.text for track in self.tracks.values()]


@pytest.fixture
def film(camera: LaneCamera, reader: PlateReader) -> Film:
    return Film(camera, reader)


@pytest.mark.parametrize("second", ["琼BF80677", "琼AD12346"], ids=["other", "one apart"])
def test_nose_to_tail_are_two(film: Film, second: str) -> None:
    first, behind = electric("琼AD12345"), electric(second, 2)
    for step in range(19):
        front_m = -6.0 + 0.5 * step
        film.show(film.picture((first, front_m), (behind, front_m - first.length_m - 0.9)))
    assert film.texts == [first.plate, second]


@pytest.mark.parametrize("second", ["琼BF80677", "琼AD12346"], ids=["other", "one apart"])
def test_the_second_plate_in_the_picture_before_the_first_has_left_are_two(film: Film, second: str) -> None:
    first, behind = electric("琼AD12345"), electric(second, 2)
    for step in range(8):
        near_m, far_m = -4.5 + 0.2 * step, -8.0 + 0.2 * step
        picture, beside = film.picture((first, near_m)), film.picture((behind, far_m))
        corners = film._camera.plate_quad(Seen(behind, far_m, 1.5))
        assert corners is not None
        (x0, y0), (x1, y1) = corners.min(axis=0).astype(int) - 14, corners.max(axis=0).astype(int) + 14
        # Seen past the first one's roof, as from a camera on a high mast.
        picture[y0 - 200 : y1 - 200, x0:x1] = beside[y0:y1, x0:x1]
        film.show(picture)
    assert sorted(film.texts) == sorted([first.plate, second])


def test_the_second_comes_to_stand_where_the_first_stood_while_nobody_looked(film: Film) -> None:
    first, behind = electric("琼AD12345"), electric("琼AD12346", 2)
    for _ in range(3):
        film.show(film.picture((first, -4.0)))
    film.pause(1.5)
    for _ in range(3):
        film.show(film.picture((behind, -4.0)))
    assert film.texts == [first.plate, behind.plate]


def test_rolling_back_and_forth_is_one(film: Film) -> None:
    car = electric("琼AD12345")
    for front_m in (*np.arange(-8, -4, 0.5), *np.arange(-4, -7, -0.4), *np.arange(-7, -3.5, 0.5)):
        film.show(film.picture((car, float(front_m))))
    assert film.texts == [car.plate]
    assert film.tracks[1].reading.confidence > 0.9
