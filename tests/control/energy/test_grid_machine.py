"""The grid connection's state machine, as tables of cycles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.domain.energy import GridMode
from control.energy.dispatch_types import DispatchState, SiteNow
from control.energy.grid_machine import Turn, turn
from control.energy.loop_spec import LoopSpec
from tests.control.energy.plant import SITE, Plant

LOOP = LoopSpec(grid_good_s=5.0, island_good_s=2.0, sync_s=2.0, sync_s_max=10.0, islanding_s_max=4.0)
TIED = Plant().seen()
AWAY = replace(TIED, grid_live=False, grid_hz=0.0)
OPEN = replace(AWAY, breaker_closed=False, grid_kw=0.0)
DEAD = replace(OPEN, bus_hz=0.0)
BACK = replace(OPEN, grid_live=True, grid_hz=50.0)


def cycles(mode: GridMode, *pictures: SiteNow, **timers: float) -> list[Turn]:
    """One turn a picture, a second each."""
    state, found = DispatchState(mode=mode, **timers), []  # type: ignore[arg-type]
    for second, now in enumerate(pictures):
        found.append(turn(replace(now, now_s=float(second)), state, dt_s=1.0, site=SITE, loop=LOOP))
        state = found[-1].state
    return found


def modes(mode: GridMode, *pictures: SiteNow, **timers: float) -> list[str]:
    return [one.state.mode.value for one in cycles(mode, *pictures, **timers)]


@pytest.mark.parametrize(
    ("mode", "pictures", "expected"),
    [
        (GridMode.GRID_TIED, (TIED, TIED), "grid_tied grid_tied"),
        (GridMode.GRID_TIED, (AWAY, AWAY, OPEN, OPEN), "islanding islanding islanding islanded"),
        (GridMode.GRID_TIED, (replace(TIED, grid_hz=51.0),), "islanding"),
        (GridMode.GRID_TIED, (replace(TIED, grid_v_frac=0.5),), "islanding"),
        (GridMode.GRID_TIED, (replace(TIED, breaker_closed=False),), "islanding"),
        (GridMode.GRID_TIED, (replace(TIED, breaker_closed=None, grid_live=None, grid_hz=None),) * 3, "grid_tied " * 3),
        (GridMode.GRID_TIED, (replace(TIED, grid_kw=None), replace(TIED, grid_kw=float("nan"))), "grid_tied hold"),
        (GridMode.GRID_TIED, (replace(TIED, hold_wanted=True), TIED, TIED, TIED), "hold hold grid_tied grid_tied"),
        (GridMode.HOLD, (TIED, TIED, TIED), "hold hold grid_tied"),
        (GridMode.HOLD, (AWAY,), "islanding"),
        (GridMode.ISLANDING, (DEAD,), "black_start"),
        (GridMode.ISLANDING, (replace(OPEN, bus_hz=None),) * 4, "islanding islanding islanding black_start"),
        (GridMode.ISLANDING, (TIED,) * 4, "islanding islanding islanding grid_tied"),
        (GridMode.BLACK_START, (DEAD, OPEN, OPEN), "black_start black_start islanded"),
        (GridMode.BLACK_START, (replace(BACK, bus_hz=0.0),) * 5, "black_start " * 4 + "resynchronising"),
        (GridMode.ISLANDED, (BACK,) * 5, "islanded " * 4 + "resynchronising"),
        (GridMode.ISLANDED, (replace(BACK, hold_wanted=True),) * 7, "islanded " * 7),
        (GridMode.ISLANDED, (BACK, BACK, BACK, AWAY, BACK, BACK, BACK), "islanded " * 7),
        (GridMode.ISLANDED, (DEAD,), "black_start"),
        (GridMode.ISLANDED, (TIED,), "grid_tied"),
        (GridMode.RESYNCHRONISING, (BACK, BACK, TIED), "resynchronising resynchronising grid_tied"),
        (GridMode.RESYNCHRONISING, (OPEN,), "islanded"),
        (GridMode.RESYNCHRONISING, (replace(BACK, in_sync=False),) * 10, "resynchronising " * 9 + "islanded"),
    ],
)
def test_modes(mode: GridMode, pictures: tuple[SiteNow, ...], expected: str) -> None:
    assert modes(mode, *pictures) == expected.split()


@pytest.mark.parametrize(
    ("now", "closes"),
    [
        (BACK, True),
        (replace(BACK, in_sync=False), False),
        (replace(BACK, in_sync=None), False),
        (replace(BACK, bus_hz=50.2), False),
        (replace(BACK, bus_hz=None), False),
        (replace(BACK, grid_hz=49.0), False),
        (replace(BACK, grid_v_frac=1.0, bus_v_frac=0.94), False),
        (replace(BACK, grid_v_frac=1.0, bus_v_frac=0.99), True),
        (replace(BACK, bus_hz=0.0, in_sync=None), True),
        (replace(BACK, bus_v_frac=0.0, bus_hz=None, in_sync=None), True),
    ],
)
def test_the_breaker_is_told_to_close_only_in_synchronism_or_onto_a_dead_bus(now: SiteNow, closes: bool) -> None:
    told = cycles(GridMode.RESYNCHRONISING, now, now, now)
    assert [one.breaker_closed for one in told] == [False, closes, closes]


def test_the_command_to_close_is_taken_back_when_synchronism_is_lost() -> None:
    told = cycles(GridMode.RESYNCHRONISING, BACK, BACK, replace(BACK, in_sync=False), BACK)
    assert [one.breaker_closed for one in told] == [False, True, False, False]


def test_an_island_opens_the_breaker_and_a_tied_site_leaves_it() -> None:
    assert cycles(GridMode.GRID_TIED, TIED)[0].breaker_closed is None
    assert cycles(GridMode.GRID_TIED, AWAY)[0].breaker_closed is False
    assert cycles(GridMode.ISLANDED, OPEN)[0].breaker_closed is False


def test_while_resynchronising_the_bus_is_asked_to_slip() -> None:
    told = cycles(GridMode.RESYNCHRONISING, replace(BACK, grid_hz=49.9, bus_hz=50.0))[0]
    assert told.bus_hz_wanted == pytest.approx(49.93)
    assert cycles(GridMode.ISLANDED, OPEN)[0].bus_hz_wanted is None


def test_the_forming_storage_can_form_and_stays_the_same() -> None:
    assert cycles(GridMode.ISLANDED, OPEN)[0].forming == "lfp"
    empty = replace(OPEN, storages=tuple(replace(one, soc_frac=0.05) for one in OPEN.storages))
    assert cycles(GridMode.ISLANDED, empty)[0].forming is None
    lost = replace(OPEN, storages=tuple(replace(one, usable=False) for one in OPEN.storages))
    assert cycles(GridMode.ISLANDED, lost)[0].forming is None
    assert cycles(GridMode.GRID_TIED, TIED)[0].forming is None


def test_failing_to_synchronise_waits_the_whole_return_time_again() -> None:
    apart = replace(BACK, in_sync=False)
    found = modes(GridMode.RESYNCHRONISING, *(apart,) * 16, grid_good_s=100.0)
    assert found[9:] == ["islanded"] * 5 + ["resynchronising"] * 2
