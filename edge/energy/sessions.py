"""Charging sessions: owns telling their beginning, their progress every few minutes, and their end, once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from control.domain.events import ChargingSession
from edge.energy.means import H_PER_S
from edge.energy.ports import ChargerReading
from edge.energy.snapshot import value_of
from edge.facts import iso
from edge.journal import Journal
from edge.ports import Clock

UPDATE_EVERY_S = 300.0
REMEMBERED_MAX = 500


@dataclass(slots=True)
class SessionBook:
    """Follows every charger's session by its id; after a restart the journal says which are open."""

    clock: Clock
    _open: dict[str, ChargingSession] = field(default_factory=dict)
    _told_s: dict[str, float] = field(default_factory=dict)
    _last_s: float | None = None

    async def load(self, journal: Journal) -> None:
        """Take up what the last run left open."""
        for row in reversed(await journal.recent(("charging_session",), REMEMBERED_MAX)):
            told = ChargingSession(**row.body)
            if told.phase == "ended":
                self._open.pop(told.charger, None)
            else:
                self._open[told.charger] = told

    def see(self, chargers: Mapping[str, ChargerReading]) -> list[ChargingSession]:
        """What has to be told after this cycle. A charger that is away says nothing about its session."""
        now_s = self.clock.monotonic()
        dt_s = 0.0 if self._last_s is None else min(now_s - self._last_s, 5.0)
        self._last_s = now_s
        return [event for reading in chargers.values() if reading.online for event in self._follow(reading, dt_s)]

    def _follow(self, reading: ChargerReading, dt_s: float) -> Iterable[ChargingSession]:
        before = self._open.get(reading.id)
        if before is not None and before.session_id != reading.session_id:
            del self._open[reading.id]
            yield replace(before, phase="ended", power_kw=None, at=iso(self.clock.now()))
            before = None
        if not reading.session_id:
            return
        now = self._now(reading, before, dt_s)
        self._open[reading.id] = now
        told_s = self._told_s.get(reading.id, -1e9)
        if before is None or self.clock.monotonic() - told_s >= UPDATE_EVERY_S:
            self._told_s[reading.id] = self.clock.monotonic()
            yield now

    def _now(self, reading: ChargerReading, before: ChargingSession | None, dt_s: float) -> ChargingSession:
        power_kw, energy_kwh = value_of(reading.power_kw), value_of(reading.energy_kwh)
        known_fed_kwh, counted_kwh = 0.0 if before is None else before.fed_back_kwh, value_of(reading.fed_back_kwh)
        if counted_kwh is None:
            # A charger without a register for it is integrated over its power.
            counted_kwh = known_fed_kwh + max(-(power_kw or 0.0), 0.0) * dt_s * H_PER_S
        known_kwh = energy_kwh if energy_kwh is not None else before.energy_kwh if before is not None else 0.0
        soc_frac = value_of(reading.soc_frac)
        return ChargingSession(
            session_id=reading.session_id,
            charger=reading.id,
            phase="started" if before is None else "updated",
            energy_kwh=round(known_kwh, 3),
            fed_back_kwh=round(max(counted_kwh, known_fed_kwh), 6),
            soc_frac=soc_frac if soc_frac is not None or before is None else before.soc_frac,
            depart_at=None if reading.depart_at is None else iso(reading.depart_at),
            power_kw=power_kw,
            at=iso(self.clock.now()),
        )
