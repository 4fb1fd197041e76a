"""Hybrid logical clock: owns the order of events when wall time leaps. Pure; wall time is handed in.

A stamp is one integer: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16.
Source: Kulkarni et al., "Logical Physical Clocks", 2014, with a bounded lead.
"""

from __future__ import annotations

COUNTER_BITS = 16
LEAD_MS_MAX = 24 * 3600 * 1000


def wall_ms_of(stamp: int) -> int:
    """The millisecond part of a stamp."""
    return stamp >> COUNTER_BITS


def tick(last: int, wall_ms: int) -> int:
    """The stamp of a new local event: always above `last`, at wall time where that has moved on."""
    return max(last + 1, wall_ms << COUNTER_BITS)


def first_too_far(wall_ms: int) -> int:
    """The lowest stamp that leads the reader's wall time by more than is believable; such are refused."""
    return (wall_ms + LEAD_MS_MAX + 1) << COUNTER_BITS
