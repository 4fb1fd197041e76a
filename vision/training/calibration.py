"""Measures whether the plate's probabilities mean what they say: of characters, whole plates and grounds.

    python -m vision.training.calibration --data DATA --plates 3000 [--models DIR] [--out DIR] [--jobs 2]
    python -m vision.training.calibration --data DATA --plates 3000 --fit

Two lots are told apart: real pictures (crops withheld from training and `scenes_dev`, read through detector and
recogniser) and rendered plates of every kind in every light (`trials`, with corners as inexact as a detector's).
`--out` writes reliability diagrams as SVG. `--fit` finds the two factors on the logits that `models.toml` holds, both
lots weighing the same: `sharpness` with the least log loss of whole plates, `colour_sharpness` with that of grounds.
It also says what a line on the log odds of the whole plate would still better.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.plates import PlateColour
from control.domain.readings import PlateReading
from vision.colour import ColourReading, read_pixels, settle
from vision.detector import Detector, PlateBox
from vision.pictures import read_picture
from vision.reader import PlateReader
from vision.recogniser import PlateText, Recogniser
from vision.runtime import Model, open_model
from vision.training.reliability import Guesses, diagram, facts_of, fitted_line, log_loss, through_line
from vision.training.trials import trial

# Rows of `models.toml` with other values. One without any is as shipped.
Factors = tuple[tuple[str, float], ...]
AS_SHIPPED: tuple[Factors, ...] = ((),)
TRIED = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0)
_FOLD = str.maketrans("OI", "01")


@dataclass(slots=True)
class Lot:
    """Guesses of one lot of pictures. A plate that was not found made no guess."""

    characters: Guesses = field(default_factory=Guesses)
    plates: Guesses = field(default_factory=Guesses)
    colours: Guesses = field(default_factory=Guesses)

    def add(self, truth: Truth, guess: Guess) -> None:
        """One plate."""
        text, plate = guess.text.translate(_FOLD), truth.text.translate(_FOLD)
        for place, probability in enumerate(guess.probabilities):
            self.characters.add(probability, text[place] == plate[place : place + 1])
        self.plates.add(guess.confidence, text == plate)
        if guess.colour is not PlateColour.UNKNOWN:
            self.colours.add(guess.colour_confidence, guess.colour is truth.colour)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is on a plate."""

    text: str
    colour: PlateColour


@dataclass(frozen=True, slots=True)
class Guess:
    """What was read, with the settled colour."""

    text: str
    probabilities: tuple[float, ...]
    confidence: float
    colour: PlateColour
    colour_confidence: float


def guess_of_text(read: PlateText) -> Guess:
    """A recogniser's answer, its ground doubted by the pixels as the reader does."""
    settled = settle(ColourReading(read.colour, read.colour_confidence), read_pixels(read.plate_bgr))
    probabilities = tuple(character.probability for character in read.characters)
    return Guess(read.text, probabilities, read.confidence, settled.colour, settled.confidence)


def guess_of_reading(reading: PlateReading) -> Guess:
    """A reader's answer."""
    probabilities = tuple(character.probability for character in reading.characters)
    return Guess(reading.text, probabilities, reading.confidence, reading.colour, reading.colour_confidence)


# ------------------------------------------------------------------------------------------- one run, many factors


class RememberingModel:
    """A network that answers the same batch once: another factor on its logits costs no second run."""

    def __init__(self, model: Model) -> None:
        self.facts = dict(model.facts)
        self._model = model
        self._answers: dict[bytes, list[NDArray[np.float32]]] = {}

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """As `Model.run`."""
        key = batch.tobytes()
        if key not in self._answers:
            self._answers[key] = self._model.run(batch)
        return self._answers[key]

    def forget(self) -> None:
        """Before the next picture."""
        self._answers.clear()


class _Sharpened:
    """The remembering network with other factors."""

    def __init__(self, model: RememberingModel, factors: Factors) -> None:
        self.facts = model.facts | dict(factors)
        self.run = model.run


class RememberingDetector:
    """A detector that looks at the same picture once."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._found: dict[bool, tuple[PlateBox, ...]] = {}

    def find(self, image_bgr: NDArray[np.uint8], *, thorough: bool) -> tuple[PlateBox, ...]:
        """As `Detector.find`."""
        if thorough not in self._found:
            self._found[thorough] = self._detector.find(image_bgr, thorough=thorough)
        return self._found[thorough]

    def forget(self) -> None:
        """Before the next picture."""
        self._found.clear()


@dataclass(frozen=True, slots=True)
class Bench:
    """Recognisers with every factor that share one network."""

    model: RememberingModel
    recognisers: tuple[Recogniser, ...]


@cache
def bench(models: Path | None, choices: tuple[Factors, ...]) -> Bench:
    """One for each process."""
    model = RememberingModel(open_model("plate_recogniser", models))
    return Bench(model, tuple(Recogniser(_Sharpened(model, factors)) for factors in choices))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------- the two lots

Answer = tuple[Truth, tuple[Guess, ...]]


def look(number: int, *, seed: int, models: Path | None, choices: tuple[Factors, ...]) -> Answer:
    """Draw one trial and read it between its inexact corners, with every factor."""
    drawn, tools = trial(seed, number), bench(models, choices)
    tools.model.forget()
    guesses = tuple(guess_of_text(reader.read(drawn.scene, drawn.quad)) for reader in tools.recognisers)
    return Truth(drawn.text, drawn.colour), guesses


def rendered(plates: int, jobs: int, work: Callable[[int], Answer]) -> Iterator[Answer]:
    """Every trial of a seed; temporary plates, which nobody reads, among them."""
    if jobs == 1:
        yield from map(work, range(plates))
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, range(plates), chunksize=50)


def real(data: Path, models: Path | None, choices: tuple[Factors, ...]) -> Iterator[Answer]:
    """The withheld crops and the scenes for development. A plate that some factor does not find makes no guess."""
    tools, detector = bench(models, choices), RememberingDetector(Detector.load(models))
    readers = [PlateReader(detector=detector, recogniser=recogniser) for recogniser in tools.recognisers]
    for truth, image, crop in [*_crops(data), *_scenes(data / "plates/scenes_dev")]:
        tools.model.forget()
        detector.forget()
        best = [_most_alike(reader.read(image, crop=crop).plates, truth.text) for reader in readers]
        found = [reading for reading in best if reading is not None]
        if len(found) == len(best):
            yield truth, tuple(guess_of_reading(reading) for reading in found)


def _crops(data: Path) -> Iterator[tuple[Truth, NDArray[np.uint8], bool]]:
    from vision.training.crops import load_crops, withhold

    for crop in withhold(load_crops(data / "plates/crops_train"))[1]:
        yield Truth(crop.text, crop.colour), crop.image, True


def _scenes(folder: Path) -> Iterator[tuple[Truth, NDArray[np.uint8], bool]]:
    with (folder / "labels.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        yield Truth(row["plate"], PlateColour(row["colour"])), read_picture(folder / row["file"]).image_bgr, False


def _most_alike(readings: tuple[PlateReading, ...], plate: str) -> PlateReading | None:
    """The reading of the labelled plate: at least half of its characters stand where they should."""
    best = max(readings, key=lambda reading: _alike(reading.text, plate), default=None)
    return best if best is not None and _alike(best.text, plate) >= len(plate) // 2 else None


def _alike(one: str, other: str) -> int:
    pairs = zip(one.translate(_FOLD), other.translate(_FOLD), strict=False)
    return sum(a == b for a, b in pairs)


# ---------------------------------------------------------------------------------------------------------------- run


def measure(options: argparse.Namespace, choices: tuple[Factors, ...] = AS_SHIPPED) -> list[dict[str, Lot]]:
    """The lots that the options name, for every factor."""
    answers: dict[str, Iterable[Answer]] = {}
    if options.data:
        answers["real"] = real(options.data, options.models, choices)
    if options.plates:
        work = partial(look, seed=options.seed, models=options.models, choices=choices)
        answers["rendered"] = rendered(options.plates, options.jobs, work)
    found: list[dict[str, Lot]] = [{name: Lot() for name in answers} for _ in choices]
    for name, pairs in answers.items():
        for truth, guesses in pairs:
            for lots, guess in zip(found, guesses, strict=True):
                lots[name].add(truth, guess)
    return found


def fit(options: argparse.Namespace) -> dict[str, Any]:
    """Every factor with its losses, the best ones, and the line for the whole plate that goes with them."""
    names = ("sharpness", "colour_sharpness")
    choices: tuple[Factors, ...] = tuple(((name, value),) for name in names for value in TRIED)
    tried = dict(zip(choices, measure(options, choices), strict=True))
    best = {
        "sharpness": _best(tried, "sharpness", lambda lot: log_loss(lot.plates)),
        "colour_sharpness": _best(tried, "colour_sharpness", lambda lot: log_loss(lot.colours)),
    }
    lots = tried[(("sharpness", best["sharpness"]),)]
    both = Guesses()
    for lot in lots.values():
        both.extend(lot.plates)
    line = fitted_line(both)
    return {
        "tried": {f"{name} {value}": facts(tried[((name, value),)]) for name in names for value in TRIED},
        **best,
        "plate_line": [round(value, 4) for value in line],
        "plates_through_line": {name: facts_of(through_line(lot.plates, line)) for name, lot in lots.items()},
    }


def _best(tried: dict[Factors, dict[str, Lot]], name: str, loss: Callable[[Lot], float]) -> float:
    return min(TRIED, key=lambda value: sum(map(loss, tried[((name, value),)].values())))


def facts(lots: dict[str, Lot]) -> dict[str, Any]:
    """Figures of every lot."""
    return {name: {part: facts_of(guesses) for part, guesses in _parts(lot)} for name, lot in lots.items()}


def _parts(lot: Lot) -> tuple[tuple[str, Guesses], ...]:
    return ("characters", lot.characters), ("plates", lot.plates), ("colours", lot.colours)


def draw(lots: dict[str, Lot], folder: Path) -> None:
    """One SVG a diagram."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lot in lots.items():
        for part, guesses in _parts(lot):
            (folder / f"{name}_{part}.svg").write_text(diagram(f"{part}, {name} pictures", guesses), encoding="utf-8")


def main() -> None:
    """Measure or fit, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the training data, for the real pictures")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--plates", type=int, default=3000, help="rendered plates; 0: none")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for the diagrams")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.fit:
        print(json.dumps(fit(options), indent=1))
        return
    (lots,) = measure(options)
    if options.out:
        draw(lots, options.out)
    print(json.dumps(facts(lots), indent=1))


if __name__ == "__main__":
    main()
