"""The fast loop, as tables of seconds: what is seen, and what must be commanded."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from control.domain.energy import GridMode
from control.energy import fast_kernel, site_tables
from control.energy.dispatch import dispatch
from control.energy.dispatch_types import Dispatch, DispatchState, SiteNow
from control.energy.plan import ValueCurve
from control.energy.settings import EnergySettings
from tests.control.energy.plant import SITE, Plant

SETTINGS = EnergySettings(import_max_kw=6000.0, export_max_kw=3000.0, import_target_kw=2500.0)


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    fast_kernel.divide.warm()
    site_tables.value_at.warm()


def curve(value: float) -> ValueCurve:
    """A storage of 4 MWh whose every kWh is worth the same."""
    return ValueCurve(energy_kwh=np.array([0.0, 4000.0]), value_per_kwh=np.array([value]))


def curves(lfp: float, vrfb: float) -> dict[str, ValueCurve]:
    return {"lfp": curve(lfp), "vrfb": curve(vrfb)}


def seen(
    *, sun: float = 0.0, load: float = 0.5, soc: float = 0.6, evs: tuple[str, ...] = (), **changes: object
) -> SiteNow:
    """A second in which the storages rest. Load 1 is 3,400 kW, sun 1 is 5,100 kW."""
    plant = Plant(sun_frac=sun, soc={"lfp": soc, "vrfb": soc})
    plant.load_frac = dict.fromkeys(plant.load_frac, load)
    plant.ev_want = dict.fromkeys(evs, 60.0)
    plant.step(None)
    return plant.seen(**changes)


def answer(
    now: SiteNow,
    state: DispatchState | None = None,
    settings: EnergySettings = SETTINGS,
    worth: dict[str, ValueCurve] | None = None,
) -> Dispatch:
    return dispatch(now, state or DispatchState(), settings=settings, site=SITE, curves=worth or {})


@pytest.mark.parametrize(
    ("case", "sun", "lfp_worth", "vrfb_worth", "price", "expected"),
    [
        # Buying costs 0.69 with carbon, selling brings 0.36; wear is 0.21 on either side of the storage.
        ("dear: the one with less losses gives first", 0.0, 0.2, 0.2, 0.66, (1700.0, 0.0)),
        ("dear: the one worth less gives first", 0.0, 0.3, 0.1, 0.66, (700.0, 1000.0)),
        ("worth keeping: nothing", 0.0, 0.6, 0.6, 0.66, (0.0, 0.0)),
        ("worth buying up to the import target", 0.0, 1.5, 1.5, 0.66, (-800.0, 0.0)),
        ("surplus is worth more here than sold", 0.5, 0.7, 0.7, 0.66, (-850.0, 0.0)),
        ("surplus brings more when it is sold", 0.5, 0.5, 0.5, 0.66, (0.0, 0.0)),
        ("selling what is stored", 0.5, 0.1, 0.0, 0.66, (0.0, 1000.0)),
        ("nobody says what it is worth: surplus is stored", 0.5, None, None, 0.66, (-850.0, 0.0)),
        ("nobody says what it is worth: own demand is covered", 0.0, None, None, 0.66, (1700.0, 0.0)),
    ],
)
def test_storages_follow_the_curves(
    case: str, sun: float, lfp_worth: float | None, vrfb_worth: float | None, price: float, expected: tuple
) -> None:
    worth = {} if lfp_worth is None or vrfb_worth is None else curves(lfp_worth, vrfb_worth)
    export = 0.36 if "selling what" not in case else 0.30
    found = answer(seen(sun=sun, import_price=price, export_price=export), worth=worth).commands.storage_kw
    assert (found["lfp"], found["vrfb"]) == pytest.approx(expected, abs=1e-6), case


@pytest.mark.parametrize(
    ("case", "now", "settings", "expected", "binding"),
    [
        ("zero feed-in stores first", seen(sun=0.6), {"export_max_kw": 0.0}, -1370.0, "curve"),
        ("reserve is kept", seen(soc=0.15), {}, 0.0, "idle"),
        ("reserve gives at last", seen(soc=0.149, load=1.0), {"import_max_kw": 0.0}, None, "reserve"),
        ("a person's wish", seen(storage_wanted_kw=-500.0), {}, -500.0, "takeover"),
        ("a wish stops at a limit", seen(storage_wanted_kw=-2500.0), {"import_max_kw": 2010.0}, -300.0, "import_limit"),
        ("a person's wish for nothing", seen(sun=0.6, storage_wanted_kw=0.0), {}, 0.0, "takeover"),
        ("a person's wish that is no number is none", seen(storage_wanted_kw=math.nan), {}, 1700.0, "curve"),
        ("hold rests", seen(hold_wanted=True), {}, 0.0, "hold"),
        ("full takes nothing", seen(sun=0.6, soc=0.95), {}, 0.0, "idle"),
    ],
)
def test_ranks(case: str, now: SiteNow, settings: dict, expected: float | None, binding: str) -> None:
    found = answer(now, settings=replace(SETTINGS, **settings))
    if expected is not None:
        assert sum(found.commands.storage_kw.values()) == pytest.approx(expected, abs=1e-6), case
    assert found.binding == binding, case


def test_what_cannot_be_kept_is_told() -> None:
    found = answer(seen(load=1.0, soc=0.1), settings=replace(SETTINGS, import_max_kw=100.0, import_target_kw=0.0))
    # 3,400 kW less 1,600 kW that may be shed, against 100 kW.
    assert found.unmet["import_max_kw"] == pytest.approx(1700.0, abs=1.0)
    assert set(found.commands.load_on.items()) == {
        ("critical", True),
        ("venue", True),
        ("chillers", False),
        ("public", False),
        ("water", False),
    }


def test_nothing_is_shed_where_the_operator_forbids_it() -> None:
    settings = replace(SETTINGS, import_max_kw=100.0, shed_allowed=False)
    found = answer(seen(load=1.0, soc=0.1), settings=settings)
    assert all(found.commands.load_on.values())
    assert found.unmet["import_max_kw"] == pytest.approx(3300.0, abs=1.0)


def test_zero_feed_in_with_full_storages_holds_the_sun_back() -> None:
    found = answer(seen(sun=0.6, soc=0.95), settings=replace(SETTINGS, export_max_kw=0.0))
    limits = [limit for limit in found.commands.pv_limit_kw.values() if limit is not None]
    assert len(limits) == 6
    assert sum(limits) == pytest.approx(1700.0 - 10.0, abs=1e-6)
    assert found.binding == "export_limit"
    assert found.unmet == {}


def test_a_limit_on_inverters_is_released_step_by_step() -> None:
    now = seen(sun=0.2, soc=0.95)
    state = DispatchState(pv_limit_kw=dict.fromkeys((x.id for x in now.pvs), 170.0))
    found = answer(now, state)
    assert set(found.commands.pv_limit_kw.values()) == {170.0 + 0.2 * 850.0}


def test_an_ending_peak_of_the_month_moves_the_target() -> None:
    low = answer(seen(load=0.8, soc=0.5), worth=curves(3.0, 3.0), settings=replace(SETTINGS, import_target_kw=2000.0))
    assert sum(low.commands.storage_kw.values()) == pytest.approx(720.0)
    now = seen(load=0.8, soc=0.5, peak_so_far_kw=2720.0)
    high = answer(now, worth=curves(1.0, 1.0), settings=replace(SETTINGS, import_target_kw=2000.0))
    assert sum(high.commands.storage_kw.values()) == pytest.approx(0.0)


def test_few_units_at_small_power_and_the_running_one_goes_on() -> None:
    now = seen(load=0.06)
    first = answer(now, worth=curves(0.2, 0.2))
    assert sorted(first.commands.storage_kw.values()) == pytest.approx([0.0, 204.0])
    # The other unit is better by less than `sticky_per_kwh`: no change of horses.
    state = replace(first.state, storage_kw={"lfp": 204.0, "vrfb": 0.0}, storage_seen_kw={})
    again = answer(replace(now, now_s=2.0), state, worth=curves(0.26, 0.2))
    assert again.commands.storage_kw["lfp"] > 0.0
    assert again.commands.storage_kw["vrfb"] == 0.0


def test_each_storage_keeps_its_own_limit() -> None:
    now = seen(load=1.0)
    tight = tuple(replace(x, discharge_max_kw=300.0) if x.id == "lfp" else x for x in now.storages)
    found = answer(replace(now, storages=tight), worth=curves(0.0, 0.0))
    assert found.commands.storage_kw == {"lfp": 300.0, "vrfb": 1000.0}


def test_a_storage_glides_to_its_edge() -> None:
    near = answer(seen(load=1.0, soc=0.1502), worth=curves(0.0, 0.0))
    # 0.0002 of 4,000 kWh over a minute, less losses.
    assert near.commands.storage_kw["lfp"] == pytest.approx(0.0002 * 4000 * 60 * 0.96, rel=1e-3)


@pytest.mark.parametrize("broken", [None, math.nan, math.inf, 1.5, -0.5])
def test_a_storage_whose_charge_is_not_known_rests(broken: float | None) -> None:
    now = seen(load=1.0)
    storages = tuple(replace(x, soc_frac=broken) if x.id == "lfp" else x for x in now.storages)
    found = answer(replace(now, storages=storages), worth=curves(0.0, 0.0))
    assert found.commands.storage_kw == {"lfp": 0.0, "vrfb": 1000.0}


@pytest.mark.parametrize("broken", [None, math.nan, 1e6])
def test_a_storage_whose_power_is_not_known_stays_in_the_demand(broken: float | None) -> None:
    """The meter reads 1,200 kW: 1,700 kW of load less 500 kW that some storage gives, but nobody knows which."""
    now = replace(seen(), grid_kw=1200.0)
    storages = tuple(replace(x, power_kw=broken) if x.id == "lfp" else x for x in now.storages)
    found = answer(replace(now, storages=storages), worth=curves(0.0, 0.0))
    assert found.commands.storage_kw == {"lfp": 0.0, "vrfb": 1000.0}


def test_vehicles_charge_without_a_deadline_and_wait_with_one() -> None:
    now = seen(evs=("cp0", "cp1", "cp2"))
    jobs = {
        "cp0": {},
        "cp1": {"needed_kwh": 20.0, "depart_in_s": 36_000.0},
        "cp2": {"needed_kwh": 50.0, "depart_in_s": 4_600.0},
    }
    found = answer(replace(now, evs=tuple(replace(x, **jobs[x.id]) for x in now.evs)))
    assert found.commands.ev_limit_kw["cp0"] == 60.0
    assert found.commands.ev_limit_kw["cp1"] == pytest.approx(12.0)  # the minimum; 2.4 kW would do
    assert found.commands.ev_limit_kw["cp2"] == pytest.approx(50 * 3600 / 4000 * 1.2)


@pytest.mark.parametrize(
    ("case", "worth", "depart_in_s", "expected"),
    [
        ("cheap now: all it takes", 1.0, 36_000.0, 60.0),
        ("a cheaper hour comes: the minimum", 0.5, 36_000.0, 12.0),
        ("a cheaper hour comes, but it leaves before", 0.5, 4_600.0, 54.0),
        ("the planner says nothing: evenly until it leaves", None, 7_800.0, 30.0),
    ],
)
def test_vehicles_follow_what_the_planner_holds_them_worth(
    case: str, worth: float | None, depart_in_s: float, expected: float
) -> None:
    now = seen(evs=("cp1",), soc=0.15)
    job = {"needed_kwh": 50.0, "depart_in_s": depart_in_s, "worth_per_kwh": worth}
    found = answer(replace(now, evs=tuple(replace(x, **job) for x in now.evs)))
    assert found.commands.ev_limit_kw["cp1"] == pytest.approx(expected), case


def test_vehicles_with_time_take_the_surplus_of_the_sun() -> None:
    now = seen(sun=0.6, soc=0.95, evs=("cp1",))
    found = answer(replace(now, evs=tuple(replace(x, needed_kwh=20.0, depart_in_s=36_000.0) for x in now.evs)))
    assert found.commands.ev_limit_kw["cp1"] == 60.0


def test_vehicles_go_to_their_minimum_before_loads_are_shed() -> None:
    now = seen(load=0.5, soc=0.15, evs=("cp0", "cp1"))
    found = answer(now, settings=replace(SETTINGS, import_max_kw=1740.0, import_target_kw=1740.0))
    assert found.commands.ev_limit_kw == pytest.approx({"cp0": 15.0, "cp1": 15.0}, abs=1e-6)
    assert all(found.commands.load_on.values())


@pytest.mark.parametrize(
    ("case", "vehicle", "settings", "expected"),
    [
        ("allowed", {"soc_frac": 0.8}, {}, -30.0),
        ("too empty", {"soc_frac": 0.41}, {}, 0.0),
        ("charge not known", {"soc_frac": None}, {}, 0.0),
        ("not a vehicle that feeds back", {"soc_frac": 0.8, "v2g_kw": 0.0}, {}, 0.0),
        ("forbidden", {"soc_frac": 0.8}, {"v2g": False}, 0.0),
        ("leaves soon", {"soc_frac": 0.8, "needed_kwh": 30.0, "depart_in_s": 2400.0}, {}, 0.0),
        ("has time", {"soc_frac": 0.8, "needed_kwh": 10.0, "depart_in_s": 36_000.0}, {}, -30.0),
        ("may leave at any time", {"soc_frac": 0.8, "needed_kwh": 10.0}, {}, 0.0),
    ],
)
def test_feeding_back_for_a_hard_limit(case: str, vehicle: dict, settings: dict, expected: float) -> None:
    now = seen(load=0.5, soc=0.15, evs=("cp3",))
    now = replace(now, evs=tuple(replace(x, **vehicle) for x in now.evs))
    found = answer(now, settings=replace(SETTINGS, import_max_kw=1600.0, import_target_kw=100.0, **settings))
    assert found.commands.ev_limit_kw["cp3"] == pytest.approx(expected), case


def test_feeding_back_when_the_planner_says_that_it_pays() -> None:
    now = seen(evs=("cp3",), import_price=1.5, soc=0.15)
    worth = tuple(replace(x, soc_frac=0.8, worth_per_kwh=0.6) for x in now.evs)
    assert answer(replace(now, evs=worth)).commands.ev_limit_kw["cp3"] == -30.0
    dear = tuple(replace(x, soc_frac=0.8, worth_per_kwh=1.4) for x in now.evs)
    assert answer(replace(now, evs=dear)).commands.ev_limit_kw["cp3"] > 0.0


def test_a_load_that_ignores_its_order_is_not_counted_on() -> None:
    now = seen(load=1.0, soc=0.15)
    state = DispatchState(shed_s={"water": 60.0})
    settings = replace(SETTINGS, import_max_kw=3150.0, import_target_kw=3150.0)
    assert answer(now, state, settings).commands.load_on["public"] is False
    fresh = DispatchState(shed_s={"water": 1.0})
    assert answer(now, fresh, settings).commands.load_on["public"] is True


def test_loads_that_somebody_else_switched_off_are_left_alone() -> None:
    now = seen()
    loads = tuple(replace(x, on=False, power_kw=0.0) if x.id == "water" else x for x in now.loads)
    assert "water" not in answer(replace(now, loads=loads)).commands.load_on


def test_an_island_sheds_softly_so_that_it_lasts() -> None:
    plant = Plant(sun_frac=0.0, soc={"lfp": 0.5, "vrfb": 0.5}, breaker_closed=False, grid_live=False, forming="lfp")
    plant.load_frac = dict.fromkeys(plant.load_frac, 0.6)
    plant.step(None)
    state = DispatchState(mode=GridMode.ISLANDED, forming="lfp")
    found = answer(plant.seen(), state)
    # 2,040 kW against some 2,900 kWh that are to last two hours: one load goes, the deferrable one.
    assert [key for key, on in found.commands.load_on.items() if not on] == ["water"]
    assert found.unmet == {}
    again = answer(replace(plant.seen(), now_s=2.0), found.state)
    assert [key for key, on in again.commands.load_on.items() if not on] == ["water"]


def test_an_island_reads_its_frequency() -> None:
    plant = Plant(sun_frac=0.8, breaker_closed=False, grid_live=False, forming="lfp")
    plant.step(None)
    state = DispatchState(mode=GridMode.ISLANDED, forming="lfp")
    calm = sum(answer(plant.seen(), state).commands.storage_kw.values())
    low = sum(answer(plant.seen(bus_hz=49.2), state).commands.storage_kw.values())
    assert low == pytest.approx(calm + 0.5 * 0.2 * 2000.0)
