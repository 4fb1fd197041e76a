"""The hybrid clock: order holds whatever wall time does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract import hlc

wall_ms = st.integers(0, 2**45)
stamps = st.integers(0, 2**61)


@given(st.lists(wall_ms, max_size=50))
def test_stamps_grow_when_wall_time_leaps(times: list[int]) -> None:
    last = 0
    for now in times:
        stamp = hlc.tick(last, now)
        assert stamp > last
        assert hlc.wall_ms_of(stamp) >= now
        last = stamp


@given(stamps, stamps, wall_ms)
def test_merged_stamp_is_above_both_or_refused(last: int, heard: int, now: int) -> None:
    merged = hlc.merge(last, heard, now)
    if isinstance(merged, hlc.HlcTooFarAhead):
        assert merged.lead_ms > hlc.LEAD_MS_MAX
        assert merged.lead_ms == hlc.wall_ms_of(heard) - now
    else:
        assert merged > max(last, heard)
