"""Vehicle types that a camera can tell apart. A type corroborates or flags; it never decides alone."""

from __future__ import annotations

from enum import StrEnum


class VehicleType(StrEnum):
    """The 14 types, and `unknown`."""

    CAR = "car"
    MINIBUS = "minibus"
    BUS = "bus"
    PICKUP = "pickup"
    TRUCK = "truck"
    FIRE_ENGINE = "fire_engine"
    AMBULANCE = "ambulance"
    POLICE_CAR = "police_car"
    CRANE = "crane"
    MACHINERY = "machinery"
    SANITATION = "sanitation"
    GOLF_CART = "golf_cart"
    MOTORCYCLE = "motorcycle"
    TRICYCLE = "tricycle"
    UNKNOWN = "unknown"
