"""Draws vehicles and the papers they carry from a seed: owns the traffic mix of the simulated island.

How a vehicle moves belongs to `world`, how it looks to `bodies`. The mix follows the published picture of the
zone (new-energy vehicles only, 1 to 2 % fuel requests, under 1 % special); the shares are invented figures.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from control.domain.permits import Permit, PermitClass, PermitSnapshot, RegistryEntry, WatchEffect, WatchEntry
from control.domain.plates import LETTERS, PlateColour, PlateKind
from control.domain.vehicles import VehicleType

Choice = TypeVar("Choice")


class Role(StrEnum):
    """Why a vehicle comes, which settles its plate and papers."""

    ELECTRIC = "electric"
    ELECTRIC_LARGE = "electric_large"
    PLUG_IN = "plug_in"
    FUEL = "fuel"
    FUEL_PERMIT = "fuel_permit"
    BLUE_ELECTRIC = "blue_electric"
    POLICE = "police"
    EMERGENCY = "emergency"
    AMBULANCE = "ambulance"
    CROSS_BORDER = "cross_border"
    COACH = "coach"
    CONSULATE = "consulate"
    TEMPORARY = "temporary"
    TRACTOR = "tractor"
    TRAILER = "trailer"
    BLOCKED = "blocked"
    DIRTY = "dirty"
    NO_PLATE = "no_plate"


class Behaviour(StrEnum):
    """How the driver behaves at the gate."""

    NORMAL = "normal"
    NOSE_TO_TAIL = "nose_to_tail"
    TAILGATES = "tailgates"
    REVERSES_OUT = "reverses_out"
    ROLLS = "rolls"


class PassPlace(StrEnum):
    """How a driver shows a pass."""

    WINDSCREEN = "windscreen"
    SCANNER = "scanner"


# Weights in thousandths of all arrivals.
MIX: dict[Role, int] = {
    Role.ELECTRIC: 610,
    Role.PLUG_IN: 150,
    Role.ELECTRIC_LARGE: 85,
    Role.FUEL: 20,
    Role.FUEL_PERMIT: 30,
    Role.BLUE_ELECTRIC: 12,
    Role.POLICE: 16,
    Role.EMERGENCY: 8,
    Role.AMBULANCE: 8,
    Role.CROSS_BORDER: 10,
    Role.COACH: 6,
    Role.CONSULATE: 3,
    Role.TEMPORARY: 9,
    Role.TRACTOR: 4,
    Role.TRAILER: 4,
    Role.BLOCKED: 8,
    Role.DIRTY: 12,
    Role.NO_PLATE: 5,
}
BEHAVIOURS: dict[Behaviour, int] = {
    Behaviour.NORMAL: 920,
    Behaviour.NOSE_TO_TAIL: 40,
    Behaviour.TAILGATES: 10,
    Behaviour.REVERSES_OUT: 20,
    Behaviour.ROLLS: 10,
}
# The first arrivals of a demonstration: each outcome is seen within a minute.
SHOWCASE: tuple[Role, ...] = (
    Role.ELECTRIC,
    Role.FUEL_PERMIT,
    Role.FUEL,
    Role.PLUG_IN,
    Role.POLICE,
    Role.ELECTRIC_LARGE,
    Role.CROSS_BORDER,
    Role.EMERGENCY,
    Role.BLUE_ELECTRIC,
    Role.TEMPORARY,
)

LENGTH_M: dict[VehicleType, float] = {
    VehicleType.CAR: 4.6,
    VehicleType.MINIBUS: 5.6,
    VehicleType.BUS: 10.5,
    VehicleType.PICKUP: 5.3,
    VehicleType.TRUCK: 8.5,
    VehicleType.FIRE_ENGINE: 8.8,
    VehicleType.AMBULANCE: 5.9,
    VehicleType.POLICE_CAR: 4.7,
    VehicleType.CRANE: 11.8,
    VehicleType.MACHINERY: 4.2,
    VehicleType.SANITATION: 6.2,
    VehicleType.GOLF_CART: 3.4,
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One vehicle as the simulator drew it. `plate` is empty for a vehicle without one.

    `pass_text` is the code on the board behind its windscreen, or that its driver holds to the hand scanner;
    `pass_good` says that it should be let in upon it.
    """

    vehicle_id: str
    lane_id: str
    role: Role
    plate: str
    kind: PlateKind
    colour: PlateColour
    two_rows: bool
    vehicle_type: VehicleType
    behaviour: Behaviour
    arrives_at_s: float
    paint: int
    dirt_frac: float
    length_m: float
    pass_text: str = ""
    pass_place: PassPlace = PassPlace.WINDSCREEN
    pass_good: bool = False

    @property
    def readable(self) -> bool:
        """Whether a good reader could read the plate."""
        return bool(self.plate) and self.dirt_frac < 0.5 and self.kind is not PlateKind.TEMPORARY


@dataclass(frozen=True, slots=True)
class Fleet:
    """The vehicles with papers: permits, watch list and register, as the office would have entered them."""

    permits: tuple[Permit, ...]
    watch: tuple[WatchEntry, ...]
    registry: tuple[RegistryEntry, ...]

    def snapshot(self, *, version: int, taken_at: datetime) -> PermitSnapshot:
        """The same papers as a gate holds them."""
        return PermitSnapshot(
            version=version,
            taken_at=taken_at,
            permits={p.plate: (p,) for p in self.permits},
            watch={w.plate: (w,) for w in self.watch},
            registry={r.plate: r for r in self.registry},
        )


def draw_fleet(seed: int, now: datetime, size: int = 8) -> Fleet:
    """Permits of special vehicles, blocked plates and blue-plated electric cars. Deterministic by seed and day."""
    rng = random.Random(f"{seed}/fleet")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Fleet(
        permits=tuple(_permit(rng, index, today) for index in range(size)),
        watch=tuple(
            WatchEntry(electric_plate(rng), WatchEffect.BLOCK, "欠缴停车费 unpaid parking", today) for _ in range(3)
        ),
        registry=tuple(RegistryEntry(civil_plate(rng), "battery_electric", VehicleType.CAR.value) for _ in range(size)),
    )


_PERMIT_TYPES = (
    (VehicleType.CRANE, "宏达吊装 Hongda Lifting"),
    (VehicleType.TRUCK, "南网应急电源 Emergency Power"),
    (VehicleType.AMBULANCE, "博鳌医院 Boao Hospital"),
    (VehicleType.SANITATION, "琼海环卫 Qionghai Sanitation"),
)


def _permit(rng: random.Random, index: int, today: datetime) -> Permit:
    vehicle_type, holder = _PERMIT_TYPES[index % len(_PERMIT_TYPES)]
    emergency = vehicle_type is VehicleType.AMBULANCE
    return Permit(
        permit_id=f"P-{rng.randrange(16**6):06x}",
        plate=civil_plate(rng),
        permit_class=PermitClass.EMERGENCY if emergency else PermitClass.SPECIAL,
        valid_from=today - timedelta(days=1),
        valid_until=today + timedelta(days=30),
        vehicle_type=vehicle_type.value,
        holder=holder,
    )


def draw_vehicle(
    rng: random.Random, fleet: Fleet, *, lane_id: str, number: int, arrives_at_s: float, role: Role | None = None
) -> Drawn:
    """The next vehicle of a lane. The same generator state and fleet give the same vehicle."""
    chosen = role or _weighted(rng, MIX)
    behaviour = _weighted(rng, BEHAVIOURS)
    vehicle = _with_role(rng, fleet, chosen, _blank(rng, lane_id, number, arrives_at_s))
    length_m = LENGTH_M[vehicle.vehicle_type] * rng.uniform(0.95, 1.05)
    return replace(vehicle, role=chosen, length_m=round(length_m, 2), behaviour=Behaviour.NORMAL if role else behaviour)


def _blank(rng: random.Random, lane_id: str, number: int, arrives_at_s: float) -> Drawn:
    return Drawn(
        vehicle_id=f"{lane_id}-{number:04d}",
        lane_id=lane_id,
        role=Role.ELECTRIC,
        plate=electric_plate(rng),
        kind=PlateKind.NEV_SMALL,
        colour=PlateColour.GREEN,
        two_rows=False,
        vehicle_type=_weighted(rng, {VehicleType.CAR: 9, VehicleType.MINIBUS: 1}),
        behaviour=Behaviour.NORMAL,
        arrives_at_s=arrives_at_s,
        paint=rng.randrange(1 << 16),
        dirt_frac=round(rng.uniform(0.0, 0.12), 3),
        length_m=0.0,
    )


def _with_role(rng: random.Random, fleet: Fleet, role: Role, car: Drawn) -> Drawn:
    if role in (Role.FUEL_PERMIT, Role.AMBULANCE):
        return _permitted(rng, fleet, role, car)
    if role is Role.BLUE_ELECTRIC:
        plate = rng.choice(fleet.registry).plate
        return replace(car, plate=plate, kind=PlateKind.SMALL, colour=PlateColour.BLUE)
    if role is Role.BLOCKED:
        return replace(car, plate=rng.choice(fleet.watch).plate)
    if role is Role.DIRTY:
        return replace(car, dirt_frac=round(rng.uniform(0.75, 0.95), 3))
    if role is Role.NO_PLATE:
        return replace(
            car, plate="", kind=PlateKind.UNKNOWN, colour=PlateColour.UNKNOWN, vehicle_type=VehicleType.GOLF_CART
        )
    return _PLATED[role](rng, car)


def _permitted(rng: random.Random, fleet: Fleet, role: Role, car: Drawn) -> Drawn:
    wanted = PermitClass.EMERGENCY if role is Role.AMBULANCE else PermitClass.SPECIAL
    permit = rng.choice([p for p in fleet.permits if p.permit_class is wanted])
    vehicle_type = VehicleType(permit.vehicle_type or "truck")
    small = vehicle_type is VehicleType.AMBULANCE
    return replace(
        car,
        plate=permit.plate,
        kind=PlateKind.SMALL if small else PlateKind.LARGE,
        colour=PlateColour.BLUE if small else PlateColour.YELLOW,
        vehicle_type=vehicle_type,
    )


def _electric(rng: random.Random, car: Drawn) -> Drawn:
    return car


def _plug_in(rng: random.Random, car: Drawn) -> Drawn:
    return replace(car, plate=electric_plate(rng, letters="FFFFGH"))


def _electric_large(rng: random.Random, car: Drawn) -> Drawn:
    body = rng.choice((VehicleType.BUS, VehicleType.BUS, VehicleType.TRUCK, VehicleType.SANITATION))
    plate = f"琼{_area(rng)}{_digits(rng, 5)}{rng.choice('DDDDA')}"
    return replace(car, plate=plate, kind=PlateKind.NEV_LARGE, colour=PlateColour.YELLOW_GREEN, vehicle_type=body)


def _fuel(rng: random.Random, car: Drawn) -> Drawn:
    large = rng.random() < 0.25
    return replace(
        car,
        plate=civil_plate(rng),
        kind=PlateKind.LARGE if large else PlateKind.SMALL,
        colour=PlateColour.YELLOW if large else PlateColour.BLUE,
        vehicle_type=VehicleType.TRUCK if large else rng.choice((VehicleType.CAR, VehicleType.CAR, VehicleType.PICKUP)),
    )


def _police(rng: random.Random, car: Drawn) -> Drawn:
    plate = f"琼{_area(rng)}{_digits(rng, 4)}警"
    return replace(
        car, plate=plate, kind=PlateKind.POLICE, colour=PlateColour.WHITE, vehicle_type=VehicleType.POLICE_CAR
    )


def _emergency(rng: random.Random, car: Drawn) -> Drawn:
    plate = f"琼{rng.choice('XXXS')}{_digits(rng, 4)}应急"
    return replace(
        car, plate=plate, kind=PlateKind.EMERGENCY, colour=PlateColour.WHITE, vehicle_type=VehicleType.FIRE_ENGINE
    )


def _cross_border(rng: random.Random, car: Drawn) -> Drawn:
    kind = rng.choice((PlateKind.HONG_KONG, PlateKind.MACAU))
    last = "港" if kind is PlateKind.HONG_KONG else "澳"
    return replace(car, plate=f"粤Z{_mixed(rng, 4)}{last}", kind=kind, colour=PlateColour.BLACK)


def _coach(rng: random.Random, car: Drawn) -> Drawn:
    return replace(car, plate=f"琼{_area(rng)}{_digits(rng, 4)}学", kind=PlateKind.COACH, colour=PlateColour.YELLOW)


def _consulate(rng: random.Random, car: Drawn) -> Drawn:
    return replace(car, plate=f"粤A{_digits(rng, 4)}领", kind=PlateKind.CONSULATE, colour=PlateColour.BLACK)


def _temporary(rng: random.Random, car: Drawn) -> Drawn:
    return replace(car, plate=f"琼{_area(rng)}{_digits(rng, 5)}", kind=PlateKind.TEMPORARY, colour=PlateColour.PAPER)


def _tractor(rng: random.Random, car: Drawn) -> Drawn:
    return replace(
        car,
        plate=f"琼{_digits(rng, 7)}",
        kind=PlateKind.TRACTOR,
        colour=PlateColour.FARM_GREEN,
        two_rows=True,
        vehicle_type=VehicleType.MACHINERY,
    )


def _trailer(rng: random.Random, car: Drawn) -> Drawn:
    return replace(
        car,
        plate=f"琼{_area(rng)}{_digits(rng, 4)}挂",
        kind=PlateKind.TRAILER,
        colour=PlateColour.YELLOW,
        two_rows=True,
        vehicle_type=VehicleType.TRUCK,
    )


_PLATED = {
    Role.ELECTRIC: _electric,
    Role.PLUG_IN: _plug_in,
    Role.ELECTRIC_LARGE: _electric_large,
    Role.FUEL: _fuel,
    Role.POLICE: _police,
    Role.EMERGENCY: _emergency,
    Role.CROSS_BORDER: _cross_border,
    Role.COACH: _coach,
    Role.CONSULATE: _consulate,
    Role.TEMPORARY: _temporary,
    Role.TRACTOR: _tractor,
    Role.TRAILER: _trailer,
}


def electric_plate(rng: random.Random, letters: str = "DDDDDDAB") -> str:
    """A small new-energy plate: eight characters, the third telling the drive."""
    return f"{_province(rng)}{_area(rng)}{rng.choice(letters)}{_mixed(rng, 1)}{_digits(rng, 4)}"


def civil_plate(rng: random.Random) -> str:
    """Seven characters, as blue and yellow plates have; at most two letters in the serial."""
    return f"琼{_area(rng)}{_mixed(rng, 5)}"


def _province(rng: random.Random) -> str:
    return rng.choices("琼粤桂湘沪京川", weights=(86, 6, 2, 2, 2, 1, 1))[0]


def _area(rng: random.Random) -> str:
    return rng.choices("ABCDEF", weights=(45, 15, 30, 4, 3, 3))[0]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _mixed(rng: random.Random, count: int) -> str:
    """Digits with at most two letters among them (GA 36 serials)."""
    text = list(_digits(rng, count))
    for _ in range(min(count, rng.choices((0, 1, 2), weights=(6, 3, 1))[0])):
        text[rng.randrange(count)] = rng.choice(LETTERS)
    return "".join(text)


def _weighted(rng: random.Random, weights: Mapping[Choice, int]) -> Choice:
    return rng.choices(list(weights), weights=list(weights.values()))[0]
