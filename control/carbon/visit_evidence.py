"""Believing evidence of a visit: owns the checks that set impossible or contradictory figures aside, each with a name.

Every limit is a dated row. A figure that is set aside is not repaired: the ladder goes one tier down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from control.carbon import factor_keys as keys
from control.carbon.exact import InexactNumber, exact
from control.carbon.factor_keys import EmissionClass, Fuel
from control.carbon.factors import Factors
from control.carbon.visit_types import Doubt, SetAside, VisitEvidence
from control.domain.plates import EnergyClass

_FIGURES = (
    *("fuel_used", "odometer_in_km", "odometer_out_km", "type_approval_per_100km"),
    *("route_km", "idle_min", "pto_min", "stay_min"),
)


@dataclass(slots=True)
class Doubts:
    """Collects what is set aside while one visit is weighed."""

    factors: Factors
    found: list[SetAside] = field(default_factory=list)

    def add(self, evidence: str, doubt: Doubt, detail: str, limit: str | None = None) -> None:
        """Set `evidence` aside; `limit` is the key of the row that it broke."""
        self.found.append(
            SetAside(evidence, doubt, detail, None if limit is None else self.factors.row(limit).factor_id)
        )

    def refuses(self, *evidence: str) -> bool:
        """Whether any of these has been set aside."""
        return any(one.evidence in evidence for one in self.found)


@dataclass(frozen=True, slots=True)
class Believed:
    """What is left: exact figures, None where unknown or set aside. `amount_per_litre` turns litres into fuel."""

    vehicle_class: EmissionClass | None
    fuel: Fuel | None
    amount_per_litre: Fraction
    fuel_used: Fraction | None
    driven_km: Fraction | None
    type_approval_per_100km: Fraction | None
    route_km: Fraction | None
    idle_min: Fraction | None
    pto_min: Fraction | None
    stay_min: Fraction | None


def figures_of(evidence: object, names: tuple[str, ...], doubts: Doubts) -> dict[str, Fraction | None]:
    """The named figures as exact numbers; one that is not finite or negative is set aside."""
    figures: dict[str, Fraction | None] = dict.fromkeys(names)
    for name in names:
        given = getattr(evidence, name)
        if given is None:
            continue
        try:
            figure = exact(given)
        except InexactNumber as error:
            doubts.add(name, Doubt.NOT_A_NUMBER, str(error))
            continue
        if figure < 0:
            doubts.add(name, Doubt.NEGATIVE, _shown(figure))
        else:
            figures[name] = figure
    return figures


def weigh(evidence: VisitEvidence, factors: Factors, doubts: Doubts) -> Believed:
    """The evidence that is believed; what is not goes to `doubts`."""
    given = figures_of(evidence, _FIGURES, doubts)
    kind = evidence.vehicle_class
    fuel = evidence.fuel
    if fuel is None and kind is not None:
        fuel = Fuel(factors.choice(keys.class_fuel_key(kind)))
    by_litre = fuel is None or keys.AMOUNT_UNIT[fuel] == "L"
    per_litre = Fraction(1) if by_litre or fuel is None else factors.number(keys.equivalent_key(fuel))
    stay = _stay(given, doubts)
    weighing = _Weighing(kind, per_litre, stay, evidence.energy is EnergyClass.PLUG_IN_OR_FUEL_CELL, factors, doubts)
    route = weighing.distance("route_km", given["route_km"])
    driven = weighing.odometer(given, route)
    idle, pto = weighing.engine_times(given)
    return Believed(
        vehicle_class=kind,
        fuel=fuel,
        amount_per_litre=per_litre,
        fuel_used=weighing.fuel_used(given["fuel_used"], driven if driven is not None else route),
        driven_km=driven,
        type_approval_per_100km=weighing.type_approval(given["type_approval_per_100km"]),
        route_km=route,
        idle_min=idle,
        pto_min=pto,
        stay_min=stay,
    )


def _stay(given: Mapping[str, Fraction | None], doubts: Doubts) -> Fraction | None:
    stay = given["stay_min"]
    if stay == 0:
        doubts.add("stay_min", Doubt.NO_TIME_INSIDE, "entry and exit at the same time")
        return None
    return stay


@dataclass(frozen=True, slots=True)
class _Weighing:
    """The checks of one visit; each returns the figure, or None after setting it aside."""

    kind: EmissionClass | None
    per_litre: Fraction
    stay_min: Fraction | None
    plug_in: bool
    factors: Factors
    doubts: Doubts

    def distance(self, name: str, km: Fraction | None) -> Fraction | None:
        """Gate to gate: something, not too far, not too fast."""
        if km is None:
            return None
        if km < self.factors.number(keys.DISTANCE_MIN):
            return self._aside(name, Doubt.DID_NOT_MOVE, f"{_shown(km)} km", keys.DISTANCE_MIN)
        if km > self.factors.number(keys.DISTANCE_MAX):
            return self._aside(name, Doubt.TOO_FAR, f"{_shown(km)} km", keys.DISTANCE_MAX)
        if self.stay_min is not None and km * 60 > self.factors.number(keys.SPEED_MAX) * self.stay_min:
            detail = f"{_shown(km)} km in {_shown(self.stay_min)} min"
            return self._aside(name, Doubt.TOO_FAST, detail, keys.SPEED_MAX)
        return km

    def odometer(self, given: Mapping[str, Fraction | None], route_km: Fraction | None) -> Fraction | None:
        """Exit less entry. It may not be far below a route that is known."""
        start, end = given["odometer_in_km"], given["odometer_out_km"]
        if start is None or end is None:
            return None
        if end < start:
            detail = f"from {_shown(start)} to {_shown(end)} km"
            return self._aside("odometer_out_km", Doubt.ODOMETER_WENT_BACK, detail)
        driven = self.distance("odometer_out_km", end - start)
        if driven is None or route_km is None:
            return driven
        if driven < self.factors.number(keys.SHARE_OF_DEFAULT_MIN) * route_km:
            detail = f"{_shown(driven)} km on a route of {_shown(route_km)} km"
            limit = keys.SHARE_OF_DEFAULT_MIN
            return self._aside("odometer_out_km", Doubt.SHORTER_THAN_THE_ROUTE, detail, limit)
        return driven

    def fuel_used(self, amount: Fraction | None, km: Fraction | None) -> Fraction | None:
        """Not nothing, not more than an engine can burn in the time, not far less than the distance needs."""
        if amount is None:
            return None
        name, number, litres = "fuel_used", self.factors.number, amount / self.per_litre
        # A plug-in hybrid may have come and gone on its battery; every other engine has burnt something.
        if litres < number(keys.AMOUNT_MIN) and not self.plug_in:
            return self._aside(name, Doubt.NOTHING_BURNT, f"{_shown(litres)} L", keys.AMOUNT_MIN)
        if litres > number(keys.AMOUNT_MAX):
            return self._aside(name, Doubt.TOO_MUCH_FUEL, f"{_shown(litres)} L", keys.AMOUNT_MAX)
        if self.stay_min is not None and litres * 60 > number(keys.AMOUNT_PER_H_MAX) * self.stay_min:
            detail = f"{_shown(litres)} L in {_shown(self.stay_min)} min"
            return self._aside(name, Doubt.TOO_MUCH_FOR_THE_STAY, detail, keys.AMOUNT_PER_H_MAX)
        if self.kind is None or km is None or self.plug_in:
            return amount
        needed = km * number(keys.consumption_key(self.kind)) / 100
        if litres < number(keys.SHARE_OF_DEFAULT_MIN) * needed:
            detail = f"{_shown(litres)} L for {_shown(km)} km"
            return self._aside(name, Doubt.TOO_LITTLE_FOR_THE_DISTANCE, detail, keys.SHARE_OF_DEFAULT_MIN)
        return amount

    def type_approval(self, per_100km: Fraction | None) -> Fraction | None:
        """A consumption that a road vehicle, and one of this class, may have."""
        if per_100km is None:
            return None
        name, litres = "type_approval_per_100km", per_100km / self.per_litre
        if litres > self.factors.number(keys.CONSUMPTION_MAX):
            detail = f"{_shown(litres)} L/100 km"
            return self._aside(name, Doubt.UNLIKELY_CONSUMPTION, detail, keys.CONSUMPTION_MAX)
        if litres < self.factors.number(keys.CONSUMPTION_MIN):
            detail = f"{_shown(litres)} L/100 km"
            return self._aside(name, Doubt.UNLIKELY_CONSUMPTION, detail, keys.CONSUMPTION_MIN)
        if self.kind is None or self.plug_in:
            return per_100km
        default = self.factors.number(keys.consumption_key(self.kind))
        if litres < self.factors.number(keys.SHARE_OF_DEFAULT_MIN) * default:
            detail = f"{_shown(litres)} L/100 km, {self.kind} needs about {_shown(default)}"
            return self._aside(name, Doubt.UNLIKELY_CONSUMPTION, detail, keys.SHARE_OF_DEFAULT_MIN)
        return per_100km

    def engine_times(self, given: Mapping[str, Fraction | None]) -> tuple[Fraction | None, Fraction | None]:
        """Idle and machine minutes: together no longer than stay and limit, a machine only where the class has one."""
        idle, pto = given["idle_min"], given["pto_min"]
        if pto and self.kind is not None and self.kind not in keys.WITH_MACHINE:
            pto = self._aside("pto_min", Doubt.NO_MACHINE_IN_THIS_CLASS, f"{_shown(pto)} min of {self.kind}")
        together = (idle or Fraction(0)) + (pto or Fraction(0))
        engine_min = self.factors.number(keys.ENGINE_TIME_MAX) * 60
        most = engine_min if self.stay_min is None else min(engine_min, self.stay_min)
        if together <= most:
            return idle, pto
        for name, minutes in (("idle_min", idle), ("pto_min", pto)):
            if minutes:
                detail = f"{_shown(together)} min together, {_shown(most)} min possible"
                limit = keys.ENGINE_TIME_MAX if most == engine_min else None
                self.doubts.add(name, Doubt.ENGINE_RAN_TOO_LONG, detail, limit)
        return None, None

    def _aside(self, name: str, doubt: Doubt, detail: str, limit: str | None = None) -> Fraction | None:
        self.doubts.add(name, doubt, detail, limit)
        return None


def _shown(figure: Fraction) -> str:
    return f"{float(figure):g}"
