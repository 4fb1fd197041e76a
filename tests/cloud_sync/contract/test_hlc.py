"""The hybrid clock: order holds whatever wall time does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract import hlc

wall_ms = st.integers(0, 2**45)


@given(st.lists(wall_ms, max_size=50))
def test_stamps_grow_when_wall_time_leaps(times: list[int]) -> None:
    last = 0
    for now in times:
        stamp = hlc.tick(last, now)
        assert stamp > last
        assert hlc.wall_ms_of(stamp) >= now
        last = stamp


@given(wall_ms, wall_ms, st.integers(0, 2**hlc.COUNTER_BITS - 1))
def test_a_stamp_is_too_far_ahead_from_the_bound_on(stamped_ms: int, now_ms: int, counter: int) -> None:
    stamp = (stamped_ms << hlc.COUNTER_BITS) + counter
    assert (stamp >= hlc.first_too_far(now_ms)) == (hlc.wall_ms_of(stamp) - now_ms > hlc.LEAD_MS_MAX)
