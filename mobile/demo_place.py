"""Where a demonstration runs on this machine: owns the note that it leaves, so that the app finds it by itself.

The note holds a password that is good for this demonstration alone; only its writer's user can read it.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """A demonstration that runs: its cloud, the password of all its accounts, its process."""

    url: str
    password: str
    pid: int

    def account(self, role: str) -> tuple[str, str]:
        """Sign-in name and password for one role."""
        return f"demo-{role}", self.password


def note_path() -> Path:
    """One note a user; a later demonstration replaces an earlier one's."""
    folder = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(folder) / f"island-demo-{os.getuid()}.json"


@contextmanager
def announced(place: DemoPlace) -> Iterator[None]:
    """Leave the note while the demonstration runs."""
    path = note_path()
    beside = path.with_suffix(f".{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(place), file)
    beside.replace(path)
    try:
        yield
    finally:
        if _read(path) == place:
            path.unlink(missing_ok=True)


def running() -> DemoPlace | None:
    """The demonstration that runs now; None without one. A note of another user is not believed."""
    place = _read(note_path())
    return place if place is not None and _is_alive(place.pid) else None


def _read(path: Path) -> DemoPlace | None:
    with suppress(OSError, ValueError, TypeError, KeyError):
        with path.open(encoding="utf-8") as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077:
                return None
            note = json.load(file)
        return DemoPlace(url=str(note["url"]), password=str(note["password"]), pid=int(note["pid"]))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
