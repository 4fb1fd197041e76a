"""Golden pictures: owns what they are expected to show, comparing it with what models read, and the rendered set.

A folder of golden pictures holds the pictures and `expected.jsonl`, one line a picture in the form of
`island read --json`. Of a plate whatever is given of text, kind, colour, energy and verdict must be read so;
vehicles are compared by type where the line names them. Run as a program it tries models in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from control.domain.errors import IslandError
from control.domain.plates import PlateKind
from vision import pictures
from vision.abilities import sees_vehicles
from vision.read_output import Result, as_json
from vision.reader import BgrImage, FrameReading, PlateReader
from vision.render.plates import colour_of, render_plate
from vision.render.scenes import paste_plate, plate_corners, random_quad
from vision.render.weather import noise
from vision.runtime import check_models, run_on

EXPECTED = "expected.jsonl"
PICTURES_MIN = 4
NICENESS = 10
_COMPARED = ("text", "kind", "colour", "energy", "verdict")


class GoldenError(IslandError):
    """The golden pictures themselves are of no use."""


class Reads(Protocol):
    """Reads one picture."""

    def read(self, image_bgr: BgrImage, *, vehicles: bool) -> FrameReading:
        """Plates, and vehicles where they are asked for."""
        ...


@dataclass(frozen=True, slots=True)
class GoldenPicture:
    """A picture and what it shows, as JSON objects of the contract; vehicles None: not compared."""

    path: Path
    plates: tuple[dict[str, Any], ...]
    vehicles: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of reading them. `ms` is the median time of a picture after the first."""

    pictures: int
    wrong: tuple[str, ...]
    ms: float

    def passes(self, *, ms_max: float) -> bool:
        """Whether the models may be used."""
        return not self.wrong and self.ms <= ms_max


def golden_pictures(folder: Path) -> tuple[GoldenPicture, ...]:
    """The pictures of a folder; raises GoldenError."""
    path = folder / EXPECTED
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = tuple(_golden(folder, json.loads(line)) for line in lines)
    except OSError as error:
        raise GoldenError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise GoldenError(f"{path} has a line that is not understood: {error!r}") from error
    if len(found) < PICTURES_MIN:
        raise GoldenError(f"{folder} has {len(found)} golden pictures; at least {PICTURES_MIN} are needed.")
    return found


def _golden(folder: Path, line: dict[str, Any]) -> GoldenPicture:
    plates = tuple({key: str(plate[key]) for key in _COMPARED if key in plate} for plate in line["plates"])
    vehicles = tuple(str(v["type"]) for v in line["vehicles"]) if line.get("vehicles") else None
    # The folder may have been moved since the line was written.
    return GoldenPicture(folder / Path(line["file"]).name, plates, vehicles)


def try_out(reader: Reads, golden: Sequence[GoldenPicture], *, vehicles: bool = False) -> Trial:
    """Read every golden picture, with its vehicles when the models see any, and compare."""
    wrong: list[str] = []
    times_ms: list[float] = []
    for picture in golden:
        try:
            reading = reader.read(pictures.read_picture(picture.path).image_bgr, vehicles=vehicles)
        except pictures.PictureError as error:
            wrong.append(f"{picture.path.name}: {error}")
            continue
        times_ms.append(reading.ms + reading.vehicles_ms)
        wrong.extend(f"{picture.path.name}: {difference}" for difference in _differences(picture, reading))
    return Trial(len(golden), tuple(wrong), round(statistics.median(times_ms[1:] or times_ms or [0.0]), 1))


def _differences(picture: GoldenPicture, reading: FrameReading) -> Iterator[str]:
    answer = as_json(Result(picture.path.name, reading.ms, reading.plates, reading.vehicles))
    read = list(answer["plates"])
    for expected in picture.plates:
        match = next((plate for plate in read if all(plate[key] == value for key, value in expected.items())), None)
        if match is None:
            seen = ", ".join(f"{plate['text']} {plate['colour']}" for plate in answer["plates"]) or "no plate"
            yield f"expected {' '.join(expected.values())}, read {seen}"
        else:
            read.remove(match)
    if len(answer["plates"]) > len(picture.plates):
        yield f"{len(answer['plates'])} plates were read where {len(picture.plates)} are"
    if picture.vehicles is not None:
        types = sorted(str(vehicle["type"]) for vehicle in answer["vehicles"])
        if types != sorted(picture.vehicles):
            yield f"expected vehicles {', '.join(sorted(picture.vehicles))}, read {', '.join(types) or 'none'}"


# --------------------------------------------------------------------------------------------------------- rendered


RENDERED = (
    ("琼A12345", PlateKind.SMALL),
    ("京N8P8F8", PlateKind.SMALL),
    ("琼B98760", PlateKind.LARGE),
    ("琼AD12345", PlateKind.NEV_SMALL),
    ("粤BF06789", PlateKind.NEV_SMALL),
    ("琼A12345D", PlateKind.NEV_LARGE),
    ("琼C1234警", PlateKind.POLICE),
    ("沪C73K91", PlateKind.SMALL),
)


def render_golden(folder: Path) -> None:
    """Draw the golden set that every model of ours must read, with its `expected.jsonl`; always the same pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (text, kind) in enumerate(RENDERED, 1):
        name = f"{number:02}.png"
        cv2.imwrite(str(folder / name), _scene(text, kind, np.random.default_rng(number)))
        lines.append({"file": name, "plates": [{"text": text, "kind": kind, "colour": colour_of(kind)}]})
    cv2.imwrite(str(folder / "empty.png"), _road(np.random.default_rng(0)))
    lines.append({"file": "empty.png", "plates": []})
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / EXPECTED).write_text(text, encoding="utf-8")


def _scene(text: str, kind: PlateKind, rng: np.random.Generator) -> BgrImage:
    plate = render_plate(text, kind, rng=rng)
    corners = plate_corners(plate)
    aspect = float(corners[2, 1] / corners[2, 0])
    road = _road(rng)
    height, width = road.shape[:2]
    quad = random_quad(rng, centre=(width / 2, height * 0.6), width_px=150, aspect=aspect, tilt_deg_max=5.0, skew=0.06)
    # A bumper around the plate, as the readers know plates.
    box = np.concatenate([quad.min(axis=0) - 45, quad.max(axis=0) + 45]).astype(int)
    cv2.rectangle(road, tuple(box[:2]), tuple(box[2:]), tuple(int(v) for v in rng.integers(30, 200, 3)), cv2.FILLED)
    return noise(cv2.GaussianBlur(paste_plate(road, plate, quad), (0, 0), 0.7), rng, sigma=2.0)


def _road(rng: np.random.Generator) -> BgrImage:
    road = np.full((480, 640, 3), (98, 96, 94), np.uint8)
    road[:180] = (190, 170, 150)
    return noise(road, rng, sigma=3.0)


# ------------------------------------------------------------------------------------------------- a process of its own


def main(arguments: list[str] | None = None) -> int:
    """Try the models of a folder on golden pictures and print a JSON object: the trial, or `error`."""
    parser = argparse.ArgumentParser(prog="python -m vision.golden")
    parser.add_argument("models", type=Path)
    parser.add_argument("golden", type=Path)
    parser.add_argument("--provider", action="append", default=[])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    # Where this is a gateway at work, its own reader goes first.
    os.nice(NICENESS)
    try:
        run_on(options.provider, threads=options.threads)
        check_models(options.models)
        golden = golden_pictures(options.golden)
        trial = try_out(PlateReader(options.models), golden, vehicles=sees_vehicles(options.models))
    except IslandError as error:
        print(json.dumps({"error": str(error)}, ensure_ascii=False))
        return 1
    print(json.dumps(asdict(trial), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
