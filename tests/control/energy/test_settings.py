"""Settings: what is written is read again, and nonsense is refused by key and reason."""

from __future__ import annotations

from typing import Any

import pytest

from control.energy.settings import RANGES, EnergySettings, SettingsError, read_settings, settings_json, tariff_at


def written(**changed: Any) -> dict[str, Any]:
    return settings_json(EnergySettings()) | changed


def period(**changed: Any) -> dict[str, Any]:
    whole = {"name": "all", "from_hour": 0, "to_hour": 24, "import_per_kwh": 0.5, "export_per_kwh": 0.3, "months": []}
    return whole | changed


def test_what_is_written_is_read_again() -> None:
    assert read_settings(written()) == EnergySettings()


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
        ({"import_target_kw": 7000.0}, "import_target_kw is above import_max_kw"),
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
