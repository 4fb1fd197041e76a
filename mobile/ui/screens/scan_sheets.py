"""What comes over the camera: owns the sheet of a result, and the sheet where a code is typed."""

from __future__ import annotations

from collections.abc import Callable

from kivy.clock import Clock
from kivy.metrics import dp

from mobile.core.models.scan_codes import as_typed
from mobile.core.models.scan_words import Told
from mobile.core.words import Words
from mobile.ui.kit import Across, Column, Field, FilledButton, IconTile, QuietButton, Sheet, Text

# Ten or sixteen characters with their hyphens, or a whole code that somebody reads aloud.
TYPED_CHARS_MAX = 48


class ResultSheet(Sheet):
    """What came of one code: its figure, a title, a sentence, and what can be done next."""

    def __init__(self, words: Words, told: Told, *, then: Callable[[str], None], actions: tuple[str, ...]) -> None:
        """`actions` are of `again`, `trip`, `type`, `appeal`; `then` is called with the one that is chosen."""
        super().__init__(close_label=words("Close"), test_id="scan-result")
        self._words, self._then = words, then
        self._head = Column(spacing=dp(6), padding=(0, 0, 0, dp(8)))
        self.body.add_widget(self._head)
        self.tell(told)
        for number, action in enumerate(actions):
            self.body.add_widget(self._button(action, number))

    def tell(self, told: Told) -> None:
        """Another result in the same sheet, when the answer came meanwhile."""
        self._head.clear_widgets()
        mark = Across(spacing=dp(14))
        mark.add_widget(IconTile(icon=told.icon, tone=told.tone, ground=f"{told.tone}soft", tile_dp=56, size_dp=28))
        title = Column(pos_hint={"center_y": 0.5})
        title.add_widget(Text(text=told.title, style="lead", test_id="scan-result-title"))
        mark.add_widget(title)
        if told.figure:
            mark.add_widget(_figure(self._words, told))
        self._head.add_widget(mark)
        if told.text:
            self._head.add_widget(Text(text=told.text, tone="ink2", test_id="scan-result-text"))

    def _button(self, action: str, number: int) -> FilledButton | QuietButton:
        texts = {
            "again": (self._words("Scan another"), "scan-qr-code"),
            "trip": (self._words("Show my trips"), "route"),
            "type": (self._words("Type the code"), "keyboard"),
            "appeal": (self._words("Not right? Tell us"), ""),
        }
        text, icon = texts[action]
        made = (FilledButton if number == 0 else QuietButton)(text=text, icon=icon, test_id=f"scan-result-{action}")
        made.bind(on_release=lambda _button: self._chosen(action))
        return made

    def _chosen(self, action: str) -> None:
        self.close()
        self._then(action)


def _figure(words: Words, told: Told) -> Column:
    """The points, large, with their unit below."""
    figure = Text(text=told.figure, style="number", tone=told.tone, fit=True, test_id="scan-result-figure")
    unit = Text(text=words("points"), style="small", tone="ink3", fit=True)
    column = Column(size_hint_x=None, pos_hint={"center_y": 0.5})
    for one in (figure, unit):
        one.pos_hint = {"right": 1}
        column.add_widget(one)
    figure.bind(width=lambda _text, width: setattr(column, "width", max(width, unit.width)))
    column.width = max(figure.width, unit.width)
    return column


class TypeSheet(Sheet):
    """A code typed by hand; groups of five are made while it is typed."""

    def __init__(self, words: Words, *, then: Callable[[str], str]) -> None:
        """`then` takes the text and gives what is wrong with it, empty when it was taken."""
        super().__init__(title=words("Type the code"), close_label=words("Close"), test_id="type-sheet")
        self._then = then
        self.body.add_widget(Text(text=words("It stands below the square code on the device."), tone="ink2"))
        self._field = Field(
            label=words("Code"),
            hint="7K3QX-9F2M1",
            helper=words("10 characters on a board, 16 on a machine. Capitals do not matter."),
            max_chars=TYPED_CHARS_MAX,
            test_id="typed-code",
        )
        self._field.bind(on_typed=self._typed, on_enter=lambda _field: self._hand_in())
        self.body.add_widget(self._field)
        button = FilledButton(text=words("Hand in"), icon="check", test_id="typed-hand-in")
        button.bind(on_release=lambda _button: self._hand_in())
        self.body.add_widget(button)

    def enter(self) -> None:
        """The keyboard comes with it."""
        super().enter()
        Clock.schedule_once(lambda _elapsed_s: setattr(self._field, "focus", True))

    def _typed(self, _field: Field, text: str) -> None:
        """Groups; only while the cursor is at the end, so that a correction in the middle is left in peace."""
        self._field.error = ""
        entry = self._field.input
        grouped = as_typed(text)
        if entry.cursor_index() == len(text) and grouped != text and not text.endswith("-"):
            entry.text = grouped
            entry.cursor = entry.get_cursor_from_index(len(grouped))

    def _hand_in(self) -> None:
        problem = self._then(self._field.text)
        self._field.error = problem
        if not problem:
            self.close()
