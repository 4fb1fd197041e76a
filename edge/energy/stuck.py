"""Values that stand still: owns telling a frozen measurement from a quiet one.

Real measurements tremble. A device that measures power, yet repeats all of its figures to the last digit for too long,
answers from a frozen memory: what it says is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from control.domain.energy import Point
from edge.energy.field import METER, FieldNow
from edge.energy.snapshot import value_of


@dataclass(slots=True)
class StuckWatch:
    """Names the devices whose figures have not moved for `after_s`; 0 looks at none."""

    after_s: float
    _seen: dict[str, tuple[tuple[float | None, ...], float]] = field(default_factory=dict)

    def see(self, now: FieldNow) -> frozenset[str]:
        """Devices that are stuck in this cycle."""
        if self.after_s <= 0:
            return frozenset()
        figures = _figures(now)
        for gone in self._seen.keys() - figures.keys():
            del self._seen[gone]
        return frozenset(device for device, values in figures.items() if self._stands(device, values, now.at_s))

    def _stands(self, device: str, values: tuple[float | None, ...], at_s: float) -> bool:
        before = self._seen.get(device)
        if before is None or before[0] != values:
            self._seen[device] = (values, at_s)
            return False
        return at_s - before[1] >= self.after_s


def _figures(now: FieldNow) -> dict[str, tuple[float | None, ...]]:
    """What should tremble, of devices that carry power."""
    found: dict[str, tuple[Point, ...]] = {}
    if (meter := now.meter.fresh) is not None:
        found[METER] = (meter.power_kw, meter.voltage_v, meter.current_a, meter.frequency_hz)
    for id_, heard in now.inverters.items():
        if (inverter := heard.fresh) is not None:
            found[id_] = (inverter.power_kw, inverter.voltage_v, inverter.dc_kw, inverter.frequency_hz)
    for id_, line in now.storages.items():
        if (storage := line.fresh) is not None:
            found[id_] = (storage.power_kw, storage.voltage_v, storage.soc_frac, storage.frequency_hz)
    values = {device: tuple(map(value_of, points)) for device, points in found.items()}
    return {device: row for device, row in values.items() if row[0]}
