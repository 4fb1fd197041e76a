"""From seconds to means and energies: owns the arithmetic of one period and where a period begins and ends.

Energies are integrals of what was measured; a name that was not known in a second adds nothing, and `good_frac` says
how much of the period was known. Nothing is extrapolated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control.domain.events import EnergySample

# Without these a second is not wholly known; vehicles and loads may be absent from a site.
CORE_NAMES = ("pv", "load", "storage", "grid")
H_PER_S = 1.0 / 3600.0
DEVICES_FROM_S, STRINGS_FROM_S = 10, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What one cycle measured: `kw` by name, absent where unknown; it stands for the `dt_s` before it."""

    at_s: float
    dt_s: float
    mode: str
    binding: str
    settings_version: int
    kw: Mapping[str, float]
    soc_frac: float | None = None
    frequency_hz: float | None = None
    devices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """For the file of samples; `second_of` is its inverse. What devices say is not kept by the second."""
        return {
            "dt": round(self.dt_s, 3),
            "mode": self.mode,
            "binding": self.binding,
            "version": self.settings_version,
            "kw": {name: round(value, 3) for name, value in self.kw.items()},
            "soc": self.soc_frac,
            "hz": self.frequency_hz,
        }


def second_of(at_s: float, body: Mapping[str, Any]) -> Second:
    """A second read back."""
    return Second(
        at_s=at_s,
        dt_s=body["dt"],
        mode=body["mode"],
        binding=body["binding"],
        settings_version=body["version"],
        kw=body["kw"],
        soc_frac=body["soc"],
        frequency_hz=body["hz"],
    )


def energies_of(kw: Mapping[str, float], dt_s: float) -> dict[str, float]:
    """kWh of one second by the names of `EnergySample.kwh`; flows that turn round count on two sides."""
    found: dict[str, float] = {}
    hours = dt_s * H_PER_S
    for name in ("pv", "load", "ev", "curtailed"):
        if name in kw:
            found[name] = kw[name] * hours
    if "storage" in kw:
        found["discharged"], found["charged"] = max(kw["storage"], 0.0) * hours, max(-kw["storage"], 0.0) * hours
    if "grid" in kw:
        found["imported"], found["exported"] = max(kw["grid"], 0.0) * hours, max(-kw["grid"], 0.0) * hours
    if "shed" in kw:
        found["unserved"] = kw["shed"] * hours
    return found


@dataclass(slots=True)
class Period:
    """One period that is being filled."""

    period_s: int
    begins_s: int
    seconds: int = 0
    measured_s: float = 0.0
    _sums: dict[str, float] = field(default_factory=dict)
    _known_s: dict[str, float] = field(default_factory=dict)
    _kwh: dict[str, float] = field(default_factory=dict)
    _hz: tuple[float, float] = (0.0, 0.0)
    _binding: Counter[str] = field(default_factory=Counter)
    _peak_kw: float | None = None
    _last: Second | None = None

    @property
    def ends_s(self) -> int:
        """The first second that is not part of it."""
        return self.begins_s + self.period_s

    def add(self, second: Second) -> None:
        """One more second."""
        dt_s = second.dt_s
        self.seconds += 1
        self.measured_s += dt_s
        for name, value in second.kw.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * dt_s
            self._known_s[name] = self._known_s.get(name, 0.0) + dt_s
        for name, kwh in energies_of(second.kw, dt_s).items():
            self._kwh[name] = self._kwh.get(name, 0.0) + kwh
        if second.frequency_hz is not None:
            self._hz = (self._hz[0] + second.frequency_hz * dt_s, self._hz[1] + dt_s)
        if "grid" in second.kw:
            self._peak_kw = max(second.kw["grid"], self._peak_kw if self._peak_kw is not None else 0.0, 0.0)
        self._binding[second.binding] += 1
        self._last = second

    def sample(self, at: str) -> EnergySample:
        """The period's means and energies; `at` is its beginning."""
        last = self._last
        assert last is not None, "a period begins with its first second"
        return EnergySample(
            at=at,
            period_s=self.period_s,
            mode=last.mode,
            kw={
                name: round(total / self._known_s[name], 2) for name, total in self._sums.items() if self._known_s[name]
            },
            kwh={name: round(value, 5) for name, value in self._kwh.items()},
            soc_frac=None if last.soc_frac is None else round(last.soc_frac, 4),
            peak_import_kw=None if self._peak_kw is None else round(self._peak_kw, 2),
            frequency_hz=round(self._hz[0] / self._hz[1], 3) if self._hz[1] else None,
            good_frac=round(self.good_frac, 4),
            binding=self._binding.most_common(1)[0][0],
            settings_version=last.settings_version,
            devices=_devices(last, self.period_s),
        )

    @property
    def good_frac(self) -> float:
        """How much of the period was wholly known, 0 to 1."""
        known_s = min(self._known_s.get(name, 0.0) for name in CORE_NAMES)
        return min(1.0, known_s / self.period_s)


def _devices(last: Second, period_s: int) -> dict[str, dict[str, Any]]:
    """What devices said last; strings only once a minute, for they are the most and change the least."""
    if period_s < DEVICES_FROM_S:
        return {}
    left_out = {"strings"} if period_s < STRINGS_FROM_S else set()
    return {
        device: {name: value for name, value in said.items() if name not in left_out}
        for device, said in last.devices.items()
    }


def begins(at_s: float, period_s: int) -> int:
    """The beginning of the period that a second belongs to."""
    return int(at_s // period_s) * period_s
