"""The configuration: the example names every key with its default, and what is wrong is named."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from cloud_sync.server import config
from cloud_sync.server.__main__ import main
from cloud_sync.server.config import CloudConfig
from control.domain.errors import ConfigurationError

EXAMPLE = Path(config.__file__).parent / "cloud.example.toml"


def write(folder: Path, text: str) -> Path:
    path = folder / "cloud.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_holds_the_defaults(tmp_path: Path) -> None:
    read = config.load(write(tmp_path, EXAMPLE.read_text(encoding="utf-8")))
    assert read.server.data_dir == tmp_path / "cloud_data"
    for one in fields(CloudConfig):
        value, default = getattr(read, one.name), getattr(CloudConfig(), one.name)
        if one.name != "server":
            assert value == default


def test_the_example_names_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:# )?(\w+) = ", text, flags=re.MULTILINE))
    known = {"id", "secret_file", "name"}
    for one in fields(CloudConfig):
        table = getattr(CloudConfig(), one.name)
        known |= {key.name for key in fields(table)} if is_dataclass(table) else set()
    assert named == known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1", "server.prot is no key here"),
        ("[sever]", "sever is no key here"),
        ('[server]\nport = "80"', "server.port is str, expected int"),
        ("[server]\nport = true", "server.port is bool, expected int"),
        ("[server]\nport = 70000", "server.port and broker.port"),
        ('[server]\nhost = "0.0.0.0"', "secure_cookies"),
        ('[server]\ntimezone = "Hainan"', "server.timezone"),
        ('[broker]\nkind = "rabbit"', "broker.kind"),
        ('[oidc]\nissuer = "https://id.example"', "oidc.client_id and oidc.redirect_url"),
        ('[oidc]\nissuer = "http://id.example"', "oidc.issuer must begin with https://"),
        ("[oidc]\nscopes = []\nissuer = 'https://id.example'", 'oidc.scopes must hold "openid"'),
        ('[broker]\nkind = "external"', "broker.password_file"),
        ("[[gateways]]\nid = 'gw'", "secret_file"),
        ("[[gateways]]\nid = 'GW 1'\nsecret_file = 'x'", "gateways.id 'GW 1'"),
        ("[[gateways]]\nid = 'cloud'\nsecret_file = 'x'", "broker.username"),
        ("[[gateways]]\nid='g'\nsecret_file='x'\n[[gateways]]\nid='g'\nsecret_file='y'", "once"),
        ("[retention]\nhour = 24", "retention.hour"),
        ("[server\n", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        config.load(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_check_prints_every_key_and_masks_passwords(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, '[database]\nurl = "postgresql://island:hidden@db/island"')
    assert main(["--config", str(path), "--check"]) == 0
    printed = capsys.readouterr().out
    assert "hidden" not in printed
    assert "postgresql://island:***@db/island" in printed
    assert "shutdown_timeout_s = 5" in printed


def test_a_missing_file_ends_with_status_two(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloud_sync.server", "--config", str(tmp_path / "none.toml")],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "cloud.example.toml" in done.stderr
