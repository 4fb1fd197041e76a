"""Compiled kernels: what is stored on disk is not used any more once an inner function in another file has changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from control.energy import kernels

INNER = """from kernels import inner

PART = 2.0


@inner
def part(value: float) -> float:
    return PART * value
"""
OUTER = """from inner_part import part
from kernels import kernel


@kernel(example=lambda: (1.0,))
def whole(value: float) -> float:
    return part(value) + 1.0


whole.warm()
print(whole(10.0), sum(whole.compiled.stats.cache_hits.values()))
"""


def test_a_changed_inner_function_is_compiled_anew_and_an_unchanged_one_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_bytes(Path(kernels.__file__).read_bytes())
    (tmp_path / "outer_part.py").write_text(OUTER)
    (tmp_path / "inner_part.py").write_text(INNER)
    assert run(tmp_path) == "21.0 0"
    assert run(tmp_path) == "21.0 1"
    (tmp_path / "inner_part.py").write_text(INNER.replace("PART = 2.0", "PART = 3.5"))
    assert run(tmp_path) == "36.0 0"


def run(folder: Path) -> str:
    """What the kernel gives for 10, and how often it came from the cache, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "import outer_part"], cwd=folder, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout.strip()
