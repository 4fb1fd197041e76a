"""How a device misbehaves on its wire: owns the switches that all devices share and what they do to a reading."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

WILD_FACTORS = (-7.0, 12.0, 60.0)


@dataclass(slots=True)
class DeviceFaults:
    """Switches of one device.

    `silent` hears and answers nothing; `reject_writes` answers a write with a refusal; `ignore_writes` says yes and
    does nothing; `write_delay_s` says yes and does it later; `stuck` repeats what it showed when it began; `scale`
    multiplies what is measured, as a wrong scale factor does; `spikes` is the share of readings that are wild.
    """

    silent: bool = False
    reject_writes: bool = False
    ignore_writes: bool = False
    write_delay_s: float = 0.0
    stuck: bool = False
    scale: float = 1.0
    spikes: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    _shown: dict[str, float] = field(default_factory=dict)

    def shown(self, name: str, value: float) -> float:
        """What the device shows of a measured value."""
        if self.stuck:
            return self._shown.setdefault(name, value)
        self._shown[name] = value = value * self.scale
        if self.spikes > 0 and self.chance.random() < self.spikes:
            return value * self.chance.choice(WILD_FACTORS) + 1.0
        return value
