"""Inside a process of its own: touches widgets in a real window and says of each act whether it went as it should.

`python widget_acts.py FOLDER [ACT ...]` writes one JSON line an act: its name, and an empty string or what went wrong.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mobile.ui import window

FRAMES_MAX = 6000
# A touch target of the design, less what rounding to pixels may take.
TARGET_DP = 47.9
LANGUAGES: dict[str, Callable[[str, str], str]] = {"zh": lambda zh, en: zh, "en": lambda zh, en: en}


class Hand:
    """A finger and a keyboard on the window, frame by frame."""

    def __init__(self) -> None:
        from kivy.core.window import Window

        from benchmarks._finger import Finger

        self.window, self.finger = Window, Finger()

    def frames(self, count: int = 4) -> None:
        """What Kivy's loop does for a frame, all but the drawing: nothing here looks at the pixels in between."""
        from kivy.base import EventLoop
        from kivy.clock import Clock
        from kivy.lang import Builder

        for _ in range(count):
            Clock.tick()
            EventLoop.dispatch_input()
            Builder.sync()
            Clock.tick_draw()
            Builder.sync()

    def drawn(self) -> Any:
        """The window's picture."""
        from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels
        from PIL import Image

        taken: list[bytes] = []

        def read_back(*_: Any) -> None:
            taken.append(glReadPixels(0, 0, *self.window.size, GL_RGBA, GL_UNSIGNED_BYTE))

        self.window.bind(on_flip=read_back)
        self.window.dispatch("on_draw")
        self.window.dispatch("on_flip")
        self.window.unbind(on_flip=read_back)
        picture = Image.frombytes("RGBA", self.window.size, taken[0]).convert("RGB")
        return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        for _ in range(FRAMES_MAX):
            if holds():
                return
            self.frames(1)
        raise AssertionError(f"never came: {what}")

    def path(self, *points: tuple[float, float]) -> None:
        self.finger.put("begin", *points[0])
        for point in points[1:]:
            self.finger.put("update", *point)
        self.finger.put("end", *points[-1])
        self.until(lambda: self.finger.is_idle, "the finger came up")
        self.frames(6)

    def tap(self, widget: Any) -> None:
        self.frames(2)
        self.path(widget.to_window(*widget.center))

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
        parts = [n / steps for n in range(steps + 1)]
        self.path(*((start[0] + (end[0] - start[0]) * p, start[1] + (end[1] - start[1]) * p) for p in parts))

    def type(self, text: str) -> None:
        for char in text:
            self.window.dispatch("on_textinput", char)
            self.frames(1)

    def key(self, code: int, *modifiers: str) -> None:
        self.window.dispatch("on_key_down", code, 0, None, list(modifiers))
        self.frames(2)
        self.window.dispatch("on_key_up", code, 0)


class Stage:
    """A fresh overlay with a column on the window, for one act."""

    def __init__(self, hand: Hand) -> None:
        from kivy.uix.boxlayout import BoxLayout

        from mobile.ui.kit import Column, Overlay, Scroll

        self.hand, self.overlay, self.page = hand, Overlay(), BoxLayout(orientation="vertical")
        self.scroll, self.column = Scroll(), Column(padding=[20, 20], spacing=14)
        self.overlay.add_page(self.page)
        hand.window.add_widget(self.overlay)

    def show(self, *widgets: Any) -> None:
        """The widgets below each other in a scroller."""
        if self.scroll.parent is None:
            self.page.add_widget(self.scroll)
            self.scroll.add_widget(self.column)
        for widget in widgets:
            self.column.add_widget(widget)
        self.hand.frames(6)

    def show_page(self, widgets: list[Any]) -> None:
        """A page of the gallery: its column scrolls, the rest stands."""
        from mobile.ui.kit import Column, Scroll

        for widget in widgets:
            if isinstance(widget, Column):
                scroll = Scroll()
                scroll.add_widget(widget)
                self.page.add_widget(scroll)
            else:
                self.page.add_widget(widget)
        self.hand.frames(10)

    def find(self, test_id: str) -> Any:
        for widget in self.overlay.walk():
            if getattr(widget, "test_id", "") == test_id:
                return widget
        raise AssertionError(f"no {test_id} on the screen")

    def close(self) -> None:
        self.hand.window.remove_widget(self.overlay)
        self.hand.frames(2)


class Heard:
    """Counts what an event said."""

    def __init__(self, widget: Any, event: str) -> None:
        self.said: list[tuple[Any, ...]] = []
        widget.bind(**{event: self._hear})

    def _hear(self, _widget: Any, *said: Any) -> None:
        self.said.append(said)


def pressables(widget: Any) -> Iterator[Any]:
    from mobile.ui.widgets.press import Press

    if widget.opacity <= 0:
        return
    if isinstance(widget, Press) and not widget.disabled and getattr(widget, "pressable", True):
        yield widget
    for child in widget.children:
        yield from pressables(child)


# ---------------------------------------------------------------- sizes


def each_page(hand: Hand, check: Callable[[Stage, str], None]) -> None:
    import gallery

    from mobile.ui.theme import theme

    for scale, language in ((1.0, "zh"), (1.6, "en")):
        theme.text_scale = scale
        for name, page in gallery.PAGES.items():
            stage = Stage(hand)
            try:
                stage.show_page(page(LANGUAGES[language]))
                check(stage, f"{name} {language} {scale}")
            finally:
                stage.close()


def act_targets_are_48_dp_and_texts_stay_in_their_places(hand: Hand) -> None:
    from mobile.ui.kit import Text

    wrong: list[str] = []

    def check(stage: Stage, where: str) -> None:
        for widget in pressables(stage.overlay):
            if min(widget.size) < TARGET_DP:
                wrong.append(f"{where}: {type(widget).__name__} {widget.label!r} {widget.size}")
        for widget in stage.overlay.walk():
            if isinstance(widget, Text) and widget.text:
                wrong.extend(f"{where}: {widget.text!r} {fault}" for fault in faults_of(widget, hand.window.width))

    each_page(hand, check)
    assert not wrong, "\n".join(wrong)


def faults_of(text: Any, window_width: float) -> Iterator[str]:
    if text.texture_size[0] > text.width + 2 or text.texture_size[1] > text.height + 1:
        yield f"is drawn {text.texture_size} in {text.size}"
    left, _ = text.to_window(text.x, text.y)
    if not in_sideways_scroller(text) and (left < -1 or left + text.width > window_width + 1):
        yield f"leaves the window, from {left} to {left + text.width}"


def in_sideways_scroller(widget: Any) -> bool:
    from mobile.ui.kit import Chips

    return any(isinstance(parent, Chips) for parent in parents(widget))


def parents(widget: Any) -> Iterator[Any]:
    while widget.parent is not None and widget.parent is not widget:
        widget = widget.parent
        yield widget


def act_themes_change_while_it_runs(hand: Hand) -> None:
    from mobile.ui.kit import Card, Text
    from mobile.ui.theme import theme

    stage, text = Stage(hand), Text(text="一句话 one sentence", tone="accent")
    card = Card()
    card.add_widget(text)
    stage.show(card)
    light = list(text.color)
    theme.mode = "dark"
    assert list(text.color) == list(theme.accent) != light
    theme.mode, theme.system_dark = "auto", False
    assert list(text.color) == light
    theme.system_dark = True
    assert list(text.color) != light
    before = text.height
    theme.text_scale = 9.0
    hand.frames()
    assert theme.text_scale == 1.6
    assert text.height > before
    stage.close()


# ---------------------------------------------------------------- buttons and choices


def act_a_button_is_pressed_once(hand: Hand) -> None:
    from mobile.ui.kit import FilledButton, IconButton, OutlineButton, QuietButton

    stage = Stage(hand)
    buttons = [
        FilledButton(text="Save", icon="save"),
        OutlineButton(text="Other"),
        QuietButton(text="Later"),
        IconButton(icon="x", label="Close"),
    ]
    heard = [Heard(button, "on_release") for button in buttons]
    stage.show(*buttons)
    for button in buttons:
        hand.tap(button)
    assert [len(one.said) for one in heard] == [1, 1, 1, 1]
    buttons[0].disabled = True
    buttons[1].busy = True
    hand.tap(buttons[0])
    hand.tap(buttons[1])
    buttons[0].press()
    buttons[1].press()
    assert [len(one.said) for one in heard] == [1, 1, 1, 1]
    stage.close()


def act_a_press_shows(hand: Hand) -> None:
    from mobile.ui.kit import FilledButton

    stage, button = Stage(hand), FilledButton(text="Save")
    stage.page.add_widget(button)
    hand.frames(6)
    hand.finger.put("begin", *button.to_window(*button.center))
    hand.until(lambda: button.press_alpha == 1, "the shade of a press")
    hand.finger.put("end", *button.to_window(*button.center))
    hand.until(lambda: button.press_alpha == 0, "the end of the shade")
    stage.close()


def act_choices_choose(hand: Hand) -> None:
    from mobile.ui.kit import CheckRow, Chips, ChoiceGrid, NumberStepper, OptionList, Segment, Toggle, ToggleRow

    options = [("a", "First"), ("b", "Second"), ("c", "Third")]
    stage = Stage(hand)
    segment = Segment(options=options, value="a", test_id="segment")
    chips = Chips(options=options, value="a", test_id="chips")
    grid = ChoiceGrid(options=options, value="a", test_id="grid")
    listed = OptionList(options=options, value="a", test_id="list")
    check, toggle, row = CheckRow(text="I accept"), Toggle(), ToggleRow(title="Reminders", icon="bell")
    number = NumberStepper(value=1, low=1, high=2, test_id="number")
    stage.show(segment, chips, grid, listed, check, toggle, row, number)
    picked = Heard(listed, "on_pick")
    for name in ("segment", "chips", "grid", "list"):
        hand.tap(stage.find(f"{name}-b"))
    assert [segment.value, chips.value, grid.value, listed.value] == ["b"] * 4
    assert picked.said == [("b",)]
    for widget in (check, toggle, row):
        hand.tap(widget)
        assert widget.active
        hand.tap(widget)
        assert not widget.active
    hand.tap(stage.find("number-less"))
    assert number.value == 1
    hand.tap(stage.find("number-more"))
    hand.tap(stage.find("number-more"))
    assert number.value == 2
    stage.close()


# ---------------------------------------------------------------- typing


def act_a_field_takes_text(hand: Hand) -> None:
    from mobile.ui.kit import Field

    stage = Stage(hand)
    name = Field(label="Name", helper="As on the card", max_chars=6, test_id="name")
    secret = Field(label="Password", password=True, test_id="secret")
    stage.show(name, secret)
    typed, left = Heard(name, "on_typed"), Heard(name, "on_leave")
    hand.tap(name.input)
    hand.type("abc 你好!")
    assert name.text == "abc 你好"
    assert len(typed.said) == 6
    hand.tap(stage.find("name-trail"))
    assert name.text == ""
    assert name.focus
    hand.tap(secret.input)
    assert len(left.said) >= 1
    assert not name.focus
    hand.type("pw")
    assert secret.input.password
    hand.tap(stage.find("secret-trail"))
    assert not secret.input.password
    assert secret.text == "pw"
    before = name.height
    name.error = "Give a name of at least two characters, so that the gate can greet you by it"
    hand.frames(6)
    assert name.height > before
    stage.close()


def act_plates_are_typed_by_their_own_keys(hand: Hand) -> None:
    from mobile.ui.kit import PlateField

    def wrong(text: str, new_energy: bool) -> str:
        return "Not a plate" if text.endswith("9") else ""

    stage = Stage(hand)
    field = PlateField(check=wrong, field_label="Plate", sheet_title="Plate", done_text="Done", test_id="plate")
    stage.show(field)
    left = Heard(field, "on_leave")
    hand.tap(field)
    hand.tap(stage.find("key-琼"))
    assert stage.find("key-1").disabled
    assert not stage.find("key-C").disabled
    ids = {getattr(widget, "test_id", "") for widget in stage.overlay.walk()}
    assert not ids & {"key-I", "key-O"}
    for char in "A1234":
        hand.tap(stage.find(f"key-{char}"))
    assert field.text == "琼A1234"
    hand.tap(stage.find("key-endings"))
    hand.tap(stage.find("key-学"))
    assert field.text == "琼A1234学"
    hand.tap(stage.find("key-erase"))
    hand.tap(stage.find("key-9"))
    assert stage.find("plate-keyboard").problem == "Not a plate"
    assert stage.find("key-5").disabled
    hand.tap(stage.find("key-new-energy"))
    hand.tap(stage.find("key-0"))
    assert field.text == "琼A123490"
    assert field.new_energy
    assert stage.find("plate-keyboard").problem == ""
    hand.tap(stage.find("key-new-energy"))
    assert field.text == "琼A12349"
    hand.tap(stage.find("key-done"))
    hand.until(lambda: not stage.overlay.layers, "the sheet went")
    assert left.said
    stage.close()


# ---------------------------------------------------------------- layers


def act_a_sheet_closes_in_four_ways(hand: Hand) -> None:
    from mobile.ui.kit import FilledButton, Sheet, Text

    stage, button = Stage(hand), FilledButton(text="Behind")
    stage.show(button)
    pressed = Heard(button, "on_release")

    def opened(**given: Any) -> tuple[Any, Heard]:
        sheet = Sheet(title="Language", **given)
        sheet.body.add_widget(Text(text="Something"))
        heard = Heard(sheet, "on_closed")
        sheet.open(button)
        hand.frames(6)
        return sheet, heard

    sheet, closed = opened()
    hand.tap(sheet.body.children[0])
    assert stage.overlay.layers == [sheet]
    hand.path((200, 800))
    assert len(closed.said) == 1
    sheet, closed = opened()
    grip = sheet.ids.grip
    hand.drag((200, grip.y + 20), (200, grip.y - 120))
    assert len(closed.said) == 1
    sheet, closed = opened()
    hand.drag((200, sheet.ids.grip.y + 20), (200, sheet.ids.grip.y + 5))
    assert not closed.said
    assert sheet.shift == 0
    assert stage.overlay.back()
    hand.frames()
    assert len(closed.said) == 1
    assert not stage.overlay.back()
    sheet, closed = opened(close_label="Close", test_id="sheet")
    hand.tap(stage.find("sheet-close"))
    assert len(closed.said) == 1
    sheet, closed = opened(closable=False)
    hand.path((200, 800))
    assert stage.overlay.back()
    assert not closed.said
    sheet.close()
    hand.frames()
    assert not pressed.said
    stage.close()


def act_a_dialog_is_answered_once(hand: Hand) -> None:
    from mobile.ui.kit import Dialog, FilledButton

    stage, button = Stage(hand), FilledButton(text="Behind")
    stage.show(button)
    for way, expected in (("confirm", [1, 0]), ("cancel", [0, 1]), ("back", [0, 1])):
        dialog = Dialog(
            title="Delete the account?", text="It cannot be undone.", confirm_text="Delete", cancel_text="Keep",
            kind="refuse", icon="trash-2", test_id="ask",
        )  # fmt: skip
        heard = [Heard(dialog, "on_confirm"), Heard(dialog, "on_cancel")]
        dialog.open(button)
        hand.frames(6)
        if way == "back":
            stage.overlay.back()
        else:
            hand.tap(stage.find(f"ask-{way}"))
        hand.frames(6)
        assert [len(one.said) for one in heard] == expected, way
        assert not stage.overlay.layers
    stage.close()


def act_one_message_at_a_time(hand: Hand) -> None:
    from mobile.ui.kit import FilledButton, Toast

    stage, button, undone = Stage(hand), FilledButton(text="Behind"), []
    stage.show(button)
    Toast.show(button, "First", seconds=0)
    second = Toast.show(button, "Approved", action_text="Undo", on_action=lambda: undone.append(1), seconds=0)
    hand.frames(6)
    assert [child for child in stage.overlay.children if isinstance(child, Toast)] == [second]
    hand.tap(stage.find("toast-action"))
    assert undone == [1]
    assert second.parent is None
    Toast.show(button, "Goes by itself", seconds=0.05)
    hand.until(lambda: not any(isinstance(c, Toast) for c in stage.overlay.children), "the message went by itself")
    stage.close()


# ---------------------------------------------------------------- lists, bars, charts


def act_the_bottom_bar_goes_places(hand: Hand) -> None:
    from mobile.ui.kit import BottomBar, Spring

    items = [(name, "house", name) for name in ("home", "trips", "scan", "rewards", "me")]
    stage, bar = Stage(hand), BottomBar(items=items, value="home", centre="scan")
    stage.page.add_widget(Spring())
    stage.page.add_widget(bar)
    hand.frames(6)
    hand.tap(stage.find("tab-me"))
    assert bar.value == "me"
    hand.path((bar.center_x, bar.top + 12))
    assert bar.value == "scan"
    stage.close()


def act_a_long_list_makes_few_rows(hand: Hand) -> None:
    from mobile.ui.kit import LazyList
    from mobile.ui.widgets.lazy_list import LazyRow

    rows = [{"key": str(n), "title": f"Row {n}", "value": "x" if n == 0 else "", "icon": "bus"} for n in range(1000)]
    stage, listed = Stage(hand), LazyList(rows=rows)
    stage.page.add_widget(listed)
    hand.frames(6)
    picked, ended = Heard(listed, "on_pick"), Heard(listed, "on_end")

    def shown() -> list[Any]:
        return [widget for widget in listed.walk() if isinstance(widget, LazyRow)]

    assert len(shown()) < 30
    hand.tap(next(row for row in shown() if row.key == "3"))
    assert picked.said == [("3",)]
    hand.drag((200, 200), (200, 700))
    hand.until(lambda: listed.scroll_y < 1, "the list moved")
    listed.scroll_y = 0.5
    hand.frames(6)
    assert all(row.value == "" for row in shown() if row.key != "0")
    assert not ended.said
    listed.scroll_y = 0
    hand.frames(6)
    assert len(ended.said) == 1
    assert len(shown()) < 40
    assert {row.height for row in shown()} == {listed.row_px}
    stage.close()


def act_pulling_down_refreshes(hand: Hand) -> None:
    from mobile.ui.kit import Column, PullToRefresh, Scroll, Text

    stage, scroll, column = Stage(hand), Scroll(), Column()
    column.add_widget(Text(text="A short page"))
    scroll.add_widget(column)
    pull = PullToRefresh(scroll)
    stage.page.add_widget(pull)
    hand.frames(6)
    wanted = Heard(pull, "on_refresh")
    hand.drag((200, 700), (200, 670))
    assert not wanted.said
    hand.drag((200, 700), (200, 500))
    assert len(wanted.said) == 1
    pull.busy = True
    hand.drag((200, 700), (200, 500))
    assert len(wanted.said) == 1
    stage.close()


def act_a_day_of_the_chart_is_picked(hand: Hand) -> None:
    from mobile.ui.kit import DayBars

    stage = Stage(hand)
    bars = DayBars(
        bars=[(name, value, "") for name, value in (("M", 3), ("T", None), ("W", 5))], at=2, goal=4, pressable=True
    )
    stage.show(bars)
    picked = Heard(bars, "on_pick")
    hand.path(bars.to_window(bars.x + bars.width * 0.5, bars.center_y))
    assert picked.said == [(1,)]
    bars.press()
    assert picked.said == [(1,), (0,)]
    stage.close()


def act_rows_lists_and_cards_keep_their_lines(hand: Hand) -> None:
    from mobile.ui.kit import CardList, Divider, Row

    stage, card = Stage(hand), CardList()
    rows = [Row(title=f"Row {n}") for n in range(3)]
    for row in rows:
        card.add_widget(row)
    stage.show(card)

    def lines() -> int:
        return sum(isinstance(child, Divider) for child in card.children)

    assert lines() == 2
    card.remove_widget(rows[0])
    assert lines() == 1
    assert not isinstance(card.children[-1], Divider)
    card.remove_widget(rows[2])
    assert card.children == [rows[1]]
    stage.close()


def act_the_keyboard_walks_everything(hand: Hand) -> None:
    from mobile.ui.kit import CheckRow, Field, FilledButton, Overlay, QuietButton, Sheet
    from mobile.ui.widgets.focus import KeyFocus

    stage = Stage(hand)
    field, check = Field(label="Name", test_id="name"), CheckRow(text="Accept")
    save, off = FilledButton(text="Save"), FilledButton(text="Off", disabled=True)
    stage.show(field, check, off, save)
    focus = KeyFocus(stage.overlay, hand.window)
    pressed = Heard(save, "on_release")
    hand.key(9)
    assert focus.current is field
    hand.type("x")
    assert field.text == "x"
    hand.key(9)
    assert focus.current is check
    assert not field.focus
    hand.key(32)
    assert check.active
    hand.key(9)
    assert focus.current is save
    assert save.key_focused
    hand.key(13)
    assert len(pressed.said) == 1
    hand.key(9)
    assert focus.current is field
    hand.key(9, "shift")
    assert focus.current is save
    sheet, inside = Sheet(), QuietButton(text="Inside")
    sheet.body.add_widget(inside)
    sheet.open(save)
    hand.frames(6)
    hand.key(9)
    assert focus.current is inside
    assert Overlay.of(inside) is stage.overlay
    hand.path((200, 800))
    assert focus.current is None
    focus.close()
    stage.close()


# ---------------------------------------------------------------- codes, waiting


def act_codes_are_read_from_the_screen(hand: Hand) -> None:
    import gallery
    import zxingcpp

    from mobile.ui.theme import theme

    for mode in ("light", "dark"):
        theme.mode = mode
        stage = Stage(hand)
        stage.show_page(gallery.PAGES["pass"](LANGUAGES["en"]))
        found = zxingcpp.read_barcodes(hand.drawn().convert("L"))
        assert [code.text for code in found] == [gallery.PASS_TEXT], mode
        stage.close()


def act_waiting_moves_only_for_those_who_want_it(hand: Hand) -> None:
    from mobile.ui.kit import Skeleton, WaitArc
    from mobile.ui.theme import theme

    stage, still, bones = Stage(hand), WaitArc(), Skeleton(rows=2)
    stage.show(still, bones)
    hand.frames(10)
    assert still.angle == 0
    assert bones.sweep == 0
    theme.reduced_motion = False
    moving, sweeping = WaitArc(), Skeleton(rows=2)
    stage.show(moving, sweeping)
    hand.until(lambda: moving.angle > 0 and sweeping.sweep > 0, "the arc turned")
    stage.close()


def main() -> None:
    folder = Path(sys.argv[1])
    window.prepare(folder)
    window.configure()
    from kivy.config import Config

    # No waiting between frames: the acts count frames and look at no clock.
    Config.set("graphics", "maxfps", "0")
    window.opened_window()
    from mobile.ui.theme import install_fonts, theme

    install_fonts()
    hand = Hand()
    wanted = sys.argv[2:] or [name for name in globals() if name.startswith("act_")]
    for name, act in [(name, globals()[name]) for name in wanted]:
        theme.mode, theme.system_dark, theme.text_scale, theme.reduced_motion = "light", False, 1.0, True
        wrong = ""
        try:
            act(hand)
        except Exception:  # noqa: BLE001 - whatever went wrong is what the test tells
            wrong = traceback.format_exc()
        print(json.dumps({"act": name, "wrong": wrong}), flush=True)


if __name__ == "__main__":
    main()
