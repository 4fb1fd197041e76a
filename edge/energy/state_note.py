"""What the fast loop remembers over a restart: owns how its state is kept, and what of it still holds afterwards.

It holds which loads we switched off and what mode we were in. Where the breaker stands is never remembered but read:
a crash between the journal and the breaker then leads to one movement of it, never two.
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

from control.domain.energy import GridMode
from control.energy.dispatch_types import DispatchState

NOTE = "dispatch_state"
# After a longer pause the devices' own timers have long brought everything to rest.
HOLDS_S = 60.0


def state_body(state: DispatchState, *, wall_s: float) -> dict[str, Any]:
    """For the store."""
    return {"wall_s": wall_s, "state": asdict(state)}


def state_from(body: dict[str, Any] | None, *, wall_s: float, now_s: float) -> DispatchState:
    """The state to begin with; times of the last run's clock are begun anew."""
    fresh = DispatchState(mode_since_s=now_s)
    if body is None or not 0 <= wall_s - body.get("wall_s", -1e18) <= HOLDS_S:
        return fresh
    known = {f.name for f in fields(DispatchState)}
    begun_anew = {"mode_since_s": now_s, "last_s": None, "grid_good_since_s": None}
    kept = {name: value for name, value in body["state"].items() if name in known} | begun_anew
    try:
        mode = GridMode(kept.pop("mode", fresh.mode))
        return replace(fresh, **kept, mode=mode)
    except (TypeError, ValueError):
        return fresh
