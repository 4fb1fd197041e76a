"""The lane's message display: owns the words for the driver, and that a display never delays a barrier."""

from __future__ import annotations

import structlog

from control.domain.errors import DeviceError
from control.domain.passages import Outcome
from control.gate.reasons import REASONS
from edge.ports import Clock, Display, LampColour
from edge.slots import Slot

log = structlog.get_logger(__name__)

TEXT_CHARACTERS = 40
PASS_CODES = "pass_"
WORDS: dict[str, tuple[str, LampColour]] = {
    "blank": ("", LampColour.NONE),
    "wait": ("请稍候，值班员在看 Please wait", LampColour.AMBER),
    "barrier_unavailable": ("请稍候，栏杆在检修 Please wait", LampColour.AMBER),
    Outcome.ADMIT.value: ("欢迎 Welcome", LampColour.GREEN),
    Outcome.ADMIT_UNDER_PERMIT.value: ("许可有效，欢迎 Welcome", LampColour.GREEN),
    Outcome.REFUSE.value: ("不能进入，请倒车 No entry", LampColour.RED),
}


def words_of(code: str) -> tuple[str, LampColour]:
    """Text and colour of a message code; a reason shows its sentence in red, one about a pass may still be mended."""
    known = WORDS.get(code)
    if known is not None:
        return known
    colour = LampColour.AMBER if code.startswith(PASS_CODES) else LampColour.RED
    return reason_words(code)[0][:TEXT_CHARACTERS], colour


def reason_words(code: str) -> tuple[str, str]:
    """A reason in Chinese and English; a code of newer rules stands for itself."""
    return next((words for known, words in REASONS.items() if known == code), (code, code))


class DisplayBoard:
    """Shows the newest message in its own time; messages in between are dropped."""

    def __init__(self, display: Display | None, clock: Clock, *, lane_id: str) -> None:
        self._display, self._clock, self._lane_id = display, clock, lane_id
        self._next: Slot[str] = Slot()
        self.shown_code = "blank"
        self.works = True

    def show(self, code: str) -> None:
        """Ask for a message."""
        self.shown_code = code
        self._next.put(code)

    async def run(self) -> None:
        """Show until cancelled."""
        while True:
            code = await self._next.take()
            if self._display is not None:
                await self._show(self._display, code)

    async def _show(self, display: Display, code: str) -> None:
        try:
            await display.show(*words_of(code))
        except DeviceError as error:
            if self.works:
                log.warning("display lost", lane=self._lane_id, why=str(error))
            self.works = False
        else:
            if not self.works:
                log.info("display back", lane=self._lane_id)
            self.works = True
