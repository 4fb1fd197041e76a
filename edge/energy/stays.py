"""Vehicles' stays at the chargers, for the forecast of those to come: owns when each came, left, and what it took.

A stay has no person, no plate, and after its end no session. It is kept in the file of samples; while that is broken
stays wait, and a stay whose coming was lost is not kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from control.domain.events import ChargingSession
from edge.energy.store import EnergyStore

STAYS_FROM_NOTE = "stays_from"
WAITING_MAX = 500


@dataclass(slots=True)
class StayBook:
    """`offer` takes what is told of sessions, `keep` writes it."""

    store: EnergyStore
    _waiting: deque[ChargingSession] = field(default_factory=lambda: deque(maxlen=WAITING_MAX))

    async def load(self, *, now_s: float) -> None:
        """Note since when stays are written down; one from the future was a clock's. Raises EnergyStoreError."""
        noted = await self.store.note(STAYS_FROM_NOTE)
        if noted is None or noted["at_s"] > now_s:
            await self.store.put_note(STAYS_FROM_NOTE, {"at_s": now_s})

    def offer(self, events: Iterable[object]) -> None:
        """Events of one cycle; only beginnings and ends of sessions count."""
        self._waiting += (
            event for event in events if isinstance(event, ChargingSession) and event.phase in ("started", "ended")
        )

    async def keep(self) -> None:
        """Write what waits. Raises EnergyStoreError; then the rest waits on."""
        while self._waiting:
            told = self._waiting[0]
            at_s = datetime.fromisoformat(told.at).timestamp()
            if told.phase == "started":
                await self.store.begin_stay(charger=told.charger, session=told.session_id, arrived_s=at_s)
            else:
                await self.store.end_stay(
                    charger=told.charger, session=told.session_id, left_s=at_s, energy_kwh=told.energy_kwh
                )
            self._waiting.popleft()
