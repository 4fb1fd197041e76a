"""Sealing of ledgers: owns the bytes that are hashed and how one row follows another, for every book.

A hash is SHA-256 over the head before it and the row's canonical bytes, so that a changed, lost or moved row is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

# What is sealed is plain text, numbers and lists of them: looking for circles costs a third of the time and finds none.
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)


def genesis(kind: str, name: str) -> bytes:
    """Head of a book without rows; another kind or name has another one."""
    return sha256(f"island/{kind}/v1/{name}".encode()).digest()


def canonical(fields: Mapping[str, object] | Sequence[object]) -> bytes:
    """JSON with sorted keys and no spaces. Raises UnicodeEncodeError for text that is no Unicode."""
    return _JSON.encode(fields).encode()


def sealed(prev_hash: bytes, row: bytes) -> bytes:
    """The head after a row."""
    return sha256(prev_hash + row).digest()


def utc_text(at: datetime) -> str:
    """An aware time in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def unwritable(texts: Iterable[str]) -> str | None:
    """Why texts cannot be written as UTF-8; None where they can."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        return error.reason
    return None
