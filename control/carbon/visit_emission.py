"""Emission of a visit: owns the ladder from measured fuel down to a standard visit, and the gases of what was burnt.

Which evidence is believed is decided in `visit_evidence`; every figure and limit is a dated row. Recomputing with
the same rows gives the same grams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from control.carbon import factor_keys as keys
from control.carbon.exact import GRAMS_PER_KG, half_up, to_decimal
from control.carbon.factor_keys import AMOUNT_UNIT, WITH_MACHINE, FactorFamily, Fuel, GridArea, GwpSet
from control.carbon.factors import Factors
from control.carbon.visit_evidence import Believed, Doubts, figures_of, weigh
from control.carbon.visit_types import (
    ElectricEvidence,
    ElectricInformation,
    NoFuelBurnt,
    NothingKnown,
    VisitEmission,
    VisitEvidence,
)
from control.domain.plates import EnergyClass

_AMOUNT_PLACES = 3
_MG_PER_G = 1_000
_NO_ENGINE = (EnergyClass.BATTERY_ELECTRIC, EnergyClass.NO_ENGINE)


@dataclass(slots=True)
class _Rows:
    """Reads the day's rows and remembers which were used."""

    factors: Factors
    used: dict[str, None] = field(default_factory=dict)

    def number(self, key: str) -> Fraction:
        self.used[self.factors.row(key).factor_id] = None
        return self.factors.number(key)

    def choice(self, key: str) -> str:
        self.used[self.factors.row(key).factor_id] = None
        return self.factors.choice(key)


@dataclass(frozen=True, slots=True)
class _Burnt:
    """Fuel of one visit in its own unit, by which tier, and what was taken from the class's rows."""

    amount: Fraction
    tier: int
    assumed: tuple[str, ...] = ()


def visit_emission(evidence: VisitEvidence, factors: Factors) -> VisitEmission:
    """Greenhouse gas of one visit by the best evidence that is believed, with the rows of the visit's day.

    Ladder: (1) fuel measured; (2) odometer x type approval, plus the time a pump or crane was driven; (3) route x class
    default, plus idle and machine time; (4) the class's standard visit, raised by the margin of that tier. A time that
    nobody knows is the standard visit's, and named in `assumed`. Each gas is rounded half up once.

    Raises NothingKnown when no tier has evidence, NoFuelBurnt for a vehicle without an engine, MissingFactor when the
    day has no row for what is asked. Source: IPCC 2006 vol. 2 ch. 3, Tier 1, with the factor rows named in the result.
    """
    if evidence.energy in _NO_ENGINE:
        raise NoFuelBurnt(f"A vehicle of energy {evidence.energy} burns nothing; use electric_information instead.")
    doubts = Doubts(factors)
    known = weigh(evidence, factors, doubts)
    for tier in (_measured, _by_odometer, _by_route, _standard):
        rows = _Rows(factors)
        burnt = tier(known, doubts, rows)
        if burnt is not None and known.fuel is not None:
            return _gases(evidence, known.fuel, burnt, rows, doubts)
    raise NothingKnown(tuple(doubts.found))


def electric_information(evidence: ElectricEvidence, factors: Factors) -> ElectricInformation:
    """Grid CO2 of an electric visit: kWh at the socket, or route x class default with the charging loss.

    Raises NothingKnown when neither is known.
    """
    doubts, rows = Doubts(factors), _Rows(factors)
    given = figures_of(evidence, ("charged_kwh", "route_km"), doubts)
    charged, km, kind = given["charged_kwh"], given["route_km"], evidence.vehicle_class
    if charged is not None:
        kwh, basis = charged, "charged"
    elif km is not None and kind is not None:
        kwh = km * rows.number(keys.electric_key(kind)) / 100 * (1 + rows.number(keys.CHARGING_LOSS))
        basis = "distance"
    else:
        raise NothingKnown(tuple(doubts.found))
    area = GridArea(rows.choice(keys.GRID_AREA))
    grams = half_up(kwh * rows.number(keys.grid_key(area)) * GRAMS_PER_KG)
    shown = to_decimal(kwh, _AMOUNT_PLACES)
    return ElectricInformation(factors.day, shown, grams, basis, factors.version, tuple(rows.used), tuple(doubts.found))


def _measured(known: Believed, _doubts: Doubts, _rows: _Rows) -> _Burnt | None:
    return None if known.fuel_used is None else _Burnt(known.fuel_used, 1)


def _by_odometer(known: Believed, doubts: Doubts, rows: _Rows) -> _Burnt | None:
    # A type-approval cycle holds idling but no work of a pump or a crane.
    if known.driven_km is None or known.type_approval_per_100km is None or doubts.refuses("pto_min"):
        return None
    machine, assumed = _machine_litres(known, rows)
    driving = known.driven_km * known.type_approval_per_100km / 100
    return _Burnt(driving + machine * _per_litre(known, rows), 2, assumed)


def _by_route(known: Believed, doubts: Doubts, rows: _Rows) -> _Burnt | None:
    km = known.route_km if known.route_km is not None else known.driven_km
    kind = known.vehicle_class
    if km is None or kind is None or doubts.refuses("idle_min", "pto_min"):
        return None
    machine, assumed = _machine_litres(known, rows)
    idle_min, idle_assumed = _minutes(known, "idle", rows)
    driving = km * rows.number(keys.consumption_key(kind)) / 100
    standing = idle_min * rows.number(keys.idle_key(kind)) / 60
    return _Burnt((driving + standing + machine) * _per_litre(known, rows), 3, (*idle_assumed, *assumed))


def _standard(known: Believed, _doubts: Doubts, rows: _Rows) -> _Burnt | None:
    kind = known.vehicle_class
    if kind is None:
        return None
    km = rows.number(keys.standard_key(kind, "distance"))
    litres = km * rows.number(keys.consumption_key(kind)) / 100
    litres += rows.number(keys.standard_key(kind, "idle_time")) * rows.number(keys.idle_key(kind)) / 60
    if kind in WITH_MACHINE:
        litres += rows.number(keys.standard_key(kind, "pto_time")) * rows.number(keys.pto_key(kind)) / 60
    return _Burnt(litres * rows.number(keys.TIER_4_MARGIN) * _per_litre(known, rows), 4, ("visit",))


def _machine_litres(known: Believed, rows: _Rows) -> tuple[Fraction, tuple[str, ...]]:
    kind = known.vehicle_class
    if kind is None or kind not in WITH_MACHINE:
        return Fraction(0), ()
    minutes, assumed = _minutes(known, "pto", rows)
    return minutes * rows.number(keys.pto_key(kind)) / 60, assumed


def _minutes(known: Believed, what: str, rows: _Rows) -> tuple[Fraction, tuple[str, ...]]:
    """Minutes of `idle` or `pto`; where nobody knows, the standard visit's, but no longer than the stay."""
    minutes = known.idle_min if what == "idle" else known.pto_min
    if minutes is not None:
        return minutes, ()
    assert known.vehicle_class is not None
    standard = rows.number(keys.standard_key(known.vehicle_class, f"{what}_time"))
    return (standard if known.stay_min is None else min(standard, known.stay_min)), (f"{what}_min",)


def _per_litre(known: Believed, rows: _Rows) -> Fraction:
    """Fuel per litre of a class default; the row counts as used only where the fuel is a gas."""
    if known.fuel is not None and AMOUNT_UNIT[known.fuel] != "L":
        return rows.number(keys.equivalent_key(known.fuel))
    return known.amount_per_litre


def _gases(evidence: VisitEvidence, fuel: Fuel, burnt: _Burnt, rows: _Rows, doubts: Doubts) -> VisitEmission:
    assumed = burnt.assumed
    if evidence.fuel is None and evidence.vehicle_class is not None:
        rows.choice(keys.class_fuel_key(evidence.vehicle_class))
        assumed = (*assumed, "fuel")
    family = FactorFamily(rows.choice(keys.family_key(fuel)))
    gwp = GwpSet(rows.choice(keys.GWP_SET))
    co2_g = burnt.amount * rows.number(keys.co2_key(fuel, family)) * GRAMS_PER_KG
    ch4_g = burnt.amount * rows.number(keys.ch4_key(fuel)) / _MG_PER_G * rows.number(keys.gwp_key(gwp, "ch4"))
    n2o_g = burnt.amount * rows.number(keys.n2o_key(fuel)) / _MG_PER_G * rows.number(keys.gwp_key(gwp, "n2o"))
    uncertainty = rows.number(keys.uncertainty_key(burnt.tier))
    plug_in = evidence.energy is EnergyClass.PLUG_IN_OR_FUEL_CELL
    return VisitEmission(
        day=rows.factors.day,
        co2_g=half_up(co2_g),
        ch4_g_co2e=half_up(ch4_g),
        n2o_g_co2e=half_up(n2o_g),
        fuel=fuel,
        fuel_amount=to_decimal(burnt.amount, _AMOUNT_PLACES),
        fuel_unit=AMOUNT_UNIT[fuel],
        tier=burnt.tier,
        uncertainty_frac=to_decimal(uncertainty, _AMOUNT_PLACES),
        family=family,
        gwp_set=gwp,
        factor_version=rows.factors.version,
        factor_ids=tuple(rows.used),
        set_aside=tuple(doubts.found),
        assumed=assumed,
        information=plug_in and burnt.tier > 1,
    )
