"""The versions of the classifier's head on one gateway: owns their folder, which one is in use, and the way back.

`shipped` is the head that comes with the models and is never written here. A version that learnt on site is one file
of its own with the report of its trial beside it; which one is in use is one small file that is replaced whole.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from control.domain.errors import DeviceError
from vision.head import Head

SHIPPED = "shipped"
HEADS_FOLDER = "heads"
HISTORY_MAX = 50
VERSIONS_MAX = 200


class HeadShelfError(DeviceError):
    """The versions on this gateway do not allow what was asked; the text says what they do allow."""


@dataclass(frozen=True, slots=True)
class HeadReport:
    """What a version learnt from and how it did. Shares are 0 to 1; `learnt_until` is the last crop's number.

    `before` and `after` are judged on the same crops by cross-validation; `before_version` was in use then.
    """

    version: str
    made_at: str
    by: str
    crops: int
    counts: dict[str, int]
    learnt_until: int
    before_version: str
    before: float
    before_interval: tuple[float, float]
    after: float
    after_interval: tuple[float, float]
    by_type: dict[str, dict[str, Any]]
    seconds: float
    digest: str


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of the version in use."""

    at: str
    by: str
    was: str
    now: str
    why: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What stands on it: the version in use, where a step back leads, and the reports of all, newest first."""

    in_use: str
    before: str | None
    versions: tuple[HeadReport, ...]
    history: tuple[Switch, ...] = field(default=())

    def report(self, version: str) -> HeadReport | None:
        """The report of a version; None for the shipped one and for one that is not there."""
        return next((report for report in self.versions if report.version == version), None)


class HeadShelf:
    """The folder `root`. The gateway reads while the command line writes: every file appears whole."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self) -> Shelf:
        """What stands on it now. Raises HeadShelfError when the file that says what is in use is damaged."""
        state = self._state()
        reports = sorted(self._reports(), key=lambda report: report.version, reverse=True)
        trail = state["trail"]
        history = tuple(Switch(**switch) for switch in state["history"])
        return Shelf(trail[-1], trail[-2] if len(trail) > 1 else None, tuple(reports), history)

    @property
    def stamp(self) -> int:
        """Changes whenever another version is put in use; 0 before the first time."""
        try:
            return self._state_path.stat().st_mtime_ns
        except OSError:
            return 0

    def load(self, version: str, shipped: Head) -> Head:
        """One version, whole and made from this very shipped head. Raises ConfigurationError, HeadShelfError."""
        if version == SHIPPED:
            return shipped
        self._known(version)
        head = Head.load(self._head_path(version))
        if head.provenance.parent != shipped.digest:
            raise HeadShelfError(
                f"head {version} was made from other models than the ones here: adapt again, or use {SHIPPED}"
            )
        return head

    # ------------------------------------------------------------------------------------------------------ changing

    def add(self, head: Head, report: HeadReport) -> None:
        """Put a new version on the shelf; it is not in use by that. Raises HeadShelfError."""
        with self._locked():
            if len(self._reports()) >= VERSIONS_MAX:
                raise HeadShelfError(f"{self.root} holds {VERSIONS_MAX} versions: remove old ones first")
            if self._report_path(report.version).exists():
                raise HeadShelfError(f"head {report.version} is there already: try again in a second")
            head.save(self._head_path(report.version))
            _replace(self._report_path(report.version), asdict(report))

    def use(self, version: str, *, at: str, by: str, why: str, shipped: Head) -> Switch:
        """Put a version in use. Raises HeadShelfError, or ConfigurationError when its file is damaged."""
        with self._locked():
            state = self._state()
            self.load(version, shipped)
            was = state["trail"][-1]
            if was == version:
                raise HeadShelfError(f"head {version} is in use already")
            return self._switch(state, [*state["trail"], version], Switch(at, by, was, version, why))

    def roll_back(self, *, at: str, by: str, shipped: Head) -> Switch:
        """Return to the version that was in use before. Raises HeadShelfError, or ConfigurationError."""
        with self._locked():
            state = self._state()
            if len(state["trail"]) < 2:
                raise HeadShelfError(f"there is no version before {state['trail'][-1]}")
            was, now = state["trail"][-1], state["trail"][-2]
            self.load(now, shipped)
            return self._switch(state, state["trail"][:-1], Switch(at, by, was, now, "rolled back"))

    def _switch(self, state: dict[str, Any], trail: list[str], switch: Switch) -> Switch:
        history = [*state["history"], asdict(switch)][-HISTORY_MAX:]
        _replace(self._state_path, {"trail": trail[-HISTORY_MAX:], "history": history})
        return switch

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, over all processes."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HeadShelfError(f"{self.root}: {error.strerror or error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise HeadShelfError(f"{self.root}: {error.strerror or error}; free some disk space") from error
        finally:
            os.close(handle)

    # --------------------------------------------------------------------------------------------------------- files

    @property
    def _state_path(self) -> Path:
        return self.root / "in_use.json"

    def _head_path(self, version: str) -> Path:
        return self.root / f"{version}.npz"

    def _report_path(self, version: str) -> Path:
        return self.root / f"{version}.json"

    def _known(self, version: str) -> None:
        known = {report.version for report in self._reports()}
        if version not in known:
            there = ", ".join([*sorted(known, reverse=True)[:5], SHIPPED])
            raise HeadShelfError(f"there is no head {version!r}; there are {there}")

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
            trail = [str(version) for version in state["trail"]]
            history = [asdict(Switch(**switch)) for switch in state["history"]]
        except FileNotFoundError:
            return {"trail": [SHIPPED], "history": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HeadShelfError(f"{self._state_path} is damaged: remove it to return to the shipped head") from error
        return {"trail": trail or [SHIPPED], "history": history}

    def _reports(self) -> list[HeadReport]:
        found = []
        for path in self.root.glob("site-*.json"):
            try:
                values = json.loads(path.read_text(encoding="utf-8"))
                intervals = {name: tuple(values[name]) for name in ("before_interval", "after_interval")}
                found.append(HeadReport(**{**values, **intervals}))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise HeadShelfError(f"{path} is damaged: remove it and its head") from error
        return found


def _replace(path: Path, value: dict[str, Any]) -> None:
    """Write JSON so that the file is there whole or not at all."""
    beside = path.with_suffix(f".{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
