"""What a PV string should give now: owns the comparison with its peers, and with the clear sky where they are few.

Strings of the same orientation, per kW of rating, are the best reference: they see the same sky. Where fewer than
`peers_min` of them can be believed, all strings tell how much of the clear sky comes through.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from control.energy.pv_types import PvLimits
from control.energy.site import PvSpec, StringSpec


def string_key(inverter: str, string: str) -> str:
    """How a string is named in the whole field."""
    return f"{inverter}/{string}"


@dataclass(frozen=True, slots=True)
class StringPlace:
    """One string and those that look the same way."""

    key: str
    inverter: str
    string: str
    rated_kw: float
    peers: tuple[str, ...]


def places_of(pvs: Sequence[PvSpec], limits: PvLimits) -> dict[str, StringPlace]:
    """Every string of the field with its peers."""
    strings = [(string_key(pv.id, one.id), pv.id, one) for pv in pvs for one in pv.strings if one.rated_dc_kw > 0.0]
    return {
        key: StringPlace(
            key=key,
            inverter=inverter,
            string=one.id,
            rated_kw=one.rated_dc_kw,
            peers=tuple(
                other_key
                for other_key, _, other in strings
                if other_key != key and _between_deg(one, other) <= limits.peer_angle_deg
            ),
        )
        for key, inverter, one in strings
    }


def _between_deg(one: StringSpec, other: StringSpec) -> float:
    """The angle between two planes; on flat modules the azimuth hardly matters."""
    tilt, other_tilt = math.radians(one.tilt_deg), math.radians(other.tilt_deg)
    turn = math.radians(one.azimuth_deg - other.azimuth_deg)
    cosine = math.cos(tilt) * math.cos(other_tilt) + math.sin(tilt) * math.sin(other_tilt) * math.cos(turn)
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def expected_kw(
    places: Mapping[str, StringPlace], believed_kw: Mapping[str, float], clear_kw: Mapping[str, float], limits: PvLimits
) -> dict[str, float]:
    """What each string should give, kW, for those that can be told.

    `believed_kw` are the strings that may be compared with: known, free to give what they can, and without a fault.
    """
    through = {
        key: kw / clear_kw[key]
        for key, kw in believed_kw.items()
        if clear_kw.get(key, 0.0) >= limits.light_frac * places[key].rated_kw
    }
    found = {}
    for key, place in places.items():
        peers = [believed_kw[peer] / places[peer].rated_kw for peer in place.peers if peer in believed_kw]
        if len(peers) >= limits.peers_min:
            found[key] = median(peers) * place.rated_kw
            continue
        others = [part for other, part in through.items() if other != key]
        if key in clear_kw and len(others) >= limits.peers_min:
            found[key] = median(others) * clear_kw[key]
    return found
