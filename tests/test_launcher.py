"""The launcher, as a new user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "island"), *arguments],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, **environment},
    )


def test_alone_lists_the_commands() -> None:
    done = launch()
    assert done.returncode == 0
    assert "demo" in done.stdout
    assert "test" in done.stdout


def test_an_unknown_command_says_so() -> None:
    done = launch("fly")
    assert done.returncode == 2
    assert "no command 'fly'" in done.stderr


def test_a_broken_environment_is_named(tmp_path: Path) -> None:
    """The environment cannot be made below a file: the launcher says so and gives no traceback."""
    (tmp_path / "file").write_text("")
    done = launch("read", "--help", ISLAND_VENV=str(tmp_path / "file" / "venv"))
    assert done.returncode == 1
    assert "virtual environment" in done.stderr
    assert "Traceback" not in done.stderr


def test_needs_only_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "island"), "help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0


def test_making_kernels_ready_says_nothing_where_a_command_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge.energy.warm"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "kernels are ready" in done.stderr
