"""The microgrid as the gateway runs it: owns its services, its lines of the health report, and what obeys the cloud."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from edge.downlink import Downlink
from edge.energy.alarms import AlarmDesk
from edge.energy.cycle import EnergyCycle
from edge.energy.device_rows import device_rows
from edge.energy.planning import PlanningDesk
from edge.energy.settings_desk import SettingsDesk
from edge.energy.takeover import TakeoverDesk
from edge.energy.telemetry import Telemetry

Service = tuple[str, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPart:
    """What the composition root joined for the microgrid."""

    cycle: EnergyCycle
    telemetry: Telemetry
    planning: PlanningDesk
    settings: SettingsDesk
    takeover: TakeoverDesk
    alarms: AlarmDesk
    services: tuple[Service, ...]

    def obey(self, downlink: Downlink) -> Service:
        """Take settings and takeovers that come down; the service that carries takeovers out."""
        downlink.on_energy_settings(self.settings.take)
        return "takeovers", partial(self.takeover.run, downlink)

    def health(self) -> dict[str, Any]:
        """The microgrid's part of the health report."""
        pace, plan = self.cycle.pace, self.planning.plan
        standing = self.takeover.standing
        return {
            "mode": self.cycle.mode.value,
            "cycles": pace.cycles,
            "cycles_late": pace.late,
            "cycles_missed": pace.missed,
            "cycle_ms": round(1000 * pace.took_s, 1),
            "settings_version": self.settings.current.number,
            "settings_waiting": None if self.settings.waiting is None else self.settings.waiting.number,
            "takeover": None if standing is None else standing.mode.value,
            "plan": None if plan is None else plan.rung.value,
            "kernels_ready": self.planning.kernels_ready,
            "alarms": len(self.alarms.open),
            "devices": self.device_lines(),
        }

    def device_lines(self) -> list[dict[str, str]]:
        """One line for each device: `ok`, `lost`, or `stale` for one that missed a cycle or two."""
        published = self.cycle.published
        if published is None:
            return []
        rows = device_rows(published.field, self.cycle.parts.site, {})
        words = {"good": "ok"}
        return [
            {
                "id": id_,
                "kind": row["kind"],
                "name": row.get("name", ""),
                "state": words.get(row["quality"], row["quality"]),
            }
            for id_, row in rows.items()
        ]
