"""Sky and air: owns the moving clouds, the temperature, and clouds that somebody asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np

from hw_sim.microgrid.config import Sky, WeatherConfig
from hw_sim.microgrid.noise import Values, draw, field, seed_of, wave

LOCAL_TIME = timezone(timedelta(hours=8))
_EPOCH = datetime(2024, 1, 1, tzinfo=LOCAL_TIME)
# Share of the sky that is covered, how much of the beam a cloud takes, and how often a day is of this kind: a humid
# coast, whose year brings 1,250 to 1,611 kWh/m2 on level ground (the range of Hainan).
_KINDS = {
    Sky.CLEAR: (0.04, 0.60, 0.10),
    Sky.SCATTERED: (0.32, 0.78, 0.30),
    Sky.BROKEN: (0.62, 0.82, 0.28),
    Sky.OVERCAST: (0.97, 0.80, 0.18),
    Sky.RAIN: (1.0, 0.95, 0.14),
}
_EDGE = 0.07


@dataclass(slots=True)
class AskedCloud:
    """A cloud that comes over everything with the wind: how much it takes, and when it is where."""

    from_s: float
    until_s: float
    takes_frac: float


class Weather:
    """Depends on seed, place and time alone, except for clouds that were asked for."""

    def __init__(self, config: WeatherConfig, *, seed: int) -> None:
        self._config = config
        self._seed = seed_of(seed, "weather")
        self.sky: Sky = config.sky
        self._asked: list[AskedCloud] = []

    def kind(self, at: datetime) -> Sky:
        """What kind of day it is."""
        if self.sky is not Sky.AUTO:
            return self.sky
        left = draw(seed_of(self._seed, "day"), (at.astimezone(LOCAL_TIME) - _EPOCH).days)
        for kind, (_, _, share) in _KINDS.items():
            left -= share
            if left <= 0:
                return kind
        return Sky.RAIN

    def shade(self, at: datetime, x_m: Values, y_m: Values) -> Values:
        """How much of the beam is taken at each place, 0 to 1. Clouds move with the wind, from west to east."""
        cover, takes, _ = _KINDS[self.kind(at)]
        seconds = (at - _EPOCH).total_seconds()
        cover = min(1.0, max(0.0, cover + 0.12 * (wave(seed_of(self._seed, "cover"), seconds / 5400.0) - 0.5)))
        drift_m = seconds * self._config.wind_m_per_s
        size_m = self._config.cloud_size_m
        x, y = (x_m - drift_m) / size_m, y_m / size_m + drift_m / size_m / 9.0
        pattern = (
            0.62 * field(self._seed, x, y)
            + 0.27 * field(self._seed + 1, x * 2.3, y * 2.3)
            + 0.11 * field(self._seed + 2, x * 5.9, y * 5.9)
        )
        # The sum of octaves crowds round a half; this stretches it so that `cover` is about the share covered.
        level = 0.5 + (0.5 - cover) * 0.72
        share = np.clip((pattern - level) / _EDGE + 0.5, 0.0, 1.0)
        shade = takes * share * share * (3.0 - 2.0 * share)
        return self._with_asked(at, x_m, shade)

    def _with_asked(self, at: datetime, x_m: Values, shade: Values) -> Values:
        seconds = (at - _EPOCH).total_seconds()
        self._asked = [one for one in self._asked if seconds < one.until_s + 3600]
        for one in self._asked:
            here_s = seconds - x_m / max(0.5, self._config.wind_m_per_s)
            inside = np.clip(np.minimum(here_s - one.from_s, one.until_s - here_s) / 2.0, 0.0, 1.0)
            shade = np.maximum(shade, one.takes_frac * inside)
        return shade

    def ask_for_cloud(self, at: datetime, *, takes_frac: float, seconds: float) -> None:
        """Send a cloud over the island from now on."""
        now_s = (at - _EPOCH).total_seconds()
        self._asked.append(AskedCloud(now_s, now_s + seconds, min(0.98, max(0.0, takes_frac))))

    def temperature_c(self, at: datetime) -> float:
        """Air temperature: year and day of eastern Hainan (mean 24.3 degrees), with slow weather on top."""
        local = at.astimezone(LOCAL_TIME)
        hour = local.hour + local.minute / 60
        year = 4.6 * math.cos(2 * math.pi * (local.timetuple().tm_yday - 196) / 365.25)
        day = 3.4 * math.cos(2 * math.pi * (hour - 14.5) / 24)
        slow = 3.0 * (wave(seed_of(self._seed, "air"), (at - _EPOCH).total_seconds() / 86_400.0) - 0.5)
        return 24.3 + year + day + slow
