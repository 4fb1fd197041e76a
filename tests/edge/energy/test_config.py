"""The microgrid's configuration: every key documented, every mistake named, and the site that follows."""

from __future__ import annotations

import re
import typing
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from control.domain.energy import LoadTier
from control.domain.errors import ConfigurationError
from edge import config as settings
from edge.config_reading import keys_of
from edge.energy.config import EnergyConfig, site_of

EXAMPLE = Path(settings.__file__).with_name("site.energy.example.toml")
MINIMAL = """
[gateway]
id = "gw-e"
name = "Energy"
data_dir = "data"
[energy]
[energy.grid]
import_max_kw = 100
export_max_kw = 50
[energy.meter]
host = "127.0.0.1"
"""
STORAGE = """
[[energy.storage]]
id = "b1"
host = "127.0.0.1"
capacity_kwh = 100
charge_max_kw = 50
discharge_max_kw = 50
"""
LOAD = """
[energy.load_bus]
host = "127.0.0.1"
[[energy.load]]
id = "l1"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load_example(folder: Path) -> settings.SiteConfig:
    (folder / "secrets").mkdir()
    for name in ("broker.password", "ocpp.password", "load-bus.password"):
        (folder / "secrets" / name).write_text("pw-91-secret")
    return settings.load(write(folder, EXAMPLE.read_text(encoding="utf-8")), {})


def documented() -> set[str]:
    table, keys = "", set()
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if head := re.match(r"\[+([\w.]+)\]+", line):
            table = head[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            keys.add(f"{table}.{key[1]}")
    return {key for key in keys if key.startswith("energy.")}


def existing(shape: type, table: str) -> set[str]:
    keys: set[str] = set()
    hints = typing.get_type_hints(shape)
    for key in keys_of(shape):
        hint = hints.get(key)
        options = [one for one in typing.get_args(hint) if one not in (type(None), Ellipsis)] or [hint]
        keys |= existing(options[0], f"{table}.{key}") if is_dataclass(options[0]) else {f"{table}.{key}"}
    return keys


def test_example_documents_every_key_and_no_other() -> None:
    assert documented() == existing(EnergyConfig, "energy")


def test_example_loads_masks_its_secrets_and_describes_a_site(tmp_path: Path) -> None:
    config = load_example(tmp_path)
    assert config.lane == ()
    assert "pw-91-secret" not in repr(settings.describe(config))
    assert config.energy is not None
    site = site_of(config.energy)
    assert site.storages[0].grid_forming
    assert {load.tier for load in site.loads} >= {LoadTier.CRITICAL}
    assert site.pvs[0].strings[0].rated_dc_kw > 0
    assert site.grid.import_max_kw == config.energy.grid.import_max_kw


def test_a_gateway_may_have_lanes_or_a_microgrid_but_not_neither(tmp_path: Path) -> None:
    assert settings.load(write(tmp_path, MINIMAL), {}).energy is not None
    with pytest.raises(ConfigurationError, match=r"neither a \[\[lane\]\] nor \[energy\]"):
        settings.load(write(tmp_path, MINIMAL[: MINIMAL.index("[energy]")]), {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINIMAL.replace("[energy]\n", "[energy]\ncolour = 1\n", 1), "energy.colour is not a setting"),
        (MINIMAL.replace("[energy]\n", "[energy]\ncycle_s = 60\n", 1), "energy.cycle_s must be 0.2 to 10"),
        (MINIMAL.replace("[energy]\n", "[energy]\nread_timeout_s = 1\n", 1), "energy.read_timeout_s must be"),
        (MINIMAL.replace("[energy]\n", '[energy]\ntimezone = "Moon"\n', 1), "energy.timezone 'Moon' is no known"),
        (MINIMAL.replace("import_max_kw = 100\n", ""), "energy.grid.import_max_kw is missing"),
        (MINIMAL + STORAGE.replace("capacity_kwh = 100", "capacity_kwh = 0"), "capacity_kwh must be more than 0"),
        (MINIMAL + STORAGE + "efficiency_charge = 1.2\n", "efficiency_charge must be more than 0 and at most 1"),
        (MINIMAL + STORAGE + "soc_min_frac = 0.99\n", "soc_min_frac must be below soc_max_frac"),
        (MINIMAL + STORAGE + STORAGE, "the id 'b1' is used twice"),
        (MINIMAL + STORAGE.replace("b1", "meter"), "the id 'meter' is used twice"),
        (MINIMAL + '[[energy.charger]]\nid = "c"\nmax_kw = 7\n', "[energy.ocpp] is missing"),
        (MINIMAL + "[energy.ocpp]\n", "energy.ocpp.password_file is missing"),
        (MINIMAL + '[[energy.load]]\nid = "l1"\n', "[energy.load_bus] is missing"),
        (MINIMAL + LOAD + "tier = 4\n", "tier must be 0"),
        (MINIMAL + LOAD + "sheddable = true\n", "a load of tier 0 cannot be sheddable"),
        (MINIMAL + '[[energy.inverter]]\nid = "p"\nhost = "x"\nrated_ac_kw = 0\n', "rated_ac_kw must be more than 0"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        settings.load(path, {})
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
