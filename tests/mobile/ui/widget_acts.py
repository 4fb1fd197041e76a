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

import layer_acts
from hands import LANGUAGES, Hand, Heard, Stage, pressables

from mobile.ui import window

# A touch target of the design, less what rounding to pixels may take.
TARGET_DP = 47.9


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
    acts = {**globals(), **vars(layer_acts)}
    wanted = sys.argv[2:] or [name for name in acts if name.startswith("act_")]
    for name in wanted:
        theme.mode, theme.system_dark, theme.text_scale, theme.reduced_motion = "light", False, 1.0, True
        wrong = ""
        try:
            acts[name](hand)
        except Exception:  # noqa: BLE001 - whatever went wrong is what the test tells
            wrong = traceback.format_exc()
        print(json.dumps({"act": name, "wrong": wrong}), flush=True)


if __name__ == "__main__":
    main()
