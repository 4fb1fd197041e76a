"""What a person asks of a lane: owns the words of the question and of the answer, wherever it came from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from control.domain.passages import Outcome
from control.gate.lane import GuardAction


class Source(StrEnum):
    """Where a person sat. The hut ranks before the console."""

    HUT = "hut"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardChoice:
    """A decision about a held arrival, or (`arrival_id` None) an order to the barrier itself."""

    action: GuardAction
    arrival_id: str | None
    by: str
    source: Source
    reason_code: str
    note: str = ""
    corrected_plate: str | None = None
    permit_id: str | None = None
    command_id: str | None = None

    @property
    def outcome(self) -> Outcome:
        """What the record will say."""
        if self.action in (GuardAction.REFUSE, GuardAction.CLOSE):
            return Outcome.REFUSE
        return Outcome.ADMIT_UNDER_PERMIT if self.permit_id else Outcome.ADMIT


class Answer(StrEnum):
    """What became of a choice."""

    DONE = "done"
    GONE = "gone"
    ALREADY_DECIDED = "already_decided"
    BARRIER_UNAVAILABLE = "barrier_unavailable"
    NOT_NOW = "not_now"
    JOURNAL_FULL = "journal_full"


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice on its way through one turn of the lane."""

    choice: GuardChoice
    answer: asyncio.Future[Answer]

    def reply(self, answer: Answer) -> None:
        """Tell who asked, unless they no longer wait."""
        if not self.answer.done():
            self.answer.set_result(answer)
