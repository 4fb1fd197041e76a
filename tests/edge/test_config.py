"""The gateway's configuration: every key documented, every mistake named, no secret shown."""

from __future__ import annotations

import re
import tomllib
import typing
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from control.domain.errors import ConfigurationError
from edge import config as settings
from edge.config_reading import Secret, keys_of

EXAMPLE = Path(settings.__file__).with_name("site.example.toml")
MINIMAL = """
[gateway]
id = "gw-1"
name = "Gate"
data_dir = "data"
[[lane]]
id = "a"
name = "A"
gate_id = "east"
[lane.camera]
kind = "mjpeg"
url = "http://127.0.0.1:1/x"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def example_with_secrets(folder: Path) -> Path:
    (folder / "secrets").mkdir()
    for name, text in (("broker.password", "pw-91"), ("api.token", "tok-91"), ("hut.pin", "402917\n")):
        (folder / "secrets" / name).write_text(text)
    return write(folder, EXAMPLE.read_text(encoding="utf-8"))


def test_example_loads_and_holds_the_defaults(tmp_path: Path) -> None:
    config = settings.load(example_with_secrets(tmp_path), {})
    assert config.gateway.data_dir == (tmp_path / "var/edge").resolve()
    assert config.evidence == settings.EvidenceConfig()
    assert config.lane[0].camera.timeout_s == settings.CameraConfig(kind=settings.CameraKind.MJPEG).timeout_s
    assert config.hut.pin is not None
    assert config.hut.pin.reveal() == "402917"


def documented() -> set[str]:
    """Keys of the example file, commented-out ones too, as `table.key`."""
    table, keys = "", set()
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if head := re.match(r"\[+([\w.]+)\]+", line):
            table = head[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            keys.add(f"{table}.{key[1]}")
    return keys


def existing(shape: type, table: str = "") -> set[str]:
    keys: set[str] = set()
    hints = typing.get_type_hints(shape)
    for key in keys_of(shape):
        hint = hints.get(key)
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        name = f"{table}.{key}" if table else key
        keys |= existing(inner, name) if is_dataclass(inner) else {name}
    return keys


def test_example_documents_every_key_and_no_other() -> None:
    # The microgrid's keys have an example and a test of their own.
    assert documented() == existing(settings.SiteConfig) - {"energy"}


def test_example_is_toml() -> None:
    assert tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[gateway]", "[gateway]\ncolour = 1"), "gateway.colour is not a setting"),
        (("[lane.camera]", "[lane.camera]\nfps = 3"), "lane.0.camera.fps is not a setting"),
        (('id = "gw-1"\n', ""), "gateway.id is missing"),
        (('"mjpeg"', '"webcam"'), "lane.0.camera.kind must be one of"),
        (('url = "http://127.0.0.1:1/x"', ""), "camera.url is missing"),
        (('kind = "mjpeg"', 'kind = "folder"'), "camera.path is missing"),
        (('name = "Gate"', "name = 3"), "gateway.name must be str, not int"),
        (('data_dir = "data"', 'data_dir = "data"\nhealth_period_s = -1'), "health_period_s must not be negative"),
        (("[[lane]]", "[hut]\nport = 1\n[[lane]]"), "hut.pin_file is missing"),
        (("[[lane]]", '[cloud]\nbroker_host = "x"\n[[lane]]'), "cloud.username and cloud.password_file"),
        (("[[lane]]", '[cloud]\npassword_file = "nowhere"\n[[lane]]'), "cloud.password cannot be read"),
        (("[gateway]", "gateway]"), "is not TOML"),
        (("[[lane]]", '[vision]\nupdate_url = "ftp://x"\n[[lane]]'), "must begin with https://"),
        (("[[lane]]", '[vision]\nupdate_url = "https://x/y"\n[[lane]]'), "vision.update_key_file is needed"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = write(tmp_path, MINIMAL.replace(*change, 1))
    with pytest.raises(ConfigurationError) as caught:
        settings.load(path, {})
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_two_lanes_may_not_share_an_id(tmp_path: Path) -> None:
    lane = MINIMAL[MINIMAL.index("[[lane]]") :]
    with pytest.raises(ConfigurationError, match="used twice"):
        settings.load(write(tmp_path, MINIMAL + lane), {})


@pytest.mark.parametrize("pin", ["123456", "111111", "4029", "121212"])
def test_an_easy_pin_stops_the_start(tmp_path: Path, pin: str) -> None:
    with pytest.raises(ConfigurationError, match="too easy"):
        settings.load(write(tmp_path, MINIMAL + "[hut]\n"), {"ISLAND_EDGE_HUT_PIN": pin})


def test_a_secret_comes_from_the_environment_first(tmp_path: Path) -> None:
    path = example_with_secrets(tmp_path)
    config = settings.load(path, {"ISLAND_EDGE_CLOUD_TOKEN": "from-env"})
    assert config.cloud.token == Secret("from-env", "environment ISLAND_EDGE_CLOUD_TOKEN")


def test_what_check_prints_masks_every_secret(tmp_path: Path) -> None:
    shown = repr(settings.describe(settings.load(example_with_secrets(tmp_path), {})))
    assert "hut.pin" in shown
    for secret in ("pw-91", "tok-91", "402917"):
        assert secret not in shown


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name a file with --config"):
        settings.load(tmp_path / "none.toml", {})
