"""Hybrid logical clock: owns the order of events when wall time leaps. Pure; wall time is handed in.

A stamp is one integer: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16.
Source: Kulkarni et al., "Logical Physical Clocks", 2014, with a bounded lead.
"""

from __future__ import annotations

from dataclasses import dataclass

COUNTER_BITS = 16
LEAD_MS_MAX = 24 * 3600 * 1000


def wall_ms_of(stamp: int) -> int:
    """The millisecond part of a stamp."""
    return stamp >> COUNTER_BITS


@dataclass(frozen=True, slots=True)
class HlcTooFarAhead:
    """A stamp that leads our own wall time by more than is believable; it was not taken over."""

    lead_ms: int


def tick(last: int, wall_ms: int) -> int:
    """The stamp of a new local event: always above `last`, at wall time where that has moved on."""
    return max(last + 1, wall_ms << COUNTER_BITS)


def merge(last: int, heard: int, wall_ms: int) -> int | HlcTooFarAhead:
    """The stamp after hearing a peer's; refused when it leads our wall time by more than LEAD_MS_MAX."""
    lead_ms = wall_ms_of(heard) - wall_ms
    if lead_ms > LEAD_MS_MAX:
        return HlcTooFarAhead(lead_ms)
    return max(tick(last, wall_ms), heard + 1)
