"""The past that the forecast learns from: owns the gateway's quarter-hour means as series, the month's peak, and stays.

They come from the file of samples, so that they survive restarts. What was not measured is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from control.energy.ev_arrivals import Stay
from control.energy.plan import Series
from edge.energy.stays import STAYS_FROM_NOTE
from edge.energy.store import EnergyStore

SLOT_S = 900
DAYS_MAX = 70
DAY_SLOTS = 86_400 // SLOT_S
# A quarter of an hour of which less was known says nothing.
GOOD_FRAC_MIN = 0.5
# A clock that leapt during a stay leaves one that cannot have been.
STAY_H_MAX = 72.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """Means up to `ends_at` (excluded), oldest first, (n,) each, kW; NaN where unknown.

    `load_kw` is what was wanted, switched-off loads included and vehicles left out; `pv_kw` what the sun would have
    given without any limit; `ev_kw` what vehicles took.
    """

    ends_at: datetime
    slot_s: int
    load_kw: Series
    pv_kw: Series
    ev_kw: Series

    @property
    def starts_at(self) -> datetime:
        """The beginning of the first slot."""
        return self.ends_at - timedelta(seconds=self.slot_s * len(self.load_kw))


@dataclass(slots=True)
class History:
    """`refresh` reads what is new; `past` gives the series."""

    store: EnergyStore
    timezone: str
    _rows: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    _stays: tuple[Stay, ...] = ()
    _stays_from: datetime | None = None

    async def refresh(self, *, now: datetime) -> None:
        """Read what was added since. Raises EnergyStoreError."""
        oldest_s = now.timestamp() - DAYS_MAX * 86_400
        # The last one again: after a clock that leapt it may have been written anew.
        # What a clock that was ahead wrote into the future must not hide what comes now.
        from_s = max((at_s for at_s in self._rows if at_s <= now.timestamp()), default=oldest_s)
        for at_s, body in await self.store.means(period_s=SLOT_S, from_s=max(from_s, oldest_s)):
            self._rows[int(at_s)] = body
        for old in [at_s for at_s in self._rows if at_s < oldest_s]:
            del self._rows[old]
        self._stays = tuple(_stays(await self.store.stays(from_s=oldest_s)))
        noted = await self.store.note(STAYS_FROM_NOTE)
        self._stays_from = None if noted is None else datetime.fromtimestamp(noted["at_s"], UTC)

    def stays(self, past: Past) -> tuple[datetime, tuple[Stay, ...]]:
        """Since when vehicles were seen, and the stays that ended since; since the past's end where none could be."""
        if self._stays_from is None:
            return past.ends_at, ()
        # Stays from before a clock was set right are proof enough that somebody looked.
        since = min([self._stays_from, *(one.arrived_at for one in self._stays)])
        return min(max(past.starts_at, since), past.ends_at), self._stays

    def past(self, *, now: datetime) -> Past:
        """Everything up to the slot that runs now."""
        end_s = int(now.timestamp() // SLOT_S) * SLOT_S
        first_s = min((at_s for at_s in self._rows if at_s < end_s), default=end_s)
        first_s = max(first_s, end_s - DAYS_MAX * DAY_SLOTS * SLOT_S)
        slots = [self._rows.get(at_s) for at_s in range(first_s, end_s, SLOT_S)]
        return Past(
            ends_at=datetime.fromtimestamp(end_s, UTC),
            slot_s=SLOT_S,
            load_kw=_series(slots, "load", plus="shed"),
            pv_kw=_series(slots, "pv", plus="curtailed"),
            ev_kw=_series(slots, "ev"),
        )

    def peak_kw(self, *, now: datetime) -> float:
        """The highest quarter of an hour of import in this local month; 0 before the first."""
        zone = ZoneInfo(self.timezone)
        begins = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
        peaks = (_import_kw(body) for at_s, body in self._rows.items() if begins <= at_s <= now.timestamp())
        return max(peaks, default=0.0)


def _import_kw(body: Mapping[str, Any]) -> float:
    """Mean import of a quarter of an hour, by the part of it that was known; never more than its highest second.

    A quarter in which the clock was set back holds the energy of more than a quarter.
    """
    if body["good"] < GOOD_FRAC_MIN:
        return 0.0
    mean_kw = float(body["kwh"].get("imported", 0.0) * 3600.0 / (SLOT_S * body["good"]))
    highest_kw = body.get("peak")
    return mean_kw if highest_kw is None else min(mean_kw, float(highest_kw))


def _stays(rows: list[tuple[float, float, float]]) -> Iterable[Stay]:
    for arrived_s, left_s, energy_kwh in rows:
        stay_h = (left_s - arrived_s) / 3600.0
        if 0.0 < stay_h <= STAY_H_MAX and energy_kwh >= 0.0:
            yield Stay(arrived_at=datetime.fromtimestamp(arrived_s, UTC), stay_h=stay_h, energy_kwh=energy_kwh)


def _series(slots: list[Mapping[str, Any] | None], name: str, plus: str = "") -> Series:
    return np.array([_mean(body, name, plus) for body in slots], dtype=np.float64)


def _mean(body: Mapping[str, Any] | None, name: str, plus: str) -> float:
    if body is None or body["good"] < GOOD_FRAC_MIN or name not in body["kw"]:
        return math.nan
    return float(body["kw"][name] + body["kw"].get(plus, 0.0))
