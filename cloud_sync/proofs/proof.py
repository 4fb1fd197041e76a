"""What a proof says: owns the result that the checks of every book share, and how far one tells that it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Told how many more entries were checked.
Looked = Callable[[int], None]


def unheard(_: int) -> None:
    """Nobody waits for the proof."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One book. `broken_seq` is the first entry that does not hold, or 0 for what stands beside the chain.

    `head_hash` is the hexadecimal head of the entries that were read.
    """

    book: str
    rows: int
    head_hash: str
    broken_seq: int | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.broken_seq is None
