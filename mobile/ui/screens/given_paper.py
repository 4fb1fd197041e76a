"""Papers that a person adds: owns asking for a photo or a file, and making it ready to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kivy.metrics import dp
from kivy.properties import NumericProperty

from mobile.core.models.choices import Choices
from mobile.ports.files import FileUnreadable, GivenFile, Kind
from mobile.ports.pictures import PictureLimits, PictureProblem, Prepared, prepared
from mobile.ui.kit import Column, OutlineButton, Row, Sheet
from mobile.ui.picture_words import picture_problem
from mobile.ui.screen import AppScreen

Take = Callable[[str, Prepared], None]


class PaperList(Column):
    """Papers that were added so far, with the button that adds one; `title` stands over the question for it.

    `button` says how many there are, by how many, and how many there may be.
    """

    count = NumericProperty(0)

    def __init__(
        self,
        screen: AppScreen,
        choices: Choices,
        *,
        title: str,
        icon: str,
        most: int,
        button: Callable[[int, int], str],
        test_id: str,
    ) -> None:
        super().__init__(spacing=dp(8))
        self._papers: list[bytes] = []
        self._icon, self._most, self._button_text = icon, most, button
        self._rows = Column()
        self._add = OutlineButton(icon="camera" if icon == "image" else "plus", compact=True, test_id=test_id)
        self._add.bind(on_release=lambda _button: ask_paper(screen, title, choices, self._taken))
        self.add_widget(self._rows)
        self.add_widget(self._add)
        self._tell()

    @property
    def contents(self) -> tuple[bytes, ...]:
        """Their bytes, as they are sent."""
        return tuple(self._papers)

    def add(self, name: str, content: bytes) -> None:
        """One more; what is too much is left out."""
        if self.count >= self._most:
            return
        self._papers.append(content)
        self.count = len(self._papers)
        self._rows.add_widget(Row(icon=self._icon, title=name, lines=1, value_icon="check", value_tone="admit"))
        self._tell()

    def _taken(self, name: str, ready: Prepared) -> None:
        self.add(name, ready.content)

    def _tell(self) -> None:
        self._add.disabled = self.count >= self._most
        self._add.text = self._button_text(self.count, self._most)


def ask_paper(screen: AppScreen, title: str, choices: Choices, take: Take) -> None:
    """Photo or file; without a camera the file is asked for at once. `take` gets its name and what is sent of it."""
    if not screen.app.ports.files.can_photograph:
        screen.run(_given(screen, choices, take, by_camera=False))
        return
    sheet = Sheet(title=title, close_label=screen.words("Close"), test_id="paper-sheet")
    for by_camera, icon, label in (
        (True, "camera", screen.words("Take a photo")),
        (False, "file", screen.words("Choose a file")),
    ):
        row = Row(icon=icon, title=label, pressable=True, test_id="paper-camera" if by_camera else "paper-file")

        def pressed(_row: Row, by_camera: bool = by_camera) -> None:
            sheet.close()
            screen.run(_given(screen, choices, take, by_camera=by_camera))

        row.bind(on_release=pressed)
        sheet.body.add_widget(row)
    sheet.open(screen)


async def _given(screen: AppScreen, choices: Choices, take: Take, *, by_camera: bool) -> None:
    files = screen.app.ports.files
    try:
        given: GivenFile | None = await (files.photograph() if by_camera else files.choose(Kind.PAPER))
    except FileUnreadable:
        screen.say(screen.words("This file cannot be read. Choose another one."), icon="file-x")
        return
    if given is None:
        return
    ready = await asyncio.to_thread(prepared, given.content, limits_of(choices))
    if isinstance(ready, PictureProblem):
        screen.say(picture_problem(screen.words, ready), icon="image")
    else:
        take(given.name, ready)


def limits_of(choices: Choices) -> PictureLimits:
    """What the server takes, as it was last heard."""
    known = choices.shown.value
    if known is None:
        return PictureLimits()
    return PictureLimits(bytes_max=known.paper_bytes_max, side_least=known.picture_side_least_px)
