"""Storage: owns energy in and out with its losses, what limits the power, heat, ageing and the reversion timer."""

from __future__ import annotations

import math

from hw_sim.microgrid.config import StorageConfig

HEAT_C_PER_FULL_LOSS = 26.0
HEAT_TIME_S = 5400.0
FULL_LOSS_FRAC = 0.05
# A cell's wear: this share of its capacity for each full cycle (invented; 6,000 cycles to 80 %).
SOH_PER_CYCLE = 0.2 / 6000.0
# Power falls over the last few percent of charge before a limit, so that it is never hit hard.
TAPER_FRAC = 0.02


class Storage:
    """One storage with its power conversion system. Power is positive where it discharges."""

    def __init__(self, config: StorageConfig, *, air_c: float = 25.0) -> None:
        self.config = config
        self.soh_frac = config.soh_frac
        self.energy_kwh = config.soc_frac * config.capacity_kwh * config.soh_frac
        self.power_kw = 0.0
        self.wanted_kw = 0.0
        self.temperature_c = air_c + 2.0
        self.tripped = False
        self.standby = False
        self.lost_kwh = 0.0
        self.charged_kwh = 0.0
        self.discharged_kwh = 0.0
        self.revert_s = 0.0
        self._heard_s: float | None = None

    @property
    def usable_kwh(self) -> float:
        """What it holds when it is full, aged as it is."""
        return self.config.capacity_kwh * self.soh_frac

    @property
    def soc_frac(self) -> float:
        """State of charge of what is usable now."""
        return self.energy_kwh / self.usable_kwh

    def heard(self, device_s: float) -> None:
        """A master has written a set-point; the reversion timer begins anew."""
        self._heard_s = device_s

    def watch(self, device_s: float) -> None:
        """Nobody refreshed the set-point in time: back to no power."""
        if self.revert_s > 0 and self._heard_s is not None and device_s - self._heard_s > self.revert_s:
            self.wanted_kw = 0.0
            self._heard_s = None

    def remaining_s(self, device_s: float) -> float:
        """Until the set-point reverts; 0 where no timer runs."""
        if self.revert_s <= 0 or self._heard_s is None:
            return 0.0
        return max(0.0, self.revert_s - (device_s - self._heard_s))

    @property
    def derating(self) -> float:
        """What heat leaves of the power, 0 to 1."""
        config = self.config
        span = max(0.1, config.derate_to_c - config.derate_from_c)
        return max(0.0, min(1.0, 1.0 - (self.temperature_c - config.derate_from_c) / span))

    @property
    def usable(self) -> bool:
        """Whether it can give or take anything."""
        return not self.tripped and not self.standby

    @property
    def charge_max_kw(self) -> float:
        """The most it takes now."""
        room = max(0.0, min(1.0, (self.config.soc_max_frac - self.soc_frac) / TAPER_FRAC))
        return self.config.charge_max_kw * self.derating * room if self.usable else 0.0

    @property
    def discharge_max_kw(self) -> float:
        """The most it gives now."""
        left = max(0.0, min(1.0, (self.soc_frac - self.config.soc_min_frac) / TAPER_FRAC))
        return self.config.discharge_max_kw * self.derating * left if self.usable else 0.0

    def offer(self, device_dt_s: float) -> float:
        """What it gives the bus by its set-point in this step, following with its own delay."""
        share = 1.0 - math.exp(-device_dt_s / max(1e-3, self.config.response_s))
        return self.within(self.power_kw + (self.wanted_kw - self.power_kw) * share)

    def within(self, power_kw: float) -> float:
        """The nearest power that it can do now."""
        return max(-self.charge_max_kw, min(self.discharge_max_kw, power_kw))

    def bound(self, dt_s: float) -> tuple[float, float]:
        """Least (negative) and most power that the energy allows for all of a step, kW."""
        config, hours = self.config, dt_s / 3600.0
        room_kwh = max(0.0, config.soc_max_frac * self.usable_kwh - self.energy_kwh)
        left_kwh = max(0.0, self.energy_kwh - config.soc_min_frac * self.usable_kwh)
        least = -min(self.charge_max_kw, room_kwh / config.efficiency_charge / hours)
        return least, min(self.discharge_max_kw, left_kwh * config.efficiency_discharge / hours)

    def give(self, power_kw: float, dt_s: float, air_c: float) -> None:
        """Book what went to the bus (or came from it), with losses, heat and wear."""
        config, hours = self.config, dt_s / 3600.0
        self.power_kw = power_kw
        if power_kw >= 0:
            stored_kwh = -power_kw * hours / config.efficiency_discharge
            self.discharged_kwh += power_kw * hours
        else:
            stored_kwh = -power_kw * hours * config.efficiency_charge
            self.charged_kwh -= power_kw * hours
        leaked_kwh = self.energy_kwh * config.self_discharge_frac_per_h * hours
        self.lost_kwh += -power_kw * hours - stored_kwh + leaked_kwh
        self.energy_kwh += stored_kwh - leaked_kwh
        self.soh_frac -= SOH_PER_CYCLE * abs(stored_kwh) / (2.0 * config.capacity_kwh)
        loss_kw = abs(power_kw) * FULL_LOSS_FRAC
        full_kw = FULL_LOSS_FRAC * max(config.charge_max_kw, config.discharge_max_kw)
        warm_c = air_c + 2.0 + HEAT_C_PER_FULL_LOSS * loss_kw / max(1e-9, full_kw)
        self.temperature_c += (warm_c - self.temperature_c) * (1.0 - math.exp(-dt_s / HEAT_TIME_S))
