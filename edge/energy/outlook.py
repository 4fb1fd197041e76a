"""The gateway's forecast: owns handing the past, the clear sky and the present to `control.energy.forecast`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from control.energy.forecast import Measured, Spread, forecast_site, measured_spread
from control.energy.plan import Band
from control.energy.site import SiteSpec
from edge.energy.history import Past
from edge.energy.plan_grounds import Outlook
from edge.energy.sky import SkyTable

# How wide the bands must be is measured on the last days, which takes as long as a dozen forecasts.
SPREAD_EVERY = timedelta(hours=1)


@dataclass(slots=True)
class LiveForecast:
    """Called in the planner's thread."""

    site: SiteSpec
    sky: SkyTable
    usable_frac: Callable[[], float] = lambda: 1.0
    _spread: Spread | None = None
    _spread_at: datetime | None = None

    def __call__(
        self, past: Past, *, starts_at: datetime, slots: int, load_now_kw: float | None, pv_now_kw: float | None
    ) -> Outlook:
        """Bands and scenarios of the slots ahead."""
        given = Measured(
            starts_at=starts_at,
            slot_s=past.slot_s,
            timezone=self.site.timezone,
            slots=slots,
            load_kw=past.load_kw,
            pv_kw=past.pv_kw,
            clear_kw=self.sky.over(past.starts_at, len(past.pv_kw) + slots),
            load_now_kw=load_now_kw,
            pv_now_kw=pv_now_kw,
            typical_load_kw=sum(load.rated_kw for load in self.site.loads) / 2,
        )
        made = forecast_site(given, self._measured(given))
        usable = self.usable_frac()
        return Outlook(
            load=made.load,
            pv=Band(made.pv.low * usable, made.pv.mid * usable, made.pv.high * usable),
            pv_scenarios=made.pv_scenarios * usable,
            load_scenarios=made.load_scenarios,
            weights=made.weights,
        )

    def _measured(self, given: Measured) -> Spread:
        at = self._spread_at
        if self._spread is None or at is None or not timedelta(0) <= given.starts_at - at < SPREAD_EVERY:
            self._spread, self._spread_at = measured_spread(given), given.starts_at
        return self._spread
