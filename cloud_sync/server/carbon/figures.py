"""Figures of visits as they are kept: owns computing one from told evidence, writing it down, and reading it again.

Computing an old figure again from what was kept, with the rows of its day, gives the same grams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from cloud_sync.server.carbon.evidence import parsed
from control.carbon.factor_keys import FactorFamily, Fuel, GwpSet
from control.carbon.factors import Factors, MissingFactor
from control.carbon.visit_emission import visit_emission
from control.carbon.visit_types import Doubt, NoFuelBurnt, NothingKnown, SetAside, VisitEmission


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no figure; `problem` is one of `nothing_known`, `no_engine`, `missing_factor`."""

    problem: str
    detail: str


def figure(told: Mapping[str, str], factors: Factors) -> VisitEmission | Unknown:
    """The figure by the ladder, or why there is none."""
    try:
        return visit_emission(parsed(told), factors)
    except NothingKnown as error:
        return Unknown("nothing_known", str(error))
    except NoFuelBurnt as error:
        return Unknown("no_engine", str(error))
    except MissingFactor as error:
        return Unknown("missing_factor", str(error))


def as_mapping(emission: VisitEmission) -> dict[str, Any]:
    """A figure as it is written down; numbers with decimals as text."""
    return {
        "day": emission.day.isoformat(),
        "co2_g": emission.co2_g,
        "ch4_g_co2e": emission.ch4_g_co2e,
        "n2o_g_co2e": emission.n2o_g_co2e,
        "fuel": emission.fuel.value,
        "fuel_amount": str(emission.fuel_amount),
        "fuel_unit": emission.fuel_unit,
        "tier": emission.tier,
        "uncertainty_frac": str(emission.uncertainty_frac),
        "family": emission.family.value,
        "gwp_set": emission.gwp_set.value,
        "factor_version": emission.factor_version,
        "factor_ids": list(emission.factor_ids),
        "set_aside": [
            {"evidence": one.evidence, "doubt": one.doubt.value, "detail": one.detail, "factor_id": one.factor_id}
            for one in emission.set_aside
        ],
        "assumed": list(emission.assumed),
        "information": emission.information,
    }


def of_mapping(told: Mapping[str, Any]) -> VisitEmission:
    """The figure that `as_mapping` wrote down."""
    return VisitEmission(
        day=date.fromisoformat(told["day"]),
        co2_g=told["co2_g"],
        ch4_g_co2e=told["ch4_g_co2e"],
        n2o_g_co2e=told["n2o_g_co2e"],
        fuel=Fuel(told["fuel"]),
        fuel_amount=Decimal(told["fuel_amount"]),
        fuel_unit=told["fuel_unit"],
        tier=told["tier"],
        uncertainty_frac=Decimal(told["uncertainty_frac"]),
        family=FactorFamily(told["family"]),
        gwp_set=GwpSet(told["gwp_set"]),
        factor_version=told["factor_version"],
        factor_ids=tuple(told["factor_ids"]),
        set_aside=tuple(
            SetAside(one["evidence"], Doubt(one["doubt"]), one["detail"], one["factor_id"]) for one in told["set_aside"]
        ),
        assumed=tuple(told["assumed"]),
        information=told["information"],
    )
