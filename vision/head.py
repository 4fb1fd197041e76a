"""The last layer of the vehicle classifier: owns its learning from labelled crops, its certainty and its file.

Features come from the classifier's frozen backbone. A head that learns on site starts from the one that was shipped
and is held near it, so that a type without any picture of the site keeps what the shipped head knows; `exemplars`,
a few features per type that travel with the head, keep the new types from being learnt at the cost of the others.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.domain.errors import ConfigurationError, IslandError
from control.domain.vehicles import VehicleType
from vision.softmax_fit import Linear, balanced, best_temperature, fitted, folds_of, softmax

Features = NDArray[np.float32]

STRENGTH = 3e-4
EXEMPLAR_SHARE = 0.3
FOLDS = 5
CROPS_MIN = 8
FILE_BYTES_MAX = 16_000_000
_ARRAYS = ("weights", "bias", "temperature", "exemplars", "exemplar_labels", "facts")


class HeadError(IslandError):
    """What a head was given cannot be learnt from or judged; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a head comes from. `parent` is the digest of the head it started from; `counts` are crops by type."""

    name: str
    made_at: str
    counts: dict[str, int] = field(default_factory=dict)
    parent: str = ""
    licence: str = ""
    trained_on: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Features (n, d) to calibrated probabilities of `classes`.

    `weights` (k, d) and `bias` (k,) are float32; the logits are divided by `temperature`. `exemplars` (m, d) are
    features of the parent's own training pictures, with the class numbers `exemplar_labels` (m,).
    """

    classes: tuple[VehicleType, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    provenance: Provenance
    exemplars: NDArray[np.float16]
    exemplar_labels: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Numbers in one feature vector."""
        return int(self.weights.shape[1])

    @property
    def digest(self) -> str:
        """SHA-256 of what the head is; two heads with one digest answer alike."""
        total = hashlib.sha256()
        for name, array in sorted(_arrays_of(self).items()):
            total.update(f"{name}:{array.dtype.str}:{array.shape}:".encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def probabilities(self, features: Features) -> NDArray[np.float64]:
        """Features (n, d) to probabilities (n, k), calibrated. Raises HeadError for features that are no numbers."""
        features = _checked(features, self.width)
        return softmax(self._linear.logits(features) / self.temperature)

    def types(self, features: Features) -> list[VehicleType]:
        """The likeliest type of each row."""
        return [self.classes[at] for at in self.probabilities(features).argmax(axis=1)]

    @property
    def _linear(self) -> Linear:
        return Linear(self.weights.astype(np.float64), self.bias.astype(np.float64))

    @classmethod
    def fit(
        cls,
        features: Features,
        labels: Sequence[str],
        *,
        name: str,
        made_at: str,
        prior: Head | None = None,
        groups: Sequence[str] | None = None,
        strength: float = STRENGTH,
        exemplars_per_class: int = 0,
        seed: int = 1,
    ) -> Head:
        """Learn from crops with labels (`VehicleType` values; `unknown` says nothing and is left out).

        With a `prior` its classes, exemplars and knowledge are the start. Crops of one vehicle share a name in
        `groups`, so that none is judged by its twin. `exemplars_per_class` crops are kept in the head for its heirs.
        Raises HeadError for features that are no numbers, labels that the prior does not know, and too few crops.
        """
        samples, classes = samples_of(features, labels, groups=groups, prior=prior)
        learner = Learner.of(prior, classes, features.shape[1], strength)
        linear = learner.learn(samples)
        counts = np.bincount(samples.numbers, minlength=len(classes))
        exemplars, exemplar_labels = _exemplars(samples, exemplars_per_class, prior, seed=seed)
        return cls(
            classes=classes,
            weights=linear.weights.astype(np.float32),
            bias=linear.bias.astype(np.float32),
            temperature=best_temperature(learner.cross_logits(samples, seed=seed), samples.numbers),
            provenance=Provenance(
                name=name,
                made_at=made_at,
                counts={classes[at].value: int(n) for at, n in enumerate(counts) if n},
                parent=prior.digest if prior else "",
            ),
            exemplars=exemplars,
            exemplar_labels=exemplar_labels,
        )

    def described(self, *, licence: str, trained_on: str) -> Head:
        """The same head with where its pictures came from."""
        return replace(self, provenance=replace(self.provenance, licence=licence, trained_on=trained_on))

    # --------------------------------------------------------------------------------------------------- the file

    def save(self, path: Path) -> None:
        """Write the head; the file appears whole or not at all."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = _arrays_of(self)
        np.savez_compressed(buffer, digest=np.array(self.digest), **arrays)
        beside = path.with_suffix(f".{os.getpid()}.part")
        try:
            with beside.open("wb") as file:
                file.write(buffer.getvalue())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Head:
        """Read a head; raises ConfigurationError when the file is missing, damaged, or was changed."""
        try:
            if path.stat().st_size > FILE_BYTES_MAX:
                raise ConfigurationError(f"{path} is too large for a head: restore it from a version that worked")
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in _ARRAYS}
                digest = str(file["digest"])
            head = _head_of(arrays)
        except FileNotFoundError as error:
            raise ConfigurationError(f"the head {path} is missing: restore it, or roll back") from error
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise ConfigurationError(f"{path} is no head: {error}; roll back to an older version") from error
        if head.digest != digest:
            raise ConfigurationError(f"{path} does not have its checksum: it was changed; roll back")
        return head


# ------------------------------------------------------------------------------------------------------------ learning


@dataclass(frozen=True, slots=True)
class Samples:
    """What can be learnt from: features (n, d), class numbers (n,), and a group number a vehicle (n,)."""

    features: Features
    numbers: NDArray[np.int64]
    groups: NDArray[np.int64]

    def some(self, chosen: NDArray[np.bool_]) -> Samples:
        """The chosen rows."""
        return Samples(self.features[chosen], self.numbers[chosen], self.groups[chosen])


@dataclass(frozen=True, slots=True)
class Learner:
    """Samples to weights, from one start; the exemplars of the prior weigh `EXEMPLAR_SHARE` of everything."""

    classes: tuple[VehicleType, ...]
    start: Linear
    prior: Head | None
    strength: float

    @classmethod
    def of(
        cls, prior: Head | None, classes: tuple[VehicleType, ...], width: int, strength: float = STRENGTH
    ) -> Learner:
        """A learner that starts from the prior's calibrated logits, or from nothing."""
        if prior is None:
            return cls(classes, Linear(np.zeros((len(classes), width)), np.zeros(len(classes))), None, strength)
        weights, bias = prior.weights.astype(np.float64), prior.bias.astype(np.float64)
        return cls(classes, Linear(weights / prior.temperature, bias / prior.temperature), prior, strength)

    def learn(self, samples: Samples) -> Linear:
        """The weights for these samples; without any, the start."""
        if not len(samples.numbers):
            return self.start
        features, numbers = samples.features, samples.numbers
        weights = balanced(numbers, len(self.classes))
        if self.prior is not None and len(self.prior.exemplar_labels):
            old = balanced(self.prior.exemplar_labels, len(self.classes))
            old *= EXEMPLAR_SHARE / (1 - EXEMPLAR_SHARE) * len(numbers) / len(old)
            weights = np.concatenate([weights, old])
            features = np.concatenate([features, self.prior.exemplars.astype(np.float32)])
            numbers = np.concatenate([numbers, self.prior.exemplar_labels])
        return fitted(features, numbers, self.start, strength=self.strength, weights=weights)

    def cross_logits(
        self, samples: Samples, *, seed: int, known: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Logits (n, k) of each crop by a head that saw no crop of its group.

        `known` (n,) restricts what may be learnt from at all: with none of them known, the start judges.
        """
        folds = folds_of(samples.numbers, samples.groups, FOLDS, seed=seed)
        allowed = np.ones(len(folds), bool) if known is None else known
        logits = np.empty((len(folds), len(self.classes)))
        for fold in np.unique(folds):
            judged = folds == fold
            logits[judged] = self.learn(samples.some(~judged & allowed)).logits(samples.features[judged])
        return logits


def samples_of(
    features: Features, labels: Sequence[str], *, groups: Sequence[str] | None = None, prior: Head | None = None
) -> tuple[Samples, tuple[VehicleType, ...]]:
    """Checked samples and the classes that their numbers point to; `unknown` is left out.

    Raises HeadError for features that are no numbers, a label that is no type or unknown to the prior, too few crops.
    """
    features = _checked(features, prior.width if prior else None)
    if len(labels) != len(features) or (groups is not None and len(groups) != len(features)):
        raise HeadError(f"{len(features)} crops need as many labels and groups, not {len(labels)}")
    types = [_type_of(label) for label in labels]
    taught = np.array([kind is not VehicleType.UNKNOWN for kind in types], bool)
    classes = (
        prior.classes
        if prior
        else tuple(kind for kind in VehicleType if kind in set(types) and kind.value != "unknown")
    )
    strangers = {kind.value for kind in types if kind is not VehicleType.UNKNOWN} - {kind.value for kind in classes}
    if strangers:
        raise HeadError(f"the head does not know the type {sorted(strangers)[0]!r}; it knows {', '.join(classes)}")
    if taught.sum() < CROPS_MIN or (prior is None and len(classes) < 2):
        raise HeadError(
            f"{taught.sum()} labelled crops are too few: at least {CROPS_MIN}, of two types without a prior"
        )
    numbers = np.array([classes.index(kind) for kind in types if kind is not VehicleType.UNKNOWN], np.int64)
    names = list(groups) if groups is not None else [str(at) for at in range(len(features))]
    _, group_numbers = np.unique(names, return_inverse=True)
    return Samples(features[taught], numbers, group_numbers[taught].astype(np.int64)), classes


def _type_of(label: str) -> VehicleType:
    try:
        return VehicleType(label)
    except ValueError as error:
        raise HeadError(f"{label!r} is no vehicle type; the types are {', '.join(VehicleType)}") from error


def _checked(features: Features, width: int | None) -> Features:
    if features.ndim != 2 or (width is not None and features.shape[1] != width):
        raise HeadError(f"features must be (crops, {width or 'width'}), not {features.shape}")
    if not np.isfinite(features).all():
        bad = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise HeadError(f"the features of crop {bad} are no numbers: leave that crop out")
    return features.astype(np.float32, copy=False)


def _exemplars(samples: Samples, per_class: int, prior: Head | None, *, seed: int) -> tuple[Any, Any]:
    if prior is not None:
        return prior.exemplars, prior.exemplar_labels
    order = np.random.default_rng(seed).permutation(len(samples.numbers))
    picked = [order[samples.numbers[order] == number][:per_class] for number in np.unique(samples.numbers)]
    chosen = np.sort(np.concatenate(picked))
    return samples.features[chosen].astype(np.float16), samples.numbers[chosen]


# ------------------------------------------------------------------------------------------------------------ the file


def _arrays_of(head: Head) -> dict[str, NDArray[Any]]:
    facts = {"classes": [kind.value for kind in head.classes], **asdict(head.provenance)}
    return {
        "weights": head.weights,
        "bias": head.bias,
        "temperature": np.array(head.temperature, np.float64),
        "exemplars": head.exemplars,
        "exemplar_labels": head.exemplar_labels,
        "facts": np.frombuffer(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode(), np.uint8),
    }


def _head_of(arrays: dict[str, NDArray[Any]]) -> Head:
    facts = json.loads(arrays["facts"].tobytes().decode())
    classes = tuple(VehicleType(kind) for kind in facts.pop("classes"))
    weights, bias, labels = arrays["weights"], arrays["bias"], arrays["exemplar_labels"]
    temperature = float(arrays["temperature"])
    if (
        weights.dtype != np.float32
        or weights.ndim != 2
        or weights.shape[0] != len(classes)
        or bias.shape != (len(classes),)
    ):
        raise ValueError("weights, bias and classes do not fit each other")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all() and 0 < temperature < np.inf):
        raise ValueError("it holds values that are no numbers")
    if arrays["exemplars"].shape != (len(labels), weights.shape[1]) or (
        len(labels) and not 0 <= labels.min() <= labels.max() < len(classes)
    ):
        raise ValueError("its exemplars do not fit its classes")
    return Head(classes, weights, bias, temperature, Provenance(**facts), arrays["exemplars"], labels)
