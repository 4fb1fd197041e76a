"""Files that a person gives: owns what can be asked for, what comes back, and the Protocol of choosing one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from control.domain.errors import IslandError

# More is not read into memory: the server takes far less, and a photo of a phone has some 10 MB.
FILE_BYTES_MAX = 64 * 1024 * 1024


class Kind(StrEnum):
    """What is asked for: a picture, or a paper (a picture or a PDF)."""

    PICTURE = "picture"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class GivenFile:
    """What a person chose or photographed."""

    name: str
    content: bytes = field(repr=False)


class FileUnreadable(IslandError):
    """The chosen file is gone, too large to be read, or may not be read; the app says so and asks for another."""


class Files(Protocol):
    """Asks a person for a file."""

    @property
    def can_photograph(self) -> bool:
        """Whether `photograph` can give something."""
        ...

    async def choose(self, kind: Kind) -> GivenFile | None:
        """A file of the person's; None when they went back. Raises FileUnreadable."""
        ...

    async def photograph(self) -> GivenFile | None:
        """A photo that is taken now; None when they went back. Raises FileUnreadable."""
        ...
