"""SunSpec model definitions: owns where each point of a model lies, and registers to values and back.

The definitions are the SunSpec Alliance's own, as JSON files in the package pysunspec2; they are read once a model.
Models whose groups repeat by another point's value are not needed here and are refused.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from control.domain.errors import DeviceError

SCALE_MAX = 10
HEADER = 2
_FLOATS = {"float32": ">f", "float64": ">d"}
_SIGNED = {"int16", "int32", "int64", "sunssf"}
_ZERO_IS_NONE = {"acc16", "acc32", "acc64", "ipaddr", "ipv6addr"}
_TEXT = "string"


@dataclass(frozen=True, slots=True)
class PointSpec:
    """One point. `offset` counts registers from the model's ID, in a repeating group from the group's begin."""

    name: str
    type: str
    offset: int
    size: int
    scale: str | int | None
    symbols: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: its fixed points, and those of a group that fills the rest of the model's length."""

    id: int
    name: str
    points: dict[str, PointSpec]
    size: int
    repeated: dict[str, PointSpec]
    repeated_size: int

    def groups(self, length: int) -> int:
        """How often the group occurs in a model whose L says `length`."""
        return max(0, length + HEADER - self.size) // self.repeated_size if self.repeated_size else 0


@cache
def model_spec(model_id: int) -> ModelSpec:
    """The definition. Raises DeviceError for a model that nobody has defined."""
    source = files("sunspec2").joinpath("models", "json", f"model_{model_id}.json")
    try:
        group = json.loads(source.read_text(encoding="utf-8"))["group"]
    except FileNotFoundError as error:
        raise DeviceError(f"SunSpec model {model_id} is not defined") from error
    points = {point.name: point for point in _points(group, "", 0)}
    size = sum(point.size for point in points.values())
    repeated: dict[str, PointSpec] = {}
    for inner in group.get("groups", ()):
        match inner.get("count"):
            case None:
                for point in _points(inner, f"{inner['name']}.", size):
                    points[point.name], size = point, size + point.size
            case 0:
                repeated = {point.name: point for point in _points(inner, "", 0)}
            case _:
                raise DeviceError(f"SunSpec model {model_id} repeats by the value of a point, which is not supported")
    return ModelSpec(model_id, group["name"], points, size, repeated, sum(p.size for p in repeated.values()))


def _points(group: dict[str, Any], prefix: str, begin: int) -> Iterator[PointSpec]:
    for point in group.get("points", ()):
        symbols = tuple((int(one["value"]), str(one["name"])) for one in point.get("symbols", ()))
        size = int(point["size"])
        yield PointSpec(prefix + point["name"], point["type"], begin, size, point.get("sf"), symbols)
        begin += size


def decode(point: PointSpec, registers: Sequence[int]) -> int | float | str | None:
    """What the registers hold, unscaled; None where the device says "not implemented".

    Source: SunSpec Device Information Model Specification, data types and their not-implemented values. An
    accumulator of 0 counts as not implemented there.
    """
    raw = b"".join(word.to_bytes(2, "big") for word in registers)
    if point.type == _TEXT:
        return raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip() or None
    if shape := _FLOATS.get(point.type):
        number: float = struct.unpack(shape, raw)[0]
        return number if math.isfinite(number) else None
    if point.type in _SIGNED:
        value = int.from_bytes(raw, "big", signed=True)
        return None if value == -(1 << (8 * len(raw) - 1)) else value
    value = int.from_bytes(raw, "big")
    nothing = 0 if point.type in _ZERO_IS_NONE else (1 << 8 * len(raw)) - 1
    return None if value == nothing else value


def encode(point: PointSpec, value: int) -> list[int]:
    """Registers of an unscaled number. Raises ValueError when the type cannot hold it."""
    signed = point.type in _SIGNED
    try:
        raw = value.to_bytes(2 * point.size, "big", signed=signed)
    except OverflowError as error:
        raise ValueError(f"{point.name} cannot hold {value}") from error
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def names_set(point: PointSpec, value: int) -> tuple[str, ...]:
    """Names of the bits of a bit field that are set; a bit without a name is `BIT_n`."""
    names = dict(point.symbols)
    return tuple(names.get(bit, f"BIT_{bit}") for bit in range(16 * point.size) if value >> bit & 1)


def name_of(point: PointSpec, value: int) -> str:
    """Name of an enumeration's value, empty where it has none."""
    return dict(point.symbols).get(value, "")
