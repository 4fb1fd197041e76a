"""The configuration: the example documents every key, wrong files are refused with file and key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import hw_sim
from control.domain.errors import ConfigurationError
from edge.config_reading import keys_of
from hw_sim.microgrid import config
from hw_sim.microgrid.__main__ import main

EXAMPLE = Path(hw_sim.__file__).parent / "microgrid.example.toml"


def test_example_is_the_site_of_the_demonstration():
    found = config.load(EXAMPLE)
    assert found.site == config.SiteConfig()
    assert found.weather == config.WeatherConfig()
    assert found.grid == config.GridConfig()
    assert found.vehicles == config.VehicleConfig()
    assert sum(i.rated_ac_kw for i in found.inverter) == 5100.0
    assert all(4 <= len(i.string) <= 8 for i in found.inverter)
    assert {s.id: (s.discharge_max_kw, s.capacity_kwh) for s in found.storage} == {
        "vrfb": (1000.0, 4000.0),
        "lfp": (2000.0, 4000.0),
    }
    assert [c.id for c in found.charger] == [f"cp-0{n}" for n in range(1, 9)]
    assert [load.id for load in found.load] == ["venue", "hotels", "chillers", "public", "water", "critical"]


@pytest.mark.parametrize("table", [f.name for f in fields(config.MicrogridConfig)])
def test_example_documents_every_key(table: str):
    uncommented = re.sub(r"(?m)^# ((?:\w+ = |\[\[).*)", r"\1", EXAMPLE.read_text(encoding="utf-8"))
    written = tomllib.loads(uncommented)[table]
    rows = written if isinstance(written, list) else [written]
    shape = {f.name: f for f in fields(config.MicrogridConfig)}[table]
    kinds = {
        "inverter": config.InverterConfig,
        "storage": config.StorageConfig,
        "charger": config.ChargerConfig,
        "load": config.LoadConfig,
        "script": config.ScriptConfig,
    }
    kind = kinds.get(table) or shape.default_factory
    assert set().union(*rows) == set(keys_of(kind))
    if table == "inverter":
        assert set().union(*rows[0]["string"]) == set(keys_of(config.StringConfig))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[site]\nseed = 1", "inverter"),
        ("[site]\nsped = 1.0", "site.sped"),
        ("[site]\nspeed = 0.0\n[[load]]\nid = 'a'", "site.speed"),
        ("[site]\nday = 'today'\n[[load]]\nid = 'a'", "site.day"),
        ("[[load]]\nid = 'a'\n[[load]]\nid = 'a'", "'a'"),
        ("[[load]]\nid = 'a'\nprofile = 'wild'", "profile"),
        ("[[inverter]]\nid = 'p'\nrated_ac_kw = 1.0", "inverter.string"),
        ("[[storage]]\nid = 's'\ncapacity_kwh = 0.0\ncharge_max_kw = 1.0\ndischarge_max_kw = 1.0", "capacity_kwh"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path: Path, text: str, named: str):
    file = tmp_path / "microgrid.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(named)) as caught:
        config.load(file)
    assert str(file) in str(caught.value)


def test_check_prints_the_configuration_and_ends(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert main(["--config", str(EXAMPLE), "--check"]) == 0
    assert "inverter[0].string[0].rated_dc_kw" in capsys.readouterr().out
    assert main(["--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
