"""The pictures that `benchmarks.read` is measured on: owns what stands on each, and the sets they belong to."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.errors import IslandError
from control.domain.plates import PlateColour, PlateKind, identify, normalise
from vision.pictures import read_picture
from vision.reader import PlateReader
from vision.render.plates import colour_of, random_plate, render_plate
from vision.render.scenes import paste_plate, random_quad
from vision.render.weather import degrade

SCENE_WIDTH_PX, SCENE_HEIGHT_PX = 1280, 720
RENDERED_COUNT = 40
RIM_PX = 40
RENDERED_SET = "rendered"
_FOLD = str.maketrans("OI", "01")


def folded(text: str) -> str:
    """A text as it is compared: separators dropped, O taken for 0 and I for 1, which plates do not tell apart."""
    return normalise(text).translate(_FOLD)


@dataclass(frozen=True, slots=True)
class Case:
    """A picture with the plate that is on it. `crop` is whether the plate fills the picture."""

    path: Path
    plate: str
    colour: PlateColour
    set_name: str
    source: str = ""
    two_rows: bool = False
    crop: bool = False
    quad: NDArray[np.float32] | None = None

    @property
    def kind(self) -> str:
        """Kind by true text and true colour, with its rows where there are two."""
        kind = identify(folded(self.plate), self.colour).kind
        return f"{kind}, two rows" if self.two_rows else str(kind)

    @property
    def is_new_energy(self) -> bool:
        """Whether the label says so."""
        return identify(folded(self.plate), self.colour).kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)


def labelled_cases(folder: Path, *, crop: bool = False) -> list[Case]:
    """The rows of FOLDER/labels.csv that have a plate: columns file, plate, and maybe colour, type, source, quad_xy."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("plate")]
    if not rows:
        raise IslandError(f"{folder / 'labels.csv'} names no plate.")
    return [_labelled(folder, row, crop) for row in rows]


def _labelled(folder: Path, row: dict[str, str], crop: bool) -> Case:
    colour, quad = row.get("colour") or "", row.get("quad_xy")
    return Case(
        path=folder / row["file"],
        plate=row["plate"],
        colour=PlateColour(colour) if colour in set(PlateColour) else PlateColour.UNKNOWN,
        set_name=folder.name,
        source=row.get("source") or "",
        two_rows=row.get("type") == "double",
        crop=crop,
        quad=np.array(json.loads(quad), np.float32) if quad else None,
    )


def withheld_only(cases: list[Case], folder: Path) -> list[Case]:
    """The crops of a training folder that `vision.training` never learned from."""
    from vision.training.crops import load_crops, withhold

    texts = {crop.text for crop in withhold(load_crops(folder))[1]}
    return [case for case in cases if folded(case.plate) in texts]


# -------------------------------------------------------------------------------------------------------- cut boxes


def boxed_cases(cases: list[Case], size: tuple[int, int], folder: Path, reader: PlateReader) -> Iterator[Case]:
    """Every plate cut out by an upright box and squeezed to `size` (width, height), as sets of crops are made.

    The box goes around the labelled corners; where there are none, around those that our reader found with the
    right text, as a set of its own: what we could not read is then not in it. A crop is only squeezed.
    """
    name = f"{size[0]}x{size[1]}"
    for number, case in enumerate(cases):
        image = read_picture(case.path).image_bgr
        how, quad = ("squeezed", None) if case.crop else ("labelled boxes", case.quad)
        if quad is None and not case.crop:
            how, quad = "found boxes", _found_quad(reader, image, case)
            if quad is None:
                continue
        cut = image if quad is None else _upright_box(image, quad)
        path = folder / f"box_{case.set_name}_{number:04}.png"
        cv2.imwrite(str(path), cv2.resize(cut, size, interpolation=cv2.INTER_AREA))
        yield Case(
            path, case.plate, case.colour, f"{case.set_name}, {how} {name}", case.source, case.two_rows, crop=True
        )


def _found_quad(reader: PlateReader, image: NDArray[np.uint8], case: Case) -> NDArray[np.float32] | None:
    for plate in reader.read(image).plates:
        if folded(plate.text) == folded(case.plate):
            return np.array(plate.quad, np.float32)
    return None


def _upright_box(image: NDArray[np.uint8], quad: NDArray[np.float32]) -> NDArray[np.uint8]:
    left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    right, bottom = np.maximum(np.ceil(quad.max(axis=0)).astype(int), (left + 1, top + 1))
    return image[top:bottom, left:right]


# ---------------------------------------------------------------------------------------------------------- rendered


def rendered_cases(folder: Path, count: int | None, *, seed: int = 7) -> list[Case]:
    """Scenes drawn here: a plate of any kind, tilted and weathered, over a busy ground."""
    rng = np.random.default_rng(seed)
    return [_rendered_case(folder / f"{index:03}.png", rng) for index in range(count or RENDERED_COUNT)]


def _rendered_case(path: Path, rng: np.random.Generator) -> Case:
    text, kind, two_rows = random_plate(rng)
    plate = render_plate(text, kind, two_rows=two_rows, rng=rng)
    height, width = plate.shape[:2]
    quad = random_quad(
        rng,
        centre=(SCENE_WIDTH_PX * rng.uniform(0.25, 0.75), SCENE_HEIGHT_PX * rng.uniform(0.4, 0.8)),
        width_px=rng.uniform(130, 300),
        aspect=height / width,
    )
    scene = paste_plate(_ground(rng), plate, quad)
    # Blur is measured by the picture's height: the part around the plate is what is looked at.
    left, top = np.maximum(quad.min(axis=0).astype(int) - RIM_PX, 0)
    right, bottom = quad.max(axis=0).astype(int) + RIM_PX
    scene[top:bottom, left:right] = degrade(scene[top:bottom, left:right], rng, strength=0.3)
    cv2.imwrite(str(path), scene)
    return Case(path, text, colour_of(kind), RENDERED_SET, two_rows=two_rows, quad=quad)


def _ground(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Something like a street: a gradient, blocks of other greys, and grain."""
    ramp = np.linspace(rng.uniform(90, 180), rng.uniform(40, 110), SCENE_HEIGHT_PX)[:, None, None]
    scene = np.broadcast_to(ramp, (SCENE_HEIGHT_PX, SCENE_WIDTH_PX, 3)).astype(np.uint8).copy()
    for _ in range(25):
        x, y = int(rng.integers(SCENE_WIDTH_PX)), int(rng.integers(SCENE_HEIGHT_PX))
        size = int(rng.integers(20, 260)), int(rng.integers(20, 160))
        colour = tuple(int(c) for c in np.clip(rng.uniform(20, 220) + rng.uniform(-25, 25, 3), 0, 255))
        cv2.rectangle(scene, (x, y, *size), colour, cv2.FILLED)
    return scene
