"""A vehicle that somebody sends to a lane: owns reading what is wished for it."""

from __future__ import annotations

from typing import Any

from control.domain.errors import IslandError
from control.domain.plates import PlateColour, PlateKind, identify, normalise
from control.domain.vehicles import VehicleType
from hw_sim.fleet import LENGTH_M, Behaviour, Drawn, PassPlace, Role


class BadVehicle(IslandError):
    """What was wished for is no vehicle of this simulator."""


def drawn_of(body: Any) -> Drawn:
    """The vehicle of `{"plate", "colour", "vehicle_type", "dirt_frac", "pass_text", "pass_place", ...}`.

    Only `plate` is needed. Raises BadVehicle naming what is wrong.
    """
    if not isinstance(body, dict) or not isinstance(body.get("plate"), str):
        raise BadVehicle("A vehicle needs a plate; an empty text stands for none.")
    try:
        return _drawn(body, normalise(body["plate"]))
    except (TypeError, ValueError) as error:
        raise BadVehicle(str(error)) from error


def _drawn(body: dict[str, Any], plate: str) -> Drawn:
    colour = PlateColour(body.get("colour", PlateColour.YELLOW.value))
    kind = identify(plate, colour).kind if plate else PlateKind.UNKNOWN
    vehicle_type = VehicleType(body.get("vehicle_type", VehicleType.TRUCK.value))
    if vehicle_type not in LENGTH_M:
        raise ValueError(f"{vehicle_type.value!r} is not drawn here; known: {', '.join(LENGTH_M)}.")
    return Drawn(
        vehicle_id="",
        lane_id="",
        role=Role(body.get("role", Role.FUEL_PERMIT.value)),
        plate=plate,
        kind=kind,
        colour=colour if plate else PlateColour.UNKNOWN,
        two_rows=bool(body.get("two_rows", False)),
        vehicle_type=vehicle_type,
        behaviour=Behaviour(body.get("behaviour", Behaviour.NORMAL.value)),
        arrives_at_s=0.0,
        paint=int(body.get("paint", 7)),
        dirt_frac=min(1.0, max(0.0, float(body.get("dirt_frac", 0.0)))),
        length_m=LENGTH_M[vehicle_type],
        pass_text=str(body.get("pass_text", "")),
        pass_place=PassPlace(body.get("pass_place", PassPlace.WINDSCREEN.value)),
        pass_good=bool(body.get("pass_good", False)),
    )
