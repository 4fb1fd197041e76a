"""Devices that misbehave, around the fast loop: owns a plant with faults and a judge of every second.

The judge shares nothing with the controller but its types: it adds up powers and compares with what the site, the
settings and the physics allow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from control.domain.energy import LoadTier
from control.energy.dispatch import dispatch
from control.energy.dispatch_types import Commands, Dispatch, DispatchState, SiteNow
from control.energy.plan import ValueCurve
from control.energy.settings import EnergySettings
from tests.control.energy.plant import SITE, Plant

SLACK_KW = 0.5


@dataclass
class FaultyPlant(Plant):
    """A plant whose devices may obey late, whose meter may be old or frozen, and whose breaker may refuse."""

    storage_late_s: dict[str, int] = field(default_factory=dict)
    meter_late_s: int = 0
    meter_frozen: bool = False
    breaker_stuck: bool = False
    _told: deque[dict[str, float]] = field(default_factory=lambda: deque(maxlen=20))
    _metered: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    _frozen_kw: float | None = None

    def step(self, commands: Commands | None, seconds: float = 1.0) -> None:
        """As a plant's second, with the faults."""
        if commands is not None:
            self._told.append(commands.storage_kw)
            kept = {key: power for key, power in commands.storage_kw.items() if key not in self.storage_late_s}
            for key, late in self.storage_late_s.items():
                if len(self._told) > late:
                    kept[key] = self._told[-1 - late].get(key, 0.0)
            breaker = None if self.breaker_stuck else commands.breaker_closed
            commands = Commands(
                storage_kw=kept,
                pv_limit_kw=commands.pv_limit_kw,
                ev_limit_kw=commands.ev_limit_kw,
                load_on=commands.load_on,
                breaker_closed=breaker,
                grid_forming=commands.grid_forming,
                bus_hz_wanted=commands.bus_hz_wanted,
            )
        super().step(commands, seconds)
        self._metered.append(self.grid_kw)

    def seen(self, **changes: object) -> SiteNow:
        """What the gateway would read now, from an old or a frozen meter where that is the fault."""
        if self.meter_frozen:
            if self._frozen_kw is None:
                self._frozen_kw = self.grid_kw
            changes.setdefault("grid_kw", self._frozen_kw)
        else:
            self._frozen_kw = None
            if self.meter_late_s and len(self._metered) > self.meter_late_s:
                changes.setdefault("grid_kw", self._metered[-1 - self.meter_late_s])
        return super().seen(**changes)


@dataclass
class Judge:
    """What was broken, second by second."""

    settings: EnergySettings
    broken: list[str] = field(default_factory=list)
    off_s: dict[str, float] = field(default_factory=dict)

    def see(self, plant: Plant, now: SiteNow, given: Dispatch) -> None:
        """Compare one second's commands with what is allowed."""
        at = f"{plant.now_s:.0f} s:"
        for spec in plant.site.storages:
            power, soc = given.commands.storage_kw[spec.id], plant.soc[spec.id]
            if not -spec.charge_max_kw - 1e-6 <= power <= spec.discharge_max_kw + 1e-6:
                self.broken.append(f"{at} {spec.id} told {power}")
            top = min(spec.soc_max_frac, self.settings.soc_max_frac)
            if power < -1e-6 and soc > top + 1e-9:
                self.broken.append(f"{at} {spec.id} charged at {soc}")
            if power > 1e-6 and soc < spec.soc_min_frac - 1e-9:
                self.broken.append(f"{at} {spec.id} discharged at {soc}")
        for pv in plant.site.pvs:
            limit = given.commands.pv_limit_kw[pv.id]
            if limit is not None and not 0.0 <= limit <= pv.rated_ac_kw:
                self.broken.append(f"{at} {pv.id} limited to {limit}")
        tiers = {one.id: one for one in plant.site.loads}
        for key, on in given.commands.load_on.items():
            load = tiers[key]
            if not on and (load.tier is LoadTier.CRITICAL or not load.sheddable):
                self.broken.append(f"{at} {key} shed")
            if not on:
                self.off_s.setdefault(key, plant.now_s)
            elif key in self.off_s and plant.now_s - self.off_s.pop(key) < load.min_off_s - 1.0:
                self.broken.append(f"{at} {key} back too soon")


class Loop:
    """Controller, plant and judge, second by second."""

    def __init__(self, plant: Plant, settings: EnergySettings, curves: dict[str, ValueCurve] | None = None) -> None:
        self.plant, self.settings, self.curves = plant, settings, curves or {}
        self.state = DispatchState()
        self.judge = Judge(settings)
        self.last: Dispatch | None = None

    def second(self, **changes: object) -> Dispatch:
        """See, decide, judge, act."""
        now = self.plant.seen(**changes)
        self.judge.settings = self.settings
        self.last = dispatch(now, self.state, settings=self.settings, site=SITE, curves=self.curves)
        self.judge.see(self.plant, now, self.last)
        self.state = self.last.state
        self.plant.step(self.last.commands)
        return self.last

    def run(self, seconds: int, check: Callable[[], None] | None = None, **changes: object) -> None:
        """Let it run; `check` after each second."""
        for _ in range(seconds):
            self.second(**changes)
            if check is not None:
                check()
