"""What a phone carries: owns which files go into the Android package, and copies them to where it is built.

All of the app but its desktop side, and of the other packages only what the app imports, found by reading the imports.
`python -m mobile.package FOLDER --server URL --role visitor`, then `buildozer android debug` in FOLDER.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("mobile", "control", "cloud_sync", "vision", "edge", "hw_sim")
# Started on desktops alone, or at home where the package is made.
DESKTOP_ONLY = ("mobile.__main__", "mobile.demo_place", "mobile.package", "mobile.ports.desktop")
DATA = (".kv", ".ttf", ".txt", ".mo", ".json", ".png", ".svg")
_NAMED = re.compile(r"(mobile(?:\.\w+)+):\w+")


@dataclass(frozen=True, slots=True)
class Carried:
    """Modules of ours by name, and the first names of all others that they import."""

    modules: dict[str, Path]
    foreign: frozenset[str]


def carried(root: Path = ROOT) -> Carried:
    """Follow the imports from every module of the app that is not for desktops alone."""
    waiting = [name for name in _modules_below(root, "mobile") if not _is_desktop(name)]
    modules: dict[str, Path] = {}
    foreign: set[str] = set()
    while waiting:
        name = waiting.pop()
        path = _file_of(root, name)
        if name in modules or path is None or _is_desktop(name):
            continue
        modules[name] = path
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        for imported in _imports(path):
            if imported.split(".")[0] in OURS:
                waiting.append(imported)
            else:
                foreign.add(imported.split(".")[0])
    return Carried(modules, frozenset(foreign - set(sys.stdlib_module_names)))


def files(root: Path = ROOT) -> list[Path]:
    """Every file of the package: the modules, and the data of the app and of the shared look."""
    found = set(carried(root).modules.values())
    for path in (root / "mobile").rglob("*"):
        if path.suffix in DATA and "desktop" not in path.parts and "__pycache__" not in path.parts:
            found.add(path)
    return sorted(found)


def _modules_below(root: Path, package: str) -> Iterator[str]:
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        # The font maker and the like stand in folders that are no packages.
        if all((root.joinpath(*parts[:depth]) / "__init__.py").exists() for depth in range(1, len(parts))):
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_desktop(name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in DESKTOP_ONLY)


def _file_of(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


def _imports(path: Path) -> Iterator[str]:
    """Names that a module may import, also inside functions and by `"module:Class"`; not what only types need."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module
                if module.split(".")[0] in OURS:
                    yield from (f"{module}.{one.name}" for one in names)
            case ast.Constant(value=str(text)):
                yield from _NAMED.findall(text)
            case _:
                pass


def main(arguments: list[str] | None = None) -> int:
    """Copy the files, the specification and what the package is built for."""
    parser = argparse.ArgumentParser(prog="python -m mobile.package", description=__doc__)
    parser.add_argument("folder", type=Path, help="where buildozer is to run; made when it is not there")
    parser.add_argument("--server", required=True, help="address of the cloud, https")
    parser.add_argument("--role", choices=("visitor", "driver"), default="visitor")
    chosen = parser.parse_args(arguments)
    for path in files():
        target = chosen.folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    # python-for-android starts main.py at the top.
    shutil.copyfile(ROOT / "mobile" / "main.py", chosen.folder / "main.py")
    shutil.copyfile(ROOT / "mobile" / "buildozer.spec", chosen.folder / "buildozer.spec")
    built_for = {"server": chosen.server, "role": chosen.role}
    (chosen.folder / "android.json").write_text(json.dumps(built_for), encoding="utf-8")
    print(f"{chosen.folder} is ready: run buildozer android debug there.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
