"""The place before the gate: owns the picture behind the vehicles and the light by hour and weather.

Drawn once per lane and light, never per frame. Palms, lagoon, kerbs and the lane's own markings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np

from hw_sim.canvas import Canvas, Colour, mix
from hw_sim.pinhole import Pinhole, Plane

FAR_M = 90.0


class Weather(StrEnum):
    """What the sky does."""

    CLEAR = "clear"
    OVERCAST = "overcast"
    RAIN = "rain"


@dataclass(frozen=True, slots=True)
class Light:
    """How the scene is lit: `day_frac` 1 at noon and 0 at night; `warm_frac` near sunrise and sunset."""

    day_frac: float
    warm_frac: float
    weather: Weather

    @property
    def lamps_on(self) -> bool:
        """Whether drivers and lamp posts have their lights on."""
        return self.day_frac < 0.45 or self.weather is Weather.RAIN

    @property
    def night(self) -> bool:
        """Whether the lane is lit by lamps rather than by the sky."""
        return self.day_frac < 0.3


def light_at(hour: float, weather: Weather) -> Light:
    """Light at a local hour (0 to 24) on Hainan, where the sun rises at about 6:30 and sets at about 18:30."""
    elevation = math.sin((hour - 6.5) / 12.0 * math.pi)
    day = min(1.0, max(0.0, (elevation + 0.12) / 0.34))
    warm = math.exp(-((elevation - 0.08) ** 2) / 0.03)
    dim = {Weather.CLEAR: 1.0, Weather.OVERCAST: 0.92, Weather.RAIN: 0.8}[weather]
    return Light(round(day * dim, 2), round(warm if weather is Weather.CLEAR else 0.2 * warm, 2), weather)


def draw_scenery(camera: Pinhole, light: Light, *, seed: int, lane_label: str) -> np.ndarray:
    """The empty lane, BGR (h, w, 3), before `illuminate`: day colours with the sky of the hour."""
    rng = np.random.default_rng(seed)
    horizon = _horizon(camera)
    picture = _sky(camera, light, horizon, rng)
    _far_shore(picture, horizon, light, rng)
    _ground(picture, camera, horizon, rng)
    _palms(picture, camera, rng)
    _furniture(picture, camera, lane_label)
    return picture


def _horizon(camera: Pinhole) -> float:
    return float(camera.project(np.array([[0.0, 1.3, 5000.0]]))[0, 1])


def _sky(camera: Pinhole, light: Light, horizon: float, rng: np.random.Generator) -> np.ndarray:
    high, low = _sky_colours(light)
    picture = np.empty((camera.height_px, camera.width_px, 3), np.float32)
    ramp = np.clip(np.arange(camera.height_px) / max(1.0, horizon), 0, 1)[:, None, None]
    picture[:] = np.array(high, np.float32) * (1 - ramp) + np.array(low, np.float32) * ramp
    clouds = _clouds(picture.shape[:2], rng, cover=0.35 if light.weather is Weather.CLEAR else 0.8)
    cloud_colour = np.array(mix((235, 232, 228), (150, 190, 250), 0.7 * light.warm_frac), np.float32)
    if light.weather is not Weather.CLEAR:
        cloud_colour = np.array((200, 196, 192), np.float32)
    return np.clip(picture * (1 - clouds) + cloud_colour * clouds, 0, 255).astype(np.uint8)


def _sky_colours(light: Light) -> tuple[Colour, Colour]:
    high, low = (205, 150, 88), (238, 222, 196)
    if light.weather is not Weather.CLEAR:
        high, low = (182, 176, 168), (216, 213, 208)
    return mix(high, (170, 130, 130), 0.5 * light.warm_frac), mix(low, (130, 180, 255), 0.75 * light.warm_frac)


def _clouds(shape: tuple[int, int], rng: np.random.Generator, *, cover: float) -> np.ndarray:
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave, weight in ((5, 0.5), (11, 0.3), (24, 0.2)):
        coarse = rng.random((octave * 2, octave), dtype=np.float32)
        total += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip((total - (1 - cover)) * 2.2, 0, 0.85)[..., None]


def _far_shore(picture: np.ndarray, horizon: float, light: Light, rng: np.random.Generator) -> None:
    """Hills, the lagoon and a line of trees at the horizon."""
    width = picture.shape[1]
    x = np.arange(width)
    hills = horizon - 16 - 9 * np.sin(x / 170 + 1.0) - 5 * np.sin(x / 61.0)
    _below(picture, hills, horizon, mix((176, 152, 118), (160, 160, 190), light.warm_frac))
    cv2.rectangle(picture, (0, round(horizon) - 7), (width, round(horizon)), (172, 150, 104), -1)
    trees = horizon - 6 - np.abs(np.cumsum(rng.normal(0, 1.3, width)) % 14 - 7) - rng.random(width) * 3
    _below(picture, trees, horizon + 2, (74, 98, 66))


def _below(picture: np.ndarray, upper: np.ndarray, lower: float, colour: Colour) -> None:
    outline = np.column_stack([np.arange(len(upper)), upper])
    closed = np.vstack([outline, [len(upper), lower], [0, lower]]).astype(np.int32)
    cv2.fillPoly(picture, [closed], colour, cv2.LINE_AA)


def _ground(picture: np.ndarray, camera: Pinhole, horizon: float, rng: np.random.Generator) -> None:
    """Lawn, asphalt with grain that thins out with distance, and markings."""
    top = math.ceil(horizon)
    picture[top:] = _lawn(picture[top:].shape[:2], rng)
    _strip(picture, camera, -7.0, 2.05, (104, 100, 97))
    _roughen(picture, camera, top, rng)
    for x in (-2.05, 1.75):
        _strip(picture, camera, x - 0.07, x + 0.07, (212, 214, 214))
    for start in np.arange(1.0, FAR_M, 6.0):
        _patch(picture, camera, -5.2, -5.08, start, start + 3.0, (205, 208, 208))
    _patch(picture, camera, -1.9, 1.7, 3.7, 4.0, (214, 216, 216))
    _kerb(picture, camera, 2.05)
    _kerb(picture, camera, -7.25)


def _lawn(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    height, width = shape
    shade = cv2.resize(rng.random((height // 3 + 1, width // 9 + 1), dtype=np.float32), (width, height))
    depth = np.linspace(0.8, 1.1, height, dtype=np.float32)[:, None]
    return np.clip(np.array((64, 128, 98)) * (0.78 + 0.35 * shade * depth)[..., None], 0, 255).astype(np.uint8)


def _roughen(picture: np.ndarray, camera: Pinhole, top: int, rng: np.random.Generator) -> None:
    height, width = picture.shape[0] - top, picture.shape[1]
    fine = rng.normal(0, 6, (height, width)).astype(np.float32)
    tracks = np.zeros((height, width), np.float32)
    for x in (-0.75, 0.75):
        lane = np.zeros((picture.shape[0], width), np.uint8)
        corners = np.array([[x - 0.3, 0, 1.0], [x - 0.3, 0, FAR_M], [x + 0.3, 0, FAR_M], [x + 0.3, 0, 1.0]])
        cv2.fillPoly(lane, [np.int32(camera.project(corners)[:, :2])], 255)
        tracks -= cv2.GaussianBlur(lane[top:], (0, 0), 9).astype(np.float32) * (13 / 255)
    ramp = np.linspace(26, -8, height, dtype=np.float32)[:, None]
    grey = (np.ptp(picture[top:].astype(np.int16), axis=2) < 16)[..., None]
    change = (fine * np.linspace(0.3, 1.0, height, dtype=np.float32)[:, None] + tracks + ramp)[..., None]
    picture[top:] = np.clip(picture[top:] + change * grey, 0, 255).astype(np.uint8)


def _strip(picture: np.ndarray, camera: Pinhole, left: float, right: float, colour: Colour) -> None:
    _patch(picture, camera, left, right, 0.6, FAR_M * 4, colour)


def _patch(
    picture: np.ndarray, camera: Pinhole, left: float, right: float, near: float, far: float, colour: Colour
) -> None:
    _fill(picture, camera, [(left, 0, near), (left, 0, far), (right, 0, far), (right, 0, near)], colour)


def _fill(picture: np.ndarray, camera: Pinhole, corners: list[tuple[float, float, float]], colour: Colour) -> None:
    pixels = camera.project(np.array(corners, float))[:, :2]
    cv2.fillPoly(picture, [np.round(np.clip(pixels, -9000, 9000) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _kerb(picture: np.ndarray, camera: Pinhole, x: float) -> None:
    """A raised kerb in yellow and black, as gates have."""
    for index, start in enumerate(np.arange(0.6, 45.0, 1.0)):
        paint = (48, 178, 226) if index % 2 else (58, 56, 54)
        end = start + 1.0
        _fill(
            picture, camera, [(x, 0, start), (x, 0, end), (x, 0.16, end), (x, 0.16, start)], mix(paint, (0, 0, 0), 0.2)
        )
        _fill(picture, camera, [(x, 0.16, start), (x, 0.16, end), (x + 0.3, 0.16, end), (x + 0.3, 0.16, start)], paint)


def _palms(picture: np.ndarray, camera: Pinhole, rng: np.random.Generator) -> None:
    places = [(4.6, z) for z in (58, 44, 33, 24, 17)] + [(-9.6, z) for z in (60, 46, 34, 25, 18)]
    for index, (x, z) in enumerate(sorted(places, key=lambda place: -place[1])):
        height_m = rng.uniform(5.2, 6.6)
        _upright(picture, camera, _palm(index % 3), (x + rng.uniform(-0.5, 0.5), z), (height_m * 0.9, height_m))
        _upright(picture, camera, _hedge(index % 2), (x + math.copysign(1.0, x), z - 1), (4.0, 1.1))


@lru_cache(maxsize=3)
def _palm(variant: int) -> Texture:
    """One of a few palms; drawn once a process, since each is made of hundreds of leaflets."""
    rng = np.random.default_rng(variant)
    canvas = Canvas(5.4, 6.0, px_per_m=60)
    lean = rng.uniform(-0.35, 0.35)
    crown = (2.7 + lean, 1.9)
    trunk = [(2.62, 6.0), (2.66 + 0.4 * lean, 4.0), (crown[0] - 0.07, crown[1])]
    back = [(crown[0] + 0.07, crown[1]), (2.84 + 0.4 * lean, 4.0), (2.9, 6.0)]
    canvas.polygon([*trunk, *back], (104, 124, 138), to=(84, 100, 112))
    for height in np.arange(2.3, 5.9, 0.18):
        middle = 2.76 + lean * max(0.0, (5.2 - height) / 3.3)
        canvas.line([(middle - 0.09, height), (middle + 0.09, height)], (80, 98, 110), width=0.02)
    for angle in (*np.linspace(-0.3, 3.45, 12), *rng.uniform(0, 3.14, 5)):
        _frond(canvas, crown, float(angle), rng)
    return Texture(canvas.finish())


def _frond(canvas: Canvas, crown: tuple[float, float], angle: float, rng: np.random.Generator) -> None:
    """One leaf: a rib that droops, with leaflets on both sides."""
    reach = rng.uniform(1.7, 2.3)
    green: Colour = mix((58, 112, 70), (74, 150, 108), float(rng.random()))
    steps = np.linspace(0, 1, 16)
    xs = crown[0] + np.cos(angle) * reach * steps
    ys = crown[1] - np.sin(angle) * reach * 0.75 * steps + 1.15 * steps**2
    for x, y, share in zip(xs, ys, steps, strict=True):
        half = 0.36 * math.sin(math.pi * min(1.0, share + 0.12)) + 0.05
        canvas.line([(x, y), (x + 0.16 * np.cos(angle), y + half)], green, width=0.05)
        canvas.line([(x, y), (x + 0.2 * np.cos(angle), y + 0.4 * half)], mix(green, (0, 0, 0), 0.2), width=0.05)
    canvas.line(list(zip(xs, ys, strict=True)), mix(green, (60, 150, 150), 0.4), width=0.05)


@lru_cache(maxsize=2)
def _hedge(variant: int) -> Texture:
    """Hibiscus in flower."""
    rng = np.random.default_rng(variant)
    canvas = Canvas(4.0, 1.1, px_per_m=60)
    for _ in range(150):
        shade = float(rng.random())
        place = (rng.uniform(0.2, 3.8), rng.uniform(0.28, 1.1))
        canvas.disc(*place, 0.16, 0.12, mix((48, 88, 52), (84, 146, 100), shade), alpha=0.9)
    for _ in range(14):
        canvas.disc(rng.uniform(0.3, 3.7), rng.uniform(0.3, 0.8), 0.045, 0.045, (86, 74, 214))
    return Texture(canvas.finish())


def _upright(
    picture: np.ndarray, camera: Pinhole, sprite: Texture, foot: tuple[float, float], size: tuple[float, float]
) -> None:
    """Stand a sprite on the ground, facing the camera."""
    x, z = foot
    plane = Plane((x - size[0] / 2, size[1], z), (size[0], 0, 0), (0, -size[1], 0))
    paste_plane(picture, camera, sprite, plane)


def _furniture(picture: np.ndarray, camera: Pinhole, lane_label: str) -> None:
    """A lamp post with a solar panel, and the lane's sign."""
    post = Canvas(1.6, 5.0, px_per_m=110)
    post.box(0.74, 0.5, 0.1, 4.5, (168, 166, 160), to=(118, 116, 112))
    post.polygon([(0.15, 0.45), (1.35, 0.15), (1.45, 0.32), (0.25, 0.62)], (92, 60, 36), to=(126, 88, 52))
    post.box(0.2, 0.85, 0.5, 0.08, (225, 235, 240), radius=0.04)
    _upright(picture, camera, Texture(post.finish()), (3.1, 21.0), (1.6, 5.0))
    sign = Canvas(1.2, 2.3, px_per_m=220)
    sign.box(0.55, 0.6, 0.09, 1.7, (150, 148, 142), to=(100, 98, 95))
    sign.box(0.05, 0.05, 1.1, 0.98, (112, 92, 22), radius=0.07, to=(92, 74, 14))
    sign.box(0.085, 0.085, 1.03, 0.91, (124, 104, 30), radius=0.05)
    sign.polygon([(0.6, 0.16), (0.78, 0.3), (0.72, 0.52), (0.6, 0.6), (0.48, 0.52), (0.42, 0.3)], (140, 220, 150))
    sign.line([(0.6, 0.62), (0.6, 0.3)], (70, 130, 60), width=0.025)
    sign.text(lane_label, 0.6, 0.73, 0.12, (255, 255, 255))
    sign.text("NEV ONLY", 0.6, 0.89, 0.085, (220, 236, 226))
    _upright(picture, camera, Texture(sign.finish()), (2.75, 11.5), (1.2, 2.3))


class Texture:
    """A premultiplied BGRA sprite with its halved copies, so that a far one neither flickers nor costs much."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.levels = [pixels]
        while min(self.levels[-1].shape[:2]) >= 8:
            height, width = self.levels[-1].shape[:2]
            self.levels.append(cv2.resize(self.levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))

    def fitting(self, outline: np.ndarray) -> np.ndarray:
        """The smallest copy that is not coarser than its place in the picture."""
        height, width = self.levels[0].shape[:2]
        needed = max(float(np.ptp(outline[:, 0])) / width, float(np.ptp(outline[:, 1])) / height, 1e-3)
        level = int(np.clip(np.floor(np.log2(1.25 / needed)), 0, len(self.levels) - 1))
        return self.levels[level]


def paste_plane(picture: np.ndarray, camera: Pinhole, texture: Texture, plane: Plane) -> None:
    """Warp a premultiplied BGRA sprite onto the picture, in place; what lies outside or behind is cut off."""
    outline = camera.outline(plane)
    if outline is None:
        return
    left, top = np.floor(outline.min(axis=0)).astype(int)
    right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 1
    left, top = max(0, left), max(0, top)
    right, bottom = min(camera.width_px, right), min(camera.height_px, bottom)
    if right - left < 2 or bottom - top < 2:
        return
    sprite = texture.fitting(outline)
    homography = camera.texture_to_pixels(plane, sprite.shape[1], sprite.shape[0])
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    warped = cv2.warpPerspective(sprite, shift @ homography, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    _blend(picture[top:bottom, left:right], warped, outline - (left, top))


def _blend(under: np.ndarray, over: np.ndarray, outline: np.ndarray) -> None:
    """Premultiplied over-blending inside the outline (what is behind the lens would be mirrored into view)."""
    mask = np.zeros(under.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(np.clip(outline, -9000, 9000)).astype(np.int32), 255)
    over = cv2.bitwise_and(over, over, mask=mask)
    rest = cv2.cvtColor(cv2.bitwise_not(over[..., 3]), cv2.COLOR_GRAY2BGR)
    under[:] = cv2.add(cv2.multiply(under, rest, scale=1 / 255), cv2.cvtColor(over, cv2.COLOR_BGRA2BGR))


def light_map(camera: Pinhole, light: Light) -> np.ndarray:
    """Factors (h, w, 3) as uint8, 255 for unchanged: the day's level, and at night the pool of the gate's lamp."""
    level = 0.16 + 0.84 * light.day_frac
    cast = np.array(mix((1.0, 1.0, 1.0), (1.25, 1.0, 0.82), max(0.0, 0.5 - light.day_frac)), np.float32)
    cast = cast * np.array(mix((1.0, 1.0, 1.0), (0.82, 0.95, 1.08), light.warm_frac), np.float32)
    ys, xs = np.ogrid[: camera.height_px, : camera.width_px]
    centre = camera.project(np.array([[0.0, 0.55, 4.4]]))[0]
    pool = np.exp(-(((xs - centre[0]) / 430) ** 2) - ((ys - centre[1]) / 250) ** 2)
    lamp = (0.72 if light.lamps_on else 0.0) * max(0.0, 1 - level) * pool
    total = (level * cast)[None, None, :] + lamp[..., None] * np.array((0.94, 1.0, 1.0))
    return np.clip(total * 255, 0, 255).astype(np.uint8)
