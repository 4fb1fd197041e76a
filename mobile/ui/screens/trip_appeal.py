"""Saying that a trip is not right: owns what that sheet says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mobile.ui.screen import AppScreen
from mobile.ui.screens import appeal_sheet
from mobile.ui.screens.appeal_sheet import AppealWords


class AppealSheet(appeal_sheet.AppealSheet):
    """`send` sends what was typed; `sent` is said then. `is_refusal`: another person than who refused decides."""

    def __init__(
        self, screen: AppScreen, *, is_refusal: bool, send: Callable[[str], Awaitable[object]], sent: str
    ) -> None:
        words = screen.words
        if is_refusal:
            text = words("Somebody else than who decided looks at it again.")
        else:
            text = words("Points that were counted stay until a person has looked at it.")
        said = AppealWords(
            title=words("Not right? Tell us"),
            text=text,
            label=words("What is not right?"),
            helper=words("Where you were, when, and what should have counted."),
            missing=words("Say in a few words what is not right."),
            sent=sent,
        )
        super().__init__(screen, said, send)
