"""The PV plant's health as the gateway follows it: owns handing readings to the diagnosis and keeping what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control.energy.site import SiteSpec
from edge.energy.alarms import Condition
from edge.energy.field import FieldNow
from edge.ports import Clock


@dataclass(slots=True)
class PvWatch:
    """`see` is called every cycle."""

    site: SiteSpec
    clock: Clock
    rows: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def see(self, now: FieldNow) -> None:
        """The newest readings."""
