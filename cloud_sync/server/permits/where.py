"""A WHERE clause of what was asked for and nothing else: owns numbering its values, so that indexes can be used."""

from __future__ import annotations

from typing import Any


class Where:
    """Conditions that all hold, with their values; a condition has `{}` or `{0}`, `{1}` in place of its own values."""

    def __init__(self, text: str, *values: Any) -> None:
        self.text = text
        self.values: list[Any] = list(values)

    def add(self, condition: str, *values: Any) -> None:
        """One more; what people typed goes into values alone."""
        first = len(self.values) + 1
        self.text += " AND " + condition.format(*(f"${first + number}" for number in range(len(values))))
        self.values += values
