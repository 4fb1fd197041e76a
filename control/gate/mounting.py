"""Whether a plate sits on the vehicle before the barrier: owns the looks at both, and what in them speaks against it.

A plate shown on paper or on a screen reads like any other. What gives it away, where anything does, is what surrounds
it: no vehicle, another vehicle, a wrong size or place, a movement of its own. Thresholds are rules. A doubt needs
several looks that agree, because a vehicle detector misses vehicles too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from control.domain.passages import Reason
from control.domain.readings import Box, Quad, VehicleReading
from control.gate import rules as keys
from control.gate.fusing import fuse_types
from control.gate.reasons import Code
from control.gate.rules import Policy

# A box side this near to the picture's border is cut off there: the vehicle goes on beyond it.
BORDER_FRAC = 0.02


@dataclass(frozen=True, slots=True)
class Look:
    """One picture, `size` (w, h) pixels, in which vehicles were looked for: where the plate was, and every vehicle."""

    at_s: float
    quad: Quad
    vehicles: tuple[VehicleReading, ...]
    size: tuple[int, int]


def centre(quad: Quad) -> tuple[float, float]:
    """The middle of four corners."""
    return sum(p[0] for p in quad) / 4, sum(p[1] for p in quad) / 4


def width(quad: Quad) -> float:
    """Mean length of the upper and the lower side, pixels."""
    return (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2


def vehicle_around(quad: Quad, vehicles: Iterable[VehicleReading], *, margin_px: float = 0.0) -> VehicleReading | None:
    """The vehicle that carries a plate: the smallest box around the plate's middle."""
    x, y = centre(quad)
    around = [v for v in vehicles if _holds(v.box, x, y, margin_px)]
    return min(around, key=lambda v: (v.box[2] - v.box[0]) * (v.box[3] - v.box[1]), default=None)


def _holds(box: Box, x: float, y: float, margin_px: float) -> bool:
    x0, y0, x1, y1 = box
    return x0 - margin_px <= x <= x1 + margin_px and y0 - margin_px <= y <= y1 + margin_px


def carrier(looks: Iterable[Look]) -> VehicleReading | None:
    """The vehicle around the plate, its type fused over all looks; None where no look found one."""
    found = [vehicle_around(look.quad, look.vehicles, margin_px=width(look.quad) / 2) for look in looks]
    seen = tuple(vehicle for vehicle in found if vehicle is not None)
    return fuse_types(seen) if seen else None


def mounting_doubts(looks: tuple[Look, ...], policy: Policy) -> tuple[Reason, ...]:
    """What speaks against the plate being mounted on the vehicle before the barrier; empty when nothing does."""
    found = []
    for code, key, speaks in _CHECKS:
        against = sum(speaks(look, policy) for look in looks)
        if _confirmed(against, len(looks), policy):
            found.append(Reason(code, policy.clause(key), f"{against}/{len(looks)}"))
    drift = _drift_widths(looks)
    if drift > policy.number(keys.DRIFT_WIDTHS_MAX):
        found.append(Reason(Code.PLATE_MOVES_APART, policy.clause(keys.DRIFT_WIDTHS_MAX), f"{drift:.1f}"))
    return tuple(found)


def _confirmed(against: int, looks: int, policy: Policy) -> bool:
    return against >= policy.number(keys.LOOKS_MIN) and 2 * against > looks


def wants_another_look(looks: tuple[Look, ...], policy: Policy) -> bool:
    """Whether nobody has looked yet, or the looks so far hold a doubt that a further one may confirm or clear."""
    if not looks:
        return True
    if len(looks) >= 2 * policy.number(keys.LOOKS_MIN):
        return False
    counts = [sum(speaks(look, policy) for look in looks) for _, _, speaks in _CHECKS]
    return any(0 < 2 * n >= len(looks) and not _confirmed(n, len(looks), policy) for n in counts)


def _carrier_of(look: Look, policy: Policy) -> VehicleReading | None:
    margin_px = policy.number(keys.MARGIN_WIDTHS) * width(look.quad)
    return vehicle_around(look.quad, look.vehicles, margin_px=margin_px)


def _no_vehicle(look: Look, policy: Policy) -> bool:
    return _carrier_of(look, policy) is None


def _other_vehicle(look: Look, policy: Policy) -> bool:
    """A vehicle stands between the camera and the one that carries the plate."""
    mine = _carrier_of(look, policy)
    if mine is None:
        return False
    x, y = centre(look.quad)
    margin_px = policy.number(keys.MARGIN_WIDTHS) * width(look.quad)
    before = (v for v in look.vehicles if v.box[0] <= x <= v.box[2] and v.box[3] > mine.box[3] + margin_px)
    return any(not _holds(v.box, x, y, margin_px) for v in before)


def _wrong_size(look: Look, policy: Policy) -> bool:
    mine = _carrier_of(look, policy)
    if mine is None:
        return False
    frac = width(look.quad) / max(mine.box[2] - mine.box[0], 1e-6)
    cut = _cut_off(mine.box, look.size)
    too_small = frac < policy.number(keys.WIDTH_FRAC_MIN)
    too_large = frac > policy.number(keys.WIDTH_FRAC_MAX) and not (cut[0] or cut[2])
    return too_small or too_large


def _wrong_place(look: Look, policy: Policy) -> bool:
    """In the upper part of the vehicle, where its windscreen is."""
    mine = _carrier_of(look, policy)
    if mine is None:
        return False
    cut = _cut_off(mine.box, look.size)
    height = max(mine.box[3] - mine.box[1], 1e-6)
    frac = (centre(look.quad)[1] - mine.box[1]) / height
    return frac < policy.number(keys.HEIGHT_FRAC_MIN) and not cut[1]


_Check = Callable[[Look, Policy], bool]
_CHECKS: tuple[tuple[Code, str, _Check], ...] = (
    (Code.PLATE_WITHOUT_VEHICLE, keys.MARGIN_WIDTHS, _no_vehicle),
    (Code.PLATE_OF_OTHER_VEHICLE, keys.MARGIN_WIDTHS, _other_vehicle),
    (Code.PLATE_WRONG_SIZE, keys.WIDTH_FRAC_MIN, _wrong_size),
    (Code.PLATE_WRONG_PLACE, keys.HEIGHT_FRAC_MIN, _wrong_place),
)


def _cut_off(box: Box, size: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Which of the left, upper, right and lower side the picture's border cuts off."""
    w, h = size
    near_x, near_y = BORDER_FRAC * w, BORDER_FRAC * h
    return box[0] <= near_x, box[1] <= near_y, box[2] >= w - near_x, box[3] >= h - near_y


def _drift_widths(looks: tuple[Look, ...]) -> float:
    """How far the plate moved on its vehicle from one look to the next, in plate widths; the median of the steps.

    Whatever is fixed on a vehicle that comes nearer or turns moves between the movements of the sides of its box.
    """
    steps = [step for earlier, later in pairwise(looks) if (step := _step_widths(earlier, later)) is not None]
    return float(median(steps)) if steps else 0.0


def _step_widths(earlier: Look, later: Look) -> float | None:
    before, after = (vehicle_around(k.quad, k.vehicles, margin_px=width(k.quad)) for k in (earlier, later))
    if before is None or after is None:
        return None
    cut = [a or b for a, b in zip(_cut_off(before.box, earlier.size), _cut_off(after.box, later.size), strict=True)]
    sides = [b - a for a, b in zip(before.box, after.box, strict=True)]
    plate = [b - a for a, b in zip(centre(earlier.quad), centre(later.quad), strict=True)]
    apart = [
        _beyond(moved, low=(sides[axis], cut[axis]), high=(sides[axis + 2], cut[axis + 2]))
        for axis, moved in enumerate(plate)
    ]
    return math.hypot(*apart) / max(width(later.quad), 1e-6)


def _beyond(moved: float, *, low: tuple[float, bool], high: tuple[float, bool]) -> float:
    """How far a movement lies outside those of two sides; a side that is cut off bounds nothing."""
    if low[1] or high[1]:
        return 0.0
    least, most = sorted((low[0], high[0]))
    return max(least - moved, moved - most, 0.0)
