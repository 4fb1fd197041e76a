"""Appealing: owns the sheet where the reason is written and papers are added."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mobile.core.models.choices import Choices
from mobile.ports.pictures import Prepared
from mobile.ui.kit import Column, Field, FilledButton, OutlineButton, Row, Sheet, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.given_paper import ask_paper
from mobile.ui.screens.sending import send_from

TEXT_CHARS_MAX = 500
# While the server's own limit is not known.
PAPERS_MAX = 3


class AppealSheet(Sheet):
    """`send` sends the reason and the papers' bytes; `sent` is said then."""

    def __init__(
        self,
        screen: AppScreen,
        choices: Choices,
        send: Callable[[str, tuple[bytes, ...]], Awaitable[object]],
        *,
        sent: str,
    ) -> None:
        words = self._words = screen.words
        super().__init__(title=words("Appeal"), close_label=words("Close"), test_id="appeal-sheet")
        self._screen, self._send, self._sent = screen, send, sent
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
        self._button = FilledButton(text=words("Send"), icon="send", test_id="appeal-send")
        self._button.bind(on_release=lambda _button: screen.run(self._hand_in(), outlives=True))
        self.body.add_widget(self._button)
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

    async def _hand_in(self) -> None:
        reason = self._field.text.strip()
        if not reason:
            self._field.error = self._words("Say in a few words why.")
            return
        papers = tuple(content for _name, content in self._papers)
        if await send_from(self._screen, self, self._button, self._field, lambda: self._send(reason, papers)):
            self._screen.say(self._sent, icon="circle-check")
