"""`./island vision key`, `pack`, `install` and `models` as people use them, with the real models."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import model_commands
from vision import command

SITE = """
[gateway]
id = "gw"
name = "门"
data_dir = "var"
[[lane]]
id = "l1"
name = "l"
gate_id = "east"
[lane.camera]
kind = "folder"
path = "."
[vision]
update_key_file = "key.pem.pub"
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    status = command.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out + err


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path / "site.toml"


def test_from_a_key_to_models_in_use_and_back(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "a.islandmodels"
    assert run(capsys, "key", key)[0] == 0
    assert key.stat().st_mode & 0o077 == 0
    status, said = run(capsys, "pack", "--key", key, "--out", file, "--version", "v2")
    assert status == 0, said
    assert "version v2, 9 golden pictures" in said
    (tmp_path / "var").mkdir()
    site.write_text(SITE + "update_picture_ms_max = 60000.0\n", encoding="utf-8")
    status, said = run(capsys, "install", file, "--config", site)
    assert status == 0, said
    assert "9 of 9 golden pictures read as expected" in said
    assert "Version v2 is in use" in said
    status, said = run(capsys, "models", "--config", site)
    assert [line.split()[:3] for line in said.splitlines()] == [["shipped", "before"], ["v2", "in", "use"]]
    status, said = run(capsys, "models", "--config", site, "--back")
    assert said.splitlines()[0].split()[:4] == ["shipped", "in", "use", "since"]
    site.write_text(SITE + "update_picture_ms_max = 0.001\n", encoding="utf-8")
    status, said = run(capsys, "install", file, "--config", site, "--older")
    assert status == 1
    assert "more than 0.001 ms" in said


def test_models_that_do_not_read_their_golden_pictures_are_not_packed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from vision.golden import EXPECTED, render_golden

    key, golden = tmp_path / "key.pem", tmp_path / "golden"
    run(capsys, "key", key)
    render_golden(golden)
    expected = golden / EXPECTED
    expected.write_text(expected.read_text(encoding="utf-8").replace("琼AD12345", "琼AD12346"), encoding="utf-8")
    status, said = run(capsys, "pack", "--key", key, "--golden", golden, "--out", tmp_path / "a.islandmodels")
    assert status == 1
    assert "expected 琼AD12346 nev_small green, read 琼AD12345 green" in said
    assert not (tmp_path / "a.islandmodels").exists()


def test_what_is_missing_is_said(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "pack", "--key", tmp_path / "none.pem", "--out", tmp_path / "a.islandmodels")
    assert (status, "Make a key with `vision key`" in said) == (1, True)
    status, said = run(capsys, "pack", "--key", tmp_path / "none.pem", "--out", tmp_path / "a.zip")
    assert (status, "must end in .islandmodels" in said) == (1, True)
    (tmp_path / "letter.pem").write_text("no key")
    status, said = run(capsys, "pack", "--key", tmp_path / "letter.pem", "--out", tmp_path / "a.islandmodels")
    assert (status, "not a private key" in said) == (1, True)
    status, said = run(capsys, "install", tmp_path / "a.islandmodels", "--config", site)
    assert (status, "vision.update_key_file cannot be used" in said) == (1, True)
    site.write_text(SITE.replace("update_key_file", "# "), encoding="utf-8")
    status, said = run(capsys, "install", tmp_path / "a.islandmodels", "--config", site)
    assert (status, "without a key no update can be believed" in said) == (1, True)
    status, said = run(capsys, "models", "--config", site, "--back")
    assert (status, "no way further back" in said) == (1, True)


def test_a_key_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key.pem"
    run(capsys, "key", key)
    before = key.read_bytes()
    assert run(capsys, "key", key)[0] == 1
    assert key.read_bytes() == before


def test_the_command_group_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--help")[0] == 0
    status, said = run(capsys, "dance")
    assert status == 2
    assert "no subcommand 'dance'" in said
    for name, (module, _) in command.SUBCOMMANDS.items():
        assert name in said
        assert callable(command._function(name)), module
    assert model_commands.OK == 0
