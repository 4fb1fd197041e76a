"""Whether the loop chases its own tail: owns noticing it, and how carefully it then moves.

Where the meter's figure is older than the devices' own, or devices obey late, each second corrects what the last one
corrected already, and the storages swing between their limits. Orders that turn round again and again are the sign
of it. The loop then goes only a part of the way to what it wishes, and gives inverters back slowly; towards a hard
limit it still goes the whole way at once. A restless day that looks the same costs little that way.
"""

from __future__ import annotations

from control.energy.dispatch_types import DispatchState, changed
from control.energy.loop_spec import LoopSpec


def watched(
    state: DispatchState, told_kw: float | None, *, size_kw: float, dt_s: float, loop: LoopSpec
) -> DispatchState:
    """The state with this second's orders weighed. `told_kw` is what storages and inverters may give together, None
    where nothing was divided; `size_kw` what they could."""
    keeps = loop.swing_keep_per_s**dt_s
    swing, turned = state.swing_kw * keeps, state.turned_kw * keeps
    wary = max(0.0, state.wary_s - dt_s)
    if told_kw is None or state.told_kw is None:
        return changed(state, told_kw=told_kw, moved_kw=0.0, turned_kw=turned, swing_kw=swing, wary_s=wary)
    moved = told_kw - state.told_kw
    if moved * state.moved_kw < 0.0:
        # One turn is an answer to something; the second within seconds is a swing.
        back = min(abs(moved), abs(state.moved_kw))
        swing, turned = swing + min(back, turned), max(back, turned)
    if abs(moved) <= loop.deadband_kw:
        moved = state.moved_kw
    if swing > loop.swing_frac * size_kw:
        wary = loop.wary_s
    return changed(state, told_kw=told_kw, moved_kw=moved, turned_kw=turned, swing_kw=swing, wary_s=wary)


def gain(state: DispatchState, loop: LoopSpec) -> float:
    """The part of the way to its wish that the loop goes in one second."""
    return loop.wary_gain if state.wary_s > 0.0 else 1.0


def release_frac_per_s(state: DispatchState, loop: LoopSpec) -> float:
    """How fast inverters are given back, parts of their rating a second."""
    return loop.pv_release_frac_per_s * (loop.wary_release_frac if state.wary_s > 0.0 else 1.0)
