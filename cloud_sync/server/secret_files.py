"""Secrets in files: owns that they are readable by their owner alone, and complete or absent."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from control.domain.errors import ConfigurationError


def read_secret(path: Path) -> str | None:
    """The first line, or None where there is no file. Raises ConfigurationError when others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error
    if mode & 0o077:
        raise ConfigurationError(f"{path}: other users can read this secret. Run: chmod 600 {path}")
    return text or None


def write_secret(path: Path, text: str) -> None:
    """Writes it under a new name with mode 0600 and puts it in place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def made_secret(path: Path) -> str:
    """The secret in the file, made of 256 random bits when there is none yet."""
    found = read_secret(path)
    if found is None:
        found = secrets.token_urlsafe(32)
        write_secret(path, found)
    return found


def remove_secret(path: Path) -> None:
    """Gone, whether or not it was there."""
    path.unlink(missing_ok=True)
