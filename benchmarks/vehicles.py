"""What labelled pictures of a new camera give the vehicle classifier: 0, 10 and 30 of each type, and how fast.

DATA holds one camera: a folder a type (`car`, `truck`, ...; the roadside set's own names are understood). It has to be
a camera that the starting head has not seen. The shipped head has seen the roadside set: `--start zero-shot` begins
from what ImageNet's classes say, before any camera of a road, and `--start FILE` from another head.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.errors import ConfigurationError, IslandError
from control.domain.vehicles import VehicleType
from vision.head import Head, Learner, Provenance, samples_of
from vision.head_trial import Score, tried
from vision.vehicle_classifier import FEATURES, ZERO_SHOT_TYPES, VehicleClassifier

COUNTS = (0, 10, 30)
SEEDS = 10
ALIASES = {"bike": "motorcycle", "juggernaut": "truck"}
SUFFIXES = (".jpg", ".jpeg", ".png")
# Student's t for a 95 % interval of a mean, by degrees of freedom; the normal one beyond.
T_95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 14: 2.145, 19: 2.093}
NO_DATA = (
    "--data DIR is needed: one folder a vehicle type with pictures of one camera. The product carries none; the "
    "roadside set (Zenodo 6634554, CC BY 4.0) fits."
)


class Backbone(Protocol):
    """Crops to features."""

    def features(self, crops_bgr: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Features (n, d)."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Labelled pictures of one camera: features (n, d) and a type each."""

    features: NDArray[np.float32]
    labels: NDArray[np.str_]
    features_ms: float

    def parted(self, each: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row numbers to learn from, `each` a type, and the rest to judge by."""
        chance = np.random.default_rng(seed)
        rows = [chance.permutation(np.flatnonzero(self.labels == kind))[:each] for kind in np.unique(self.labels)]
        learnt = np.sort(np.concatenate(rows))
        return learnt, np.setdiff1d(np.arange(len(self.labels)), learnt)


def load_camera(folder: Path, backbone: Backbone) -> Camera:
    """Read every picture below `folder`; raises ConfigurationError when a folder is no type or nothing is there."""
    pictures, labels = [], []
    for label, path in _pictures(folder):
        picture = cv2.imread(str(path))
        if picture is None:
            raise ConfigurationError(f"{path} is no picture: remove it")
        pictures.append(picture)
        labels.append(label)
    if not pictures:
        raise ConfigurationError(f"{folder} holds no pictures: it needs a folder a vehicle type")
    started = time.perf_counter()
    features = backbone.features(pictures)
    return Camera(features, np.array(labels), (time.perf_counter() - started) * 1000 / len(pictures))


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        label = ALIASES.get(below.name, below.name)
        if label not in set(VehicleType):
            raise ConfigurationError(f"{below} is named after no vehicle type; the types are {', '.join(VehicleType)}")
        yield from ((label, path) for path in sorted(below.iterdir()) if path.suffix.lower() in SUFFIXES)


def measure(camera: Camera, start: Head, *, counts: Sequence[int] = COUNTS, seeds: int = SEEDS) -> dict[str, Any]:
    """Accuracy on the pictures not learnt from, by how many were; the same seeds for every count.

    Raises ConfigurationError when a type has too few pictures to judge by.
    """
    fewest = min(int((camera.labels == kind).sum()) for kind in np.unique(camera.labels))
    if fewest <= max(counts):
        raise ConfigurationError(f"{fewest} pictures of a type are too few: more than {max(counts)} of each are needed")
    rows = {each: _with(camera, start, each, seeds) for each in counts}
    return {
        "pictures": len(camera.labels),
        "types": {str(kind): int((camera.labels == kind).sum()) for kind in np.unique(camera.labels)},
        "seeds": seeds,
        "start": {"name": start.provenance.name, "trained_on": start.provenance.trained_on},
        "by_count": {str(each): row for each, row in rows.items()},
    }


def _with(camera: Camera, start: Head, each: int, seeds: int) -> dict[str, Any]:
    if each == 0:
        right = _right(camera, start, np.arange(len(camera.labels)))
        whole = Score(int(right.sum()), len(right))
        return {
            "accuracy": round(whole.share, 4),
            "interval": [round(edge, 4) for edge in whole.interval],
            "by_type": _by_type(camera.labels, right),
        }
    shares, seconds, judged_types, judged_right = [], [], [], []
    for seed in range(seeds):
        learnt, judged = camera.parted(each, seed)
        began = time.perf_counter()
        head = _adapted(camera, start, learnt)
        seconds.append(time.perf_counter() - began)
        right = _right(camera, head, judged)
        shares.append(float(right.mean()))
        judged_types.append(camera.labels[judged])
        judged_right.append(right)
    learnt_count = len(learnt)
    return {
        "accuracy": round(statistics.fmean(shares), 4),
        "interval": [round(edge, 4) for edge in mean_interval(shares)],
        "by_type": _by_type(np.concatenate(judged_types), np.concatenate(judged_right)),
        "learnt_from": learnt_count,
        "seconds_to_learn": round(statistics.median(seconds), 3),
        "seconds_with_features": round(statistics.median(seconds) + learnt_count * camera.features_ms / 1000, 3),
    }


def _adapted(camera: Camera, start: Head, learnt: NDArray[np.int64]) -> Head:
    """All that `vision adapt` does with the features: the trial before and after, then the head itself."""
    features, labels = camera.features[learnt], [str(label) for label in camera.labels[learnt]]
    samples, classes = samples_of(features, labels, prior=start)
    tried(Learner.of(start, classes, features.shape[1]), samples, known_before=np.zeros(len(labels), bool))
    return Head.fit(features, labels, name="site", made_at="2026-01-01T00:00:00Z", prior=start)


def _right(camera: Camera, head: Head, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.array(head.types(camera.features[rows])) == camera.labels[rows]


def _by_type(labels: NDArray[np.str_], right: NDArray[np.bool_]) -> dict[str, float]:
    return {str(kind): round(float(right[labels == kind].mean()), 4) for kind in np.unique(labels)}


def mean_interval(shares: Sequence[float]) -> tuple[float, float]:
    """95 % for the mean over seeds, by Student's t; one seed says nothing about its spread."""
    if len(shares) < 2:
        return 0.0, 1.0
    fitting = [degrees for degrees in T_95 if degrees <= len(shares) - 1]
    half = T_95[max(fitting)] * statistics.stdev(shares) / math.sqrt(len(shares))
    middle = statistics.fmean(shares)
    return max(0.0, middle - half), min(1.0, middle + half)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; `--json` as one line."""
    parser = argparse.ArgumentParser(prog="bench vehicles", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="pictures of one camera, a folder a type")
    parser.add_argument("--start", default="shipped", metavar="HEAD", help="shipped, zero-shot, or a .npz file")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many drawings of the pictures to learn from")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.data is None or not given.data.is_dir():
        print(f"bench vehicles: {NO_DATA}", file=sys.stderr)
        return 2
    try:
        backbone = VehicleClassifier.load()
        start = _start(given.start, backbone)
        camera = load_camera(given.data, backbone)
        found = {**measure(camera, start, seeds=given.seeds), "features_ms": round(camera.features_ms, 2)}
    except IslandError as error:
        print(f"bench vehicles: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found, ensure_ascii=False) if given.json else "\n".join(_lines(found)))
    return 0


def _start(name: str, backbone: VehicleClassifier) -> Head:
    match name:
        case "shipped":
            return backbone.shipped
        case "zero-shot":
            return zero_shot()
        case _:
            return Head.load(Path(name))


def zero_shot() -> Head:
    """The head that repeats what the backbone says by ImageNet's classes: its last features are just that."""
    count = len(ZERO_SHOT_TYPES)
    weights = np.hstack([np.zeros((count, FEATURES - count)), np.eye(count)]).astype(np.float32)
    none = np.empty((0, FEATURES), np.float16), np.empty(0, np.int64)
    provenance = Provenance("zero-shot", "2026-01-01T00:00:00Z", trained_on="ImageNet-1k")
    return Head(ZERO_SHOT_TYPES, weights, np.zeros(count, np.float32), 1.0, provenance, *none)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    start = found["start"]
    yield f"{found['pictures']} pictures; start: {start['name']} ({start['trained_on'] or 'no word on its pictures'})"
    for each, row in found["by_count"].items():
        low, high = row["interval"]
        kinds = "  ".join(f"{kind} {share:.0%}" for kind, share in row["by_type"].items())
        took = f"  {row['seconds_with_features']:.1f} s" if "seconds_with_features" in row else ""
        yield f"{each:>3} a type  {row['accuracy']:6.1%} ({low:.1%} to {high:.1%}){took}   {kinds}"
