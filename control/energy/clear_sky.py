"""What the PV strings would give under a clear sky: owns the chain from the sun's place to kW, by pvlib.

pvlib needs pandas and SciPy, which together take about 100 MB: it is imported when called, so that a gateway can ask
in a short-lived process of its own, once a day, and keep the table.

Chain: sun position, Ineichen and Perez (2002) clear sky with a fixed Linke turbidity, Hay and Davies (1980) on the
strings' planes, Faiman (2008) cell temperature, PVWatts (Dobos 2014) power, the inverter's efficiency and rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from control.energy.site import PvSpec, StringSpec

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyAssumptions:
    """What is taken of sky and plant. Linke turbidity 3 is clean mountain air, 5 humid coast; losses of the DC side
    (soiling, mismatch, wiring) as a part of 1; `gamma_per_c` is the power's change per degree of cell temperature."""

    linke_turbidity: float = 4.5
    altitude_m: float = 10.0
    air_c: float = 28.0
    wind_m_per_s: float = 3.0
    albedo: float = 0.2
    gamma_per_c: float = -0.0035
    losses_frac: float = 0.10
    inverter_efficiency: float = 0.97


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClearSkyDay:
    """One local day from midnight on, in steps of `step_s`; each value is the mean over its step.

    `string_dc_kw` (strings, n) before the inverter, `inverter_ac_kw` (inverters, n) at the bus, ids beside.
    """

    at0: datetime
    step_s: int
    string_ids: tuple[str, ...]
    string_dc_kw: Floats
    inverter_ids: tuple[str, ...]
    inverter_ac_kw: Floats

    @property
    def total_ac_kw(self) -> Floats:
        """All inverters, (n,)."""
        total: Floats = self.inverter_ac_kw.sum(axis=0)
        return total


def clear_sky_day(
    pvs: Sequence[PvSpec],
    *,
    latitude_deg: float,
    longitude_deg: float,
    timezone: str,
    day: date,
    step_s: int = 900,
    assumptions: SkyAssumptions = SkyAssumptions(),
) -> ClearSkyDay:
    """What the inverters and strings would give on this local day without a cloud; `step_s` divides an hour."""
    zone = ZoneInfo(timezone)
    at0 = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    end = (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)).astimezone(UTC)
    steps = round((end - at0).total_seconds()) // step_s
    # The middle of a step stands for its mean.
    start = np.datetime64(at0.replace(tzinfo=None), "s") + np.timedelta64(step_s // 2, "s")
    sky = _sky(start + np.arange(steps) * np.timedelta64(step_s, "s"), latitude_deg, longitude_deg, assumptions)
    strings = [string for pv in pvs for string in pv.strings]
    planes = {(string.tilt_deg, string.azimuth_deg) for string in strings}
    per_kw = {plane: sky.dc_per_kw(*plane) for plane in planes}

    def dc_kw(string: StringSpec) -> Floats:
        return string.rated_dc_kw * per_kw[string.tilt_deg, string.azimuth_deg]

    dc = [dc_kw(string) for string in strings]
    ac = [_ac_kw(pv, sum((dc_kw(string) for string in pv.strings), np.zeros(steps)), assumptions) for pv in pvs]
    return ClearSkyDay(
        at0=at0,
        step_s=step_s,
        string_ids=tuple(string.id for string in strings),
        string_dc_kw=np.array(dc).reshape(len(strings), steps),
        inverter_ids=tuple(pv.id for pv in pvs),
        inverter_ac_kw=np.array(ac).reshape(len(pvs), steps),
    )


def _ac_kw(pv: PvSpec, dc_kw: Floats, assumptions: SkyAssumptions) -> Floats:
    return np.minimum(dc_kw * assumptions.inverter_efficiency, pv.rated_ac_kw)


@dataclass(frozen=True, slots=True, eq=False)
class _Sky:
    """The clear sky at the middles of the steps; angles in degrees, irradiances in W/m2."""

    zenith_deg: Floats
    azimuth_deg: Floats
    ghi: Floats
    dni: Floats
    dhi: Floats
    dni_extra: Floats
    assumptions: SkyAssumptions

    def dc_per_kw(self, tilt_deg: float, azimuth_deg: float) -> Floats:
        """DC power of one rated kW on this plane."""
        from pvlib import irradiance, pvsystem, temperature

        given = self.assumptions
        plane = irradiance.get_total_irradiance(
            tilt_deg,
            azimuth_deg,
            self.zenith_deg,
            self.azimuth_deg,
            self.dni,
            self.ghi,
            self.dhi,
            dni_extra=self.dni_extra,
            albedo=given.albedo,
            model="haydavies",
        )
        irradiance_w = np.nan_to_num(np.asarray(plane["poa_global"], dtype=np.float64))
        cell_c = temperature.faiman(irradiance_w, given.air_c, given.wind_m_per_s)
        made = pvsystem.pvwatts_dc(irradiance_w, cell_c, 1.0, given.gamma_per_c)
        return np.maximum(0.0, np.asarray(made, dtype=np.float64)) * (1.0 - given.losses_frac)


def _sky(
    at: npt.NDArray[np.datetime64], latitude_deg: float, longitude_deg: float, assumptions: SkyAssumptions
) -> _Sky:
    import pandas as pd
    from pvlib import atmosphere, clearsky, irradiance, solarposition

    times = pd.DatetimeIndex(at, tz="UTC")
    sun = solarposition.get_solarposition(times, latitude_deg, longitude_deg, altitude=assumptions.altitude_m)
    zenith = sun["apparent_zenith"].to_numpy(dtype=np.float64)
    day_of_year = (at.astype("datetime64[D]") - at.astype("datetime64[Y]")).astype(np.float64) + 1.0
    extra = np.asarray(irradiance.get_extra_radiation(day_of_year), dtype=np.float64)
    pressure = atmosphere.alt2pres(assumptions.altitude_m)
    airmass = atmosphere.get_absolute_airmass(atmosphere.get_relative_airmass(zenith), pressure)
    # By night the formula divides by 0; those hours become 0 below.
    with np.errstate(divide="ignore", invalid="ignore"):
        clear = clearsky.ineichen(zenith, airmass, assumptions.linke_turbidity, assumptions.altitude_m, extra)
    return _Sky(
        zenith_deg=zenith,
        azimuth_deg=sun["azimuth"].to_numpy(dtype=np.float64),
        ghi=np.nan_to_num(np.asarray(clear["ghi"], dtype=np.float64)),
        dni=np.nan_to_num(np.asarray(clear["dni"], dtype=np.float64)),
        dhi=np.nan_to_num(np.asarray(clear["dhi"], dtype=np.float64)),
        dni_extra=extra,
        assumptions=assumptions,
    )
