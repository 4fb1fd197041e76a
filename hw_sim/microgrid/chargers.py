"""Chargers: owns what a connector does with the vehicle on it and the limit it was given. Protocols are elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from hw_sim.microgrid.config import ChargerConfig
from hw_sim.microgrid.vehicles import Vehicle

# A charger cannot give less than its least current; below it pauses.
RAMP_FRAC_PER_S = 0.5


@dataclass(slots=True)
class Session:
    """One vehicle's stay. `stopped` is set by a remote stop: the vehicle stays, no power flows."""

    number: int
    vehicle: Vehicle
    stopped: bool = False
    energy_kwh: float = 0.0
    fed_back_kwh: float = 0.0


class Charger:
    """One connector. `limit_kw` is what the central system allows now; negative asks to feed back."""

    def __init__(self, config: ChargerConfig) -> None:
        self.config = config
        self.session: Session | None = None
        self.limit_kw: float | None = None
        self.power_kw = 0.0
        self.energy_kwh = 0.0
        self.fed_back_kwh = 0.0
        self.tripped = False
        self._count = 0

    @property
    def free(self) -> bool:
        """Whether a vehicle can be plugged in."""
        return self.session is None and not self.tripped

    def plug_in(self, vehicle: Vehicle) -> None:
        """A vehicle has come."""
        self._count += 1
        self.session = Session(self._count, vehicle)

    def unplug(self) -> Vehicle | None:
        """The vehicle goes."""
        session, self.session, self.power_kw = self.session, None, 0.0
        return session.vehicle if session else None

    def offer(self, device_dt_s: float, *, bus_live: bool) -> float:
        """What it draws in this step (negative feeds back), moving no faster than its ramp."""
        wanted = self._wanted_kw() if bus_live else 0.0
        if not bus_live or self.tripped:
            return 0.0
        step = self.config.max_kw * RAMP_FRAC_PER_S * device_dt_s
        return max(self.power_kw - step, min(self.power_kw + step, wanted))

    def _wanted_kw(self) -> float:
        session = self.session
        if session is None or session.stopped or self.tripped:
            return 0.0
        limit = self.config.max_kw if self.limit_kw is None else self.limit_kw
        if limit < 0:
            return -session.vehicle.gives_kw(min(-limit, self.config.v2g_kw))
        power = min(limit, self.config.max_kw, session.vehicle.takes_kw)
        return power if power >= self.config.min_kw or session.vehicle.takes_kw < self.config.min_kw else 0.0

    def give(self, power_kw: float, dt_s: float) -> None:
        """Book a step."""
        self.power_kw = power_kw
        if self.session is None:
            return
        kwh = power_kw * dt_s / 3600.0
        self.session.vehicle.charge(power_kw, dt_s)
        if kwh >= 0:
            self.energy_kwh += kwh
            self.session.energy_kwh += kwh
        else:
            self.fed_back_kwh -= kwh
            self.session.fed_back_kwh -= kwh
