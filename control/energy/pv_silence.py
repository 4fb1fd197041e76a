"""Devices of PV that give nothing: owns for how long, and what that cost until it is told."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Silence:
    """Dead and alive time by device; a device between the two keeps neither."""

    dead_s: dict[str, float] = field(default_factory=dict)
    alive_s: dict[str, float] = field(default_factory=dict)
    lost_kwh: dict[str, float] = field(default_factory=dict)

    def see(self, device: str, *, dead: bool, alive: bool, period_s: float) -> None:
        """One period of a device that can be judged."""
        self.dead_s[device] = self.dead_s.get(device, 0.0) + period_s if dead else 0.0
        self.alive_s[device] = self.alive_s.get(device, 0.0) + period_s if alive else 0.0
        if not dead:
            self.lost_kwh.pop(device, None)

    def calm(self, *devices: str) -> None:
        """These give nothing for a reason of ours."""
        for device in devices:
            self.dead_s.pop(device, None)
            self.lost_kwh.pop(device, None)

    def cost(self, device: str, kwh: float) -> None:
        """What a device that is dead but not told yet has lost."""
        if self.dead_s.get(device, 0.0) > 0.0:
            self.lost_kwh[device] = self.lost_kwh.get(device, 0.0) + kwh
