"""What a string should give: by its peers, and where they are few by all and the clear sky."""

from __future__ import annotations

import pytest

from control.energy.pv_reference import expected_kw, places_of
from control.energy.pv_types import PvLimits
from control.energy.site import PvSpec, StringSpec

LIMITS = PvLimits()


def pv(id_: str, *planes: tuple[float, float], rated_dc_kw: float = 100.0) -> PvSpec:
    strings = tuple(
        StringSpec(id=f"s{n}", rated_dc_kw=rated_dc_kw, tilt_deg=tilt, azimuth_deg=azimuth)
        for n, (tilt, azimuth) in enumerate(planes)
    )
    return PvSpec(id=id_, rated_ac_kw=100.0, strings=strings)


def test_peers_look_the_same_way() -> None:
    places = places_of((pv("a", (12, 180), (12, 165), (30, 180)), pv("b", (12, 320), (12, 5), (12, 180))), LIMITS)
    assert places["a/s0"].peers == ("a/s1", "b/s2")
    assert places["a/s2"].peers == ()
    assert places["b/s0"].peers == ()
    assert (places["b/s1"].inverter, places["b/s1"].string) == ("b", "s1")


def test_north_is_north_on_both_sides_and_flat_modules_look_nowhere() -> None:
    places = places_of((pv("a", (12, 355), (12, 4), (1, 90), (0, 270)),), LIMITS)
    assert places["a/s0"].peers == ("a/s1",)
    assert places["a/s2"].peers == ("a/s3",)


def test_a_string_without_a_rating_is_left_out() -> None:
    assert places_of((pv("a", (12, 180), rated_dc_kw=0.0),), LIMITS) == {}


def test_peers_tell_by_their_ratings() -> None:
    places = places_of((pv("a", *[(12, 180)] * 4), pv("b", (12, 180), rated_dc_kw=50.0)), LIMITS)
    believed = {"a/s0": 60.0, "a/s1": 62.0, "a/s2": 10.0}
    expected = expected_kw(places, believed, {}, LIMITS)
    assert expected == {"a/s3": 60.0, "b/s0": 30.0}, "a string is not its own peer; one that is bad has no say"


def test_where_peers_are_few_all_tell_how_much_of_the_clear_sky_comes() -> None:
    places = places_of((pv("a", (12, 180), (12, 90), (12, 270), (12, 0)),), LIMITS)
    clear = {"a/s0": 80.0, "a/s1": 60.0, "a/s2": 40.0, "a/s3": 50.0}
    believed = {"a/s0": 40.0, "a/s1": 30.0, "a/s2": 20.0}
    assert expected_kw(places, believed, clear, LIMITS) == {"a/s3": pytest.approx(25.0)}
    assert expected_kw(places, believed, {}, LIMITS) == {}
    low = {key: kw / 10 for key, kw in clear.items()}
    assert expected_kw(places, believed, low, LIMITS) == {}, "at the day's edge the clear sky says little"
