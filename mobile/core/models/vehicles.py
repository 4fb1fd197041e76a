"""A driver's vehicles: owns the list, and what a plate looks like while it is typed."""

from __future__ import annotations

from enum import StrEnum

from control.domain.plates import PlateColour, formats_of, identify, normalise
from mobile.core.api.permits import VehicleRecord, VehicleWords
from mobile.core.shown import Model

PLATE_SHORTEST = 7


class Vehicles(Model[tuple[VehicleRecord, ...]]):
    """Vehicles that forms begin with."""

    cache_key = "vehicles"
    answer = tuple[VehicleRecord, ...]

    async def fetch(self) -> tuple[VehicleRecord, ...]:
        """From the server."""
        return await self.client.api.permits.vehicles()

    async def add(self, plate: str, words: VehicleWords) -> None:
        """Raises ApiProblem, Offline."""
        await self.client.api.permits.add_vehicle(normalise(plate), words)
        await self.refresh()

    async def change(self, vehicle_id: str, words: VehicleWords) -> None:
        """Raises ApiProblem, Offline."""
        await self.client.api.permits.change_vehicle(vehicle_id, words)
        await self.refresh()

    async def remove(self, vehicle_id: str) -> None:
        """Raises ApiProblem, Offline."""
        await self.client.api.permits.remove_vehicle(vehicle_id)
        await self.refresh()


class Typed(StrEnum):
    """What a plate is worth while it is typed."""

    UNFINISHED = "unfinished"
    WRONG = "wrong"
    GOOD = "good"


def typed(text: str, colour: PlateColour = PlateColour.UNKNOWN) -> Typed:
    """Whether a plate of this text exists (GA 36-2018 and its kin, `control.domain.plates`), in this colour if said."""
    plate = normalise(text)
    formats = formats_of(plate)
    if not formats:
        return Typed.UNFINISHED if len(plate) < PLATE_SHORTEST else Typed.WRONG
    if colour is not PlateColour.UNKNOWN and not any(colour in one.colours for one in formats):
        return Typed.WRONG
    return Typed.GOOD


def kinds(text: str, colour: PlateColour = PlateColour.UNKNOWN) -> str:
    """The kind of plate that it is, by its `PlateKind` value; "" while that cannot be told."""
    plate = normalise(text)
    return identify(plate, colour).kind.value if formats_of(plate) else ""


def colours(text: str) -> tuple[str, ...]:
    """Colours that a plate of this text can have, in the order of `PlateColour`; empty while it is unfinished."""
    found = {colour for one in formats_of(normalise(text)) for colour in one.colours}
    return tuple(one.value for one in PlateColour if one in found and one is not PlateColour.PAPER)
