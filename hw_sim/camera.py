"""The gate's camera: owns how a lane's vehicles become a picture, and the picture's noise and weather.

Costs little: the scenery is drawn once per light, a vehicle's textures once, a standing vehicle's picture is
kept; per frame only noise and JPEG remain. The sensor's noise differs in every frame, as in a real camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import cv2
import numpy as np

from hw_sim.bodies import Body, Sheet, build_body
from hw_sim.canvas import lettering
from hw_sim.fleet import Drawn
from hw_sim.pinhole import Pinhole, Plane, look_at
from hw_sim.scenery import Light, Texture, Weather, draw_scenery, light_at, light_map, paste_plane

SIZE = (960, 540)
LENS_M = 0.2
EYE_HEIGHT_M = 1.3
LOCAL_TIME = timezone(timedelta(hours=8))
_CACHED_BODIES = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """One vehicle as the camera needs it: where its front is on the lane's axis, and how fast it moves."""

    drawn: Drawn
    front_m: float
    speed: float


@dataclass(frozen=True, slots=True)
class Shot:
    """A frozen view of a lane at one moment; the vehicle nearest to the boom comes first."""

    at: datetime
    vehicles: tuple[Seen, ...]

    @property
    def still(self) -> tuple[tuple[str, int], ...]:
        """Equal for two shots that show the same thing: ids and positions in centimetres."""
        return tuple((v.drawn.vehicle_id, round(v.front_m * 100)) for v in self.vehicles)


class LaneCamera:
    """Renders one lane. Not for use by two threads at once."""

    def __init__(self, lane_label: str, *, seed: int, weather: Weather, hour: float | None = None) -> None:
        self._label = lane_label
        self._weather = weather
        self._hour = hour
        self._rng = np.random.default_rng(seed)
        self._seed = seed
        self.view: Pinhole = look_at(eye=(1.15, EYE_HEIGHT_M, 0.0), target=(0.38, 1.0, 4.2), focal_px=1300.0, size=SIZE)
        self._bodies: dict[str, Body] = {}
        self._light: Light | None = None
        self._empty = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        self._light_map = self._empty
        self._kept: tuple[object, np.ndarray] | None = None
        self._grain = self._rng.normal(0, 1.0, (SIZE[1] + 64, SIZE[0] + 64, 3)).astype(np.float32)
        self._grain_bytes: dict[float, np.ndarray] = {}
        self._streaks = _rain_streaks(self._rng)

    def jpeg(self, shot: Shot, *, quality: int = 84) -> bytes:
        """The shot as the camera sends it."""
        encoded, data = cv2.imencode(".jpg", self.picture(shot), [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert encoded
        return data.tobytes()

    def picture(self, shot: Shot) -> np.ndarray:
        """The shot, uint8 BGR (540, 960, 3)."""
        self._follow_light(shot.at)
        picture = self._lit(shot).copy()
        if self._weather is Weather.RAIN:
            picture = self._rain(picture)
        self._stamp(picture, shot.at)
        return self._noisy(picture)

    def _follow_light(self, at: datetime) -> None:
        local = at.astimezone(LOCAL_TIME)
        hour = local.hour + local.minute // 10 / 6 if self._hour is None else self._hour
        light = light_at(hour, self._weather)
        if light == self._light:
            return
        self._light, self._kept = light, None
        self._empty = draw_scenery(self.view, light, seed=self._seed, lane_label=self._label)
        self._light_map = light_map(self.view, light)

    def _lit(self, shot: Shot) -> np.ndarray:
        """The scene with its vehicles under the hour's light, before noise; kept while nothing moves."""
        if self._kept is not None and self._kept[0] == shot.still:
            return self._kept[1]
        picture = self._empty.copy()
        for seen in reversed(shot.vehicles):
            self._draw_vehicle(picture, seen)
        assert self._light is not None
        if self._light.day_frac < 1.0 or self._light.warm_frac > 0:
            picture = cv2.multiply(picture, self._light_map, scale=1 / 255)
        if self._light.lamps_on:
            for seen in reversed(shot.vehicles):
                self._headlights(picture, seen)
        self._kept = (shot.still, picture)
        return picture

    def _body(self, drawn: Drawn) -> Body:
        if drawn.vehicle_id not in self._bodies:
            if len(self._bodies) >= _CACHED_BODIES:
                self._bodies.pop(next(iter(self._bodies)))
            self._bodies[drawn.vehicle_id] = build_body(drawn)
        return self._bodies[drawn.vehicle_id]

    def _draw_vehicle(self, picture: np.ndarray, seen: Seen) -> None:
        body, distance = self._body(seen.drawn), LENS_M - seen.front_m
        self._shadow(picture, body, distance)
        side = Plane((body.width_m / 2 - 0.02, body.height_m, distance), (0, 0, body.length_m), (0, -body.height_m, 0))
        if distance + body.length_m > 0.6 and self._sees_side(body):
            paste_plane(picture, self.view, body.side, side)
        for sheet in body.sheets:
            paste_plane(picture, self.view, sheet.texture, _sheet_plane(sheet, distance))
        if body.plate is not None:
            paste_plane(picture, self.view, body.plate, _plate_plane(body, distance))
        self._blur(picture, seen, body)

    def _sees_side(self, body: Body) -> bool:
        return body.width_m / 2 < 1.15

    def _shadow(self, picture: np.ndarray, body: Body, distance: float) -> None:
        texture = _shadow_texture()
        width = body.width_m + 0.5
        plane = Plane((-width / 2, 0.01, distance + body.length_m), (width, 0, 0), (0, 0, -body.length_m - 0.45))
        paste_plane(picture, self.view, texture, plane)

    def _blur(self, picture: np.ndarray, seen: Seen, body: Body) -> None:
        """Movement during 4 ms of exposure, along the way the vehicle crosses the picture."""
        distance = LENS_M - seen.front_m
        if distance < 1.0:
            return
        length = round(abs(seen.speed) * 0.004 * 1300.0 * 1.2 / distance**2 * 3)
        if length < 2:
            return
        box = self._box(body, distance)
        if box is not None:
            part = picture[box[1] : box[3], box[0] : box[2]]
            part[:] = cv2.blur(part, (1, min(length, 9)))

    def _box(self, body: Body, distance: float) -> tuple[int, int, int, int] | None:
        half = body.width_m / 2 + 0.2
        corners = np.array([[-half, 0, distance], [half, body.height_m + 0.2, distance]])
        pixels = self.view.project(corners)[:, :2]
        left, right = np.clip(sorted(pixels[:, 0]), 0, SIZE[0]).astype(int)
        top, bottom = np.clip(sorted(pixels[:, 1]), 0, SIZE[1]).astype(int)
        return (left, top, right, bottom) if right - left > 4 and bottom - top > 4 else None

    def _headlights(self, picture: np.ndarray, seen: Seen) -> None:
        distance = LENS_M - seen.front_m
        if distance < 0.8:
            return
        for x, y, radius in self._body(seen.drawn).lamps:
            px, py, depth = self.view.project(np.array([[x, y, distance]]))[0]
            reach = 1300.0 / depth * radius
            _add_glow(picture, px, py, reach * 4.5, (150, 165, 175))
            _add_glow(picture, px, py, reach * 1.1, (250, 252, 255))

    def plate_quad(self, seen: Seen) -> np.ndarray | None:
        """True corners of the plate in pixels (4, 2), from top left clockwise; None without a plate in front."""
        body, distance = self._body(seen.drawn), LENS_M - seen.front_m
        if body.plate is None or distance < 0.8:
            return None
        return self.view.outline(_plate_plane(body, distance))

    def _rain(self, picture: np.ndarray) -> np.ndarray:
        layer = self._streaks[int(self._rng.integers(len(self._streaks)))]
        shift = int(self._rng.integers(64))
        return cv2.add(picture, layer[shift : shift + SIZE[1], : SIZE[0]])

    def _stamp(self, picture: np.ndarray, at: datetime) -> None:
        """Name and local time in the corner, as cameras burn them in."""
        local = at.astimezone(LOCAL_TIME)
        for text, x in ((self._label, 22), (local.strftime("%Y-%m-%d %H:%M:%S"), SIZE[0] - 262)):
            mask = lettering(text, 22)
            area = picture[18 : 18 + mask.shape[0], x : x + mask.shape[1]]
            cover = mask[: area.shape[0], : area.shape[1], None].astype(np.uint16)
            area[:] = (area * (255 - cover) + 248 * cover) // 255

    def _noisy(self, picture: np.ndarray) -> np.ndarray:
        assert self._light is not None
        sigma = 2.0 + 4.0 * (1 - self._light.day_frac)
        if sigma not in self._grain_bytes:
            self._grain_bytes = {sigma: np.clip(self._grain * sigma, -60, 60).astype(np.int8)}
        x, y = (int(v) for v in self._rng.integers(64, size=2))
        grain = self._grain_bytes[sigma][y : y + SIZE[1], x : x + SIZE[0]]
        return cv2.add(picture, grain, dtype=cv2.CV_8U)


def _sheet_plane(sheet: Sheet, distance: float) -> Plane:
    left = sheet.offset_m - sheet.width_m / 2
    top = (left, sheet.top_m, distance + sheet.top_back_m)
    down = (0.0, sheet.bottom_m - sheet.top_m, sheet.bottom_back_m - sheet.top_back_m)
    return Plane(top, (sheet.width_m, 0.0, 0.0), down)


def _plate_plane(body: Body, distance: float) -> Plane:
    width, height = body.plate_size_m
    corner = (-width / 2, body.plate_height_m + height / 2, distance - 0.015)
    return Plane(corner, (width, 0.0, 0.0), (0.0, -height, 0.0))


@lru_cache(maxsize=1)
def _shadow_texture() -> Texture:
    """A soft dark patch, premultiplied."""
    alpha = np.zeros((96, 64), np.float32)
    alpha[12:88, 8:56] = 0.62
    alpha = cv2.GaussianBlur(alpha, (0, 0), 5)
    texture = np.zeros((96, 64, 4), np.uint8)
    texture[..., 3] = (alpha * 255).astype(np.uint8)
    return Texture(texture)


def _add_glow(picture: np.ndarray, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
    """Add light that fades out at `radius` pixels, in place."""
    left, right = max(0, int(x - radius)), min(picture.shape[1], int(x + radius) + 1)
    top, bottom = max(0, int(y - radius)), min(picture.shape[0], int(y + radius) + 1)
    if right <= left or bottom <= top:
        return
    ys, xs = np.ogrid[top:bottom, left:right]
    falloff = np.clip(1 - np.hypot(xs - x, ys - y) / radius, 0, 1).astype(np.float32) ** 2
    light = (falloff[..., None] * np.array(colour, np.float32)).astype(np.uint8)
    area = picture[top:bottom, left:right]
    area[:] = cv2.add(area, light)


def _rain_streaks(rng: np.random.Generator) -> list[np.ndarray]:
    layers = []
    for _ in range(3):
        layer = np.zeros((SIZE[1] + 64, SIZE[0], 3), np.uint8)
        for _ in range(420):
            x, y, length = int(rng.integers(SIZE[0])), int(rng.integers(SIZE[1] + 64)), int(rng.integers(8, 30))
            shade = int(rng.integers(25, 75))
            cv2.line(layer, (x, y), (x - length // 7, y + length), (shade, shade, shade), 1, cv2.LINE_AA)
        layers.append(layer)
    return layers
