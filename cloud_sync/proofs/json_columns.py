"""JSON columns as Python values: owns the one difference between drivers that hand over text and values."""

from __future__ import annotations

import json
from typing import Any


def as_json(value: Any) -> Any:
    """A JSON column as Python values; asyncpg hands it over as text."""
    return json.loads(value) if isinstance(value, str) else value
