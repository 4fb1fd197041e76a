"""The structure of the project: import contracts, locks without addresses, documents that keep pace."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from control.domain.events import EVENT_KINDS

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    *("edge", "vision", "control", "mobile", "cloud_sync", "hw_sim", "tests", "docs", "benchmarks", ".ci"),
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE", "island"),
    *("requirements.lock", "requirements-test.lock", ".gitignore"),
}


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listing.stdout.splitlines()


def test_top_level_is_fixed() -> None:
    assert {name.split("/")[0] for name in tracked()} <= TOP_LEVEL


def test_import_contracts_hold() -> None:
    """Also under `python -P`, so that no path of the working directory hides a missing module."""
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_package_is_under_an_import_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {p.parent.name for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests"}
    assert packages <= {*settings["root_packages"], "benchmarks"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_locks_pin_with_hashes_and_hold_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pins
    for pin in pins:
        assert re.match(r"[A-Za-z0-9_.\[\]-]+==[^ ]+", pin), pin
    assert text.count("--hash=sha256:") >= len(pins)


def test_test_lock_agrees_with_the_product_lock() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))

    product, test = pins("requirements.lock"), pins("requirements-test.lock")
    assert {name: test.get(name) for name in product} == product


def test_no_unmarked_weights_or_shared_pictures() -> None:
    """Weights carry a provenance row; nothing else above 4 MB is committed."""
    models = tomllib.loads((ROOT / "vision/models/models.toml").read_text())
    named = {model["file"] for model in models.values() if isinstance(model, dict)}
    for name in tracked():
        path = ROOT / name
        if name.endswith(".onnx"):
            assert path.name in named
        assert path.stat().st_size < 4_000_000, name


def test_every_event_kind_is_documented() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    missing = [kind for kind in EVENT_KINDS if f"`{kind}`" not in text]
    assert not missing


def test_every_command_is_documented() -> None:
    listing = subprocess.run([str(ROOT / "island")], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  (\w+)  ", listing, re.MULTILINE)
    readme = (ROOT / "README.md").read_text() + (ROOT / "docs/operations.md").read_text()
    assert commands
    assert not [name for name in commands if f"./island {name}" not in readme]


def test_nothing_carries_a_path_of_one_machine() -> None:
    pattern = re.compile(r"/(?:root|home)/\w+/|/work/(?:main|shared)")
    for name in tracked():
        if name.endswith((".py", ".md", ".toml", ".sh", ".html")) and name != "tests/test_structure.py":
            assert not pattern.search((ROOT / name).read_text()), name
