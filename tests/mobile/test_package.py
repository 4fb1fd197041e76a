"""What goes on a phone: each import has a python-for-android recipe or a pure-Python wheel; the package is whole."""

from __future__ import annotations

import configparser
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cloud_sync.contract.look.tokens import LIGHT
from mobile import package

ROOT = Path(__file__).resolve().parents[2]
RECIPES = "https://github.com/kivy/python-for-android/tree/develop/pythonforandroid/recipes/"

# What the app may import beyond the standard library -> (name in `requirements`, where it comes from).
ALLOWED = {
    "kivy": ("kivy", RECIPES + "kivy"),
    "PIL": ("Pillow", RECIPES + "Pillow"),
    "jnius": ("pyjnius", RECIPES + "pyjnius"),
    "android": ("android", RECIPES + "android"),
    "pyzbar": ("pyzbar", RECIPES + "pyzbar"),
    "httpx": ("httpx", "https://pypi.org/project/httpx/ py3-none-any"),
    "segno": ("segno", "https://pypi.org/project/segno/ py3-none-any"),
}
# Compiled parts of the standard library and libraries that recipes need.
BELOW = {
    "python3": RECIPES + "python3",
    "hostpython3": RECIPES + "hostpython3",
    "sqlite3": RECIPES + "sqlite3",
    "openssl": RECIPES + "openssl",
    "libffi": RECIPES + "libffi",
    "libzbar": RECIPES + "libzbar",
}
# Kivy's recipe takes it in; nothing else of Kivy's own list is imported while the app runs.
OF_KIVY = {"filetype"}
PURE = {name for name, source in ALLOWED.values() if source.endswith("none-any")}


def specified() -> configparser.SectionProxy:
    spec = configparser.ConfigParser()
    spec.read(ROOT / "mobile" / "buildozer.spec", encoding="utf-8")
    return spec["app"]


def pinned() -> dict[str, str]:
    """Each requirement with its version; empty where the recipe has the version."""
    parts = (one.partition("==") for one in specified()["requirements"].split(","))
    return {name.strip(): version.strip() for name, _, version in parts}


def requirements() -> list[str]:
    return list(pinned())


def locked() -> dict[str, str]:
    """Versions of requirements.lock by normalised name."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    parts = (line.removesuffix("\\").strip().partition("==") for line in lines if line[:1].isalnum())
    return {name.replace("_", "-").lower(): version.partition(" ")[0] for name, _, version in parts}


def pure_closure() -> set[str]:
    """The pure-Python distributions and all that they need without extras."""
    found: set[str] = set()
    waiting = set(PURE)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for line in importlib.metadata.distribution(name).requires or ():
            needed, _, condition = line.partition(";")
            if "extra" in condition or 'python_version < "3.11"' in condition or "< '3.10'" in condition:
                continue
            plain = "".join(char if char.isalnum() or char in "-_." else " " for char in needed).split()[0]
            waiting |= {plain} - found
    return found


def test_the_app_imports_nothing_that_a_phone_cannot_have() -> None:
    assert package.carried().foreign - ALLOWED.keys() == frozenset()


def test_everything_that_is_imported_is_required_and_nothing_else() -> None:
    wanted = {name for name, _ in ALLOWED.values()} | set(BELOW) | OF_KIVY | pure_closure()
    assert set(requirements()) == wanted


@pytest.mark.parametrize("name", sorted(pure_closure() | OF_KIVY | {"kivy"}))
def test_the_phone_runs_the_versions_that_are_tested(name: str) -> None:
    assert pinned()[name] == locked()[name.replace("_", "-").lower()]


def test_permissions_are_those_that_the_ports_use() -> None:
    assert set(specified()["android.permissions"].split(", ")) == {"INTERNET", "CAMERA", "VIBRATE"}


def test_what_is_seen_of_the_app_before_it_runs_is_in_the_package() -> None:
    carried = {path.relative_to(ROOT).as_posix() for path in package.files()}
    pictures = {specified()[f"{one}.filename"] for one in ("icon", "presplash")}
    assert pictures <= carried
    assert specified()["android.presplash_color"] == LIGHT["accent"]
    for name in pictures:
        with Image.open(ROOT / name) as picture:
            assert picture.size == (512, 512)


def test_data_goes_with_the_package_and_what_makes_it_stays_at_home() -> None:
    carried = {path.relative_to(ROOT) for path in package.files()}
    in_app = {path.relative_to(ROOT) for path in (ROOT / "mobile").rglob("*") if "desktop" not in path.parts}
    assert {path for path in in_app if path.suffix in {".kv", ".ttf", ".txt", ".mo"}} <= carried
    assert not {path for path in carried if path.name.startswith("make_")}
    assert {path.suffix for path in carried if path.parts[0] != "mobile"} == {".py"}
    assert set(specified()["source.include_exts"].split(",")) >= {path.suffix[1:] for path in carried}


@pytest.mark.parametrize("name", sorted(pure_closure() | OF_KIVY))
def test_what_has_no_recipe_is_pure_python(name: str) -> None:
    wheel = importlib.metadata.distribution(name).read_text("WHEEL") or ""
    tags = [line.split()[1] for line in wheel.splitlines() if line.startswith("Tag:")]
    assert tags
    assert all(tag.endswith("none-any") for tag in tags)


def test_view_models_run_where_only_that_can_be_imported() -> None:
    """In a fresh interpreter everything else is refused, also what an allowed package would bring with it."""
    core = sorted(name for name in package.carried().modules if name.startswith("mobile.core"))
    allowed = sorted({"certifi", "httpcore", "h11", "anyio", "idna", "typing_extensions", *ALLOWED} - {"kivy"})
    script = f"""
import sys
allowed = set({allowed!r}) | set(sys.stdlib_module_names) | {set(package.OURS)!r} | {{"_distutils_hack"}}
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in allowed:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Refused())
for name in {core!r}:
    __import__(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_package_is_whole_and_says_what_it_is_for(tmp_path: Path) -> None:
    """From the copied folder alone, without the repository, the app's models can be imported."""
    assert package.main([str(tmp_path), "--server", "https://cloud.example", "--role", "driver"]) == 0
    assert json.loads((tmp_path / "android.json").read_text()) == {"server": "https://cloud.example", "role": "driver"}
    assert {"main.py", "buildozer.spec", "mobile", "control", "cloud_sync"} <= {one.name for one in tmp_path.iterdir()}
    assert not list(tmp_path.rglob("desktop"))
    assert not (tmp_path / "cloud_sync" / "server").exists()
    core = sorted(name for name in package.carried().modules if name.startswith("mobile.core"))
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '.'); [__import__(n) for n in {core!r}]"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_it_is_small_enough_to_be_fetched_on_the_island() -> None:
    assert sum(path.stat().st_size for path in package.files()) < 15_000_000
