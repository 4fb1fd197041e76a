"""Every screen of both roles, in both languages and themes, compared with pictures that somebody looked at.

`python -m tests.mobile.ui.test_pictures --write [SCENE...]` takes them anew; then look at them. Without scenes it takes
all, and puts the best ones together for `docs/app.md`.

Compared are the mean colours of tiles of 12 x 12 pixels, in 255 levels. A palette of 64 colours costs up to 8, and
another Mesa smooths the edges of shapes a little differently. A button that moves by four pixels changes its worst tile
by 53.
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
    new, golden = _pixels(painted.folder / name), _pixels(GOLDENS / name)
    worst, place = worst_tile(new, golden)
    if worst > DIFFERENCE_MAX:
        _mark(new, place).save(painted.folder / f"{name}.worst.png")
    assert worst <= DIFFERENCE_MAX, (
        f"worst tile {worst:.1f} (at most {DIFFERENCE_MAX}) at x, y = {place};"
        f" now: {painted.folder / name}, the tile is framed in {name}.worst.png beside it"
    )


def test_what_moves_is_noticed() -> None:
    """One picture against itself, with one button's height of it a few pixels lower."""
    golden = _pixels(GOLDENS / "visitor-sign_in-en-light.png")
    moved = golden.copy()
    button = _filled_rows(golden)
    moved[button.start + 4 : button.stop + 4] = golden[button]
    assert worst_tile(golden, golden)[0] == 0
    assert worst_tile(moved, golden)[0] > 1.5 * DIFFERENCE_MAX


def _filled_rows(picture: np.ndarray) -> slice:
    """Rows of the filled button: a dark line through the middle of the page's left part."""
    column = picture[:, 60].mean(axis=1)
    rows = np.flatnonzero(column < 130)
    longest = max(np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1), key=len)
    return slice(int(longest[0]), int(longest[-1]) + 1)


def worst_tile(one: np.ndarray, other: np.ndarray) -> tuple[float, tuple[int, int]]:
    """The greatest difference of a tile's mean colour, 0 to 255, and where it begins (x, y from the top)."""
    tops, lefts = range(0, PHONE[1], TILE_PX), range(0, PHONE[0], TILE_PX)
    difference = one.astype(np.int32) - other.astype(np.int32)
    sums = np.add.reduceat(np.add.reduceat(difference, list(tops), axis=0), list(lefts), axis=1)
    # The last tiles of a row or column are smaller: they count as parts of whole ones.
    means = np.abs(sums).mean(axis=2) / (TILE_PX * TILE_PX)
    row, column = np.unravel_index(int(means.argmax()), means.shape)
    return float(means.max()), (lefts[int(column)], tops[int(row)])


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        assert opened.size == PHONE
        return np.asarray(opened.convert("RGB"))


def _mark(picture: np.ndarray, place: tuple[int, int]) -> Image.Image:
    framed = picture.copy()
    left, top = place
    tile = framed[top : top + TILE_PX, left : left + TILE_PX]
    for edge in (tile[:2], tile[-2:], tile[:, :2], tile[:, -2:]):
        edge[:] = (255, 0, 255)
    return Image.fromarray(framed)


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
