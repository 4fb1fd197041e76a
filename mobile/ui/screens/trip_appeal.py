"""Saying that a trip is not right: owns the sheet where that is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mobile.ui.kit import Field, FilledButton, Sheet, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.sending import send_from

TEXT_CHARS_MAX = 500


class AppealSheet(Sheet):
    """`send` sends what was typed; `sent` is said then. `is_refusal`: another person than who refused decides."""

    def __init__(
        self, screen: AppScreen, *, is_refusal: bool, send: Callable[[str], Awaitable[object]], sent: str
    ) -> None:
        words = self._words = screen.words
        super().__init__(title=words("Not right? Tell us"), close_label=words("Close"), test_id="appeal-sheet")
        self._screen, self._send, self._sent = screen, send, sent
        if is_refusal:
            text = words("Somebody else than who decided looks at it again.")
        else:
            text = words("Points that were counted stay until a person has looked at it.")
        self.body.add_widget(Text(text=text, tone="ink2"))
        self._field = Field(
            label=words("What is not right?"),
            helper=words("Where you were, when, and what should have counted."),
            multiline=True,
            max_chars=TEXT_CHARS_MAX,
            test_id="appeal-text",
        )
        self.body.add_widget(self._field)
        self._button = FilledButton(text=words("Send"), icon="send", test_id="appeal-send")
        self._button.bind(on_release=lambda _button: self._screen.run(self._hand_in(), outlives=True))
        self.body.add_widget(self._button)

    async def _hand_in(self) -> None:
        text = self._field.text.strip()
        if not text:
            self._field.error = self._words("Say in a few words what is not right.")
            return
        if await send_from(self._screen, self, self._button, self._field, lambda: self._send(text)):
            self._screen.say(self._sent, icon="circle-check")
