"""The versions of the models on one gateway: owns their folder, which one is in use, and the way back.

`""` is the version that came with the program (or that `vision.models_dir` names); it is never written here. Which
version is in use is one small file, replaced whole, so that a power cut leaves either the old one or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from control.domain.errors import DeviceError
from vision.bundle import GOLDEN, MODELS

SHIPPED = ""
# Besides the version in use and the one before it, so many stay for a later look.
KEPT_VERSIONS_MAX = 3


class ModelShelfError(DeviceError):
    """The versions on this gateway do not allow what was asked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in use since when, where a step back leads, and which versions failed and why.

    `newest_made_at` is when the newest update that was ever installed was made (ISO 8601, UTC).
    """

    in_use: str = SHIPPED
    before: str = SHIPPED
    since: str = ""
    newest_made_at: str = ""
    failed: dict[str, str] = field(default_factory=dict)


def shown(version: str) -> str:
    """A version's name for people."""
    return version or "shipped"


class ModelShelf:
    """The folder `root`. The gateway reads while the command line writes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pointer = root / "current.json"

    def read(self) -> Standing:
        """Which version is in use; the shipped one where nothing was ever installed. Raises ModelShelfError."""
        try:
            return Standing(**json.loads(self._pointer.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Standing()
        except (OSError, ValueError, TypeError) as error:
            raise ModelShelfError(
                f"{self._pointer} cannot be read ({error}): remove it to go back to the shipped models"
            ) from error

    def models_dir(self, version: str, shipped: Path | None) -> Path | None:
        """The folder with the models of a version; None stands for those of the program."""
        return shipped if version == SHIPPED else self.folder(version) / MODELS

    def golden_dir(self, version: str) -> Path:
        """The golden pictures that came with a version."""
        return self.folder(version) / GOLDEN

    def folder(self, version: str) -> Path:
        """Where a version lies."""
        return self._root / "versions" / version

    def versions(self) -> tuple[str, ...]:
        """Every installed version by name."""
        folder = self._root / "versions"
        return tuple(sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))) if folder.is_dir() else ()

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A place for a version that is being unpacked; gone again unless it was put on the shelf."""
        place = self._root / "versions" / f".receiving-{os.getpid()}"
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def put(self, place: Path, version: str) -> None:
        """Give what was received its place under its name; one of the same name that is not in use gives way."""
        with self._locked():
            if version == self.read().in_use:
                raise ModelShelfError(f"The version {version} is in use already.")
            shutil.rmtree(self.folder(version), ignore_errors=True)
            place.rename(self.folder(version))
            _flush_folder(self.folder(version).parent)

    def use(self, version: str, *, at: str, made_at: str = "") -> Standing:
        """Switch to a version, and remember the one before. Raises ModelShelfError when it is not there."""
        with self._locked():
            standing = self.read()
            if version != SHIPPED and not self.folder(version).is_dir():
                raise ModelShelfError(f"There is no version {version!r}; there are {', '.join(self.versions())}.")
            failed = {name: why for name, why in standing.failed.items() if name != version}
            newest = max(standing.newest_made_at, made_at)
            fresh = Standing(version, standing.in_use, at, newest, failed)
            self._write(fresh)
            self._tidy(fresh)
            return fresh

    def back(self, *, at: str, failed: str = "") -> Standing:
        """Return to the version before; the one in use is marked when it `failed`, and why.

        The shipped models take the place of a version before that has failed itself or is gone.
        """
        with self._locked():
            standing = self.read()
            if standing.in_use == SHIPPED:
                raise ModelShelfError("The shipped models are in use; there is no way further back.")
            usable = standing.before not in standing.failed and self.folder(standing.before).is_dir()
            to = standing.before if usable else SHIPPED
            marks = standing.failed | ({standing.in_use: failed} if failed else {})
            fresh = replace(standing, in_use=to, before=SHIPPED, since=at, failed=marks)
            self._write(fresh)
            return fresh

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, standing: Standing) -> None:
        fresh = self._pointer.with_name(f".{self._pointer.name}.new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(standing), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._pointer)
        _flush_folder(self._root)

    def _tidy(self, standing: Standing) -> None:
        """Remove the versions that nobody is likely to return to."""
        spare = [name for name in self.versions() if name not in (standing.in_use, standing.before)]
        spare.sort(key=lambda name: self.folder(name).stat().st_mtime, reverse=True)
        for name in spare[KEPT_VERSIONS_MAX:]:
            with suppress(OSError):
                shutil.rmtree(self.folder(name))


def _flush_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
