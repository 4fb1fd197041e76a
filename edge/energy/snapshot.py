"""From what the devices said to the frozen picture that is decided on: owns what is believed, and for how long.

A value counts while its device missed fewer than three cycles and calls it good; the meter's counts only in the very
cycle in which it was measured, for the hard limits rest on it. What is not known is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from control.domain.energy import Point
from control.energy.dispatch_types import EvNow, LoadNow, PvNow, SiteNow, StorageNow
from control.energy.settings import EnergySettings, Prices, prices_at
from control.energy.site import ChargerSpec, LoadSpec, PvSpec, SiteSpec, StorageSpec
from edge.energy.field import FieldNow, Heard
from edge.energy.ports import (
    BreakerReading,
    ChargerReading,
    DeviceState,
    InverterReading,
    LoadReading,
    StorageReading,
)

# An inverter this close to its limit, in parts of its rating, is held by it.
HELD_BY_LIMIT_FRAC = 0.02


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of the controller at the moment; nothing of it: automatic."""

    hold: bool = False
    storage_kw: float | None = None


def value_of(point: Point) -> float | None:
    """The value where a decision may rest on it."""
    return point.value if point.good else None


@dataclass(slots=True)
class _Switched:
    """Since when a load is as it is, seconds of the clock."""

    on: bool
    since_s: float


@dataclass(slots=True)
class SnapshotMaker:
    """Makes the picture of each cycle; remembers since when loads are on, and what the sun gave before a limit."""

    site: SiteSpec
    started_s: float
    expected_pv_frac: float | None = None  # of the inverters' rating, by the forecast for this quarter of an hour
    ev_worth_per_kwh: Mapping[str, float] = field(default_factory=dict)  # by the plan in force
    peak_so_far_kw: float | None = None  # the highest quarter of an hour of import in this month
    _zone: ZoneInfo = field(init=False)
    _loads: dict[str, _Switched] = field(default_factory=dict)
    _sun_frac: float | None = None

    def __post_init__(self) -> None:
        self._zone = ZoneInfo(self.site.timezone)

    def take(
        self, now: FieldNow, *, wall: datetime, settings: EnergySettings, wish: Wish, suspect: frozenset[str]
    ) -> SiteNow:
        """The site in this second. `suspect` names devices whose values stand still: theirs are not known."""
        price = self.price(wall, settings)
        meter = None if "meter" in suspect else now.meter.fresh
        picture = SiteNow(
            now_s=now.at_s,
            grid_kw=None if meter is None else value_of(meter.power_kw),
            breaker_closed=True,
            grid_live=True,
            grid_hz=None if meter is None else value_of(meter.frequency_hz),
            bus_hz=None if meter is None else value_of(meter.frequency_hz),
            import_price=price.import_per_kwh,
            export_price=price.export_per_kwh,
            carbon_price_per_kwh=settings.carbon_per_kwh_cost,
            storages=tuple(self._storage(spec, now, suspect) for spec in self.site.storages),
            pvs=self._pvs(now, suspect),
            evs=tuple(self._evs(now, wall)),
            loads=tuple(self._load(spec, now) for spec in self.site.loads),
            hold_wanted=wish.hold,
            storage_wanted_kw=wish.storage_kw,
            peak_so_far_kw=self.peak_so_far_kw,
        )
        return _with_breaker(picture, now, suspect)

    def price(self, wall: datetime, settings: EnergySettings) -> Prices:
        """What was published for that time, else the tariff's."""
        return prices_at(settings, wall.astimezone(self._zone))

    # ------------------------------------------------------------------------------------------------------- devices

    def _storage(self, spec: StorageSpec, now: FieldNow, suspect: frozenset[str]) -> StorageNow:
        heard = now.storages.get(spec.id)
        reading = None if heard is None or spec.id in suspect else heard.reading
        if reading is None:
            nothing = {"soc_frac": None, "power_kw": None, "charge_max_kw": 0.0, "discharge_max_kw": 0.0}
            return StorageNow(id=spec.id, usable=False, **nothing)  # type: ignore[arg-type]
        return StorageNow(
            id=spec.id,
            soc_frac=value_of(reading.soc_frac),
            power_kw=value_of(reading.power_kw),
            charge_max_kw=_at_most(value_of(reading.charge_max_kw), spec.charge_max_kw),
            discharge_max_kw=_at_most(value_of(reading.discharge_max_kw), spec.discharge_max_kw),
            usable=_obeys(reading),
        )

    def _pvs(self, now: FieldNow, suspect: frozenset[str]) -> tuple[PvNow, ...]:
        readings = {spec.id: self._inverter(spec, now, suspect) for spec in self.site.pvs}
        self._look_at_the_sun(readings)
        return tuple(self._pv(spec, readings[spec.id]) for spec in self.site.pvs)

    def _inverter(self, spec: PvSpec, now: FieldNow, suspect: frozenset[str]) -> InverterReading | None:
        heard = now.inverters.get(spec.id)
        return None if heard is None or spec.id in suspect else heard.reading

    def _look_at_the_sun(self, readings: dict[str, InverterReading | None]) -> None:
        """What inverters give that no limit holds, in parts of their rating: that is what the others could give."""
        free = []
        for spec in self.site.pvs:
            reading = readings[spec.id]
            power_kw = None if reading is None else value_of(reading.power_kw)
            if reading is None or power_kw is None or reading.state in (DeviceState.FAULT, DeviceState.OFF):
                continue
            if not held_by_limit(reading, spec):
                free.append(power_kw / spec.rated_ac_kw)
        if free:
            self._sun_frac = median(free)
        elif self.expected_pv_frac is not None:
            self._sun_frac = self.expected_pv_frac

    def _pv(self, spec: PvSpec, reading: InverterReading | None) -> PvNow:
        if reading is None:
            return PvNow(id=spec.id, power_kw=None, available_kw=None, usable=False)
        power_kw = value_of(reading.power_kw)
        available_kw = power_kw
        if power_kw is not None and held_by_limit(reading, spec) and self._sun_frac is not None:
            available_kw = max(power_kw, min(self._sun_frac, 1.0) * spec.rated_ac_kw)
        return PvNow(id=spec.id, power_kw=power_kw, available_kw=available_kw)

    def _evs(self, now: FieldNow, wall: datetime) -> Iterable[EvNow]:
        for spec in self.site.chargers:
            reading = now.chargers.get(spec.id)
            if reading is not None and reading.plugged:
                yield _ev(spec, reading, wall, self.ev_worth_per_kwh.get(spec.id))

    def _load(self, spec: LoadSpec, now: FieldNow) -> LoadNow:
        reading = now.loads.get(spec.id)
        on = True if reading is None or reading.on is None else reading.on
        before = self._loads.get(spec.id)
        if before is None:
            # How long it has been so before we came is not known: long enough, or a restart could forbid shedding.
            before = self._loads[spec.id] = _Switched(on, self.started_s - max(spec.min_on_s, spec.min_off_s))
        elif before.on is not on:
            before = self._loads[spec.id] = _Switched(on, now.at_s)
        return LoadNow(
            id=spec.id,
            tier=spec.tier,
            sheddable=spec.sheddable,
            power_kw=None if reading is None else value_of(reading.power_kw),
            on=on,
            switched_s=now.at_s - before.since_s,
            rated_kw=_rated(spec, reading),
            min_off_s=spec.min_off_s,
            min_on_s=spec.min_on_s,
            usable=reading is not None and reading.on is not None,
        )


def held_by_limit(reading: InverterReading, spec: PvSpec) -> bool:
    """Whether it gives what its limit lets it, not what the sun gives."""
    limit_kw, power_kw = value_of(reading.limit_kw), value_of(reading.power_kw)
    if limit_kw is None or power_kw is None or limit_kw >= spec.rated_ac_kw * (1 - HELD_BY_LIMIT_FRAC / 10):
        return False
    return power_kw >= limit_kw - HELD_BY_LIMIT_FRAC * spec.rated_ac_kw


def _ev(spec: ChargerSpec, reading: ChargerReading, wall: datetime, worth_per_kwh: float | None) -> EvNow:
    depart_in_s = None if reading.depart_at is None else max(0.0, (reading.depart_at - wall).total_seconds())
    return EvNow(
        id=spec.id,
        power_kw=value_of(reading.power_kw),
        min_kw=spec.min_kw,
        max_kw=spec.max_kw,
        v2g_kw=reading.feeds_back_kw,
        soc_frac=value_of(reading.soc_frac),
        needed_kwh=value_of(reading.needed_kwh),
        depart_in_s=depart_in_s,
        usable=reading.online,
        worth_per_kwh=worth_per_kwh,
    )


def _obeys(reading: StorageReading) -> bool:
    return reading.remote and reading.state not in (DeviceState.FAULT, DeviceState.OFF)


def _at_most(value_kw: float | None, spec_kw: float) -> float:
    """A device that does not say what it allows is trusted with its data sheet."""
    return spec_kw if value_kw is None else min(max(value_kw, 0.0), spec_kw)


def _rated(spec: LoadSpec, reading: LoadReading | None) -> float:
    said_kw = None if reading is None else value_of(reading.rated_kw)
    return spec.rated_kw if spec.rated_kw > 0 or said_kw is None else said_kw


def _with_breaker(picture: SiteNow, now: FieldNow, suspect: frozenset[str]) -> SiteNow:
    """A site without a breaker is always on the grid; one whose breaker is silent does not know."""
    if now.breaker is None:
        return picture
    reading = now.breaker.reading
    if reading is None:
        return replace(picture, breaker_closed=None, grid_live=None, grid_hz=None)
    return replace(
        picture,
        breaker_closed=reading.closed,
        grid_live=reading.grid_live,
        grid_hz=value_of(reading.grid_hz),
        bus_hz=_bus_hz(reading, picture.bus_hz, now, suspect),
        in_sync=reading.in_synchronism,
    )


def _bus_hz(breaker: BreakerReading, meter_hz: float | None, now: FieldNow, suspect: frozenset[str]) -> float | None:
    """The bus's frequency. A dead bus (0) is believed only where no device on it says otherwise.

    With the breaker open the meter stands on the other side and says nothing of ours.
    """
    said_hz = value_of(breaker.bus_hz)
    if said_hz:
        return said_hz
    lines: dict[str, Heard[StorageReading] | Heard[InverterReading]] = {**now.storages, **now.inverters}
    heard_hz = [
        hz
        for id_, line in lines.items()
        if line.fresh is not None and id_ not in suspect and (hz := value_of(line.fresh.frequency_hz)) is not None
    ]
    if heard_hz:
        return median(heard_hz)
    return meter_hz if breaker.closed else said_hz
