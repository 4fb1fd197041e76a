"""What became of a folder's or a film's pictures: owns the counting and its summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What became of the pictures so far."""

    pictures: int = 0
    read: int = 0
    unreadable: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    picture_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        """Figures for people and for `--json`; milliseconds from the decoded picture to the journal."""
        ordered = sorted(self.picture_ms)
        return {
            "pictures": self.pictures,
            "read": self.read,
            "unreadable": self.unreadable,
            "decisions": dict(sorted(self.outcomes.items())),
            "picture_ms_p50": quantile(ordered, 0.5),
            "picture_ms_p99": quantile(ordered, 0.99),
        }


def quantile(ordered: list[float], share: float) -> float | None:
    """The value below which that share of a sorted list lies; None of an empty one."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
