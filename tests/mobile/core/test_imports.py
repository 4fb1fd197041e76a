"""The app's core is small: it needs no window and none of the libraries that a phone does not carry."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CORE = ROOT / "mobile" / "core"
HEAVY = ("kivy", "pydantic", "cryptography", "numpy", "cv2", "zxingcpp", "babel", "fastapi", "asyncpg")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in CORE.rglob("*.py") if path.stem != "__init__"
)


def fresh(statements: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", statements], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_module_brings_in_what_a_phone_does_not_carry() -> None:
    loaded = fresh(f"import sys, {', '.join(MODULES)}; print(sorted(set({HEAVY}) & set(sys.modules)))")
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("role", ["visitor", "driver"])
def test_nothing_of_http_is_loaded_at_the_start(role: str, tmp_path: Path) -> None:
    """The first frame waits for neither httpx nor the other role's shapes."""
    other = {"visitor": "permits", "driver": "points"}[role]
    loaded = fresh(
        "import sys; from pathlib import Path; from mobile.core.client import build_client;"
        f" build_client(Path({str(tmp_path)!r}), 'http://127.0.0.1:9', {role!r}).store.close();"
        f" print(sorted({{'httpx', 'mobile.core.api.{other}'}} & set(sys.modules)))"
    )
    assert loaded.strip() == "[]"


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_the_core_stands_on_the_vocabulary_and_httpx_alone(path: Path) -> None:
    allowed = ("mobile.core", "control.", "httpx")
    others = {one for one in imported(path) if one.partition(".")[0] not in sys.stdlib_module_names}
    assert {one for one in others if not one.startswith(allowed)} == set()
    assert ("httpx" in others) == (path.name == "transport.py")
