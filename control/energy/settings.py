"""What an operator may change: owns every weight and limit with unit and range, the prices, and refusing nonsense.

Settings are versioned rows: a version takes effect at a time, has an author and a reason, and is never edited. The
gateway refuses what `read_settings` refuses, and so does the cloud.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from control.domain.errors import IslandError


class SettingsError(IslandError):
    """A setting is missing, of a wrong type, out of its range, or contradicts another; the text names the key."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be. `step` is the slider's."""

    unit: str
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffPeriod:
    """Prices from `from_hour` to `to_hour` (local, `to_hour` excluded) on these months (empty: all)."""

    name: str
    from_hour: float
    to_hour: float
    import_per_kwh: float
    export_per_kwh: float
    months: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAhead:
    """The published prices of one local day: one an hour (24) or one a quarter of an hour (96), from midnight on.

    They go by the clock on the wall. Without export prices the tariff's hold. `source` says who published them.
    """

    day: date
    import_per_kwh: tuple[float, ...]
    export_per_kwh: tuple[float, ...] = ()
    source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """Yuan a kWh at one moment; `day_ahead` where they were published for that day."""

    import_per_kwh: float
    export_per_kwh: float
    day_ahead: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergySettings:
    """One version of everything that the controller weighs. Money in yuan.

    `import_target_kw` is a wish that is paid for when it is missed; `import_max_kw` and `export_max_kw` are hard.
    `reserve_price_per_kwh_h` is what a kWh that lacks to the reserve costs the plan each hour.
    Prices in the tariff hold on days that `day_ahead` does not have. `carbon_per_kwh` is the grid's intensity in kg.
    """

    import_max_kw: float = 8000.0
    export_max_kw: float = 3000.0
    import_target_kw: float = 2500.0
    ramp_max_kw_per_min: float = 2000.0
    demand_charge_per_kw: float = 40.0
    carbon_price_per_t: float = 80.0
    carbon_per_kwh: float = 0.3648
    carbon_source: str = "国家温室气体排放因子 海南 2022"
    wear_per_kwh: float = 0.21
    reserve_frac: float = 0.15
    ride_through_h: float = 2.0
    reserve_price_per_kwh_h: float = 0.5
    soc_max_frac: float = 0.95
    unserved_per_kwh: float = 20.0
    ev_min_frac: float = 0.2
    v2g: bool = True
    v2g_soc_min_frac: float = 0.4
    shed_allowed: bool = True
    plan_period_s: float = 120.0
    horizon_h: float = 36.0
    tariff: tuple[TariffPeriod, ...] = field(
        default_factory=lambda: (
            TariffPeriod(name="谷 valley", from_hour=23, to_hour=7, import_per_kwh=0.31, export_per_kwh=0.28),
            TariffPeriod(name="平 flat", from_hour=7, to_hour=10, import_per_kwh=0.66, export_per_kwh=0.36),
            TariffPeriod(name="峰 peak", from_hour=10, to_hour=12, import_per_kwh=1.05, export_per_kwh=0.36),
            TariffPeriod(name="平 flat", from_hour=12, to_hour=16, import_per_kwh=0.66, export_per_kwh=0.36),
            TariffPeriod(name="峰 peak", from_hour=16, to_hour=22, import_per_kwh=1.05, export_per_kwh=0.36),
            TariffPeriod(name="平 flat", from_hour=22, to_hour=23, import_per_kwh=0.66, export_per_kwh=0.36),
        )
    )
    day_ahead: tuple[DayAhead, ...] = ()

    @property
    def carbon_per_kwh_cost(self) -> float:
        """What the carbon of one imported kWh weighs, yuan."""
        return self.carbon_per_kwh * self.carbon_price_per_t / 1000.0


RANGES: dict[str, Range] = {
    "import_max_kw": Range("kW", 0, 20_000, 50),
    "export_max_kw": Range("kW", 0, 20_000, 50),
    "import_target_kw": Range("kW", 0, 20_000, 50),
    "ramp_max_kw_per_min": Range("kW/min", 10, 60_000, 10),
    "demand_charge_per_kw": Range("元/kW·月", 0, 500, 1),
    "carbon_price_per_t": Range("元/t", 0, 5_000, 10),
    "carbon_per_kwh": Range("kg/kWh", 0, 2, 0.0001),
    "wear_per_kwh": Range("元/kWh", 0, 5, 0.01),
    "reserve_frac": Range("", 0, 0.9, 0.01),
    "ride_through_h": Range("h", 0, 72, 0.5),
    "reserve_price_per_kwh_h": Range("元/kWh·h", 0, 50, 0.1),
    "soc_max_frac": Range("", 0.1, 1, 0.01),
    "unserved_per_kwh": Range("元/kWh", 0, 1_000, 1),
    "ev_min_frac": Range("", 0, 1, 0.05),
    "v2g_soc_min_frac": Range("", 0, 1, 0.05),
    "plan_period_s": Range("s", 60, 900, 10),
    "horizon_h": Range("h", 6, 72, 1),
}
_PRICE_MAX = 20.0
_PRICE = Range("元/kWh", -_PRICE_MAX, _PRICE_MAX, 0.01)
DAY_AHEAD_COUNTS = (24, 96)
DAY_AHEAD_DAYS_MAX = 14
_YEARS = (2000, 2200)
# Settings that were written before these existed are whole without them.
_LATER = frozenset({"day_ahead"})


def settings_json(settings: EnergySettings) -> dict[str, Any]:
    """The settings as a JSON object; `read_settings` is its inverse."""
    plain = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name not in ("tariff", "day_ahead")}
    rows = [
        {f.name: getattr(row, f.name) for f in fields(row)} | {"months": list(row.months)} for row in settings.tariff
    ]
    days = [
        {
            "day": one.day.isoformat(),
            "import_per_kwh": list(one.import_per_kwh),
            "export_per_kwh": list(one.export_per_kwh),
            "source": one.source,
        }
        for one in settings.day_ahead
    ]
    return plain | {"tariff": rows, "day_ahead": days}


def read_settings(value: object) -> EnergySettings:
    """Settings from a JSON object that has every key, `day_ahead` excepted.

    Raises SettingsError for anything that cannot be meant.
    """
    if not isinstance(value, dict):
        raise SettingsError("The settings are no JSON object.")
    known = {f.name for f in fields(EnergySettings)}
    if extra := sorted(set(value) - known):
        raise SettingsError(f"{extra[0]} is no setting.")
    if missing := sorted(known - _LATER - set(value)):
        raise SettingsError(f"{missing[0]} is missing.")
    numbers = {key: _number(key, value[key], span) for key, span in RANGES.items()}
    flags = {key: _flag(key, value[key]) for key in ("v2g", "shed_allowed")}
    source = value["carbon_source"]
    if not isinstance(source, str) or not source.strip():
        raise SettingsError("carbon_source must say where the grid's intensity is from.")
    made = EnergySettings(
        **numbers,  # type: ignore[arg-type]
        **flags,
        carbon_source=source,
        tariff=_tariff(value["tariff"]),
        day_ahead=_day_ahead(value.get("day_ahead", ())),
    )
    _check_together(made)
    return made


def _number(key: str, value: object, span: Range) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SettingsError(f"{key} must be a number in {span.unit or 'parts of 1'}.")
    if not span.low <= value <= span.high:
        raise SettingsError(f"{key} is {value:g} {span.unit}: allowed are {span.low:g} to {span.high:g}.")
    return float(value)


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{key} must be true or false.")
    return value


def _tariff(value: object) -> tuple[TariffPeriod, ...]:
    if not isinstance(value, (list, tuple)) or not value or len(value) > 96:
        raise SettingsError("tariff must be a list of 1 to 96 periods.")
    return tuple(_period(f"tariff[{index}]", one) for index, one in enumerate(value))


def _period(where: str, value: object) -> TariffPeriod:
    if not isinstance(value, dict) or set(value) != {f.name for f in fields(TariffPeriod)}:
        raise SettingsError(f"{where} needs name, from_hour, to_hour, import_per_kwh, export_per_kwh and months.")
    hour = Range("h", 0, 24, 0.25)
    months = value["months"]
    if not isinstance(months, (list, tuple)) or any(type(one) is not int or not 1 <= one <= 12 for one in months):
        raise SettingsError(f"{where}.months must be a list of 1 to 12.")
    if not isinstance(value["name"], str):
        raise SettingsError(f"{where}.name must be a text.")
    return TariffPeriod(
        name=value["name"],
        from_hour=_number(f"{where}.from_hour", value["from_hour"], hour),
        to_hour=_number(f"{where}.to_hour", value["to_hour"], hour),
        import_per_kwh=_number(f"{where}.import_per_kwh", value["import_per_kwh"], _PRICE),
        export_per_kwh=_number(f"{where}.export_per_kwh", value["export_per_kwh"], _PRICE),
        months=tuple(months),
    )


def _day_ahead(value: object) -> tuple[DayAhead, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > DAY_AHEAD_DAYS_MAX:
        raise SettingsError(f"day_ahead must be a list of at most {DAY_AHEAD_DAYS_MAX} days.")
    days = tuple(_priced_day(f"day_ahead[{index}]", one) for index, one in enumerate(value))
    for index, one in enumerate(days):
        if any(one.day == before.day for before in days[:index]):
            raise SettingsError(f"day_ahead[{index}].day is {one.day}, which stands there before.")
    return tuple(sorted(days, key=lambda one: one.day))


def _priced_day(where: str, value: object) -> DayAhead:
    if not isinstance(value, dict) or set(value) != {f.name for f in fields(DayAhead)}:
        raise SettingsError(f"{where} needs day, import_per_kwh, export_per_kwh and source.")
    source = value["source"]
    if not isinstance(source, str) or not source.strip() or len(source) > 200:
        raise SettingsError(f"{where}.source must say who published the prices, in at most 200 characters.")
    bought = _price_list(f"{where}.import_per_kwh", value["import_per_kwh"])
    sold = _price_list(f"{where}.export_per_kwh", value["export_per_kwh"])
    if len(bought) not in DAY_AHEAD_COUNTS:
        raise SettingsError(f"{where}.import_per_kwh has {len(bought)} prices: a day has 24 hours or 96 quarters.")
    if len(sold) not in (0, len(bought)):
        raise SettingsError(f"{where}.export_per_kwh has {len(sold)} prices: none or {len(bought)} belong there.")
    return DayAhead(day=_day(where, value["day"]), import_per_kwh=bought, export_per_kwh=sold, source=source)


def _price_list(where: str, value: object) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > max(DAY_AHEAD_COUNTS):
        raise SettingsError(f"{where} must be a list of at most {max(DAY_AHEAD_COUNTS)} prices.")
    return tuple(_number(f"{where}[{index}]", one, _PRICE) for index, one in enumerate(value))


def _day(where: str, value: object) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not _YEARS[0] <= day.year < _YEARS[1]:
        raise SettingsError(f"{where}.day must be a date like 2026-11-22.")
    return day


def _check_together(settings: EnergySettings) -> None:
    if settings.import_target_kw > settings.import_max_kw:
        raise SettingsError("import_target_kw is above import_max_kw: the wish cannot be larger than the hard limit.")
    if settings.reserve_frac >= settings.soc_max_frac:
        raise SettingsError("reserve_frac is not below soc_max_frac: nothing would be left to use.")
    # What holds changes only where a period begins or ends.
    hours = {0.0, *(hour % 24 for one in settings.tariff for hour in (one.from_hour, one.to_hour))}
    for month in range(1, 13):
        for hour in sorted(hours):
            _period_at(settings.tariff, month, hour)


def _period_at(tariff: tuple[TariffPeriod, ...], month: int, hour: float) -> TariffPeriod:
    for period in tariff:
        if (not period.months or month in period.months) and _covers(period, hour):
            return period
    raise SettingsError(f"tariff has no period for month {month} at {hour:05.2f} h.")


def _covers(period: TariffPeriod, hour: float) -> bool:
    if period.from_hour < period.to_hour:
        return period.from_hour <= hour < period.to_hour
    return hour >= period.from_hour or hour < period.to_hour


def tariff_at(settings: EnergySettings, *, month: int, hour: float) -> TariffPeriod:
    """The period that holds at a local month (1 to 12) and hour (0 to 24)."""
    return _period_at(settings.tariff, month, hour)


def prices_at(settings: EnergySettings, local: datetime) -> Prices:
    """What holds at a local time: the prices published for that day, else the tariff's."""
    hour = local.hour + local.minute / 60 + local.second / 3600
    period = tariff_at(settings, month=local.month, hour=hour)
    for one in settings.day_ahead:
        if one.day == local.date():
            at = int(hour * len(one.import_per_kwh) / 24)
            sold = one.export_per_kwh[at] if one.export_per_kwh else period.export_per_kwh
            return Prices(one.import_per_kwh[at], sold, day_ahead=True)
    return Prices(period.import_per_kwh, period.export_per_kwh, day_ahead=False)
