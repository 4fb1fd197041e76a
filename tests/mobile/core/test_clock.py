"""The app knows the server's time by its answers, and says how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile.core.clock import UNKNOWN_S, ServerClock, Stamp
from mobile.core.database import Database
from mobile.core.store import Store

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)


class World:
    """A server's clock, a phone's clock that is wrong by `off_s`, and the monotonic one."""

    def __init__(self, store: Store, off_s: float = 0.0, *, booted_s: float = 1000.0) -> None:
        self.mono_s = booted_s
        self.true_s = AT.timestamp()
        self.off_s = off_s
        self.jumps = 0
        self.store = store
        self.clock = self.opened()

    def opened(self) -> ServerClock:
        made = ServerClock(self.store, self.wall, lambda: self.mono_s)
        made.jumped.connect(self._jumped)
        return made

    def _jumped(self) -> None:
        self.jumps += 1

    def wall(self) -> datetime:
        return datetime.fromtimestamp(self.true_s + self.off_s, UTC)

    def true(self) -> datetime:
        return datetime.fromtimestamp(self.true_s, UTC)

    def pass_s(self, seconds: float) -> None:
        self.mono_s += seconds
        self.true_s += seconds

    def ask(self, there_s: float = 0.1, back_s: float = 0.1) -> None:
        sent_s = self.mono_s
        self.pass_s(there_s)
        header = format_datetime(self.true().replace(microsecond=0), usegmt=True)
        self.pass_s(back_s)
        self.clock.heard(header, sent_s, self.mono_s)

    def error_s(self) -> float:
        return abs((self.clock.now() - self.true()).total_seconds())


@pytest.fixture
def world(tmp_path: Path) -> Any:
    store = Store(Database(tmp_path / "island.db"))
    yield lambda **more: World(store, **more)
    store.close()


def test_before_the_server_was_heard_the_devices_clock_is_taken(world: Callable[..., World]) -> None:
    there = world(off_s=90.0)
    assert there.clock.stamp() == Stamp(there.wall(), UNKNOWN_S, 1000.0, there.clock.stamp().run)


def test_an_answer_bounds_the_servers_time(world: Callable[..., World]) -> None:
    there = world(off_s=-7200.0)
    there.ask()
    stamp = there.clock.stamp()
    assert there.error_s() <= stamp.doubt_s <= 0.7


def test_the_truth_is_always_within_the_doubt(world: Callable[..., World]) -> None:
    there = world()

    @settings(max_examples=40)
    @given(
        off_s=st.floats(-1e6, 1e6),
        waits=st.lists(st.tuples(st.floats(0, 30), st.floats(0.001, 5), st.floats(0.001, 5)), min_size=1, max_size=12),
    )
    def holds(off_s: float, waits: list[tuple[float, float, float]]) -> None:
        with there.store.database.change() as change:
            change.execute("DELETE FROM settings")
        there.off_s = off_s
        there.clock = there.opened()
        for wait_s, there_s, back_s in waits:
            there.pass_s(wait_s)
            there.ask(there_s, back_s)
            assert there.error_s() <= there.clock.stamp().doubt_s + 1e-3

    holds()


def test_more_answers_leave_less_doubt(world: Callable[..., World]) -> None:
    there = world()
    for _ in range(20):
        there.pass_s(3.37)
        there.ask(0.02, 0.02)
    assert there.clock.stamp().doubt_s < 0.1
    assert there.error_s() < 0.1


def test_setting_the_devices_clock_changes_nothing_and_is_told(world: Callable[..., World]) -> None:
    there = world()
    there.ask()
    there.off_s = 86_400.0
    assert there.error_s() < 0.7
    assert there.jumps == 1
    there.clock.now()
    assert there.jumps == 1


def test_a_jump_before_the_server_was_heard_again_is_taken_back(world: Callable[..., World]) -> None:
    there = world(off_s=50.0)
    there.ask()
    there.mono_s = 5.0  # the phone was restarted
    there.clock = there.opened()
    assert there.error_s() < 0.7  # by what was learnt, on the device's clock
    assert there.clock.stamp().doubt_s == UNKNOWN_S
    there.off_s += 3600.0
    assert there.error_s() < 0.7
    assert there.jumps == 1


def test_what_was_learnt_holds_when_the_app_is_opened_again(world: Callable[..., World]) -> None:
    there = world(off_s=-300.0)
    there.ask()
    there.pass_s(600.0)
    there.clock = there.opened()
    stamp = there.clock.stamp()
    assert there.error_s() <= stamp.doubt_s < 0.8


def test_a_moment_is_settled_once_the_server_is_heard(world: Callable[..., World]) -> None:
    there = world(off_s=-120.0)
    scanned, true_at = there.clock.stamp(), there.true()
    there.pass_s(500.0)
    there.ask()
    settled = there.clock.settled(Stamp.of(scanned.as_json()))
    assert abs((settled.at - true_at).total_seconds()) <= settled.doubt_s < 0.8
    other_run = Stamp(scanned.at, scanned.doubt_s, scanned.mono_s, "another")
    assert there.clock.settled(other_run) == other_run


def test_a_server_whose_clock_was_set_is_believed(world: Callable[..., World]) -> None:
    there = world()
    there.ask()
    there.true_s += 60.0
    there.ask()
    assert there.error_s() < 0.7


@pytest.mark.parametrize("header", ["", "yesterday", "Sat, 99 Nov 2026 02:42:31 GMT"])
def test_nonsense_teaches_nothing(world: Callable[..., World], header: str) -> None:
    there = world()
    there.clock.heard(header, 1000.0, 1000.1)
    assert there.clock.stamp().doubt_s == UNKNOWN_S


def test_a_phone_without_room_still_learns_the_time(world: Callable[..., World]) -> None:
    there = world(off_s=-90.0)
    with there.store.database.change() as change:
        change.execute("CREATE TRIGGER full BEFORE INSERT ON settings BEGIN SELECT RAISE(FAIL, 'no room'); END")
    there.ask()
    assert there.error_s() < 0.7


def test_ages_are_never_below_zero(world: Callable[..., World]) -> None:
    there = world()
    assert there.clock.age_s(there.wall() + timedelta(seconds=5)) == 0.0
    assert there.clock.age_s(there.wall() - timedelta(seconds=5)) == 5.0
