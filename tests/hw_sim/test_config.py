"""The configuration: the example documents every key, wrong files are refused with file and key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import hw_sim
from control.domain.errors import ConfigurationError
from hw_sim import config
from hw_sim.__main__ import main

EXAMPLE = Path(hw_sim.__file__).parent / "sim.example.toml"


def test_example_is_valid_and_shows_the_defaults():
    found = config.load(EXAMPLE)
    assert found.gate == config.GateConfig()
    assert found.drivers == config.DriverConfig()
    assert found.camera == config.CameraConfig()
    assert [lane.id for lane in found.lane] == ["east-in-1"]


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        ("gate", config.GateConfig),
        ("drivers", config.DriverConfig),
        ("camera", config.CameraConfig),
        ("lane", config.LaneConfig),
    ],
)
def test_example_documents_every_key(table: str, shape: type):
    text = EXAMPLE.read_text(encoding="utf-8")
    written = tomllib.loads(re.sub(r"(?m)^# (\w+ = )", r"\1", text))[table]
    keys = written[0] if isinstance(written, list) else written
    assert set(keys) == {f.name for f in fields(shape)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[gate]\nsped = 1.0\n[[lane]]\nid = 'a'", "gate.sped"),
        ("[gate]\nspeed = 0.0\n[[lane]]\nid = 'a'", "gate.speed"),
        ("[gate]\nseed = 1", "lane"),
        ("[[lane]]\nid = 'a'\n[[lane]]\nid = 'a'", "lane"),
        ("[[lane]]\nid = 'a'\ndirection = 'up'", "direction"),
        ("[[lane]]\nid = 'a'\ninterval_s = 0.0", "interval_s"),
        ("gate = ", "TOML"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path: Path, text: str, named: str):
    file = tmp_path / "sim.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(named)) as caught:
        config.load(file)
    assert str(file) in str(caught.value)


def test_check_prints_the_configuration_and_ends(capsys: pytest.CaptureFixture[str]):
    assert main(["--config", str(EXAMPLE), "--check"]) == 0
    assert "lane[0].modbus_port = 5020" in capsys.readouterr().out


def test_a_file_with_a_microgrid_is_checked_as_one(capsys: pytest.CaptureFixture[str]):
    assert main(["--config", str(EXAMPLE.with_name("microgrid.example.toml")), "--check"]) == 0
    assert "inverter[0].rated_ac_kw = 900.0" in capsys.readouterr().out


def test_wrong_file_ends_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
