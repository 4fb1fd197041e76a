"""Learning on site: owns the way from the guards' corrections to a new version of the head, tried before it is used.

Runs in a process of its own, for seconds, on one core: the gate goes on meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.vehicles import VehicleType
from edge.corrections import LabelledCrop
from edge.ports import Picture
from vision.head import Head, HeadError, Learner, samples_of
from vision.head_shelf import HeadReport, HeadShelf, Switch
from vision.head_trial import Score, Trial, tried

CROPS_A_RUN = 32


class Backbone(Protocol):
    """Pictures of vehicles to features."""

    @property
    def shipped(self) -> Head:
        """The head that came with the backbone."""
        ...

    def features(self, crops_bgr: Sequence[Picture]) -> NDArray[np.float32]:
        """Crops of any size to features (n, d)."""
        ...


@dataclass(frozen=True, slots=True)
class Adapted:
    """A new version, its trial, and whether it is in use now; `why_not` says why it is not."""

    report: HeadReport
    switch: Switch | None
    why_not: str = ""


def adapt(
    crops: Sequence[LabelledCrop], backbone: Backbone, shelf: HeadShelf, *, now: datetime, by: str, force: bool = False
) -> Adapted:
    """Learn a head from the crops, compare it with the one in use, keep both, and switch unless it is worse.

    With `force` it is switched to even then. Raises HeadError (too few crops), HeadShelfError, ConfigurationError.
    """
    started = time.monotonic()
    taught = [crop for crop in crops if crop.label != VehicleType.UNKNOWN]
    if not taught:
        raise HeadError("there is no corrected vehicle yet: correct some types in the hut first")
    in_use = shelf.read().in_use
    features = features_of(taught, backbone)
    labels, vehicles = [crop.label for crop in taught], [crop.vehicle for crop in taught]
    samples, classes = samples_of(features, labels, groups=vehicles, prior=backbone.shipped)
    learner = Learner.of(backbone.shipped, classes, features.shape[1])
    known = np.array([crop.number <= _learnt_until(shelf, in_use) for crop in taught], bool)
    trial = tried(learner, samples, known_before=known)
    version = f"site-{now.astimezone(UTC):%Y%m%d-%H%M%S}"
    made_at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    head = Head.fit(features, labels, name=version, made_at=made_at, prior=backbone.shipped, groups=vehicles)
    report = _report(head, trial, by=by, before=in_use, until=taught[-1].number, seconds=time.monotonic() - started)
    shelf.add(head, report)
    if trial.falls and not force:
        return Adapted(report, None, "it is right less often than the one in use")
    return Adapted(report, shelf.use(version, at=made_at, by=by, why="adapted", shipped=backbone.shipped))


def features_of(crops: Sequence[LabelledCrop], backbone: Backbone) -> NDArray[np.float32]:
    """Features (n, d) of stored crops. Raises HeadError naming a crop that is no picture."""
    parts = []
    for start in range(0, len(crops), CROPS_A_RUN):
        pictures = [_picture(crop) for crop in crops[start : start + CROPS_A_RUN]]
        parts.append(backbone.features(pictures))
    return np.concatenate(parts)


def _picture(crop: LabelledCrop) -> Picture:
    picture = cv2.imdecode(np.frombuffer(crop.crop, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise HeadError(f"crop {crop.number} is no picture: correct that vehicle again, or remove its row")
    return picture


def _learnt_until(shelf: HeadShelf, version: str) -> int:
    report = shelf.read().report(version)
    return report.learnt_until if report is not None else 0


def _report(head: Head, trial: Trial, *, by: str, before: str, until: int, seconds: float) -> HeadReport:
    return HeadReport(
        version=head.provenance.name,
        made_at=head.provenance.made_at,
        by=by,
        crops=trial.after.of,
        counts=head.provenance.counts,
        learnt_until=until,
        before_version=before,
        before=round(trial.before.share, 4),
        before_interval=_interval(trial.before),
        after=round(trial.after.share, 4),
        after_interval=_interval(trial.after),
        by_type={
            kind: {"crops": after.of, "before": round(before.share, 4), "after": round(after.share, 4)}
            for kind, (before, after) in trial.by_type.items()
        },
        seconds=round(seconds, 2),
        digest=head.digest,
    )


def _interval(score: Score) -> tuple[float, float]:
    low, high = score.interval
    return round(low, 4), round(high, 4)


def summary(adapted: Adapted) -> dict[str, Any]:
    """What the command prints and the console is told."""
    report = adapted.report
    return {
        "version": report.version,
        "in_use": adapted.switch is not None,
        "why_not": adapted.why_not,
        "crops": report.crops,
        "counts": report.counts,
        "before": {"version": report.before_version, "accuracy": report.before, "interval": report.before_interval},
        "after": {"version": report.version, "accuracy": report.after, "interval": report.after_interval},
        "by_type": report.by_type,
        "seconds": report.seconds,
    }
