"""Saying that a trip is not right: owns the sheet where that is written."""

from __future__ import annotations

from collections.abc import Callable

from mobile.core.words import Words
from mobile.ui.kit import Field, FilledButton, Sheet, Text

TEXT_CHARS_MAX = 500


class AppealSheet(Sheet):
    """`send` is called with what was typed. `is_refusal`: another person than who refused decides."""

    def __init__(self, words: Words, *, is_refusal: bool, send: Callable[[str], None]) -> None:
        super().__init__(title=words("Not right? Tell us"), close_label=words("Close"), test_id="appeal-sheet")
        self._words, self._send = words, send
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
        button = FilledButton(text=words("Send"), icon="send", test_id="appeal-send")
        button.bind(on_release=lambda _button: self._hand_in())
        self.body.add_widget(button)

    def _hand_in(self) -> None:
        text = self._field.text.strip()
        if not text:
            self._field.error = self._words("Say in a few words what is not right.")
            return
        self.close()
        self._send(text)
