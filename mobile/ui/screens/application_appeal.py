"""Appealing: owns the sheet where the reason is written and papers are added."""

from __future__ import annotations

from collections.abc import Callable

from mobile.core.models.choices import Choices
from mobile.ports.pictures import Prepared
from mobile.ui.kit import Column, Field, FilledButton, OutlineButton, Row, Sheet, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.given_paper import ask_paper

TEXT_CHARS_MAX = 500
# While the server's own limit is not known.
PAPERS_MAX = 3


class AppealSheet(Sheet):
    """`send` is called with the reason and the papers' bytes."""

    def __init__(self, screen: AppScreen, choices: Choices, send: Callable[[str, tuple[bytes, ...]], None]) -> None:
        words = self._words = screen.words
        super().__init__(title=words("Appeal"), close_label=words("Close"), test_id="appeal-sheet")
        self._screen, self._choices, self._send = screen, choices, send
        self._papers: list[tuple[str, bytes]] = []
        known = choices.shown.value
        self._most = PAPERS_MAX if known is None else known.appeal_papers_max
        text = words("Somebody else than who decided looks at it again.")
        self.body.add_widget(Text(text=text, tone="ink2"))
        self._field = Field(label=words("Why should it be decided otherwise?"), multiline=True, test_id="appeal-text")
        self._field.max_chars = TEXT_CHARS_MAX
        self.body.add_widget(self._field)
        self._list = Column()
        self.body.add_widget(self._list)
        self._add = OutlineButton(icon="plus", compact=True, test_id="appeal-paper")
        self._add.bind(on_release=lambda _button: ask_paper(screen, words("Paper"), choices, self._taken))
        self.body.add_widget(self._add)
        button = FilledButton(text=words("Send"), icon="send", test_id="appeal-send")
        button.bind(on_release=lambda _button: self._hand_in())
        self.body.add_widget(button)
        self._tell()

    def _taken(self, name: str, ready: Prepared) -> None:
        if len(self._papers) < self._most:
            self._papers.append((name, ready.content))
        self._tell()

    def _tell(self) -> None:
        self._list.clear_widgets()
        for name, _content in self._papers:
            self._list.add_widget(Row(icon="file-text", title=name, lines=1))
        self._add.disabled = len(self._papers) >= self._most
        self._add.text = self._words("Add a paper ({n} of {most})", n=len(self._papers), most=self._most)

    def _hand_in(self) -> None:
        reason = self._field.text.strip()
        if not reason:
            self._field.error = self._words("Say in a few words why.")
            return
        self.close()
        self._send(reason, tuple(content for _name, content in self._papers))
