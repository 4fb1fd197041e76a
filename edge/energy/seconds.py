"""From a picture and its commands to one second of telemetry: owns which flows are known, and by what right.

The flows balance (see `control.domain.energy`), so that the load follows from the rest, and one flow whose device is
silent follows from the feeders' own meters. What does not follow is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from control.energy.dispatch_types import Dispatch, SiteNow
from control.energy.site import SiteSpec
from edge.energy.field import FieldNow
from edge.energy.means import Second
from edge.energy.snapshot import value_of


@dataclass(slots=True)
class SecondMaker:
    """Makes the second that each cycle ends with; remembers what loads drew before they were switched off."""

    site: SiteSpec
    cycle_s: float
    _last_s: float | None = None
    _drew_kw: dict[str, float] = field(default_factory=dict)

    def make(
        self,
        picture: SiteNow,
        now: FieldNow,
        dispatched: Dispatch,
        *,
        wall: datetime,
        settings_version: int,
        devices: Mapping[str, Mapping[str, Any]],
    ) -> Second:
        """What was measured in this cycle. A cycle that was missed is not filled in."""
        kw = flows(picture, now)
        kw |= _known("curtailed", _curtailed(picture) if "pv" in kw else None)
        kw["shed"] = self._shed(picture, dispatched)
        return Second(
            at_s=wall.timestamp(),
            dt_s=self._dt_s(picture.now_s),
            mode=dispatched.state.mode.value,
            binding=dispatched.binding,
            settings_version=settings_version,
            kw=kw,
            soc_frac=self._soc(picture),
            frequency_hz=picture.bus_hz,
            devices=devices,
        )

    def _dt_s(self, now_s: float) -> float:
        before_s, self._last_s = self._last_s, now_s
        return 0.0 if before_s is None else min(max(now_s - before_s, 0.0), 3 * self.cycle_s)

    def _shed(self, picture: SiteNow, dispatched: Dispatch) -> float:
        total_kw = 0.0
        for load in picture.loads:
            if load.on and load.power_kw is not None:
                self._drew_kw[load.id] = load.power_kw
            if not dispatched.commands.load_on.get(load.id, True):
                total_kw += self._drew_kw.get(load.id, load.rated_kw)
        return total_kw

    def _soc(self, picture: SiteNow) -> float | None:
        capacity = {spec.id: spec.capacity_kwh for spec in self.site.storages}
        stored_kwh = total(
            None if one.soc_frac is None else one.soc_frac * capacity[one.id] for one in picture.storages
        )
        return None if stored_kwh is None or not capacity else stored_kwh / sum(capacity.values())


def flows(picture: SiteNow, now: FieldNow) -> dict[str, float]:
    """kW by name: `pv`, `storage`, `ev`, `grid`, `load`; absent where unknown."""
    grid_kw = picture.grid_kw if picture.breaker_closed is not False else 0.0
    pv_kw = total(one.power_kw for one in picture.pvs)
    storage_kw = total(one.power_kw for one in picture.storages)
    ev_kw = total(_drawn(reading) for reading in now.chargers.values())
    feeders_kw = total(one.power_kw for one in picture.loads) if picture.loads else None
    if feeders_kw is not None and grid_kw is not None:
        match (pv_kw, storage_kw, ev_kw):
            case (None, float(), float()):
                pv_kw = max(feeders_kw + ev_kw - storage_kw - grid_kw, 0.0)
            case (float(), None, float()):
                storage_kw = feeders_kw + ev_kw - pv_kw - grid_kw
            case (float(), float(), None):
                ev_kw = pv_kw + storage_kw + grid_kw - feeders_kw
    load_kw = feeders_kw
    if pv_kw is not None and storage_kw is not None and ev_kw is not None and grid_kw is not None:
        load_kw = pv_kw + storage_kw + grid_kw - ev_kw
    known = {"pv": pv_kw, "storage": storage_kw, "ev": ev_kw, "grid": grid_kw, "load": load_kw}
    return {name: float(kw) for name, kw in known.items() if kw is not None}


def total(values: Iterable[float | None]) -> float | None:
    """The sum; None where one is not known. 0.0 of nothing."""
    summed = 0.0
    for value in values:
        if value is None:
            return None
        summed += value
    return summed


def _drawn(reading: Any) -> float | None:
    """A charger without a vehicle draws nothing, whatever it last measured."""
    return value_of(reading.power_kw) if reading.plugged else 0.0


def _curtailed(picture: SiteNow) -> float | None:
    return total(
        None if one.power_kw is None or one.available_kw is None else max(one.available_kw - one.power_kw, 0.0)
        for one in picture.pvs
    )


def _known(name: str, kw: float | None) -> dict[str, float]:
    return {} if kw is None else {name: kw}
