"""Metered values of both OCPP versions: owns measurands, units, phases, and what is no number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from edge.adapters.wire_time import moment

_IMPORT, _EXPORT = "Power.Active.Import", "Power.Active.Export"
_IMPORTED, _EXPORTED = "Energy.Active.Import.Register", "Energy.Active.Export.Register"
_SOC = "SoC"
# Values of the grid's side or of the vehicle would count twice beside those of the outlet.
_OTHER_PLACES = frozenset({"Inlet", "Body", "Cable", "EV"})
_IN_KILO = {"W": 1e-3, "kW": 1.0, "Wh": 1e-3, "kWh": 1.0, "Percent": 1.0}
_USUAL_UNIT = {_IMPORT: "W", _EXPORT: "W", _IMPORTED: "Wh", _EXPORTED: "Wh", _SOC: "Percent"}
WHOLE_MAX = 10**15
_FITTING = {"W": "power", "kW": "power", "Wh": "energy", "kWh": "energy", "Percent": "share"}


@dataclass(frozen=True, slots=True)
class Metered:
    """What a message says. None: not said; NaN: said, but no number.

    `power_kw` is negative while the vehicle feeds back; the registers are of the whole life of the meter.
    """

    power_kw: float | None = None
    imported_kwh: float | None = None
    exported_kwh: float | None = None
    soc_frac: float | None = None


def metered(meter_values: Iterable[dict[str, Any]]) -> Metered:
    """The newest of each measurand in a list of meter values, as they stand in a message."""
    found: dict[str, float] = {}
    for one in sorted(meter_values, key=lambda one: _sortable(one.get("timestamp"))):
        found |= _of_one_time(one.get("sampledValue") or ())
    imports, exports = found.get(_IMPORT), found.get(_EXPORT)
    power = None if imports is None and exports is None else (imports or 0.0) - (exports or 0.0)
    soc = found.get(_SOC)
    return Metered(power, found.get(_IMPORTED), found.get(_EXPORTED), None if soc is None else soc / 100.0)


def _of_one_time(samples: Iterable[dict[str, Any]]) -> dict[str, float]:
    """By measurand: the value of the whole, else the sum of the phases."""
    whole: dict[str, float] = {}
    phases: dict[str, list[float]] = {}
    for sample in samples:
        measurand = sample.get("measurand", _IMPORTED)
        if measurand not in _USUAL_UNIT or (measurand != _SOC and sample.get("location") in _OTHER_PLACES):
            continue
        value = _kilo(measurand, sample)
        if "phase" in sample:
            phases.setdefault(measurand, []).append(value)
        else:
            whole[measurand] = value
    return {measurand: math.fsum(values) for measurand, values in phases.items()} | whole


def _kilo(measurand: str, sample: dict[str, Any]) -> float:
    """In kW, kWh or percent; NaN where it is no number or has a unit of something else."""
    usual = _USUAL_UNIT[measurand]
    described = sample.get("unitOfMeasure") or {}
    unit = sample.get("unit") or described.get("unit") or usual
    if _FITTING.get(unit) != _FITTING[usual] or sample.get("format") == "SignedData":
        return math.nan
    try:
        value = float(sample["value"]) * 10.0 ** int(described.get("multiplier", 0))
    except (ValueError, OverflowError):
        return math.nan
    return value * _IN_KILO[unit] if math.isfinite(value) else math.nan


def kilo(whole: int | None) -> float | None:
    """Wh as kWh; None for a number that no meter can show."""
    return whole / 1000.0 if whole is not None and abs(whole) < WHOLE_MAX else None


def _sortable(text: object) -> float:
    at = moment(text)
    return 0.0 if at is None else at.timestamp()
