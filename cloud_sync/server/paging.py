"""Where a page of a list ends and the next begins: owns the text of a page cursor.

Clients hand a cursor back as they got it; what it holds may change from one version to the next.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime

from cloud_sync.server.bodies import parsed_time
from cloud_sync.server.problems import Problem

CURSOR_CHARS_MAX = 300
_DIGITS_MAX = 17


def cursor_of(at: datetime, key: str) -> str:
    """The place of a row that a list sorts by time, then key."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), key]).encode()).decode()


def place_of(cursor: str | None) -> tuple[datetime | None, str]:
    """Time and key of the row behind which the page begins; None where it is the first. Raises Problem `bad_cursor`."""
    if not cursor:
        return None, ""
    try:
        match json.loads(base64.urlsafe_b64decode(cursor.encode())):
            case [str(text), str(key)] if (at := parsed_time(text)) is not None and key.isprintable():
                return at, key
    except ValueError as error:
        raise Problem("bad_cursor") from error
    raise Problem("bad_cursor")


def number_of(cursor: str | None) -> int | None:
    """The number behind which the page of a numbered list begins, None where it is the first. Raises Problem."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS_MAX):
        raise Problem("bad_cursor")
    return int(cursor)
