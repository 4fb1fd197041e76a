"""Settings: what is written is read again, and nonsense is refused by key and reason."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from control.energy.settings import (
    RANGES,
    DayAhead,
    EnergySettings,
    Prices,
    SettingsError,
    prices_at,
    read_settings,
    settings_json,
    tariff_at,
)

ZONE = ZoneInfo("Asia/Shanghai")


def written(**changed: Any) -> dict[str, Any]:
    return settings_json(EnergySettings()) | changed


def period(**changed: Any) -> dict[str, Any]:
    whole = {"name": "all", "from_hour": 0, "to_hour": 24, "import_per_kwh": 0.5, "export_per_kwh": 0.3, "months": []}
    return whole | changed


def published(**changed: Any) -> dict[str, Any]:
    whole = {"day": "2026-11-22", "import_per_kwh": [0.5] * 24, "export_per_kwh": [], "source": "exchange"}
    return whole | changed


def test_what_is_written_is_read_again() -> None:
    assert read_settings(written()) == EnergySettings()
    priced = EnergySettings(
        day_ahead=(
            DayAhead(day=date(2026, 11, 22), import_per_kwh=(0.1,) * 96, source="a"),
            DayAhead(day=date(2026, 11, 23), import_per_kwh=(-0.2,) * 24, export_per_kwh=(0.3,) * 24, source="b"),
        )
    )
    assert read_settings(settings_json(priced)) == priced
    assert hash(priced) != hash(EnergySettings())


def test_settings_from_before_day_ahead_prices_are_whole() -> None:
    old = written()
    del old["day_ahead"]
    assert read_settings(old) == EnergySettings()


def test_every_number_has_a_range_that_holds_its_default() -> None:
    plain = written()
    numbers = {key for key, value in plain.items() if isinstance(value, float) and not isinstance(value, bool)}
    assert numbers == set(RANGES)
    for key, span in RANGES.items():
        assert span.low <= plain[key] <= span.high
        assert 0 < span.step <= span.high - span.low


@pytest.mark.parametrize("key", RANGES)
def test_a_number_out_of_its_range_is_refused_by_key(key: str) -> None:
    span = RANGES[key]
    for wrong in (span.low - 0.001, span.high + 1.0, float("nan"), float("inf"), "5", None, True):
        with pytest.raises(SettingsError, match=f"^{key} "):
            read_settings(written(**{key: wrong}))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"import_target_kw": 9000.0}, "import_target_kw is above import_max_kw"),
        ({"reserve_frac": 0.9, "soc_max_frac": 0.9}, "reserve_frac is not below soc_max_frac"),
        ({"v2g": 1}, "v2g must be"),
        ({"carbon_source": " "}, "carbon_source must"),
        ({"unknown": 1}, "unknown is no setting"),
        ({"tariff": []}, "tariff must"),
        ({"tariff": [period(from_hour=8)]}, "tariff has no period for month 1 at 00.00 h"),
        ({"tariff": [period(months=[1, 2])]}, "tariff has no period for month 3"),
        ({"tariff": [period(to_hour=7.05), period(from_hour=7.1)]}, "tariff has no period for month 1 at 07.05 h"),
        ({"tariff": [period(from_hour=25)]}, r"tariff\[0\].from_hour is 25 h"),
        ({"tariff": [period(import_per_kwh=21)]}, r"tariff\[0\].import_per_kwh is 21"),
        ({"tariff": [period(months=[13])]}, r"tariff\[0\].months"),
        ({"tariff": [{"name": "x"}]}, r"tariff\[0\] needs"),
        ({"day_ahead": None}, "day_ahead must be a list"),
        ({"day_ahead": [published()] * 15}, "day_ahead must be a list of at most 14"),
        ({"day_ahead": [published(), published()]}, r"day_ahead\[1\].day is 2026-11-22, which stands there before"),
        ({"day_ahead": [{"day": "2026-11-22"}]}, r"day_ahead\[0\] needs"),
        ({"day_ahead": [published(day="22.11.2026")]}, r"day_ahead\[0\].day must be a date"),
        ({"day_ahead": [published(day="2026-02-30")]}, r"day_ahead\[0\].day must be a date"),
        ({"day_ahead": [published(day="0026-11-22")]}, r"day_ahead\[0\].day must be a date"),
        ({"day_ahead": [published(day=20261122)]}, r"day_ahead\[0\].day must be a date"),
        ({"day_ahead": [published(source=" ")]}, r"day_ahead\[0\].source must say"),
        ({"day_ahead": [published(import_per_kwh=[0.5] * 23)]}, r"import_per_kwh has 23 prices"),
        ({"day_ahead": [published(import_per_kwh=[0.5] * 97)]}, r"import_per_kwh must be a list of at most 96"),
        ({"day_ahead": [published(import_per_kwh=[])]}, r"import_per_kwh has 0 prices"),
        ({"day_ahead": [published(export_per_kwh=[0.5] * 96)]}, r"export_per_kwh has 96 prices: none or 24"),
        ({"day_ahead": [published(import_per_kwh=[0.5] * 23 + [20.5])]}, r"import_per_kwh\[23\] is 20.5"),
        ({"day_ahead": [published(import_per_kwh=[float("nan")] * 24)]}, r"import_per_kwh\[0\] must be a number"),
        ({"day_ahead": [published(import_per_kwh="0.5")]}, r"import_per_kwh must be a list"),
    ],
)
def test_contradictions_are_refused_with_the_reason(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(written(**changed))


def test_a_missing_key_and_no_object_are_refused() -> None:
    plain = written()
    del plain["wear_per_kwh"]
    with pytest.raises(SettingsError, match="wear_per_kwh is missing"):
        read_settings(plain)
    with pytest.raises(SettingsError, match="no JSON object"):
        read_settings([])


def test_the_night_goes_over_midnight() -> None:
    settings = EnergySettings()
    assert tariff_at(settings, month=1, hour=23.5).name == tariff_at(settings, month=1, hour=3.0).name
    assert tariff_at(settings, month=1, hour=24.0).name == tariff_at(settings, month=1, hour=0.0).name


def test_published_prices_hold_on_their_day_and_the_tariff_on_the_others() -> None:
    hours, quarters = tuple(float(one) for one in range(24)), tuple(0.1 * one for one in range(96))
    days = (
        DayAhead(day=date(2026, 11, 22), import_per_kwh=hours, source="a"),
        DayAhead(day=date(2026, 11, 23), import_per_kwh=quarters, export_per_kwh=quarters, source="a"),
    )
    settings = EnergySettings(day_ahead=days)
    tariff = tariff_at(settings, month=11, hour=10.5)
    usual = Prices(tariff.import_per_kwh, tariff.export_per_kwh, day_ahead=False)
    assert prices_at(settings, datetime(2026, 11, 21, 10, 30, tzinfo=ZONE)) == usual
    assert prices_at(settings, datetime(2026, 11, 22, 10, 59, 59, tzinfo=ZONE)) == Prices(
        10.0, tariff.export_per_kwh, True
    )
    assert prices_at(settings, datetime(2026, 11, 23, 10, 30, tzinfo=ZONE)) == Prices(quarters[42], quarters[42], True)
    assert prices_at(settings, datetime(2026, 11, 23, 23, 59, 59, 999_999, tzinfo=ZONE)).import_per_kwh == quarters[95]
    assert prices_at(settings, datetime(2026, 11, 24, tzinfo=ZONE)).day_ahead is False
