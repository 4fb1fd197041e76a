"""What really happened: owns energies since the start and limits that were passed, with how long and how far."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

EPISODES_KEPT = 200


@dataclass(slots=True)
class Energies:
    """kWh since the start, each never negative."""

    pv_kwh: float = 0.0
    curtailed_kwh: float = 0.0
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    storage_charge_kwh: float = 0.0
    storage_discharge_kwh: float = 0.0
    load_kwh: float = 0.0
    ev_kwh: float = 0.0
    ev_fed_back_kwh: float = 0.0
    unserved_kwh: float = 0.0
    shed_kwh: float = 0.0


@dataclass(slots=True)
class Episode:
    """One limit passed once. `duration_s` is seconds of the clock, as a gateway counts them."""

    kind: str
    began_at: str
    duration_s: float = 0.0
    worst: float = 0.0
    ended: bool = False


@dataclass(slots=True)
class LimitWatch:
    """One limit, with what is tolerated beyond it."""

    kind: str
    limit: float
    tolerance: float
    open: Episode | None = None

    def look(self, value: float, dt_s: float, at: str) -> Episode | None:
        """Count a step; gives an episode that begins now."""
        over = value - self.limit
        if over <= self.tolerance:
            if self.open is not None:
                self.open.ended = True
                self.open = None
            return None
        begun = None
        if self.open is None:
            begun = self.open = Episode(self.kind, at)
        self.open.duration_s += dt_s
        self.open.worst = max(self.open.worst, over)
        return begun


@dataclass(slots=True)
class Violations:
    """All limits of the site."""

    watches: list[LimitWatch] = field(default_factory=list)
    episodes: deque[Episode] = field(default_factory=lambda: deque(maxlen=EPISODES_KEPT))
    counts: dict[str, int] = field(default_factory=dict)

    def look(self, values: dict[str, float], dt_s: float, at: str) -> None:
        """Count a step; `values` by kind."""
        for watch in self.watches:
            begun = watch.look(values[watch.kind], dt_s, at)
            if begun is not None:
                self.episodes.append(begun)
                self.counts[begun.kind] = self.counts.get(begun.kind, 0) + 1

    def note(self, kind: str, at: str) -> None:
        """Something that is over at once, as a blackout's begin."""
        self.episodes.append(Episode(kind, at, ended=True))
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def rows(self) -> dict[str, Any]:
        """For JSON."""
        return {"counts": dict(self.counts), "episodes": [asdict(one) for one in self.episodes]}
