"""Typing a Chinese plate: owns which characters may stand where, and the keys for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.widget import Widget

from control.domain.plates import DIGITS, LETTERS, PROVINCES
from mobile.ui.widgets.base import Column, Marked
from mobile.ui.widgets.overlay import Sheet
from mobile.ui.widgets.press import Press

# GA 36-2018: seven characters, eight on new-energy plates; the letters I and O are not used.
LENGTH, LENGTH_NEW_ENERGY = 7, 8
# What may stand last on the plates of coaches, trailers and of vehicles that cross from Hong Kong or Macau.
ENDINGS = "学挂警港澳"
COLUMNS = 7


def keys_for(text: str, *, new_energy: bool, endings: bool) -> tuple[str, str]:
    """The keys to show after this text and, of them, those that may be pressed."""
    length = LENGTH_NEW_ENERGY if new_energy else LENGTH
    if not text:
        return PROVINCES, PROVINCES
    shown = DIGITS[1:] + DIGITS[0] + LETTERS
    if len(text) == 1:
        return shown, LETTERS
    if len(text) >= length:
        return (ENDINGS if endings else shown), ""
    if endings and not new_energy:
        return ENDINGS, ENDINGS if len(text) == length - 1 else ""
    return shown, shown


class Key(Press, AnchorLayout):
    """One key; it takes touches up to the next key, so that it is wide enough for a thumb."""

    char = StringProperty("")
    icon = StringProperty("")
    text = StringProperty("")
    quiet = BooleanProperty(False)


class PlateBoxes(Marked, BoxLayout):
    """The plate's characters in boxes; an eighth one for new energy."""

    text = StringProperty("")
    new_energy = BooleanProperty(False)
    error = BooleanProperty(False)
    active = BooleanProperty(False)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        for name in ("text", "new_energy", "error", "active"):
            self.fbind(name, self._build)
        self._build()

    def _build(self, *_: object) -> None:
        length = LENGTH_NEW_ENERGY if self.new_energy else LENGTH
        if len(self.children) != length + 1:
            self.clear_widgets()
            for at in range(length):
                if at == 2:
                    self.add_widget(PlateDot())
                self.add_widget(PlateBox())
        boxes = [child for child in reversed(self.children) if isinstance(child, PlateBox)]
        for at, box in enumerate(boxes):
            box.char = self.text[at : at + 1]
            box.current = self.active and at == min(len(self.text), length - 1)
            box.bad = self.error
            box.green = self.new_energy and at == length - 1


class PlateBox(AnchorLayout):
    """One character's box."""

    char = StringProperty("")
    current = BooleanProperty(False)
    bad = BooleanProperty(False)
    green = BooleanProperty(False)


class PlateDot(Widget):
    """The dot after the second character."""


class PlateKeyboard(Column):
    """Keys for a Chinese plate: provinces first, then letters and digits.

    Events: `on_typed(text)` after each key, `on_done` when the button is pressed. Texts are given.
    """

    text = StringProperty("")
    new_energy = BooleanProperty(False)
    endings = BooleanProperty(False)
    done_text = StringProperty("")
    new_energy_text = StringProperty("")
    erase_label = StringProperty("")
    problem = StringProperty("")
    key_rows = NumericProperty(5)
    __events__ = ("on_typed", "on_done")

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        for name in ("text", "new_energy", "endings"):
            self.fbind(name, self._build)
        self._shown = ""
        self._build()

    @property
    def length(self) -> int:
        """How many characters this kind of plate has."""
        return LENGTH_NEW_ENERGY if self.new_energy else LENGTH

    def press_key(self, char: str) -> None:
        """A key was pressed."""
        if len(self.text) < self.length:
            self._change(self.text + char)

    def erase(self) -> None:
        """Take the last character back."""
        self._change(self.text[:-1])

    def on_new_energy(self, *_: object) -> None:
        self.endings = False
        if len(self.text) > self.length:
            self._change(self.text[: self.length])

    def _change(self, text: str) -> None:
        self.endings = False
        self.text = text
        self.dispatch("on_typed", text)

    def _build(self, *_: object) -> None:
        shown, allowed = keys_for(self.text, new_energy=self.new_energy, endings=self.endings)
        grid: GridLayout = self.ids.key_grid
        if shown != self._shown:
            self._shown = shown
            grid.clear_widgets()
            for char in shown:
                key = Key(char=char, text=char, label=char, test_id=f"key-{char}")
                key.bind(on_release=lambda pressed: self.press_key(pressed.char))
                grid.add_widget(key)
            for _ in range(COLUMNS * int(self.key_rows) - len(shown) - 1):
                grid.add_widget(Widget(size_hint_y=None, height=dp(50)))
            erase = Key(icon="delete", label=self.erase_label, quiet=True, test_id="key-erase")
            erase.bind(on_release=lambda _: self.erase())
            grid.add_widget(erase)
        for key in grid.children:
            if isinstance(key, Key):
                key.disabled = not (key.char in allowed if key.char else self.text)

    def on_typed(self, text: str) -> None:
        """The text changed by a key."""

    def on_done(self) -> None:
        """The button below the keys was pressed."""


class PlateField(Press, Column):
    """A plate to type: boxes that open the keyboard in a sheet.

    Give the texts; `check(text, new_energy)` says in a sentence what is wrong with a whole plate, or nothing.
    """

    field_label = StringProperty("")
    text = StringProperty("")
    new_energy = BooleanProperty(False)
    helper = StringProperty("")
    error = StringProperty("")
    sheet_title = StringProperty("")
    done_text = StringProperty("")
    new_energy_text = StringProperty("")
    erase_label = StringProperty("")
    opened = BooleanProperty(False)
    __events__ = ("on_typed", "on_leave")

    def __init__(self, check: Callable[[str, bool], str] | None = None, **given: object) -> None:
        super().__init__(**given)
        self._check = check

    def on_release(self) -> None:
        """Open the keyboard."""
        keyboard = PlateKeyboard(
            text=self.text,
            new_energy=self.new_energy,
            done_text=self.done_text,
            new_energy_text=self.new_energy_text,
            erase_label=self.erase_label,
            test_id="plate-keyboard",
        )
        sheet = Sheet(title=self.sheet_title, test_id="plate-sheet")
        sheet.body.padding = [dp(6), dp(4), dp(6), dp(20)]
        sheet.body.add_widget(keyboard)
        keyboard.bind(
            on_typed=lambda _keyboard, text: self._take(keyboard),
            new_energy=lambda *_: self._take(keyboard),
            on_done=lambda _: sheet.close(),
        )
        sheet.bind(on_closed=lambda _: self._left())
        self.opened = True
        sheet.open(self)

    def _take(self, keyboard: PlateKeyboard) -> None:
        self.text, self.new_energy = keyboard.text, keyboard.new_energy
        is_whole = len(keyboard.text) == keyboard.length
        keyboard.problem = self._check(keyboard.text, keyboard.new_energy) if self._check and is_whole else ""
        self.dispatch("on_typed", self.text)

    def _left(self) -> None:
        self.opened = False
        self.dispatch("on_leave")

    def on_typed(self, text: str) -> None:
        """The plate changed by a key."""

    def on_leave(self) -> None:
        """The keyboard was closed: the moment to check the plate."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
