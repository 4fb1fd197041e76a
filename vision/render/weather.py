"""What spoils a picture: owns blur, noise, night, rain, glare, dirt, shade and compression.

Every function takes a uint8 BGR image (h, w, 3) and returns a new one of the same shape; `degrade` draws a
random mixture. Strengths are fractions in [0, 1] unless the name says otherwise.
"""

from __future__ import annotations

import cv2
import numpy as np


def motion_blur(image: np.ndarray, *, length_px: int, angle_deg: float) -> np.ndarray:
    """Straight camera or vehicle motion over `length_px` pixels."""
    if length_px < 2:
        return image.copy()
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[length_px // 2] = 1.0
    turn = cv2.getRotationMatrix2D(((length_px - 1) / 2, (length_px - 1) / 2), angle_deg, 1.0)
    kernel = cv2.warpAffine(kernel, turn, (length_px, length_px))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6), borderType=cv2.BORDER_REPLICATE)


def defocus(image: np.ndarray, *, sigma_px: float) -> np.ndarray:
    """A lens out of focus."""
    if sigma_px < 0.2:
        return image.copy()
    return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)


def noise(image: np.ndarray, rng: np.random.Generator, *, sigma: float) -> np.ndarray:
    """Sensor noise of standard deviation `sigma` in grey levels."""
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    return _as_bytes(image + sigma * grain)


def exposure(image: np.ndarray, *, gain: float, offset: float = 0.0, cast: tuple[float, float, float] = (1, 1, 1)):
    """Gain, offset in grey levels and a colour cast (B, G, R factors)."""
    return _as_bytes(image * (np.array(cast, np.float32) * gain) + np.float32(offset))


def night(image: np.ndarray, rng: np.random.Generator, *, strength: float = 0.7) -> np.ndarray:
    """Little light, strong grain, a warm or cold cast."""
    cast = (rng.uniform(0.8, 1.1), rng.uniform(0.85, 1.0), rng.uniform(0.85, 1.1))
    dark = exposure(image, gain=1.0 - 0.82 * strength, cast=cast)
    return noise(dark, rng, sigma=2.0 + 9.0 * strength)


def rain(image: np.ndarray, rng: np.random.Generator, *, strength: float = 0.5) -> np.ndarray:
    """Bright streaks over a flattened, slightly blurred picture."""
    height, width = image.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    lean = rng.uniform(-0.3, 0.3)
    for _ in range(int(strength * height * width / 900) + 1):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        length = int(rng.integers(3, 4 + max(2, height // 6)))
        cv2.line(streaks, (x, y), (int(x + lean * length), y + length), int(rng.integers(60, 200)), 1, cv2.LINE_AA)
    flat = exposure(image, gain=1.0 - 0.25 * strength, offset=30 * strength)
    return cv2.add(flat, cv2.cvtColor(cv2.GaussianBlur(streaks, (3, 3), 0), cv2.COLOR_GRAY2BGR))


def glare(image: np.ndarray, rng: np.random.Generator, *, strength: float = 0.6) -> np.ndarray:
    """A soft bright spot of sun or headlight somewhere on or beside the picture."""
    height, width = image.shape[:2]
    y, x = np.ogrid[:height, :width]
    centre_x, centre_y = rng.uniform(-0.2, 1.2) * width, rng.uniform(-0.2, 1.2) * height
    radius = rng.uniform(0.2, 0.7) * max(height, width)
    falloff = np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * radius**2)).astype(np.float32)
    return _as_bytes(image + (230.0 * strength * falloff)[..., None])


def shade(image: np.ndarray, rng: np.random.Generator, *, strength: float = 0.5) -> np.ndarray:
    """A straight shadow edge across the picture."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.ogrid[:height, :width]
    side = (x - rng.uniform(0.1, 0.9) * width) * np.cos(angle) + (y - rng.uniform(0.1, 0.9) * height) * np.sin(angle)
    mask = 1.0 / (1.0 + np.exp(-side / max(1.0, 0.02 * width)))
    return _as_bytes(image * (1.0 - strength * mask).astype(np.float32)[..., None])


def dirt(image: np.ndarray, rng: np.random.Generator, *, strength: float = 0.5) -> np.ndarray:
    """Patches of mud or dust, cloudy at the edges."""
    height, width = image.shape[:2]
    coarse = rng.random((max(2, height // 12), max(2, width // 12)), dtype=np.float32)
    cloud = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip((cloud - (1.0 - 0.55 * strength)) * 3.0, 0.0, 0.85)[..., None]
    mud = np.array([rng.uniform(40, 110), rng.uniform(60, 130), rng.uniform(70, 140)], np.float32)
    return _as_bytes(image * (1.0 - cover) + mud * cover)


def jpeg(image: np.ndarray, *, quality: int) -> np.ndarray:
    """The picture after JPEG compression at `quality` of 100."""
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert encoded
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def small_sensor(image: np.ndarray, *, factor: float) -> np.ndarray:
    """The picture as seen with `factor` (0 to 1) of its pixels per side, brought back to size."""
    height, width = image.shape[:2]
    small = (max(2, round(width * factor)), max(2, round(height * factor)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)


def degrade(image: np.ndarray, rng: np.random.Generator, *, strength: float = 0.5) -> np.ndarray:
    """A random mixture of the above, mild at strength 0.2 and hard to read by eye at 1."""
    if rng.random() < 0.35 * strength:
        image = dirt(image, rng, strength=strength * rng.random())
    if rng.random() < 0.4 * strength:
        image = shade(image, rng, strength=0.7 * rng.random())
    if rng.random() < 0.4 * strength:
        image = glare(image, rng, strength=strength * rng.random())
    if rng.random() < 0.3 * strength:
        image = rain(image, rng, strength=strength * rng.random())
    if rng.random() < 0.4 * strength:
        image = night(image, rng, strength=strength * rng.random())
    reach = image.shape[0] / 40
    image = defocus(image, sigma_px=float(rng.random() * 1.2 * strength * reach))
    if rng.random() < 0.4 * strength:
        length = int(rng.integers(2, 3 + round(4 * strength * reach)))
        image = motion_blur(image, length_px=length, angle_deg=rng.uniform(-30, 30))
    gain = float(np.exp(rng.normal(0.0, 0.35 * strength)))
    image = exposure(image, gain=gain, offset=float(rng.normal(0, 18 * strength)))
    image = noise(image, rng, sigma=float(rng.random() * 14 * strength))
    if rng.random() < 0.5 * strength:
        image = jpeg(image, quality=int(rng.integers(30, 90)))
    return image


def _as_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)
