"""SunSpec register maps: owns laying models out after one another and turning values into registers and back.

The definitions are the SunSpec Alliance's own (JSON, brought by pysunspec2). A map begins with "SunS" at address
40000 and ends with model 0xFFFF of length 0; a point that the device does not have holds "not implemented".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sunspec2.device

BASE_ADDRESS = 40_000
END_MODEL = 0xFFFF
_MARK = (0x5375, 0x6E53)
_SIGNED = {"int16", "int32", "int64", "sunssf"}
_ABSENT_ZERO = {"acc16", "acc32", "acc64", "count", "string"}
_READ_ONLY, _READ_WRITE = "R", "RW"


@dataclass(frozen=True, slots=True)
class PointPlace:
    """One point: where its registers are, how they are read, and which scale factor holds for it."""

    address: int
    kind: str
    size: int
    scale: str | None
    writable: bool


@dataclass(frozen=True, slots=True)
class ModelWish:
    """One model of a device: the scale factors it uses, and how often its repeating group occurs."""

    number: int
    scales: Mapping[str, int] = field(default_factory=dict)
    modules: int = 0


class SunSpecMap:
    """All registers of one device. Points are named `(model, point)`, in a group `(model, "group[index].point")`."""

    def __init__(self, wishes: Iterable[ModelWish]) -> None:
        self.registers: list[int] = list(_MARK)
        self.places: dict[tuple[int, str], PointPlace] = {}
        self._scales: dict[tuple[int, str], int] = {}
        self._at: dict[int, tuple[int, str]] = {}
        for wish in wishes:
            self._lay(wish)
        self.registers += [END_MODEL, 0]

    @property
    def models(self) -> tuple[int, ...]:
        """The models in the order of the map."""
        return tuple(dict.fromkeys(model for model, _ in self.places))

    def _lay(self, wish: ModelWish) -> None:
        group = _definition(wish.number)
        start = len(self.registers)
        self._scales |= {(wish.number, name): value for name, value in wish.scales.items()}
        self._lay_points(wish.number, group["points"], "")
        for inner in group.get("groups", ()):
            repeats = wish.modules if inner.get("count") is not None else 1
            for index in range(repeats):
                name = f"{inner['name']}[{index}]." if inner.get("count") is not None else f"{inner['name']}."
                self._lay_points(wish.number, inner["points"], name)
        self.put(wish.number, "ID", wish.number)
        self.put(wish.number, "L", len(self.registers) - start - 2)
        for name, value in wish.scales.items():
            self.put(wish.number, name, value)

    def _lay_points(self, model: int, points: list[dict[str, Any]], prefix: str) -> None:
        for point in points:
            kind, size = str(point["type"]), int(point["size"])
            address = BASE_ADDRESS + len(self.registers)
            name = (model, f"{prefix}{point['name']}")
            scale = point.get("sf")
            self.places[name] = PointPlace(address, kind, size, scale, point.get("access", _READ_ONLY) == _READ_WRITE)
            self._at |= {address + offset: name for offset in range(size)}
            self.registers += _absent(kind, size)

    def put(self, model: int, point: str, value: float | str | None) -> None:
        """Set one point, in the point's unit; None or a number that is none means "not implemented"."""
        place = self.places[model, point]
        start = place.address - BASE_ADDRESS
        self.registers[start : start + place.size] = self._encode(model, place, value)

    def get(self, model: int, point: str) -> float | None:
        """One number in the point's unit, or None where it is not implemented."""
        place = self.places[model, point]
        start = place.address - BASE_ADDRESS
        words = self.registers[start : start + place.size]
        if words == _absent(place.kind, place.size):
            return None
        return _number(words, signed=place.kind in _SIGNED) * 10.0 ** self._scale(model, place)

    def points_at(self, address: int, count: int) -> list[tuple[int, str]]:
        """The points that a stretch of registers touches, in order, each once."""
        return list(dict.fromkeys(self._at[a] for a in range(address, address + count) if a in self._at))

    def writable(self, address: int, count: int) -> bool:
        """Whether all of a stretch belongs to points that a master may write."""
        span = range(address, address + count)
        return all(a in self._at and self.places[self._at[a]].writable for a in span)

    def _scale(self, model: int, place: PointPlace) -> int:
        return self._scales.get((model, place.scale), 0) if place.scale else 0

    def _encode(self, model: int, place: PointPlace, value: float | str | None) -> list[int]:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return _absent(place.kind, place.size)
        if isinstance(value, str):
            raw = value.encode("utf-8")[: 2 * place.size].ljust(2 * place.size, b"\0")
            return [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]
        return _words(round(value * 10.0 ** -self._scale(model, place)), place)


def _words(number: int, place: PointPlace) -> list[int]:
    """A whole number as registers: counters wrap, everything else stops at its type's last valid value."""
    bits = 16 * place.size
    if place.kind in _SIGNED:
        number = min((1 << (bits - 1)) - 1, max(1 - (1 << (bits - 1)), number))
    elif place.kind.startswith("acc"):
        number %= 1 << bits
    else:
        number = min((1 << bits) - 2, max(0, number))
    number &= (1 << bits) - 1
    return [(number >> shift) & 0xFFFF for shift in range(bits - 16, -1, -16)]


def _number(words: list[int], *, signed: bool) -> int:
    number = 0
    for word in words:
        number = number << 16 | word
    top = 1 << (16 * len(words))
    return number - top if signed and number >= top // 2 else number


def _absent(kind: str, size: int) -> list[int]:
    """What a point holds that the device does not have (SunSpec information model, section on data types)."""
    if kind in _ABSENT_ZERO:
        return [0] * size
    if kind in _SIGNED or kind == "pad":
        return [0x8000] + [0] * (size - 1)
    return [0xFFFF] * size


@cache
def _definition(model: int) -> dict[str, Any]:
    found: dict[str, Any] = sunspec2.device.get_model_def(model, mapping=False)["group"]
    return found
