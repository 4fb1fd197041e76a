"""A signed message kept as it came, to be verified again when loaded: owns writing it complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def stored(path: Path) -> bytes | None:
    """The bytes; None where there are none. Raises OSError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def store(path: Path, payload: bytes) -> None:
    """Written beside, flushed, renamed, folder flushed. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    with fresh.open("wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _flush_folder(path.parent)


def forget(path: Path) -> None:
    """Away with it; nothing where there is none. Raises OSError."""
    path.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
