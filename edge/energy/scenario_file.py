"""Scenario files: owns reading a CSV of series and the TOML beside it, and naming file, row and key of what is wrong.

The format is documented in `docs/scenarios.md`. What is wrong beyond doubt is refused with ConfigurationError; what
only looks as if a unit were mistaken is told by `doubts`.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import tomllib
from collections.abc import Iterable, Sequence
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
# Larger than anything on an island; above it sums lose their kWh.
_MOST = 1e9
# A mean price above this per kWh is in cents (in any currency that the island meets), an intensity above this in grams.
_PRICE_PLAUSIBLE, _CO2_PLAUSIBLE = 10.0, 3.0
# A load that all sources together carry less than this part of is in W.
_CARRIED_PLAUSIBLE = 0.05


@dataclass(frozen=True, slots=True)
class _Key:
    """What a number in the TOML may be; without a default it must be there."""

    low: float
    high: float
    low_is_allowed: bool = True
    default: float | None = None
    hint: str = ""


_TABLES: dict[str, dict[str, _Key]] = {
    "storage": {
        "capacity_kwh": _Key(
            0, _MOST, low_is_allowed=False, hint="; a site without storage has power_charge_kw and power_discharge_kw 0"
        ),
        "power_charge_kw": _Key(0, _MOST),
        "power_discharge_kw": _Key(0, _MOST),
        "efficiency_charge": _Key(0, 1, low_is_allowed=False),
        "efficiency_discharge": _Key(0, 1, low_is_allowed=False),
        "soc_min": _Key(0, 1),
        "soc_max": _Key(0, 1),
        "soc_initial": _Key(0, 1),
        "wear_cost_per_kwh": _Key(0, _MOST),
    },
    "grid": {
        "import_max_kw": _Key(0, _MOST),
        "export_max_kw": _Key(0, _MOST),
        "demand_charge_per_kw": _Key(0, _MOST),
        "co2_price_per_kg": _Key(0, _MOST),
        "unserved_cost_per_kwh": _Key(0, _MOST, default=20.0),
    },
    "genset": {
        "min_kw": _Key(0, _MOST),
        "max_kw": _Key(0, _MOST),
        "fuel_cost_per_kwh": _Key(0, _MOST),
        "co2_kg_per_kwh": _Key(0, _MOST),
    },
}
_OPTIONAL_TABLES = frozenset({"genset"})


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a CSV file: the line that each ends on, and its cells by column, all of one length."""

    path: Path
    lines: Sequence[int]
    cells: dict[str, Sequence[str]]

    def wrong(self, row: int, key: str, said: str) -> ConfigurationError:
        """What is wrong with one cell, with file, row and key."""
        return ConfigurationError(f"{self.path}, row {self.lines[row]}, {key}: {said}")


def read_scenario(path: Path) -> Scenario:
    """The scenario of a CSV file and the TOML file of the same name; raises ConfigurationError."""
    if path.suffix.lower() != ".csv":
        raise ConfigurationError(
            f"{path}: a scenario is a .csv file with a .toml file of the same name beside it; name the .csv file."
        )
    text = _text(path)
    tables = _read_toml(path.with_suffix(".toml"))
    rows = _read_rows(path, text)
    times = [_time(rows, row) for row in range(len(rows.lines))]
    storage, grid, genset = tables["storage"], tables["grid"], tables.get("genset")
    return Scenario(
        name=path.stem,
        at0=times[0],
        step_s=_step_s(rows, times),
        local=_local(times),
        **{key: _numbers(rows, key) for key in COLUMNS[1:-1]},
        grid_up=_flags(rows),
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


def doubts(path: Path, scenario: Scenario) -> tuple[str, ...]:
    """Where a unit looks mistaken, though it might be meant; sentences with file and key."""
    found = []
    for key, limit, unit, mistaken in (
        ("import_price", _PRICE_PLAUSIBLE, "money per kWh", "in cents or per MWh"),
        ("export_price", _PRICE_PLAUSIBLE, "money per kWh", "in cents or per MWh"),
        ("co2_kg_per_kwh", _CO2_PLAUSIBLE, "kg per kWh", "in grams or per MWh"),
    ):
        mean = float(np.mean(np.abs(getattr(scenario, key))))
        if mean > limit:
            found.append(f"{path}, {key}: {mean:g} in the mean; it is taken as {unit}. Is it given {mistaken}?")
    store, genset_kw = scenario.storage, scenario.genset.max_kw if scenario.genset else 0.0
    sources_kw = scenario.import_max_kw + store.discharge_max_kw + genset_kw + float(np.max(scenario.pv_kw))
    peak_kw = float(np.max(scenario.load_kw))
    if peak_kw > 0.0 and sources_kw < _CARRIED_PLAUSIBLE * peak_kw:
        found.append(
            f"{path}, load_kw: up to {peak_kw:g} kW, but grid, storage, sun and generator set give {sources_kw:g} kW "
            "together. Is it given in W?"
        )
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is missing.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8.") from error


def _unknown(name: str, known: Iterable[str]) -> str:
    """`name` is unknown, what was probably meant, and what there is."""
    there = tuple(known)
    close = difflib.get_close_matches(name.lower(), there, n=1, cutoff=0.6)
    meant = f" Did you mean {close[0]}?" if close else ""
    return f"is unknown.{meant} There are {', '.join(there)}."


def _read_toml(path: Path) -> dict[str, dict[str, float]]:
    if not path.exists():
        raise ConfigurationError(f"{path} is missing: it must stand beside the .csv file, with the same name.")
    try:
        given = tomllib.loads(_text(path))
    except (ValueError, RecursionError) as error:  # a TOMLDecodeError, or a number or a nesting beyond Python's limits
        raise ConfigurationError(f"{path} is no TOML: {error}.") from error
    if unknown := sorted(set(given) - set(_TABLES)):
        raise ConfigurationError(f"{path}: [{unknown[0]}] {_unknown(unknown[0], _TABLES)}")
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
        raise ConfigurationError(f"{path}: [{name}] {unknown[0]} {_unknown(unknown[0], keys)}")
    return {key: _toml_number(f"{path}: [{name}] {key}", given.get(key), span) for key, span in keys.items()}


def _toml_number(where: str, value: Any, span: _Key) -> float:
    if value is None:
        if span.default is None:
            raise ConfigurationError(f"{where} is missing.")
        return span.default
    # An integer in TOML may be too large to be a float: it is compared as it is.
    if type(value) is not int and not (isinstance(value, float) and math.isfinite(value)):
        raise ConfigurationError(f"{where} is {value!r}: it must be a finite number.")
    if value < span.low or value > span.high or (value == span.low and not span.low_is_allowed):
        low = f"{'at least' if span.low_is_allowed else 'above'} {span.low:g}"
        hint = " (a part of 1, not per cent)" if span.high == 1 else span.hint
        raise ConfigurationError(f"{where} is {value}: it must be {low} and at most {span.high:g}{hint}.")
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


def _read_rows(path: Path, text: str) -> _Rows:
    """The rows with their line numbers, every column there once."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for cells in reader:
            if not any(map(str.strip, cells)):
                continue
            if not header:
                header = _header(path, reader.line_num, cells)
                continue
            if len(cells) != len(header):
                raise ConfigurationError(
                    f"{path}, row {reader.line_num}: it has {len(cells)} fields, the header has {len(header)}: "
                    f"{','.join(header)}."
                )
            lines.append(reader.line_num)
            rows.append(cells)
    except csv.Error as error:
        raise ConfigurationError(f"{path}, row {reader.line_num}: no CSV: {error}.") from error
    if not header:
        raise ConfigurationError(f"{path} is empty: it must begin with the header {','.join(COLUMNS)}.")
    if len(rows) < 2:
        count = "1 row" if rows else "no row"
        raise ConfigurationError(f"{path} has {count} of data: it needs two or more to know its step.")
    return _Rows(path, lines, dict(zip(header, zip(*rows, strict=True), strict=True)))


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    must = f"the header must be {','.join(COLUMNS)}."
    for other, told in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and other in cells[0]:
            raise ConfigurationError(f"{path}, row {line}: the fields are separated by {told}, not commas; {must}")
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ConfigurationError(f"{path}, row {line}: the column {name} is there twice; {must}")
    wrong = [name for name in names if name not in COLUMNS]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        close = difflib.get_close_matches(missing[0], [name.lower() for name in wrong], n=1, cutoff=0.6)
        meant = f" (is it {wrong[[name.lower() for name in wrong].index(close[0])]!r}?)" if close else ""
        raise ConfigurationError(f"{path}, row {line}: the column {missing[0]} is missing{meant}; {must}")
    if wrong:
        raise ConfigurationError(f"{path}, row {line}: the column {wrong[0]!r} is unknown; {must}")
    return names


def _numbers(rows: _Rows, key: str) -> Series:
    texts = rows.cells[key]
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        row = next(i for i, text in enumerate(texts) if not _is_number(text))
        said = f"{texts[row].strip()!r} is no number." if texts[row].strip() else "it is missing."
        raise rows.wrong(row, key, said) from None
    low = 0.0 if key in _NEVER_NEGATIVE else -_MOST
    good = (values >= low) & (values <= _MOST)
    if not np.all(good):
        row = int(np.argmin(good))
        text = texts[row].strip()
        if not math.isfinite(values[row]):
            raise rows.wrong(row, key, f"{text} is not finite.")
        if values[row] < 0.0 and key in _NEVER_NEGATIVE:
            raise rows.wrong(row, key, f"{text} is negative; it must be at least 0.")
        raise rows.wrong(row, key, f"{text} cannot be meant; at most {_MOST:g} is taken.")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _flags(rows: _Rows) -> Flags:
    texts = rows.cells["grid_up"]
    flags = np.empty(len(texts), np.bool_)
    for row, cell in enumerate(texts):
        text = cell.strip().lower()
        if text not in _UP:
            said = f"{text!r} is neither" if text else "it is missing; it must be"
            raise rows.wrong(row, "grid_up", f"{said} 1, 0, true or false.")
        flags[row] = _UP[text]
    return flags


def _time(rows: _Rows, row: int) -> datetime:
    text = rows.cells["at"][row].strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        said = f"{text!r} is no time in ISO 8601" if text else "it is missing"
        raise rows.wrong(row, "at", f"{said}, such as 2026-07-01T00:15:00+08:00.") from None
    if at.utcoffset() is None:
        raise rows.wrong(row, "at", f"{text} has no offset; write {at.isoformat()}+08:00, or as is right.")
    return at


def _step_s(rows: _Rows, times: list[datetime]) -> float:
    """The one step between all rows. Offsets may change (summer time); the instants must be evenly spaced."""
    step = times[1] - times[0]
    for row in range(1, len(times)):
        found = times[row] - times[row - 1]
        if found <= timedelta(0):
            raise rows.wrong(row, "at", f"{times[row].isoformat()} is not after {times[row - 1].isoformat()}.")
        if found != step:
            raise rows.wrong(
                row,
                "at",
                f"the step is {found.total_seconds():g} s here and {step.total_seconds():g} s at the beginning; "
                "all steps must be equal (summer time counts by offset).",
            )
    if step > timedelta(days=1):
        raise rows.wrong(1, "at", f"a step of {step} is longer than a day.")
    return step.total_seconds()


def _local(times: list[datetime]) -> Times:
    return np.array([at.replace(tzinfo=None) for at in times], dtype="datetime64[s]")


__all__ = ["COLUMNS", "doubts", "read_scenario"]
