"""Scenario files: owns reading a CSV of series and the TOML beside it, and naming file, row and key of what is wrong.

The format is documented in `docs/scenarios.md`.
"""

from __future__ import annotations

import csv
import io
import math
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from control.domain.errors import ConfigurationError
from control.energy.plan import Series
from control.energy.scenario import Flags, GensetSpec, Scenario, Times
from control.energy.site import StorageSpec

COLUMNS = ("at", "load_kw", "pv_kw", "import_price", "export_price", "co2_kg_per_kwh", "grid_up")
_NEVER_NEGATIVE = frozenset({"load_kw", "pv_kw", "co2_kg_per_kwh"})
_UP = {"1": True, "true": True, "1.0": True, "0": False, "false": False, "0.0": False}
_INF = math.inf


@dataclass(frozen=True, slots=True)
class _Key:
    """What a number in the TOML may be; without a default it must be there."""

    low: float
    high: float
    low_is_allowed: bool = True
    default: float | None = None


_TABLES: dict[str, dict[str, _Key]] = {
    "storage": {
        "capacity_kwh": _Key(0, _INF, low_is_allowed=False),
        "power_charge_kw": _Key(0, _INF),
        "power_discharge_kw": _Key(0, _INF),
        "efficiency_charge": _Key(0, 1, low_is_allowed=False),
        "efficiency_discharge": _Key(0, 1, low_is_allowed=False),
        "soc_min": _Key(0, 1),
        "soc_max": _Key(0, 1),
        "soc_initial": _Key(0, 1),
        "wear_cost_per_kwh": _Key(0, _INF),
    },
    "grid": {
        "import_max_kw": _Key(0, _INF),
        "export_max_kw": _Key(0, _INF),
        "demand_charge_per_kw": _Key(0, _INF),
        "co2_price_per_kg": _Key(0, _INF),
        "unserved_cost_per_kwh": _Key(0, _INF, default=20.0),
    },
    "genset": {
        "min_kw": _Key(0, _INF),
        "max_kw": _Key(0, _INF),
        "fuel_cost_per_kwh": _Key(0, _INF),
        "co2_kg_per_kwh": _Key(0, _INF),
    },
}
_OPTIONAL_TABLES = frozenset({"genset"})


def read_scenario(path: Path) -> Scenario:
    """The scenario of a CSV file and the TOML file of the same name; raises ConfigurationError."""
    if path.suffix.lower() != ".csv":
        raise ConfigurationError(
            f"{path}: a scenario is a .csv file with a .toml file of the same name beside it; name the .csv file."
        )
    tables = _read_toml(path.with_suffix(".toml"))
    rows = _read_rows(path)
    times = [_time(path, line, row["at"]) for line, row in rows]
    step_s = _step_s(path, [line for line, _ in rows], times)
    numbers = {key: _numbers(path, rows, key) for key in COLUMNS[1:-1]}
    storage, grid, genset = tables["storage"], tables["grid"], tables.get("genset")
    return Scenario(
        name=path.stem,
        at0=times[0],
        step_s=step_s,
        local=_local(times),
        **numbers,
        grid_up=_flags(path, rows),
        storage=StorageSpec(
            id="storage",
            capacity_kwh=storage["capacity_kwh"],
            charge_max_kw=storage["power_charge_kw"],
            discharge_max_kw=storage["power_discharge_kw"],
            efficiency_charge=storage["efficiency_charge"],
            efficiency_discharge=storage["efficiency_discharge"],
            soc_min_frac=storage["soc_min"],
            soc_max_frac=storage["soc_max"],
        ),
        soc_initial_frac=storage["soc_initial"],
        wear_cost_per_kwh=storage["wear_cost_per_kwh"],
        genset=GensetSpec(**genset) if genset else None,
        **grid,
    )


def _read_toml(path: Path) -> dict[str, dict[str, float]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        given = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} is missing: it must stand beside the .csv file, with the same name."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no UTF-8 text (byte {error.start}).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is no TOML: {error}.") from error
    if unknown := sorted(set(given) - set(_TABLES)):
        raise ConfigurationError(f"{path}: {unknown[0]} is unknown; there are [storage], [grid] and [genset].")
    read = {}
    for name, keys in _TABLES.items():
        if name in given or name not in _OPTIONAL_TABLES:
            read[name] = _table(path, name, given.get(name), keys)
    _check_together(path, read)
    return read


def _table(path: Path, name: str, given: Any, keys: dict[str, _Key]) -> dict[str, float]:
    if not isinstance(given, dict):
        raise ConfigurationError(f"{path}: the table [{name}] is missing.")
    if unknown := sorted(set(given) - set(keys)):
        raise ConfigurationError(f"{path}: [{name}] {unknown[0]} is unknown; there are {', '.join(keys)}.")
    return {key: _toml_number(f"{path}: [{name}] {key}", given.get(key), span) for key, span in keys.items()}


def _toml_number(where: str, value: Any, span: _Key) -> float:
    if value is None:
        if span.default is None:
            raise ConfigurationError(f"{where} is missing.")
        return span.default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigurationError(f"{where} is {value!r}: it must be a finite number.")
    if value < span.low or value > span.high or (value == span.low and not span.low_is_allowed):
        low = f"{'at least' if span.low_is_allowed else 'above'} {span.low:g}"
        high = "" if span.high == _INF else f" and at most {span.high:g}"
        raise ConfigurationError(f"{where} is {value:g}: it must be {low}{high}.")
    return float(value)


def _check_together(path: Path, tables: dict[str, dict[str, float]]) -> None:
    storage = tables["storage"]
    low, high, initial = storage["soc_min"], storage["soc_max"], storage["soc_initial"]
    if low >= high:
        raise ConfigurationError(f"{path}: [storage] soc_min is {low:g}: it must be below soc_max, {high:g}.")
    if not low <= initial <= high:
        raise ConfigurationError(
            f"{path}: [storage] soc_initial is {initial:g}: it must be between soc_min, {low:g}, and soc_max, {high:g}."
        )
    if (genset := tables.get("genset")) and genset["min_kw"] > genset["max_kw"]:
        raise ConfigurationError(
            f"{path}: [genset] min_kw is {genset['min_kw']:g}: it must not be above max_kw, {genset['max_kw']:g}."
        )


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows with their line numbers, every column there once."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is missing.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no UTF-8 text (byte {error.start}).") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(path, cells)
            elif len(cells) != len(header):
                raise ConfigurationError(
                    f"{path}, row {reader.line_num}: it has {len(cells)} fields, the header has {len(header)}."
                )
            else:
                rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise ConfigurationError(f"{path}, row {reader.line_num}: no CSV: {error}.") from error
    if header is None:
        raise ConfigurationError(f"{path} is empty: it must begin with the header {','.join(COLUMNS)}.")
    if len(rows) < 2:
        raise ConfigurationError(f"{path} has {len(rows)} rows of data: it needs two or more to know its step.")
    return rows


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if missing := [name for name in COLUMNS if name not in names]:
        raise ConfigurationError(
            f"{path}, row 1: the column {missing[0]} is missing; the header must be {','.join(COLUMNS)}."
        )
    if wrong := [name for i, name in enumerate(names) if name not in COLUMNS or name in names[:i]]:
        raise ConfigurationError(
            f"{path}, row 1: the column {wrong[0]!r} is unknown or there twice; the header must be {','.join(COLUMNS)}."
        )
    return names


def _numbers(path: Path, rows: list[tuple[int, dict[str, str]]], key: str) -> Series:
    values = np.empty(len(rows))
    for i, (line, row) in enumerate(rows):
        text = row[key].strip()
        try:
            value = float(text)
        except ValueError:
            said = f"{text!r} is no number" if text else "it is missing"
            raise ConfigurationError(f"{path}, row {line}, {key}: {said}.") from None
        if not math.isfinite(value):
            raise ConfigurationError(f"{path}, row {line}, {key}: {text} is not finite.")
        if value < 0.0 and key in _NEVER_NEGATIVE:
            raise ConfigurationError(f"{path}, row {line}, {key}: {text} is negative; it must be at least 0.")
        values[i] = value
    return values


def _flags(path: Path, rows: list[tuple[int, dict[str, str]]]) -> Flags:
    flags = np.empty(len(rows), np.bool_)
    for i, (line, row) in enumerate(rows):
        text = row["grid_up"].strip().lower()
        if text not in _UP:
            said = f"{text!r} is neither" if text else "it is missing;"
            raise ConfigurationError(f"{path}, row {line}, grid_up: {said} 1, 0, true or false.")
        flags[i] = _UP[text]
    return flags


def _time(path: Path, line: int, text: str) -> datetime:
    text = text.strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        said = f"{text!r} is no time in ISO 8601" if text else "it is missing"
        raise ConfigurationError(f"{path}, row {line}, at: {said}, such as 2026-07-01T00:15:00+08:00.") from None
    if at.utcoffset() is None:
        raise ConfigurationError(f"{path}, row {line}, at: {text} has no offset; write {text}+08:00, or as is right.")
    return at


def _step_s(path: Path, lines: list[int], times: list[datetime]) -> float:
    """The one step between all rows. Offsets may change (summer time); the instants must be evenly spaced."""
    step = times[1] - times[0]
    for i in range(1, len(times)):
        found = times[i] - times[i - 1]
        if found <= timedelta(0):
            raise ConfigurationError(
                f"{path}, row {lines[i]}, at: {times[i].isoformat()} is not after {times[i - 1].isoformat()}."
            )
        if found != step:
            raise ConfigurationError(
                f"{path}, row {lines[i]}, at: the step is {found.total_seconds():g} s here and "
                f"{step.total_seconds():g} s at the beginning; all steps must be equal (summer time counts by offset)."
            )
    if step > timedelta(days=1):
        raise ConfigurationError(f"{path}, row {lines[1]}, at: a step of {step} is longer than a day.")
    return step.total_seconds()


def _local(times: list[datetime]) -> Times:
    return np.array([at.replace(tzinfo=None) for at in times], dtype="datetime64[s]")


__all__ = ["COLUMNS", "read_scenario"]
