"""Frozen against merely quiet; a vehicle against the light."""

from __future__ import annotations

from edge.adapters.picture_watch import FreezeWatch, MotionWatch


def test_the_same_picture_is_frozen_after_the_limit(make_noisy) -> None:
    watch, still = FreezeWatch(10.0), make_noisy(1)
    assert [watch.frozen(still, at) for at in (0.0, 5.0, 9.9, 10.0, 20.0)] == [False, False, False, True, True]


def test_a_quiet_road_with_sensor_noise_is_not_frozen(make_noisy) -> None:
    watch = FreezeWatch(10.0)
    assert not any(watch.frozen(make_noisy(seed), float(seed)) for seed in range(60))


def test_a_frozen_picture_with_a_running_clock_in_the_corner_is_frozen(make_noisy) -> None:
    watch, still = FreezeWatch(10.0), make_noisy(1)
    results = []
    for second in range(12):
        picture = still.copy()
        picture[:10, :60] = second * 20
        results.append(watch.frozen(picture, float(second)))
    assert results[-1]


def test_it_thaws_with_the_first_new_picture(make_noisy) -> None:
    watch, still = FreezeWatch(2.0), make_noisy(1)
    assert [watch.frozen(still, at) for at in (0.0, 3.0)] == [False, True]
    assert not watch.frozen(make_noisy(2), 4.0)


def test_zero_switches_the_watch_off(make_noisy) -> None:
    watch, still = FreezeWatch(0.0), make_noisy(1)
    assert not any(watch.frozen(still, at) for at in (0.0, 1e6))


def test_motion_is_a_vehicle_and_not_the_light(make_noisy) -> None:
    watch = MotionWatch()
    assert watch.moved(make_noisy(0))
    assert not watch.moved(make_noisy(1))
    assert not watch.moved(make_noisy(2, level=150))
    vehicle = make_noisy(3, level=150)
    vehicle[80:200, 100:220] = 20
    assert watch.moved(vehicle)
