"""Papers that the app gives to a person: owns what may become of one, and the Protocol of handing it over."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol

from control.domain.errors import IslandError

PDF, JSON = "application/pdf", "application/json"


class Handed(StrEnum):
    """`LIES`: it lies where the app put it, and the person can get there. `GIVEN`: it is where they wanted it.

    `LEFT`: they went back without choosing a place.
    """

    LIES = "lies"
    GIVEN = "given"
    LEFT = "left"


class PaperNotGiven(IslandError):
    """The chosen place does not take it, or the system has no page for choosing one; the app says so."""


class Papers(Protocol):
    """Gives a paper to the person."""

    async def hand_over(self, path: Path, media_type: str) -> Handed:
        """The file at `path`, as the person wants to have it. Raises PaperNotGiven."""
        ...
