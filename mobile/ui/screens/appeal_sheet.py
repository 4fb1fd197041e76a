"""Appealing, of visitors and of drivers: owns the sheet where they write why; it stays open until that was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kivy.uix.widget import Widget

from mobile.ui.kit import Field, FilledButton, Sheet, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.sending import send_from

TEXT_CHARS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealWords:
    """What the sheet says: `missing` where nothing was written, `sent` once it was taken."""

    title: str
    text: str
    label: str
    helper: str = ""
    missing: str
    sent: str


class AppealSheet(Sheet):
    """`send` sends what was written; `papers` is where papers are added, if they can be."""

    def __init__(
        self,
        screen: AppScreen,
        said: AppealWords,
        send: Callable[[str], Awaitable[object]],
        *,
        papers: Widget | None = None,
    ) -> None:
        super().__init__(title=said.title, close_label=screen.words("Close"), test_id="appeal-sheet")
        self._screen, self._said, self._send = screen, said, send
        self.body.add_widget(Text(text=said.text, tone="ink2"))
        self._field = Field(label=said.label, helper=said.helper, multiline=True, test_id="appeal-text")
        self._field.max_chars = TEXT_CHARS_MAX
        self._field.bind(on_typed=lambda field, _text: setattr(field, "error", ""))
        self.body.add_widget(self._field)
        if papers is not None:
            self.body.add_widget(papers)
        self._button = FilledButton(text=screen.words("Send"), icon="send", test_id="appeal-send")
        self._button.bind(on_release=lambda _button: screen.run(self._hand_in(), outlives=True))
        self.body.add_widget(self._button)

    async def _hand_in(self) -> None:
        text = self._field.text.strip()
        if not text:
            self._field.error = self._said.missing
            return
        if await send_from(self._screen, self, self._button, self._field, lambda: self._send(text)):
            self._screen.say(self._said.sent, icon="circle-check")
