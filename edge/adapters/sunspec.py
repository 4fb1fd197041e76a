"""A SunSpec device over Modbus TCP: owns finding its models, reading in few requests, and writes that are read back.

The map begins with "SunS" at 40000, 50000 or 0; models follow one another in any order, each with its number and
length, and those that nobody asks for are skipped by their length. Whenever the connection is new, or a model's header
has changed, the models are looked for again: the device may have been exchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink, RegisterRefused
from edge.adapters.sunspec_models import HEADER, SCALE_MAX, ModelSpec, PointSpec, decode, encode, model_spec
from edge.energy.ports import Identity, WriteNotTaken

BASES = (40_000, 50_000, 0)
MARK = [0x5375, 0x6E53]  # "SunS"
END_MODEL = 0xFFFF
COMMON = 1
MODELS_MAX = 64
REGISTERS_MAX = 125  # Modbus Application Protocol V1.1b3, 6.3: at most 125 registers a request
WRITE_TRIES = 2


class NotSunSpec(DeviceError):
    """The device answers, but has no SunSpec map, or one without what we need."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of one role: the first of `models` that the device has, with these points of it.

    `repeated` are points of its repeating group. A role that is not `needed` may be missing.
    """

    models: tuple[int, ...]
    points: tuple[str, ...]
    repeated: tuple[str, ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """One model as it was found. `address` is that of its ID register, `length` what its L register says."""

    spec: ModelSpec
    address: int
    length: int

    def place(self, name: str, group: int | None = None) -> tuple[PointSpec, int] | None:
        """A point and its address; None where the device's model is too short to have it."""
        table, begin = (self.spec.points, 0) if group is None else (self.spec.repeated, self._begin(group))
        point = table.get(name)
        if point is None or begin + point.offset + point.size > HEADER + self.length:
            return None
        return point, self.address + begin + point.offset

    def _begin(self, group: int) -> int:
        return self.spec.size + group * self.spec.repeated_size

    @property
    def groups(self) -> int:
        """How many repeating groups it has."""
        return self.spec.groups(self.length)


@dataclass(frozen=True, slots=True)
class Value:
    """One number as read: unscaled, its scale (None: the scale is missing or nonsense), and the two together."""

    raw: int | float
    scale: int | None

    @property
    def scaled(self) -> float | None:
        """In the point's unit."""
        return None if self.scale is None else float(self.raw) * 10.0**self.scale


class Sample:
    """The registers of one reading, asked by role and point."""

    def __init__(self, models: Mapping[str, Model], registers: Mapping[int, int], identity: Identity) -> None:
        self._models, self._registers = models, registers
        self.identity = identity

    def has(self, role: str) -> bool:
        """Whether the device has a model of that role."""
        return role in self._models

    def model(self, role: str) -> Model:
        """The model that plays a role."""
        return self._models[role]

    def groups(self, role: str) -> int:
        """How many repeating groups the role's model has; 0 without the model."""
        return self._models[role].groups if role in self._models else 0

    def value(self, role: str, name: str, group: int | None = None) -> Value | None:
        """A number, or None where the device does not have it."""
        found = self._decoded(role, name, group)
        if found is None or isinstance(found[1], str):
            return None
        return Value(found[1], self._scale(role, found[0]))

    def whole(self, role: str, name: str, group: int | None = None) -> int | None:
        """An enumeration, a bit field or a count."""
        found = self._decoded(role, name, group)
        return found[1] if found is not None and isinstance(found[1], int) else None

    def text(self, role: str, name: str, group: int | None = None) -> str:
        """A text, empty where there is none."""
        found = self._decoded(role, name, group)
        return found[1] if found is not None and isinstance(found[1], str) else ""

    def scale(self, role: str, name: str) -> int | None:
        """The exponent of a point's scale, also of one that holds nothing; None where there is none that counts."""
        place = self._models[role].place(name)
        return None if place is None else self._scale(role, place[0])

    def registers(self, address: int, count: int) -> list[int]:
        """Registers as read; all of them must have been."""
        return [self._registers[address + offset] for offset in range(count)]

    def _decoded(self, role: str, name: str, group: int | None) -> tuple[PointSpec, int | float | str] | None:
        place = self._models[role].place(name, group) if role in self._models else None
        if place is None:
            return None
        point, address = place
        found = decode(point, self.registers(address, point.size))
        return None if found is None else (point, found)

    def _scale(self, role: str, point: PointSpec) -> int | None:
        if point.scale is None or isinstance(point.scale, int):
            return point.scale or 0
        found = self._decoded(role, point.scale, None)
        if found is None or not isinstance(found[1], int) or abs(found[1]) > SCALE_MAX:
            return None
        return found[1]


@dataclass(frozen=True, slots=True)
class _Order:
    """What was written, and how many samples there had been by then."""

    model: Model
    values: Mapping[str, int]
    check: tuple[str, ...]
    in_unit: float
    samples: int


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A point that does not hold what was written; `found` is None where the device refused the write."""

    name: str
    found: float | None


class SunSpecDevice:
    """One device behind one link. `wanted` says per role what every sample holds."""

    def __init__(self, link: ModbusLink, *, name: str, wanted: Mapping[str, Wanted]) -> None:
        self._link, self._name, self._wanted = link, name, wanted
        self._models: dict[str, Model] = {}
        self._windows: list[tuple[int, int]] = []
        self._identity = Identity()
        self._connection = -1
        self._turn = asyncio.Lock()  # a search for the models must not change them under a reading or a write
        self._samples = 0
        self._unfollowed: dict[str, _Order] = {}
        self.last: Sample | None = None

    async def sample(self) -> Sample:
        """Read everything wanted. Raises DeviceError."""
        async with self._turn:
            return await self._sample()

    async def _sample(self) -> Sample:
        refused: RegisterRefused | None = None
        for _ in range(2):
            await self._ensure_found()
            try:
                registers = await self._read_windows()
            except RegisterRefused as error:
                registers, refused = {}, error  # what was there is not any more: another device, with another map
            if registers and self._connection == self._link.connections and self._headers_hold(registers):
                self.last = Sample(self._models, registers, self._identity)
                self._samples += 1
                return self.last
            self._models = {}
        if refused is not None:
            raise refused
        raise NotSunSpec(f"{self._name}: its connection or its SunSpec models change from one reading to the next")

    async def current(self) -> Sample:
        """The last sample of this connection, or a new one where there is none."""
        fresh = self.last is not None and self._connection == self._link.connections
        return self.last if fresh and self.last is not None else await self.sample()

    async def write(self, role: str, values: Mapping[str, int], *, check: Iterable[str], in_unit: float) -> None:
        """Write neighbouring points (unscaled, in the order of the model) in one request and read them back.

        `check` names those that must hold what was written, the most important first; `in_unit` turns that one's
        unscaled number into the unit of the error's text. Raises WriteNotTaken after two tries, DeviceError. A device
        that has turned out to take its time is judged by the next sample instead.
        """
        async with self._turn:
            await self._write(role, values, tuple(check), in_unit)

    async def _write(self, role: str, values: Mapping[str, int], check: tuple[str, ...], in_unit: float) -> None:
        await self._ensure_found()
        order = _Order(self._models[role], values, check, in_unit, self._samples)
        places = {name: self._place(order.model, name) for name in values}
        slow = self._judge_former(role, order.model)
        wrong: _Wrong | None = None
        for _ in range(WRITE_TRIES):
            wrong = await self._write_once(order, places)
            if self._connection != self._link.connections:
                raise DeviceError(f"{self._name}: lost the connection while {order.check[0]} was written")
            if wrong is None:
                return
        assert wrong is not None
        self._unfollowed[role] = order
        if wrong.found is None or not slow:
            raise self._not_taken(order, wrong)

    def _judge_former(self, role: str, model: Model) -> bool:
        """Whether the last write of this role, not yet followed when it was read back, has been followed since."""
        former = self._unfollowed.pop(role, None)
        if former is None or former.model != model or self.last is None or self._samples <= former.samples:
            return False
        return all(self.last.whole(role, name) == former.values[name] for name in former.check)

    def _not_taken(self, order: _Order, wrong: _Wrong) -> WriteNotTaken:
        unit = order.in_unit if wrong.name == order.check[0] else 1.0
        held = None if wrong.found is None else wrong.found * unit
        return WriteNotTaken(self._name, wrong.name, wanted=order.values[wrong.name] * unit, found=held)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._link.aclose()

    def _place(self, model: Model, name: str) -> tuple[PointSpec, int]:
        place = model.place(name)
        if place is None:
            raise NotSunSpec(f"{self._name}: its model {model.spec.id} has no {name}")
        return place

    async def _write_once(self, order: _Order, places: Mapping[str, tuple[PointSpec, int]]) -> _Wrong | None:
        """The first point that does not hold what was written, with what it holds."""
        first = min(address for _, address in places.values())
        block: list[int] = []
        for name, (point, address) in places.items():
            assert address == first + len(block), f"{name} does not follow the point before it"
            block += encode(point, order.values[name])
        try:
            await self._link.write_registers(first, block)
        except RegisterRefused:
            return _Wrong(order.check[0], None)
        found = await self._link.read_holding(first, len(block))
        for name in order.check:
            point, address = places[name]
            held = decode(point, found[address - first : address - first + point.size])
            if held != order.values[name]:
                return _Wrong(name, float(held) if isinstance(held, (int, float)) else None)
        return None

    async def _ensure_found(self) -> None:
        if not self._models or self._connection != self._link.connections:
            await self._find()

    async def _find(self) -> None:
        """Look for the models. Nothing is remembered of a search that failed."""
        self._models, self.last = {}, None
        base = await self._base()
        connection = self._link.connections
        found = [model async for model in self._walk(base)]
        roles = {role: _first_of(found, wanted.models) for role, wanted in self._wanted.items()}
        for role, wanted in self._wanted.items():
            if wanted.needed and roles[role] is None:
                raise NotSunSpec(f"{self._name}: has none of the SunSpec models {wanted.models} for {role}")
        models = {role: model for role, model in roles.items() if model is not None}
        self._identity = await self._read_identity(found)
        self._windows = _windows(_spans(models, self._wanted))
        self._models, self._connection = models, connection

    async def _base(self) -> int:
        for base in BASES:
            try:
                if await self._link.read_holding(base, HEADER) == MARK:
                    return base + HEADER
            except RegisterRefused:
                continue
        raise NotSunSpec(f"{self._name}: no 'SunS' at {', '.join(map(str, BASES))}: check address, port and unit")

    async def _walk(self, address: int) -> AsyncIterator[Model]:
        """Every model of which somebody has defined the points and somebody here wants some."""
        known = {COMMON} | {model for wanted in self._wanted.values() for model in wanted.models}
        for _ in range(MODELS_MAX):
            model_id, length = await self._link.read_holding(address, HEADER)
            if model_id == END_MODEL:
                return
            if address + HEADER + length > 0xFFFF:
                break
            if model_id in known:
                yield Model(model_spec(model_id), address, length)
            address += HEADER + length
        raise NotSunSpec(f"{self._name}: its list of SunSpec models has no end")

    async def _read_identity(self, found: list[Model]) -> Identity:
        common = _first_of(found, (COMMON,))
        if common is None:
            return Identity()
        count = min(HEADER + common.length, REGISTERS_MAX)
        words = await self._link.read_holding(common.address, count)
        held = Sample({"common": common}, dict(enumerate(words, common.address)), Identity())
        names = ("Mn", "Md", "SN", "Vr")
        return Identity(*(held.text("common", name) for name in names))

    async def _read_windows(self) -> dict[int, int]:
        registers: dict[int, int] = {}
        for address, count in self._windows:
            registers.update(enumerate(await self._link.read_holding(address, count), address))
        return registers

    def _headers_hold(self, registers: Mapping[int, int]) -> bool:
        return all(
            (registers[model.address], registers[model.address + 1]) == (model.spec.id, model.length)
            for model in self._models.values()
        )


def _first_of(found: Iterable[Model], wanted: tuple[int, ...]) -> Model | None:
    by_id: dict[int, Model] = {}
    for model in found:
        by_id.setdefault(model.spec.id, model)
    return next((by_id[model_id] for model_id in wanted if model_id in by_id), None)


def _spans(models: Mapping[str, Model], wanted: Mapping[str, Wanted]) -> list[tuple[int, int]]:
    """Address and size of every register run that a sample needs: headers, points, and their scale factors."""
    spans: set[tuple[int, int]] = set()
    for role, model in models.items():
        spans.add((model.address, HEADER))
        for name in wanted[role].points:
            spans |= _span(model, model.place(name))
        for group in range(model.groups):
            for name in wanted[role].repeated:
                spans |= _span(model, model.place(name, group))
    return sorted(spans)


def _span(model: Model, place: tuple[PointSpec, int] | None) -> set[tuple[int, int]]:
    if place is None:
        return set()
    point, address = place
    spans = {(address, point.size)}
    scale = model.place(point.scale) if isinstance(point.scale, str) else None
    return spans if scale is None else spans | {(scale[1], scale[0].size)}


def _windows(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """As few requests as cover all spans, each of at most 125 registers. Spans come in order of their address."""
    windows: list[tuple[int, int]] = []
    for address, size in spans:
        if windows and address + size - windows[-1][0] <= REGISTERS_MAX:
            begin, count = windows[-1]
            windows[-1] = (begin, max(count, address + size - begin))
        else:
            windows.append((address, size))
    return windows
