"""Every screen of both roles, in both languages and themes, compared with pictures that somebody looked at.

`python -m tests.mobile.ui.test_pictures --write [SCENE...]` takes them anew; then look at them. Without scenes it takes
all, and puts the best ones together for `docs/app.md`.

Compared is the mean colour of tiles of 12 x 12 pixels, in 255 levels; the tile that differs most counts. A button that
moved by four pixels differs twice as much as is allowed, the few colours of the files half of it at most.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from benchmarks._display import display
from hw_sim.bound import bound

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GOLDENS = HERE / "goldens"
PHONE = (390, 844)
TILE_PX = 12
DIFFERENCE_MAX = 26.0
COLOURS = 64
GOLDENS_BYTES_MAX = 3_000_000
DOCS = ROOT / "docs" / "screenshots" / "app.png"
# The best screens side by side, once in each language and theme.
BEST = ("visitor-home", "visitor-scan_result", "visitor-trip", "visitor-code", "driver-permits", "driver-pass")
BEST_LOOKS = ("en-light", "zh-dark")
BEST_SIZE = (234, 506)
BEST_GAP_PX = 12
# A busy machine draws slowly; nothing here is a measure of speed.
WITHIN_S = 1_100
pytestmark = pytest.mark.timeout(1_200)


def _scenes() -> ModuleType:
    """`scenes.py` of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location("mobile_ui_scenes", HERE / "scenes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


scenes = _scenes()
NAMES = {role: scenes.picture_names(role) for role in scenes.SCENES}


@dataclass(frozen=True)
class Painted:
    """Where today's pictures are, and which screens each role has."""

    folder: Path
    screens: Mapping[str, set[str]]


class PictureFailures(AssertionError):
    """Scenes that could not be shown; the others were taken all the same."""


async def paint(folder: Path, environment: Mapping[str, str], wanted: Iterable[str] = ()) -> Painted:
    """All pictures, or those of the `wanted` scenes, by processes that work at the same time."""
    parts = scenes.parts(tuple(wanted))
    found = await asyncio.gather(
        *(_part(folder, environment, role, names) for role, names in parts), return_exceptions=True
    )
    failures = [one for one in found if isinstance(one, BaseException)]
    if failures:
        raise PictureFailures("\n".join(str(one) for one in failures))
    return Painted(folder, {role: screens for (role, _), screens in zip(parts, found, strict=True)})


async def _part(folder: Path, environment: Mapping[str, str], role: str, names: tuple[str, ...]) -> set[str]:
    process = await asyncio.create_subprocess_exec(
        *bound(sys.executable, str(HERE / "painter.py"), role, str(folder), *names),
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-4000:]
    said = json.loads(out.decode().splitlines()[-1])
    assert not said["wrong"], "\n".join(said["wrong"])
    return set(said["screens"])


@pytest.fixture(scope="module")
def painted(screen: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Painted:
    """Today's pictures."""
    return asyncio.run(paint(tmp_path_factory.mktemp("pictures"), screen))


def test_every_screen_has_a_scene(painted: Painted) -> None:
    for role, of_role in scenes.SCENES.items():
        pictured = {one.screen for one in of_role}
        if role == "driver":
            pictured |= scenes.SHARED_WITH_VISITOR
        assert pictured == painted.screens[role], f"{role}: add a Scene in scenes.py, or take it away with its screen"


def test_every_picture_has_its_golden_and_none_is_left_over() -> None:
    wanted = {name for names in NAMES.values() for name in names}
    found = {path.name for path in GOLDENS.glob("*.png")}
    assert found == wanted, f"missing: {sorted(wanted - found)}; left over: {sorted(found - wanted)}"
    assert sum(path.stat().st_size for path in GOLDENS.glob("*.png")) < GOLDENS_BYTES_MAX


@pytest.mark.parametrize("name", [name for names in NAMES.values() for name in names])
def test_a_screen_looks_as_it_did(painted: Painted, name: str) -> None:
    tiles = tile_differences(_pixels(painted.folder / name), _pixels(GOLDENS / name))
    row, column = np.unravel_index(tiles.argmax(), tiles.shape)
    where = f"{column * TILE_PX} px from the left, {row * TILE_PX} px from the top"
    assert tiles.max() <= DIFFERENCE_MAX, f"{name} differs by {tiles.max():.1f} (at most {DIFFERENCE_MAX}) {where}"


def test_what_moved_a_little_is_noticed() -> None:
    page = _pixels(GOLDENS / "driver-permits-en-light.png")
    assert tile_differences(page, page).max() == 0
    moved = np.roll(page, 4, axis=0)
    assert tile_differences(page, moved).max() > DIFFERENCE_MAX
    dark = _pixels(GOLDENS / "driver-permits-en-dark.png")
    assert np.median(tile_differences(page, dark)) > DIFFERENCE_MAX


def tile_differences(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rows x columns: how far apart the mean colours of each tile are, 0 to 255, by the channel that differs most."""
    tops, lefts = list(range(0, PHONE[1], TILE_PX)), list(range(0, PHONE[0], TILE_PX))
    difference = one.astype(np.int32) - other.astype(np.int32)
    sums = np.add.reduceat(np.add.reduceat(difference, tops, axis=0), lefts, axis=1)
    return np.abs(sums).max(axis=2) / (TILE_PX * TILE_PX)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        assert opened.size == PHONE
        return np.asarray(opened.convert("RGB"))


def small(picture: Image.Image) -> Image.Image:
    """With a palette, which keeps rare colours too; the file is a fifth."""
    return picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def contact_sheet(folder: Path) -> Image.Image:
    """The best screens on a plain ground."""
    width, height = (side + BEST_GAP_PX for side in BEST_SIZE)
    size = (width * len(BEST) + BEST_GAP_PX, height * len(BEST_LOOKS) + BEST_GAP_PX)
    sheet = Image.new("RGB", size, (214, 219, 218))
    for row, look in enumerate(BEST_LOOKS):
        for column, name in enumerate(BEST):
            with Image.open(folder / f"{name}-{look}.png") as opened:
                shown = opened.convert("RGB").resize(BEST_SIZE, Image.Resampling.LANCZOS)
            sheet.paste(shown, (column * width + BEST_GAP_PX, row * height + BEST_GAP_PX))
    return sheet


def write(wanted: tuple[str, ...]) -> None:
    """Takes the pictures anew and puts them into `goldens`; all that has no scene any more goes."""
    taken = GOLDENS / "new"
    taken.mkdir(parents=True, exist_ok=True)
    try:
        with display() as environment:
            asyncio.run(paint(taken, environment, wanted))
        if not wanted:
            contact_sheet(taken).save(DOCS, optimize=True)
    finally:
        for path in sorted(taken.glob("*.png")):
            with Image.open(path) as opened:
                small(opened).save(GOLDENS / path.name, optimize=True)
            path.unlink()
        taken.rmdir()
    names = {name for of_role in NAMES.values() for name in of_role}
    for path in GOLDENS.glob("*.png"):
        if path.name not in names:
            path.unlink()
    sizes = [path.stat().st_size for path in GOLDENS.glob("*.png")]
    sys.stdout.write(f"{len(sizes)} pictures, {sum(sizes) / 1e6:.2f} MB in {GOLDENS}\n")


if __name__ == "__main__":
    assert sys.argv[1:2] == ["--write"], "python -m tests.mobile.ui.test_pictures --write [SCENE...]"
    write(tuple(sys.argv[2:]))
